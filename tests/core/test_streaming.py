"""Answers that go out piece by piece: in which order, in which form, and what is accounted for however they end."""

import asyncio
import json
import logging
from collections import OrderedDict

import pytest

from events import event
from handler_kinds import KINDS
from lambdallm import Middleware, Response, StreamingResponse, handler
from lambdallm._value import Value
from lambdallm.core import streaming
from lambdallm.core.exceptions import BudgetExceededError, ConfigurationError, ProviderServerError
from lambdallm.llm.backends.errors import BackendError
from lambdallm.llm.drivers import shared_driver
from lambdallm.llm.pricing import PricingManager
from lambdallm.middleware import CostTrackingMiddleware, LoggingMiddleware
from lambdallm.middleware.base import ShortCircuit
from lambdallm.runtime.streams import ResponseStream
from lambdallm.state.memory import MemoryStateStore
from lambdallm.state.session import Session
from lambdallm.testing import MockLambdaContext, mock_model
from server_events import events

kinds = pytest.mark.parametrize("kind", KINDS)


class Reading(MockLambdaContext):
    """A runtime that takes streams; `context` is what the handler made of the invocation."""

    accepts_stream = True

    def on_context(self, context):
        self.context = context


def asked(accept=None, kind="function_url", **headers):
    sent = event(kind)
    sent["headers"] = {**sent["headers"], **({"accept": accept} if accept else {}), **headers}
    return sent


def giving(kind, *pieces, log=None, **settings):
    """A handler of the kind that gives pieces; one that is an exception is raised, a function is called."""
    log = [] if log is None else log

    def made(piece):
        if isinstance(piece, Exception):
            raise piece
        return piece() if callable(piece) else piece

    def function(event, context):
        try:
            for piece in pieces:
                log.append("making")
                yield made(piece)
        finally:
            log.append("closed")

    async def awaited(event, context):
        try:
            for piece in pieces:
                log.append("making")
                await asyncio.sleep(0)
                yield made(piece)
        finally:
            log.append("closed")

    return handler(**settings)(function if kind == "def" else awaited)


def returning(kind, value, **settings):
    """A handler of the kind that returns a value."""

    async def awaited(event, context):
        return value

    return handler(**settings)((lambda event, context: value) if kind == "def" else awaited)


def asking(kind, prompt="Say it", *, wrap=lambda stream: stream, settings=None, **options):
    """A handler of the kind that returns a model's stream."""

    def function(event, context):
        return wrap(context.stream(prompt, **options))

    async def awaited(event, context):
        return wrap(context.astream(prompt, **options))

    return handler(**(settings or {}))(function if kind == "def" else awaited)


def last(stream):
    """What the last event says, and its name."""
    name, data = events(b"".join(stream))[-1]
    return name, json.loads(data)


@kinds
class TestOrder:
    def test_a_reader_has_each_piece_before_the_next_is_made(self, kind):
        log = []
        stream = giving(kind, "one", "two", log=log)(asked(), Reading())
        assert log == ["making"], "the first is pulled before the head is final"
        pieces = iter(stream)
        assert next(pieces) == b"one"
        assert log == ["making"]
        assert next(pieces) == b"two"
        assert log == ["making", "making"]
        assert list(pieces) == []
        assert log == ["making", "making", "closed"]

    def test_what_comes_after_the_function_comes_after_its_last_piece(self, kind):
        log = []

        class Told(Middleware):
            def before_invoke(self, event, context):
                log.append("before")

            def after_invoke(self, event, result, context):
                log.append("after")

        class Watched(LoggingMiddleware):
            def __init__(self):
                super().__init__(lambda line: log.append("logged"))

        class Says(MemoryStateStore):
            def append(self, *given, **named):
                log.append("saved")
                return super().append(*given, **named)

        def opened(context):
            context.session.add_message("user", "Hi")
            log.append("function")

        def function(event, context):
            opened(context)
            yield "one"

        async def awaited(event, context):
            opened(context)
            yield "one"

        settings = {
            "middleware": [Watched(), Told()],
            "session": Session(store=Says()),
            "metrics_sinks": [lambda metrics: log.append("flushed")],
        }

        def counted(event, context):
            context.metrics.record("mine", 1)
            return function(event, context)

        async def acounted(event, context):
            context.metrics.record("mine", 1)
            return awaited(event, context)

        made = handler(**settings)(counted if kind == "def" else acounted)
        stream = made(asked("text/event-stream"), Reading())
        assert log == ["before", "after", "function"]
        for piece in stream:
            log.append("done" if b"event: done" in piece else piece.decode().strip())
        assert log[3:] == ['data: {"text":"one"}', "saved", "logged", "done", "flushed"]

    def test_headers_set_before_the_first_piece_go_with_it(self, kind):
        def function(event, context):
            context.session.add_message("user", "Hi")
            context.response_headers["X-Tag"] = "t"
            yield "one"

        async def awaited(event, context):
            for piece in function(event, context):
                yield piece

        session = Session(store=MemoryStateStore(), id_from="cookie:sid")
        stream = handler(session=session)(function if kind == "def" else awaited)(asked(), Reading())
        assert stream.head.headers["X-Tag"] == "t"
        assert stream.head.cookies[0].startswith("sid=")


