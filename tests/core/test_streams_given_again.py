"""A request that comes again gets a streamed answer as the first caller got it: head, format, pieces, and its end."""

import json

import pytest

from events import event
from handler_kinds import KINDS
from lambdallm import Middleware, StreamingResponse, handler
from lambdallm.middleware import IdempotencyMiddleware, LoggingMiddleware, ValidationMiddleware
from lambdallm.middleware.base import ShortCircuit
from lambdallm.testing import MockLambdaContext, mock_model
from server_events import events

kinds = pytest.mark.parametrize("kind", KINDS)
ONCE = {"idempotency-key": "k"}


class Reading(MockLambdaContext):
    """A runtime that takes streams; `context` is what the handler made of the invocation."""

    accepts_stream = True

    def on_context(self, context):
        self.context = context


def asked(accept=None, **headers):
    sent = event("function_url")
    sent["headers"] = {**sent["headers"], **({"accept": accept} if accept else {}), **headers}
    return sent


def giving(kind, make, runs=None, **settings):
    """A handler of the kind that returns what `make` makes of the context."""
    runs = [] if runs is None else runs

    def function(event, context):
        runs.append(1)
        return make(context)

    async def awaited(event, context):
        return function(event, context)

    return handler(**settings)(function if kind == "def" else awaited)


@kinds
class TestGivenAgain:
    def test_head_format_and_pieces_are_the_first_ones(self, kind):
        runs, state = [], {"n": 0}

        def pieces():
            yield "one\r\ntwo"
            for number in (1, 2):
                state["n"] = number
                yield state
            yield b"\xff"

        def make(context):
            context.response_headers["X-Tag"] = "t"
            return StreamingResponse(pieces(), 201, {"X-Own": ["a", "b"]}, ("seen=yes",), format="sse", accounts=False)

        made = giving(kind, make, runs, middleware=[IdempotencyMiddleware()])
        first = made(asked(**ONCE), Reading(aws_request_id="r"))
        got = list(first)
        again = made(asked(**ONCE), Reading(aws_request_id="r"))
        assert (again.head.status, again.head.cookies) == (201, ("seen=yes",))
        assert again.head.headers == {**first.head.headers, "Idempotency-Replayed": "true"}
        assert list(again) == got
        assert [data for _, data in events(b"".join(got))][1:4] == ['{"n":1}', '{"n":2}', '{"base64":"/w=="}']
        assert runs == [1]

    def test_the_end_says_what_it_said_but_for_the_request(self, kind):
        make = lambda context: context.stream("Hi") if kind == "def" else context.astream("Hi")  # noqa: E731
        made = giving(kind, make, middleware=[IdempotencyMiddleware()], model="echo")
        ends = []
        for id in ("r1", "r2"):
            stream = made(asked("text/event-stream", **ONCE), Reading(aws_request_id=id))
            ends.append(json.loads(events(b"".join(stream))[-1][1]))
        assert ends[0] == {**ends[1], "request_id": "r1"}
        assert (ends[1]["finish_reason"], ends[1]["usage"]["output_tokens"], ends[1]["request_id"]) == ("stop", 1, "r2")

    def test_what_time_has_cut_off_stays_so(self, kind):
        def make(context):
            yield "half"
            context.deadline = 0.0
            yield "late"
            yield "never"

        async def amake(context):
            for piece in make(context):
                yield piece

        settings = {"middleware": [IdempotencyMiddleware()]}
        made = giving(kind, make if kind == "def" else amake, **settings)
        first = list(made(asked("text/event-stream", **ONCE), Reading(aws_request_id="r")))
        again = made(asked("text/event-stream", **ONCE), Reading(aws_request_id="r"))
        assert again.head.headers["X-LambdaLLM-Truncated"] == "deadline"
        assert list(again) == first
        assert events(first[-1])[0][0] == "truncated"

    def test_in_one_piece_it_has_the_same_head(self, kind):
        make = lambda context: StreamingResponse(iter(["one", {"n": 1}]), 201, cookies=("a=b",), format="ndjson")  # noqa: E731
        made = giving(kind, make, middleware=[IdempotencyMiddleware()])
        content = b"".join(made(asked(**ONCE), Reading(aws_request_id="r")))
        whole = made(asked(**ONCE), MockLambdaContext(aws_request_id="r"))
        assert (whole["statusCode"], whole["cookies"], whole["body"].encode()) == (201, ["a=b"], content)
        assert whole["headers"]["Content-Type"] == "application/x-ndjson"

    def test_layers_outside_see_a_stream(self, kind):
        lines = []
        layers = [
            LoggingMiddleware(lines.append, content=True),
            ValidationMiddleware(result={"type": "object"}),
            IdempotencyMiddleware(),
        ]
        make = lambda context: StreamingResponse(iter(["one", "two"]), 202)  # noqa: E731
        made = giving(kind, make, middleware=layers)
        assert [list(made(asked(**ONCE), Reading())) for _ in range(2)] == [[b"one", b"two"]] * 2
        assert [(line["status"], line["result"]) for line in lines] == [(202, "onetwo")] * 2

    def test_thinking_is_the_function_s(self, kind):
        from lambdallm.llm.types import ReasoningPart, StreamChunk

        chunks = [StreamChunk(part=ReasoningPart("Hm")), StreamChunk(delta="other", index=1), StreamChunk(delta="Hi")]
        lines = []
        layers = [LoggingMiddleware(lines.append, content=True), IdempotencyMiddleware()]
        made = giving(kind, lambda context: iter(chunks), middleware=layers)
        assert [b"".join(made(asked(**ONCE), Reading())) for _ in range(2)] == [b"Hi", b"Hi"]
        assert lines[0]["result"] == "Hi"

    def test_what_is_no_json_is_not_kept(self, kind, caplog):
        runs = []
        made = giving(kind, lambda context: iter(["one", object()]), runs, middleware=[IdempotencyMiddleware()])
        for _ in range(2):
            with pytest.raises(TypeError):
                list(made(asked(**ONCE), Reading()))
        assert runs == [1, 1]


