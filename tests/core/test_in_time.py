"""Time limits against real servers, in both kinds of handlers: one says something once, one does not stop."""

import json
import socket
import threading

import pytest

from events import event
from handler_kinds import KINDS, made
from lambdallm import handler
from lambdallm.core.exceptions import DeadlineExceededError
from lambdallm.llm.drivers import shared_driver
from lambdallm.state.memory import MemoryStateStore
from lambdallm.state.session import Session
from lambdallm.testing import MockLambdaContext
from server_events import events

pytestmark = pytest.mark.parametrize("kind", KINDS)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
PIECE = b'data: {"choices": [{"index": 0, "delta": {"content": "one"}}]}\n\n'
CHUNK = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)


class Provider:
    """Answers each request with one piece and then holds the line, or with `drips` goes on until it is hung up.

    It counts how many asked and how many hung up.
    """

    def __init__(self, drips):
        self.drips, self.asked, self.left = drips, 0, threading.Semaphore(0)
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                line, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(line,), daemon=True).start()

    def answer(self, line):
        with line:
            while b"\r\n\r\n" not in line.recv(65536):
                pass
            self.asked += 1
            line.sendall(HEAD + CHUNK)
            line.settimeout(0.005 if self.drips else 20)
            while self.holds(line):
                pass
        self.left.release()

    def holds(self, line):
        try:
            return bool(line.recv(65536))
        except TimeoutError:
            if self.drips:
                line.sendall(CHUNK)
            return self.drips
        except OSError:
            return False


@pytest.fixture
def providing(monkeypatch):
    made = []

    def provide(*, drips=False):
        made.append(Provider(drips))
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{made[0].server.getsockname()[1]}/v1")
        return made[0]

    yield provide
    for each in made:
        each.server.close()


@pytest.fixture
def stalling(providing):
    return providing()


class Reading(MockLambdaContext):
    """A runtime that takes streams; `context` is what the handler made of the invocation."""

    accepts_stream = True

    def on_context(self, context):
        self.context = context


def half_a_second(kind=MockLambdaContext):
    return kind(remaining_time_ms=5_500, aws_request_id="in-time")


def asking(kind, **settings):
    @made(kind, model="openai/gpt-4o", max_retries=0, timeout_buffer=5, **settings)
    async def function(event, context):
        return await context.ainvoke("Say it")

    return function


def test_what_has_come_is_the_answer_and_the_line_is_hung_up(kind, stalling):
    response = asking(kind, timeout_strategy="truncate")(event("function_url"), half_a_second())
    assert (response["statusCode"], response["body"]) == (200, "one")
    assert response["headers"]["X-LambdaLLM-Truncated"] == "deadline"
    assert stalling.left.acquire(timeout=20)


def test_fail_fast_is_an_error_and_504_over_http(kind, stalling):
    function = asking(kind)
    with pytest.raises(DeadlineExceededError, match=r"No time is left for a call to a model: [45]\.\d s"):
        function({}, half_a_second())
    assert function(event("function_url"), half_a_second())["statusCode"] == 504


def test_a_checkpoint_is_202(kind, stalling):
    function = asking(kind, timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore())
    response = function(event("function_url"), half_a_second())
    assert (response["statusCode"], response["headers"]["X-LambdaLLM-Checkpoint"]) == (202, "in-time")
    assert stalling.asked == 1


def test_a_stream_s_reader_gets_what_has_come(kind, stalling):
    @made(kind, model="openai/gpt-4o", max_retries=0, timeout_buffer=5, timeout_strategy="truncate")
    async def function(event, context):
        stream = context.astream("Say it")
        pieces = [text async for text in stream.texts()]
        return [pieces, stream.completion.raw_finish_reason, context.truncated]

    assert function({}, half_a_second()) == [["one"], "deadline", True]