@kinds
class TestResults:
    """Whatever comes in pieces streams."""

    @pytest.mark.parametrize("wrap", [lambda s: s, StreamingResponse, lambda s: Response(s), lambda s: s.texts()])
    def test_a_model_s_stream(self, kind, wrap):
        with mock_model(["one two"]):
            stream = asking(kind, wrap=wrap)(asked(), Reading())
            assert isinstance(stream, ResponseStream)
            assert list(stream) == [b"one", b" two"]

    def test_generators_of_either_kind_in_handlers_of_either_kind(self, kind):
        def blocking():
            yield "one"
            yield "two"

        async def awaiting():
            yield "one"
            await asyncio.sleep(0)
            yield "two"

        for make in (blocking, awaiting):

            def function(event, context, make=make):
                return make()

            async def awaited(event, context, make=make):
                return make()

            made = handler(function if kind == "def" else awaited)
            assert list(made(asked(), Reading())) == [b"one", b"two"]
            assert made(asked(), None)["body"] == "onetwo"

    @pytest.mark.parametrize(
        ("body", "sent"),
        [
            (["one", "two"], [b"one", b"two"]),
            ("whole", [b"whole"]),
            ({"a": 1}, [b'{"a":1}\n', b'{"done":{"finish_reason":null,"request_id":"r"}}\n']),
            (None, []),
            (b"bytes", [b"bytes"]),
        ],
    )
    def test_a_streaming_response_takes_any_body(self, kind, body, sent):
        def function(event, context):
            return StreamingResponse(body, accounts=False)

        async def awaited(event, context):
            return StreamingResponse(body, accounts=False)

        made = handler(function if kind == "def" else awaited)
        assert list(made(asked(), Reading(aws_request_id="r"))) == sent

    def test_head_and_format_are_the_response_s(self, kind):
        def wrap(stream):
            headers = {"X-Accel-Buffering": "yes", "x-tags": ["a", "b"], "Set-Cookie": "c=d"}
            return StreamingResponse(stream, 202, headers, ("a=b",), format="ndjson")

        with mock_model(["one"]):
            stream = asking(kind, wrap=wrap)(asked("text/event-stream"), Reading())
            assert (stream.head.status, stream.content_type) == (202, "application/x-ndjson")
            assert stream.head.cookies == ("a=b", "c=d")
            assert stream.head.headers == {
                "X-Accel-Buffering": "yes",
                "x-tags": "a, b",
                "Content-Type": "application/x-ndjson",
                "Cache-Control": "no-cache",
                "X-Content-Type-Options": "nosniff",
            }
            assert json.loads(next(iter(stream))) == {"text": "one"}

    def test_through_a_rest_api_headers_that_come_twice_are_lists(self, kind):
        wrap = lambda stream: Response(stream, headers={"X-Tags": ["a", "b"]})  # noqa: E731
        with mock_model(["one"]):
            made = asking(kind, wrap=wrap, settings={"response_streaming": "rest"})
            stream = made(asked(kind="api_gateway_v1"), Reading())
        assert stream.head.headers["X-Tags"] == ["a", "b"]
        assert json.loads(stream.head.prelude())["multiValueHeaders"] == {"X-Tags": ["a", "b"]}

    def test_direct_callers_get_bytes_without_a_head(self, kind):
        with mock_model(["one two"]):
            stream = asking(kind, settings={"response_streaming": ["direct"]})({"any": "event"}, Reading())
            assert (stream.head, stream.content_type) == (None, "text/plain; charset=utf-8")
            assert list(stream) == [b"one", b" two"]

    def test_another_protocol_goes_out_as_it_is(self, kind):
        from lambdallm.llm.streaming.sync import to_sse

        def wrap(stream):
            chunks = [chunk for chunk in stream] if kind == "def" else []  # noqa: C416
            return Response(to_sse(chunks), headers={"content-type": "text/event-stream"})

        with mock_model(["one"]):
            stream = asking(kind, wrap=wrap)(asked("text/event-stream"), Reading())
            assert (stream.content_type, stream.head.headers["content-type"]) == ("text/event-stream",) * 2
            assert list(stream)[-1].endswith(b"data: [DONE]\n\n")
            response = asking(kind, wrap=wrap)(asked("text/event-stream"), None)
            assert response["body"].endswith("data: [DONE]\n\n")

    def test_the_last_event_says_how_it_ended_and_what_it_took(self, kind):
        with mock_model(["one two"], cost_usd=None):
            name, facts = last(asking(kind)(asked("text/event-stream"), Reading(aws_request_id="r")))
        assert (name, facts["request_id"]) == ("done", "r")
        name, facts = last(asking(kind, settings={"model": "echo"})(asked("text/event-stream"), Reading()))
        assert (name, facts["finish_reason"]) == ("done", "stop")
        assert facts["usage"] == {"input_tokens": 2, "output_tokens": 2}
        assert facts["cost_usd"] == 0

    def test_nothing_at_all_is_an_empty_answer(self, kind):
        assert list(giving(kind)(asked(), Reading())) == []
        assert last(giving(kind)(asked("text/event-stream"), Reading()))[0] == "done"


