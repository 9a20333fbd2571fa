"""Streamed answers: bytes reach the reader when the process sends them, and every end of a stream is told."""

import json
from base64 import b64encode

import pytest

from emulated import emulated
from lambdallm.runtime.emulator import Limits

OPEN = {"isolate": False}
STEPS = """
def wait_for(name):
    while not os.path.exists(name): time.sleep(0.002)

while True:
    asked = next()
    chunks = stream(asked, "text/event-stream")
    for name in asked.event:
        wait_for(name)
        chunks.send(name.encode())
    chunks.end()
"""


def trailers(error):
    body = b64encode(json.dumps(error).encode()).decode()
    return f"Lambda-Runtime-Function-Error-Type: {error['errorType']}\r\nLambda-Runtime-Function-Error-Body: {body}\r\n"


def ending(how):
    """A program whose stream sends one chunk and ends in some way; the next invocation is answered by `after`."""
    return f"""
if os.path.exists("done"):
    serve(lambda event: "after")
asked = next()
open("done", "w").close()
chunks = stream(asked)
chunks.send(b"one")
{how}
serve(lambda event: "after")
"""


def test_a_chunk_is_read_before_the_next_one_is_made(tmp_path):
    with emulated(tmp_path, STEPS, emulator=OPEN) as emulator:
        answer = emulator.invoke("app", b'["a", "b", "c"]', streams=True)
        (tmp_path / "a").touch()
        answer.begin()
        assert (answer.streamed, answer.content_type) == (True, "text/event-stream")
        chunks = iter(answer)
        assert next(chunks) == b"a"
        (tmp_path / "b").touch()
        assert next(chunks) == b"b"
        (tmp_path / "c").touch()
        assert list(chunks) == [b"c"]
        assert answer.function_error is None


def test_chunks_stay_as_they_were_sent(tmp_path):
    program = """
asked = next()
chunks = stream(asked, "application/vnd.awslambda.http-integration-response")
chunks.send(b'{"statusCode": 201}')
chunks.send(b"\\0" * 8)
chunks.send(b"x" * 300000)
chunks.end()
next()
"""
    with emulated(tmp_path, program) as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        chunks = list(answer)
    assert chunks == [b'{"statusCode": 201}', bytes(8), b"x" * 300_000]
    assert answer.content_type == "application/vnd.awslambda.http-integration-response"


def test_for_a_caller_that_takes_no_stream_the_chunks_are_one(tmp_path):
    with emulated(tmp_path, STEPS, emulator=OPEN) as emulator:
        (tmp_path / "a").touch()
        answer = emulator.invoke("app", b'["a", "a"]')
        assert list(answer) == [b"aa"]
    assert not answer.streamed


def test_an_answer_that_is_no_stream_is_one_chunk_for_who_takes_a_stream(tmp_path):
    with emulated(tmp_path, "serve(lambda event: 'x' * 100000)") as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        assert [len(chunk) for chunk in answer] == [100_002]
    assert not answer.streamed


def test_an_error_in_the_middle_comes_with_the_trailers(tmp_path):
    error = {"errorType": "ValueError", "errorMessage": "bad", "stackTrace": []}
    program = ending(f"chunks.end({trailers(error).encode()!r})")
    with emulated(tmp_path, program, emulator=OPEN) as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        assert list(answer) == [b"one"]
        assert (answer.function_error, answer.error) == ("Unhandled", error)
        assert answer.report.status == ""
        assert emulator.invoke("app", b"{}").read() == b'"after"'


def test_an_error_in_the_middle_is_the_answer_where_nothing_was_shown_yet(tmp_path):
    error = {"errorType": "ValueError", "errorMessage": "bad"}
    program = ending(f"chunks.end({trailers(error).encode()!r})")
    with emulated(tmp_path, program, emulator=OPEN) as emulator:
        answer = emulator.invoke("app", b"{}")
        assert json.loads(answer.read()) == error


@pytest.mark.parametrize(
    ("how", "error_type", "said"),
    [
        ("os._exit(1)", "Runtime.ExitError", "Runtime exited with error: exit status 1"),
        ("os.kill(os.getpid(), 9)", "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ("time.sleep(60)", "Sandbox.Timedout", "Task timed out after 0.40 seconds"),
        ("chunks.connection.close()", "Runtime.TruncatedResponse", "not sent to its end"),
    ],
)
def test_a_stream_that_does_not_reach_its_end(tmp_path, how, error_type, said):
    with emulated(tmp_path, ending(how), emulator=OPEN, timeout=0.4) as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        assert list(answer) == [b"one"]
        assert answer.function_error == "Unhandled"
        assert answer.error["errorType"] == error_type
        assert said in answer.error["errorMessage"]
        assert emulator.invoke("app", b"{}").read() == b'"after"'


def test_a_process_that_dies_before_the_first_byte_of_its_stream(tmp_path):
    with emulated(tmp_path, "asked = next()\nstream(asked)\nos._exit(1)") as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        answer.begin()
        assert not answer.streamed
        assert json.loads(answer.read())["errorType"] == "Runtime.ExitError"


def test_a_reader_that_stops_does_not_stop_the_function(tmp_path):
    program = """
while True:
    asked = next()
    chunks = stream(asked)
    for number in range(1000): chunks.send(b"x" * 10000)
    print(chunks.end().status, flush=True)
"""
    with emulated(tmp_path, program) as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        assert next(iter(answer)) == b"x" * 10000
        assert answer.wait(10)
        assert "202" in answer.lines


def test_a_stream_that_is_too_long_is_cut(tmp_path):
    program = """
asked = next()
chunks = stream(asked)
for number in range(10): chunks.send(b"0123456789")
answer = chunks.end()
print(answer.status, answer.body.decode(), flush=True)
next()
"""
    with emulated(tmp_path, program, emulator={"limits": Limits(stream_bytes=50)}) as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        assert answer.read() == b"0123456789" * 5
        assert answer.error["errorType"] == "Function.ResponseSizeTooLarge"
        assert any(line.startswith("413") and "RequestEntityTooLarge" in line for line in answer.lines)


def test_a_stream_has_other_limits_than_an_answer(tmp_path):
    program = """
while True:
    asked = next()
    chunks = stream(asked)
    for number in range(7): chunks.send(b"x" * 1000000)
    chunks.end()
"""
    with emulated(tmp_path, program) as emulator:
        assert len(emulator.invoke("app", b"{}", streams=True).read()) == 7_000_000
        buffered = emulator.invoke("app", b"{}")
        assert json.loads(buffered.read())["errorType"] == "Function.ResponseSizeTooLarge"