class TestStreamed:
    """What is on its way to a client when the time is up: it ends in order, and all of it is accounted for."""

    @staticmethod
    def streaming(kind, store, **settings):
        def function(event, context):
            return context.stream("Say it", session=True)

        async def awaited(event, context):
            return context.astream("Say it", session=True)

        settings = {"timeout_buffer": 5, "max_retries": 0, "session": Session(store=store), **settings}
        return handler(model="openai/gpt-4o", **settings)(function if kind == "def" else awaited)

    @pytest.mark.parametrize("drips", [False, True], ids=["stalling", "dripping"])
    @pytest.mark.parametrize("strategy", ["fail-fast", "truncate", "checkpoint"])
    def test_ends_with_a_notice_and_hangs_up(self, kind, strategy, drips, providing):
        provider, store, runtime = providing(drips=drips), MemoryStateStore(), half_a_second(Reading)
        stream = self.streaming(kind, store, timeout_strategy=strategy)(asked(), runtime)
        got = events(b"".join(stream))
        text = "".join(json.loads(data)["text"] for _, data in got[:-1])
        name, facts = got[-1][0], json.loads(got[-1][1])
        assert (name, text[:3]) == ("truncated", "one")
        assert facts.get("checkpoint") == ({"id": "in-time"} if strategy == "checkpoint" else None)
        assert runtime.context.truncated
        assert runtime.context.metrics.total("model.calls") == 1
        assert provider.left.acquire(timeout=20)
        if strategy == "truncate":
            assert facts["finish_reason"] == "length"
            assert said_in(store) == ["Say it", text], "what the client has is what the session keeps"

    def test_reaches_its_reader_while_the_provider_writes_and_hangs_up_when_that_leaves(self, kind, stalling):
        store, runtime = MemoryStateStore(), Reading()
        stream = self.streaming(kind, store)(asked(), runtime)
        assert next(iter(stream)) == b'data: {"text":"one"}\n\n', "the provider has not said the second"
        stream.close()
        assert stalling.left.acquire(timeout=20)
        assert runtime.context.metrics.total("model.calls") == 1
        assert (runtime.context.truncated, said_in(store)) == (False, [])

    def test_that_has_no_time_to_begin_asks_nobody_and_leaves_nothing_to_go_on_from(self, kind, stalling):
        made = self.streaming(kind, MemoryStateStore(), timeout_strategy="checkpoint")
        response = made(asked(), Reading(remaining_time_ms=4_000, aws_request_id="late"))
        assert (response["statusCode"], "X-LambdaLLM-Checkpoint" in response["headers"]) == (504, False)
        assert stalling.asked == 0

    def test_of_answers_before_it_is_gone_on_from(self, kind, stalling):
        """Time is up in the first call, before anything of the stream: as for any answer, that is 202."""

        def function(event, context):
            yield context.invoke("Say it")

        async def awaited(event, context):
            yield await context.ainvoke("Say it")

        settings = {"timeout_strategy": "checkpoint", "checkpoint_store": MemoryStateStore(), "max_retries": 0}
        made = handler(model="openai/gpt-4o", **settings)(function if kind == "def" else awaited)
        response = made(asked(), half_a_second(Reading))
        assert (response["statusCode"], response["headers"]["X-LambdaLLM-Checkpoint"]) == (202, "in-time")

    def test_of_a_whole_answer_before_the_stream_fail_fast_is_504(self, kind, stalling):
        def function(event, context):
            yield context.invoke("Say it")

        async def awaited(event, context):
            yield await context.ainvoke("Say it")

        made = handler(model="openai/gpt-4o", max_retries=0)(function if kind == "def" else awaited)
        assert made(asked(), half_a_second(Reading))["statusCode"] == 504


def asked():
    sent = event("function_url")
    sent["headers"] |= {"accept": "text/event-stream", "x-session-id": "s"}
    return sent


def said_in(store):
    opened = Session(store=store).opened({"session_id": "s"})
    shared_driver().run(opened.loading())
    return [message.text for message in opened.messages]