def test_a_value_with_texts_is_no_stream():
    class Found(Value):
        texts: tuple[str, ...] = ("one",)

    assert handler(lambda event, context: Found())({}, Reading()) == {"texts": ["one"]}


def test_a_format_that_is_none_is_a_mistake():
    with pytest.raises(ConfigurationError, match="'xml'"):
        StreamingResponse([], format="xml")


@kinds
class TestErrors:
    def test_before_the_first_byte_are_ordinary_responses(self, kind):
        log = []
        response = giving(kind, ProviderServerError("secret"), log=log)(asked("text/event-stream"), Reading())
        assert (response["statusCode"], "secret" in response["body"]) == (502, False)
        assert log == ["making", "closed"]

    def test_before_the_first_byte_are_raised_to_direct_callers(self, kind):
        with pytest.raises(KeyError):
            giving(kind, KeyError("x"), response_streaming="direct")({}, Reading())

    def test_on_the_way_are_told_in_the_stream_and_raised(self, kind):
        stream = giving(kind, "one", KeyError("secret"))(asked("text/event-stream"), Reading(aws_request_id="r"))
        got = []
        with pytest.raises(KeyError):
            read_into(got, stream)
        name, data = events(b"".join(got))[-1]
        assert name == "error"
        assert json.loads(data) == {"type": "internal", "message": "The function failed.", "request_id": "r"}

    def test_in_text_cut_the_connection_without_a_word(self, kind):
        got = []
        with pytest.raises(KeyError):
            read_into(got, giving(kind, "one", KeyError("x"))(asked(), Reading()))
        assert got == [b"one"]

    def test_of_a_piece_that_can_t_be_written_too(self, kind):
        log, got = [], []
        stream = giving(kind, {"a": 1}, object(), log=log)(asked(), Reading())
        with pytest.raises(TypeError, match="can't be sent as JSON"):
            read_into(got, stream)
        assert json.loads(got[-1])["error"]["type"] == "internal"
        assert log[-1] == "closed"

    def test_of_a_budget_on_the_way_are_told_as_what_they_are(self, kind):
        prices = PricingManager({"*": {"input": 0.0, "output": 1000.0}}, catalog=False)

        def function(event, context):
            yield "one"
            yield context.invoke("Hi", max_tokens=4000)

        async def awaited(event, context):
            yield "one"
            yield await context.ainvoke("Hi", max_tokens=4000)

        layers = [CostTrackingMiddleware(0.1, prices=prices)]
        stream = handler(middleware=layers)(function if kind == "def" else awaited)(
            asked("text/event-stream"), Reading()
        )
        got = []
        with mock_model(), pytest.raises(BudgetExceededError):
            read_into(got, stream)
        assert json.loads(events(got[-1])[0][1])["type"] == "budget"

    def test_of_the_session_s_store_come_before_the_end_is_told(self, kind):
        class Down(MemoryStateStore):
            def append(self, *given, **named):
                raise BackendError("down")

        def function(event, context):
            context.session.add_message("user", "Hi")
            yield "one"

        async def awaited(event, context):
            for piece in function(event, context):
                yield piece

        made = handler(session=Session(store=Down()))(function if kind == "def" else awaited)
        got = []
        with pytest.raises(BackendError):
            read_into(got, made(asked("text/event-stream"), Reading()))
        assert [name for name, _ in events(b"".join(got))] == ["message", "error"]

    def test_save_no_session_and_reach_the_middleware(self, kind):
        store, lines = MemoryStateStore(), []

        def function(event, context):
            context.session.add_message("user", "Hi")
            yield "one"
            raise KeyError("x")

        async def awaited(event, context):
            for piece in function(event, context):
                yield piece

        made = handler(
            session=Session(store=store), middleware=[LoggingMiddleware(lines.append)]
        )(function if kind == "def" else awaited)  # fmt: skip
        stream = made(asked(**{"x-session-id": "s"}), Reading())
        with pytest.raises(KeyError):
            list(stream)
        assert lines[0]["error_type"] == "KeyError"
        assert not session_of(store)


