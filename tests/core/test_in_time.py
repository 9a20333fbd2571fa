"""Time limits against a real server that begins to answer and then says nothing more, in both kinds of handlers."""

import socket
import threading

import pytest

from events import event
from handler_kinds import KINDS, made
from lambdallm.core.exceptions import DeadlineExceededError
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing import MockLambdaContext

pytestmark = pytest.mark.parametrize("kind", KINDS)

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
PIECE = b'data: {"choices": [{"index": 0, "delta": {"content": "one"}}]}\n\n'


@pytest.fixture
def stalling(monkeypatch):
    """A provider that sends one piece of each answer, and then holds the line; how many asked, and how many hung up."""
    server = socket.create_server(("127.0.0.1", 0))
    counts = {"asked": 0, "left": threading.Semaphore(0)}

    def answer(line):
        with line:
            while b"\r\n\r\n" not in line.recv(65536):
                pass
            counts["asked"] += 1
            line.sendall(HEAD + b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
            line.settimeout(20)
            while line.recv(65536):
                pass
        counts["left"].release()

    def serve():
        while True:
            try:
                line, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(line,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.getsockname()[1]}/v1")
    yield counts
    server.close()


def half_a_second():
    return MockLambdaContext(remaining_time_ms=5_500, aws_request_id="in-time")


def asking(kind, **settings):
    @made(kind, model="openai/gpt-4o", max_retries=0, timeout_buffer=5, **settings)
    async def function(event, context):
        return await context.ainvoke("Say it")

    return function


def test_what_has_come_is_the_answer_and_the_line_is_hung_up(kind, stalling):
    response = asking(kind, timeout_strategy="truncate")(event("function_url"), half_a_second())
    assert (response["statusCode"], response["body"]) == (200, "one")
    assert response["headers"]["X-LambdaLLM-Truncated"] == "deadline"
    assert stalling["left"].acquire(timeout=20)


def test_fail_fast_is_an_error_and_504_over_http(kind, stalling):
    function = asking(kind)
    with pytest.raises(DeadlineExceededError, match=r"No time is left for a call to a model: [45]\.\d s"):
        function({}, half_a_second())
    assert function(event("function_url"), half_a_second())["statusCode"] == 504


def test_a_checkpoint_is_202(kind, stalling):
    function = asking(kind, timeout_strategy="checkpoint", checkpoint_store=MemoryStateStore())
    response = function(event("function_url"), half_a_second())
    assert (response["statusCode"], response["headers"]["X-LambdaLLM-Checkpoint"]) == (202, "in-time")
    assert stalling["asked"] == 1


def test_a_stream_s_reader_gets_what_has_come(kind, stalling):
    @made(kind, model="openai/gpt-4o", max_retries=0, timeout_buffer=5, timeout_strategy="truncate")
    async def function(event, context):
        stream = context.astream("Say it")
        pieces = [text async for text in stream.texts()]
        return [pieces, stream.completion.raw_finish_reason, context.truncated]

    assert function({}, half_a_second()) == [["one"], "deadline", True]