@kinds
def test_the_log_has_the_status_that_was_sent(kind):
    class Shouts(Middleware):
        def after_invoke(self, event, result, context):
            return (piece.upper() for piece in result)

    for layers in ([], [Shouts()]) if kind == "def" else ([],):
        lines = []
        make = lambda context: StreamingResponse(iter(["one"]), 404)  # noqa: E731
        made = giving(kind, make, middleware=[LoggingMiddleware(lines.append), *layers])
        assert made(asked(), Reading()).head.status == 404
        list(made(asked(), Reading()))
        assert [line["status"] for line in lines] == [404] * 2


@kinds
@pytest.mark.parametrize("awaited", [False, True])
def test_middleware_may_answer_with_pieces_of_either_kind(kind, awaited):
    async def awaiting():
        yield "one"
        yield "two"

    class Answers(Middleware):
        def before_invoke(self, event, context):
            raise ShortCircuit(awaiting() if awaited else iter(["one", "two"]))

    lines = []
    made = giving(kind, lambda context: "never", middleware=[LoggingMiddleware(lines.append), Answers()])
    assert list(made(asked(), Reading())) == [b"one", b"two"]
    made(asked(), Reading()).close()
    assert made(asked(), None)["body"] == "onetwo"
    assert [line.get("reader_left") for line in lines] == [None, True, None]


def test_a_model_s_stream_is_asked_once():
    runs = []
    made = giving("def", lambda context: context.stream("Hi"), runs, middleware=[IdempotencyMiddleware()])
    with mock_model(["one two"]) as model:
        assert [list(made(asked(**ONCE), Reading())) for _ in range(2)] == [[b"one", b" two"]] * 2
    assert (runs, len(model.calls)) == ([1], 1)