@kinds
@pytest.mark.parametrize("asked_for", [0, 1])
def test_the_end_of_the_process_between_two_pieces_is_accounted_for(kind, asked_for):
    flushed, log = [], []

    def counted(context):
        context.metrics.record("mine", 1)
        raise SystemExit(0)

    class Sees(Reading):
        def on_context(self, context):
            pieces[-1] = lambda: counted(context)

    pieces = ["one"] * asked_for + [None]

    def made():
        return pieces[-1]()

    stream_of = giving(kind, *pieces[:-1], made, log=log, metrics_sinks=[flushed.extend])
    with pytest.raises(SystemExit):
        list(stream_of(asked(), Sees()))
    assert ([metric.name for metric in flushed], log[-1]) == (["mine"], "closed")


def test_ctrl_c_while_a_piece_is_awaited_leaves_no_complaint(caplog):
    import gc

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(giving("async def", "one", interrupted)(asked(), Reading()))
    gc.collect()
    assert not caplog.records


@kinds
@pytest.mark.parametrize("takes", [True, False])
def test_what_is_returned_is_closed_at_its_end(kind, takes, tmp_path):
    path, runtime = tmp_path / "it.csv", Reading()
    path.write_text("a,b\n")
    runtime.accepts_stream = takes
    file = path.open("rb")
    answer = returning(kind, file)(asked(), runtime)
    assert b"".join(answer) == b"a,b\n" if takes else answer["isBase64Encoded"]
    assert file.closed


@kinds
@pytest.mark.parametrize(
    ("piece", "said"), [(float("nan"), "Put None in its place"), (iter("ab"), "Yield them one by one")]
)
def test_what_can_t_be_written_is_told_how_to_mend(kind, piece, said):
    with pytest.raises((ValueError, TypeError), match=said):
        list(giving(kind, "one", {"n": piece})(asked("text/event-stream"), Reading()))


@kinds
@pytest.mark.parametrize("takes", [True, False])
def test_streams_of_other_libraries_have_responses_of_their_own(kind, takes):
    class Theirs:
        response = "their provider's"

        def __init__(self):
            self.pieces = iter(["one", "two"])

        def __iter__(self):
            return self

        def __next__(self):
            return next(self.pieces)

    runtime = Reading()
    runtime.accepts_stream = takes
    answer = returning(kind, Theirs(), middleware=[LoggingMiddleware(lambda line: None)])(asked(), runtime)
    assert (b"".join(answer) if takes else answer["body"].encode()) == b"onetwo"


@kinds
def test_a_store_that_is_down_is_no_end_of_time(kind):
    made = giving(kind, BackendError("down"), timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore())
    assert made(asked(), Reading())["statusCode"] == 503


