"""Invocations of real processes: what the caller gets, what the log says, and that the next one works."""

import json
import re
from base64 import b64encode

import pytest

from emulated import emulated
from lambdallm.runtime.emulator import FunctionNotFoundError, Limits, PayloadTooLargeError

ACTING = """
def act(asked):
    event = asked.event
    if "print" in event: print(event["print"], flush=True)
    if "sleep" in event: time.sleep(event["sleep"])
    if "exit" in event: os._exit(event["exit"])
    if "kill" in event: os.kill(os.getpid(), event["kill"])
    if "eat_mb" in event: kept = b"x" * (event["eat_mb"] << 20); time.sleep(20)
    if "answer_bytes" in event: return "x" * event["answer_bytes"]
    if "env" in event: return os.environ.get(event["env"])
    return {"echo": event, "pid": os.getpid()}

while True:
    asked = next()
    respond(asked, act(asked))
"""


def invoke(emulator, event=None, **options):
    answer = emulator.invoke("app", json.dumps(event or {}).encode(), **options)
    body = answer.read()
    answer.wait(10)
    return answer, json.loads(body)


class TestAnswers:
    def test_an_event_goes_in_and_an_answer_comes_out(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            answer, body = invoke(emulator, {"a": "é"})
        assert body["echo"] == {"a": "é"}
        assert (answer.function_error, answer.error, answer.version) == (None, None, "$LATEST")

    def test_what_the_process_is_told_of_an_invocation(self, tmp_path):
        program = """
while True:
    asked = next()
    respond(asked, dict(asked.headers))
"""
        with emulated(tmp_path, program, timeout=9.0) as emulator:
            emulator.add(emulator.functions["app"].replace(version="7"))
            answer, headers = invoke(
                emulator,
                qualifier="live",
                version="7",
                client_context={"custom": {"a": "é"}},
                identity={"cognitoIdentityId": "x"},
                trace_id="Root=1-2-3",
                tenant_id="blue",
                request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd",
            )
        assert answer.version == "7"
        assert headers["Lambda-Runtime-Aws-Request-Id"] == answer.request_id == "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
        assert (
            headers["Lambda-Runtime-Invoked-Function-Arn"] == "arn:aws:lambda:us-east-1:123456789012:function:app:live"
        )
        assert headers["Lambda-Runtime-Client-Context"] == '{"custom": {"a": "\\u00e9"}}'
        assert headers["Lambda-Runtime-Cognito-Identity"] == '{"cognitoIdentityId": "x"}'
        assert headers["Lambda-Runtime-Trace-Id"] == "Root=1-2-3"
        assert headers["Lambda-Runtime-Aws-Tenant-Id"] == "blue"
        assert headers["Content-Type"] == "application/json"

    def test_a_deadline_is_told_in_milliseconds(self, tmp_path):
        program = """
while True:
    asked = next()
    respond(asked, int(asked.headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000)
"""
        with emulated(tmp_path, program, timeout=9.0) as emulator:
            _, left_ms = invoke(emulator)
        assert 0 < left_ms <= 9000

    def test_an_answer_that_is_no_json_is_passed_on(self, tmp_path):
        program = """
asked = next()
ask("POST", f"/invocation/{asked.id}/response", b"this is not JSON", {"Content-Type": "text/odd"})
next()
"""
        with emulated(tmp_path, program) as emulator:
            answer = emulator.invoke("app", b"nor is this")
            assert answer.read() == b"this is not JSON"
        assert (answer.content_type, answer.function_error) == ("text/odd", None)

    def test_an_error_that_the_function_reports(self, tmp_path):
        program = """
while True:
    asked = next()
    error = {"errorType": "ValueError", "errorMessage": "bad", "stackTrace": []}
    ask("POST", f"/invocation/{asked.id}/error", json.dumps(error))
"""
        with emulated(tmp_path, program) as emulator:
            answer, body = invoke(emulator)
            again, _ = invoke(emulator)
        assert answer.function_error == "Unhandled"
        assert answer.error == body == {"errorType": "ValueError", "errorMessage": "bad", "stackTrace": []}
        assert answer.report.status == ""
        assert again.report.init_ms is None

    def test_an_error_that_is_no_json(self, tmp_path):
        program = """
asked = next()
ask("POST", f"/invocation/{asked.id}/error", b"oh no", {"Lambda-Runtime-Function-Error-Type": "Function.Broken"})
next()
"""
        with emulated(tmp_path, program) as emulator:
            answer = emulator.invoke("app", b"{}")
            assert answer.read() == b"oh no"
        assert answer.error == {"errorType": "Function.Broken", "errorMessage": "oh no"}

    def test_a_function_that_nobody_has_added(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            with pytest.raises(FunctionNotFoundError, match="function:other"):
                emulator.invoke("other", b"{}")
            with pytest.raises(FunctionNotFoundError, match="function:app:9"):
                emulator.invoke("app", b"{}", qualifier="9")

    def test_notes_of_the_process_come_with_the_answer(self, tmp_path):
        program = """
while True:
    asked = next()
    respond(asked, None)
    late = ask("POST", f"/{asked.id}/trace", b'{"tokens": 3}', root="/lambdallm/notes")
    wrong = [ask("POST", "/nobody/trace", b"1", root="/lambdallm/notes").status]
    wrong.append(ask("POST", f"/{asked.id}/odd", b"not JSON", root="/lambdallm/notes").status)
    ask("POST", f"/{asked.id}/statuses", json.dumps([late.status, *wrong]), root="/lambdallm/notes")
"""
        with emulated(tmp_path, program) as emulator:
            answer, _ = invoke(emulator)
        assert answer.notes == {"trace": {"tokens": 3}, "statuses": [202, 400, 400]}


class TestLost:
    """The process is lost in an invocation: the caller is told as AWS tells it, and the next invocation works."""

    @pytest.mark.parametrize(
        ("event", "reason", "shown"),
        [
            ({"exit": 1}, "Runtime exited with error: exit status 1", "Runtime.ExitError"),
            ({"exit": 0}, "Runtime exited without providing a reason", "Runtime.ExitError"),
            ({"kill": 9}, "Runtime exited with error: signal: killed", "Runtime.ExitError"),
            ({"kill": 11}, "Runtime exited with error: signal: segmentation fault", "Runtime.ExitError"),
            ({"eat_mb": 300}, "Runtime exited with error: signal: killed", "Runtime.OutOfMemory"),
        ],
    )
    def test_it_ends(self, tmp_path, event, reason, shown):
        with emulated(tmp_path, ACTING, memory_mb=128) as emulator:
            answer, body = invoke(emulator, event | {"print": "last words"})
            _, after = invoke(emulator, {"b": 1})
        message = f"RequestId: {answer.request_id} Error: {reason}"
        assert body == answer.error == {"errorType": "Runtime.ExitError", "errorMessage": message}
        assert answer.function_error == "Unhandled"
        assert list(answer.lines[1:-1]) == [
            "last words",
            message,
            "Runtime.ExitError",
            f"END RequestId: {answer.request_id}",
        ]
        assert (answer.report.status, answer.report.error_type) == ("error", shown)
        assert after["echo"] == {"b": 1}

    def test_it_takes_too_long(self, tmp_path):
        with emulated(tmp_path, ACTING, timeout=0.3) as emulator:
            answer, body = invoke(emulator, {"sleep": 30, "print": "still there"})
            _, after = invoke(emulator)
        message = f"RequestId: {answer.request_id} Error: Task timed out after 0.30 seconds"
        assert body == {"errorType": "Sandbox.Timedout", "errorMessage": message}
        said = rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z {answer.request_id} Task timed out after 0\.30 seconds"
        assert answer.lines[1] == "still there"
        assert re.fullmatch(said, answer.lines[2])
        assert (answer.report.status, answer.report.duration_ms) == ("timeout", 300.0)
        assert after["echo"] == {}

    def test_it_ends_after_its_answer(self, tmp_path):
        program = """
asked = next()
respond(asked, "answered")
print("and gone", flush=True)
os._exit(4)
"""
        with emulated(tmp_path, program) as emulator:
            answer, body = invoke(emulator)
        assert (body, answer.function_error) == ("answered", None)
        assert "and gone" in answer.lines
        assert answer.report.status == "error"

    def test_somebody_stops_it(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            answer = emulator.invoke("app", b'{"print": "here", "sleep": 30}')
            assert emulator.stop(answer.request_id)
            assert json.loads(answer.read())["errorType"] == "Sandbox.Failure"
            assert not emulator.stop(answer.request_id)
            _, after = invoke(emulator)
        assert after["echo"] == {}


class TestLimits:
    def test_an_event_of_more_than_6_mb_is_refused(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            with pytest.raises(PayloadTooLargeError, match="6291557 byte payload is too large"):
                emulator.invoke("app", b"x" * 6_291_557)
            with pytest.raises(PayloadTooLargeError, match="Event invocation type"):
                emulator.invoke("app", b"x" * 1_048_577, kind="Event")

    def test_an_event_of_6_mb_arrives(self, tmp_path):
        program = """
while True:
    asked = next()
    respond(asked, len(asked.body))
"""
        with emulated(tmp_path, program) as emulator:
            assert emulator.invoke("app", b"x" * 6_291_556).read() == b"6291556"

    def test_an_answer_of_more_than_6_mb_is_an_error(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            _, body = invoke(emulator, {"answer_bytes": 6_291_556})
            _, after = invoke(emulator, {"answer_bytes": 6_291_554})
        message = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
        assert body == {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
        assert len(after) == 6_291_554

    def test_limits_are_an_emulators_own(self, tmp_path):
        with emulated(tmp_path, ACTING, emulator={"limits": Limits(sync_bytes=10)}) as emulator:
            with pytest.raises(PayloadTooLargeError, match="limit 10 bytes"):
                emulator.invoke("app", b"x" * 11)
            assert invoke(emulator)[0].error["errorType"] == "Function.ResponseSizeTooLarge"


class TestLogs:
    def test_a_cold_start_and_a_warm_invocation(self, tmp_path):
        with emulated(tmp_path, 'print("loading", flush=True)\n' + ACTING) as emulator:
            first, _ = invoke(emulator, {"print": "one"})
            second, _ = invoke(emulator, {"print": "two"})
            heard = emulator.heard
        assert list(first.lines[:4]) == [
            "loading",
            f"START RequestId: {first.request_id} Version: $LATEST",
            "one",
            f"END RequestId: {first.request_id}",
        ]
        assert str(first.report) == first.lines[4]
        assert first.report.init_ms > 0
        assert first.report.billed_ms >= first.report.init_ms + first.report.duration_ms
        assert second.report.init_ms is None
        assert [line.request_id for line in heard if line.source == "function"] == [
            "",
            first.request_id,
            second.request_id,
        ]
        assert list(heard) == [*first.lines, *second.lines]
        assert second.log == "".join(f"{line}\n" for line in second.lines)

    def test_no_line_of_many_is_lost(self, tmp_path):
        program = """
while True:
    asked = next()
    for number in range(20000): print(number)
    sys.stdout.write("the end"); sys.stdout.flush()
    respond(asked, None)
"""
        with emulated(tmp_path, program) as emulator:
            answer, _ = invoke(emulator)
        assert list(answer.lines[1:-2]) == [*map(str, range(20000)), "the end"]
        assert len(answer.log.encode()) == 4096

    def test_500_invocations_of_one_environment(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            answers = [invoke(emulator, {"print": f"line {number}"}) for number in range(500)]
        assert len({body["pid"] for _, body in answers}) == 1
        assert [answer.lines[-3] for answer, _ in answers] == [f"line {number}" for number in range(500)]


def test_a_body_that_waits_for_leave_to_be_sent(tmp_path):
    """AWS's client sends what is larger than 1 MB so."""
    program = """
import socket
asked = next()
host, port = API.split(":")
with socket.create_connection((host, int(port))) as connection:
    line = f"POST {RUNTIME}/invocation/{asked.id}/response HTTP/1.1"
    connection.sendall("\\r\\n".join([line, "Content-Length: 4", "Expect: 100-continue", "", ""]).encode())
    leave = connection.recv(100)
    connection.sendall(json.dumps(leave.decode()[9:12])[1:4].encode() + b" ")
    connection.recv(100)
next()
"""
    with emulated(tmp_path, program) as emulator:
        assert emulator.invoke("app", b"{}").read() == b"100 "


def test_trailers_are_base64(tmp_path):
    body = b64encode(b'{"errorType": "E", "errorMessage": "m"}').decode()
    program = f"""
asked = next()
chunks = stream(asked)
chunks.send(b"one")
chunks.end(b"Lambda-Runtime-Function-Error-Type: E\\r\\nLambda-Runtime-Function-Error-Body: {body}\\r\\n")
next()
"""
    with emulated(tmp_path, program) as emulator:
        answer = emulator.invoke("app", b"{}", streams=True)
        assert answer.read() == b"one"
    assert answer.error == {"errorType": "E", "errorMessage": "m"}