def read_into(got, stream):
    """Read a stream into a list, which keeps what came before an error."""
    for piece in stream:
        got.append(piece)


def session_of(store):
    """The texts of the messages that the session "s" has."""
    opened = Session(store=store).opened({"session_id": "s"})
    shared_driver().run(opened.loading())
    return [message.text for message in opened.messages]


@kinds
class TestReaderLeft:
    def test_the_function_ends_and_what_was_streamed_is_counted(self, kind):
        lines, flushed, store = [], [], MemoryStateStore()
        budget = CostTrackingMiddleware(1.0, prices=PricingManager({"*": {"input": 0.0, "output": 9e4}}, catalog=False))
        settings = {
            "middleware": [LoggingMiddleware(lines.append), budget],
            "metrics_sinks": [lambda metrics: flushed.extend(metric.name for metric in metrics)],
            "session": Session(store=store),
            "model": "echo",
        }
        reader = Reading()
        made = asking(kind, "one two three four", settings=settings, session=True, max_tokens=8)
        stream = made(asked(**{"x-session-id": "s"}), reader)
        assert next(iter(stream)) == b"one"
        stream.close()
        stream.close()
        assert lines[0]["reader_left"] is True
        assert {"model.calls", "budget.spent_usd"} <= set(flushed)
        assert 0 < reader.context.guards[0].spent_usd <= 1.0
        assert (reader.context.guards[0]._reserved, session_of(store)) == ({}, [])
        assert list(stream) == []

    def test_a_stream_that_nobody_holds_any_more_is_ended_too(self, kind):
        flushed, reader = [], Reading()
        settings = {"metrics_sinks": [lambda metrics: flushed.extend(metrics)], "model": "echo"}
        stream = asking(kind, "one two", settings=settings)(asked(), reader)
        assert flushed == []
        del stream
        assert flushed

    def test_a_function_that_fails_at_that_is_logged_and_harms_nothing(self, kind, caplog):
        flushed = []

        def function(event, context):
            context.metrics.record("mine", 1)
            try:
                yield "one"
            finally:
                raise KeyError("late")

        async def awaited(event, context):
            context.metrics.record("mine", 1)
            try:
                yield "one"
            finally:
                raise KeyError("late")

        made = handler(metrics_sinks=[flushed.extend])(function if kind == "def" else awaited)
        made(asked(), Reading()).close()
        assert [metric.name for metric in flushed] == ["mine"]
        assert "Closing" in caplog.text

    def test_before_the_first_byte_was_taken(self, kind):
        log = []
        giving(kind, "one", "two", log=log)(asked(), Reading()).close()
        assert log == ["making", "closed"]

    def test_a_stream_that_is_dropped_by_the_middleware_is_closed(self, kind):
        class Breaks(Middleware):
            def after_invoke(self, event, result, context):
                if kind == "def":
                    next(result)
                raise KeyError("x")

        log = []
        response = giving(kind, "one", log=log, middleware=[Breaks()])(asked(), Reading())
        assert response["statusCode"] == 500
        assert log == (["making", "closed"] if kind == "def" else [])


def until(reader, text="half"):
    """A piece with which the function's time is up."""

    def made():
        reader.context.deadline = 0.0
        return text

    return made


@kinds
class TestTime:
    """What has begun to go out ends with a notice at `timeout_buffer` before the limit, whatever the strategy."""

    @pytest.mark.parametrize("strategy", ["fail-fast", "truncate", "checkpoint"])
    def test_a_function_s_pieces_end_when_time_is_up(self, kind, strategy):
        log, reader, store = [], Reading(aws_request_id="r"), MemoryStateStore()
        settings = {"timeout_strategy": strategy, "checkpoint_store": store, "middleware": [], "log": log}
        stream = giving(kind, "one", until(reader), "never", **settings)(asked("text/event-stream"), reader)
        assert [json.loads(data).get("text") for _, data in events(b"".join(stream))] == ["one", "half", None]
        assert log == ["making", "making", "closed"]
        assert reader.context.truncated

    def test_the_notice_is_in_the_format_s_own_way(self, kind):
        def read(accept, wrap=lambda pieces: pieces):
            reader = Reading(aws_request_id="r")
            inner = giving(kind, "one", until(reader), "never").__wrapped__
            made = handler(lambda event, context: wrap(inner(event, context)))
            return b"".join(made(asked(accept), reader))

        name, facts = last([read("text/event-stream")])
        assert (name, facts["reason"], facts["request_id"]) == ("truncated", "deadline", "r")
        assert json.loads(read("application/x-ndjson").splitlines()[-1])["truncated"] == facts
        assert read(None) == b"onehalf\n[The answer ends here: its time was up.]\n"
        assert read(None, lambda pieces: StreamingResponse(pieces, notice=" [cut]")) == b"onehalf [cut]"
        assert read(None, lambda pieces: StreamingResponse(pieces, notice=None)) == b"onehalf"

    def test_the_session_is_saved_and_the_middleware_sees_an_end(self, kind):
        store, lines, reader = MemoryStateStore(), [], Reading()

        def function(event, context):
            context.session.add_message("user", "Hi")
            yield until(reader)()
            yield "never"

        async def awaited(event, context):
            for piece in function(event, context):
                yield piece

        settings = {"session": Session(store=store), "middleware": [LoggingMiddleware(lines.append)]}
        made = handler(**settings)(function if kind == "def" else awaited)
        assert last(made(asked("text/event-stream", **{"x-session-id": "s"}), reader))[0] == "truncated"
        assert session_of(store) == ["Hi"]
        assert ("reader_left" in lines[0], "error_type" in lines[0]) == (False, False)

    @pytest.mark.parametrize(
        ("strategy", "status"), [("fail-fast", 504), ("truncate", 200), ("checkpoint", 504)]
    )  # fmt: skip
    def test_of_what_has_not_begun_the_strategy_decides(self, kind, strategy, status):
        reader = Reading()
        log, settings = [], {"timeout_strategy": strategy, "checkpoint_store": MemoryStateStore()}

        class Late(Middleware):
            def before_invoke(self, event, context):
                context.deadline = 0.0

        made = giving(kind, "never", log=log, middleware=[Late()], **settings)
        answer = made(asked("text/event-stream"), reader)
        assert log == []
        if strategy == "truncate":
            assert answer.head.headers["X-LambdaLLM-Truncated"] == "deadline"
            assert last(answer)[0] == "truncated"
        else:
            assert answer["statusCode"] == status

    def test_in_one_piece_the_strategy_decides_too(self, kind):
        def read(strategy, accept=None):
            runtime = Reading()
            runtime.accepts_stream = False
            return giving(kind, "one", until(runtime), "never", timeout_strategy=strategy)(asked(accept), runtime)

        response = read("truncate")
        assert (response["body"], response["headers"]["X-LambdaLLM-Truncated"]) == ("onehalf", "deadline")
        assert last([read("truncate", "text/event-stream")["body"].encode()])[0] == "truncated"
        assert read("fail-fast")["statusCode"] == 504

    def test_checkpoints_are_gone_on_from_and_nothing_is_paid_twice(self, kind):
        store, asked_for = MemoryStateStore(), []

        def function(event, context):
            for word in ("one", "two", "three"):
                yield from context.stream(word).texts()
                asked_for.append(word)
                if len(asked_for) == 2:
                    context.deadline = 0.0

        async def awaited(event, context):
            for word in ("one", "two", "three"):
                async for text in context.astream(word).texts():
                    yield text
                asked_for.append(word)
                if len(asked_for) == 2:
                    context.deadline = 0.0

        made = handler(timeout_strategy="checkpoint", checkpoint_store=store)(function if kind == "def" else awaited)
        with mock_model([lambda prompt: f"<{prompt}>"]) as model:
            name, facts = last(made(asked("text/event-stream"), Reading(aws_request_id="r")))
            assert (name, facts["checkpoint"]) == ("truncated", {"id": "r"})
            again = asked("text/event-stream", **{"x-lambdallm-checkpoint": facts["checkpoint"]["id"]})
            stream = b"".join(made(again, Reading(aws_request_id="s")))
        assert [json.loads(data).get("text") for _, data in events(stream)] == ["<one>", "<two>", "<three>", None]
        assert [call.prompt for call in model.calls] == ["one", "two", "three"]
        assert events(stream)[-1][0] == "done"


def test_the_wait_of_an_async_function_is_cut_off_when_time_is_up():
    ended = []

    @handler(timeout_buffer=5)
    async def function(event, context):
        yield "one"
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cut")

    name, _ = last(function(asked("text/event-stream"), Reading(remaining_time_ms=5_200)))
    assert (name, ended) == ("truncated", ["cut"])
    first = handler(timeout_buffer=5)(never)(asked(), Reading(remaining_time_ms=5_200))
    assert first["statusCode"] == 504


async def never(event, context):
    await asyncio.Event().wait()
    yield "never"


@kinds
class TestMiddleware:
    def test_sees_the_stream_with_its_status_and_may_change_its_pieces(self, kind):
        class Shouts(Middleware):
            def after_invoke(self, event, result, context):
                self.status = result.response.status
                return (piece.upper() for piece in result)

        class AwaitedShouts(Middleware):
            async def after_invoke(self, event, result, context):
                self.status = result.response.status
                return self.shouted(result)

            async def shouted(self, result):
                async for piece in result:
                    yield piece.upper()

        layer = Shouts() if kind == "def" else AwaitedShouts()
        wrap = lambda stream: StreamingResponse(stream.texts(), 201, format="text")  # noqa: E731
        with mock_model(["one two"]):
            stream = asking(kind, wrap=wrap, settings={"middleware": [layer]})(asked(), Reading())
            assert list(stream) == [b"ONE", b" TWO"]
        assert (layer.status, stream.head.status) == (201, 201)

    def test_may_answer_with_a_stream_of_its_own(self, kind):
        class Answers(Middleware):
            def before_invoke(self, event, context):
                raise ShortCircuit(StreamingResponse(iter(["cached"]), 203))

        made = giving(kind, "never", middleware=[Answers()])
        stream = made(asked(), Reading())
        assert (stream.head.status, list(stream)) == (203, [b"cached"])
        assert made(asked(), None)["body"] == "cached"


@kinds
class TestInOnePiece:
    """Where nobody reads piece by piece the same goes out whole, in the same format, and the log says why."""

    def test_events_and_lines_are_the_body(self, kind):
        with mock_model(["one two"]):
            response = asking(kind)(asked("text/event-stream"), None)
        assert response["headers"] == {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        assert [name for name, _ in events(response["body"].encode())] == ["message", "message", "done"]
        response = giving(kind, {"n": 1})(asked(), None)
        assert response["headers"]["Content-Type"] == "application/x-ndjson"

    def test_bytes_are_base64(self, kind):
        response = giving(kind, b"\xff", b"\x00")(asked(), None)
        assert (response["body"], response["isBase64Encoded"]) == ("/wA=", True)

    def test_direct_callers_get_text(self, kind):
        assert giving(kind, "one", "two")({}, None) == "onetwo"
        assert giving(kind, {"n": 1}, {"n": 2})({}, None).splitlines()[:2] == ['{"n":1}', '{"n":2}']

    def test_status_and_cookies_stay(self, kind):
        wrap = lambda stream: StreamingResponse(stream, 201, cookies=("a=b",), headers={"content-type": "text/x"})  # noqa: E731
        with mock_model(["one"]):
            response = asking(kind, wrap=wrap)(asked(), None)
        assert (response["statusCode"], response["cookies"], response["body"]) == (201, ["a=b"], "one")
        assert response["headers"] == {"content-type": "text/x"}

    def test_an_error_on_the_way_has_its_status(self, kind):
        assert giving(kind, "one", ProviderServerError("down"))(asked(), None)["statusCode"] == 502

    @pytest.mark.parametrize(
        ("name", "setting", "takes", "why"),
        [
            ("function_url", None, False, "takes no streams. Run the function under lambdallm.runtime"),
            ("function_url", "rest", True, "Where its invoke mode is RESPONSE_STREAM, add 'function_url'"),
            ("api_gateway_v1", None, True, "response transfer mode is STREAM, add 'rest' to LAMBDALLM_RESPONSE"),
            ("api_gateway_v2", "rest", True, "An HTTP API can't stream"),
            ("alb", None, True, "A load balancer can't stream"),
            ("direct", None, True, "use InvokeWithResponseStream, add 'direct'"),
            ("sqs", None, True, ""),
            ("function_url", "off", True, ""),
        ],
    )
    def test_the_reason_is_logged_once(self, kind, name, setting, takes, why, caplog, monkeypatch):
        monkeypatch.setattr(streaming, "_told", set())
        runtime = Reading()
        runtime.accepts_stream = takes
        made = giving(kind, "one", response_streaming=setting)
        sent = {} if name == "direct" else event(name)
        with caplog.at_level(logging.WARNING, "lambdallm"):
            results = [made(sent, runtime) for _ in range(2)]
        assert not any(isinstance(result, ResponseStream) for result in results)
        assert [why in record.getMessage() for record in caplog.records] == ([True] if why else [])

    def test_format_1_of_an_http_api_is_no_rest_api(self, kind):
        sent = {**event("api_gateway_v1"), "version": "1.0"}
        assert giving(kind, "one", response_streaming="rest")(sent, Reading())["body"] == "one"


@kinds
class TestAsTheSourceReads:
    """Where the setting says that a source streams, it reads nothing else: whole answers are streams of one piece."""

    @pytest.mark.parametrize(("name", "setting"), [("function_url", "function_url"), ("api_gateway_v1", "direct,rest")])
    def test_a_whole_answer_has_its_head_and_its_body(self, kind, name, setting):
        made = returning(kind, Response({"n": 1}, 201, cookies=("a=b",)), response_streaming=setting)
        stream = made(event(name), Reading())
        assert isinstance(stream, ResponseStream)
        cookies = stream.head.cookies or tuple(stream.head.headers["Set-Cookie"])
        assert (stream.head.status, cookies, json.loads(b"".join(stream))) == (201, ("a=b",), {"n": 1})

    def test_bytes_are_sent_as_they_are(self, kind):
        stream = returning(kind, b"\xff", response_streaming="function_url")(event("function_url"), Reading())
        assert b"".join(stream) == b"\xff"
        nothing = returning(kind, None, response_streaming="function_url")(event("function_url"), Reading())
        assert (nothing.head.status, list(nothing)) == (204, [])

    def test_a_response_of_a_dictionary_s_own_kind_too(self, kind):
        own = OrderedDict(statusCode=201, body="one", headers={"X-N": 5, "X-Yes": True, "X-None": None})
        stream = returning(kind, own, response_streaming="function_url")(event("function_url"), Reading())
        assert (stream.head.status, list(stream)) == (201, [b"one"])
        assert stream.head.headers == {"X-N": "5", "X-Yes": "true"}

    def test_an_error_has_its_status(self, kind):
        made = giving(kind, ProviderServerError("down"), response_streaming="rest")
        assert made(event("api_gateway_v1"), Reading()).head.status == 502
        with pytest.raises(ProviderServerError):
            giving(kind, ProviderServerError("down"), response_streaming="rest,direct")({}, Reading())

    def test_other_sources_and_runtimes_get_it_whole(self, kind):
        made = returning(kind, "one", response_streaming="rest")
        assert made(event("function_url"), Reading())["body"] == "one"
        assert made({}, Reading()) == "one"
        assert made(event("api_gateway_v1"), None)["body"] == "one"
        assert returning(kind, "one")(event("function_url"), Reading())["body"] == "one"


class TestSetting:
    @pytest.mark.parametrize("setting", ["direct,rest", " DIRECT , rest", ["direct"], ("direct", "function_url")])
    def test_names_the_sources(self, setting):
        assert list(giving("def", "one", response_streaming=setting)({}, Reading())) == [b"one"]

    def test_comes_from_the_environment(self, monkeypatch):
        monkeypatch.setenv("LAMBDALLM_RESPONSE_STREAMING", "direct")
        assert list(giving("def", "one")({}, Reading())) == [b"one"]

    def test_comes_from_the_project(self, tmp_path, monkeypatch):
        file = tmp_path / "lambdallm.json"
        file.write_text('{"response_streaming": ["direct", "rest"]}')
        monkeypatch.setenv("LAMBDALLM_CONFIG", str(file))
        assert list(giving("def", "one")({}, Reading())) == [b"one"]

    @pytest.mark.parametrize("setting", ["http_api", "direct,", 7, [3]])
    def test_a_word_that_is_none_is_a_mistake(self, setting):
        with pytest.raises(ConfigurationError, match="function_url, rest, direct, off"):
            handler(response_streaming=setting)
