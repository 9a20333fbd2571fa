"""Our runtime on AWS's own Runtime Interface Emulator, which keeps Lambda's rules: what it accepts, Lambda does."""

import http.client
import json
import sys

import pytest

import servers
from lambdallm.runtime.scripts import bootstrap

SOURCE = """
import logging, os, sys, time
from lambdallm.runtime import Head, ResponseStream

started = time.time()
calls = 0

def pieces(event):
    yield b"one,"
    if event.get("fails"):
        raise ValueError("in the middle")
    if event.get("dies"):
        os._exit(3)
    yield b"two"

def deep():
    return deep()

def lambda_handler(event, context):
    global calls
    calls += 1
    print("call", calls)
    what = event.get("do")
    if what == "raise":
        raise KeyError("no such thing")
    if what == "garbage":
        return object()
    if what == "large":
        return "x" * event["size"]
    if what == "deep":
        return deep()
    if what == "exit":
        sys.exit(2)
    if what == "sleep":
        time.sleep(60)
    if what == "stream":
        return ResponseStream(Head(201, {"X-A": "b"}) if event.get("head") else None, "text/plain", pieces(event))
    return {"calls": calls, "name": event.get("name"), "left": context.get_remaining_time_in_millis(),
            "id": context.aws_request_id, "function": context.function_name, "arn": context.invoked_function_arn}
"""


class Lambda:
    """The emulator with one function: `invoke` calls it as the Lambda API does."""

    def __init__(self, port, folder):
        self._port, self._folder = port, folder

    def invoke(self, event):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        body = event if isinstance(event, bytes) else json.dumps(event)
        connection.request("POST", "/2015-03-31/functions/function/invocations", body)
        answer = connection.getresponse().read()
        connection.close()
        return answer

    def json(self, event):
        return json.loads(self.invoke(event))

    def log(self):
        return (self._folder / "log").read_text(errors="replace")


@pytest.fixture
def emulated(tmp_path):
    return lambda command, **environ: started(tmp_path, command, environ)


def started(folder, command, environ):
    """The emulator, serving `app.py` by a command."""
    (folder / "app.py").write_text(SOURCE)
    (folder / "bad.py").write_text("import nowhere")
    port, api = servers.free_port(), servers.free_port()
    emulator = [str(servers.lambda_tools().emulator), "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
                "--runtime-api-address", f"127.0.0.1:{api}"]  # fmt: skip
    environ = {"LAMBDA_TASK_ROOT": str(folder), "AWS_LAMBDA_FUNCTION_TIMEOUT": "3"} | environ
    return _Running(servers.running([*emulator, *command], port, folder, environ), Lambda(port, folder))


class _Running:
    def __init__(self, server, function):
        self._server, self._function = server, function

    def __enter__(self):
        self._server.__enter__()
        return self._function

    def __exit__(self, *error):
        self._server.__exit__(*error)


MODULE = (sys.executable, "-m", "lambdallm.runtime")


def test_answers_errors_and_limits_in_one_environment(emulated):
    with emulated([*MODULE, "app.lambda_handler"]) as function:
        first = function.json({"name": "Ada é"})
        assert (first["calls"], first["name"]) == (1, "Ada é")
        assert 0 < first["left"] <= 3000

        failed = function.json({"do": "raise"})
        assert (failed["errorType"], failed["errorMessage"]) == ("KeyError", "'no such thing'")
        assert "lambda_handler" in failed["stackTrace"][0]

        garbage = function.json({"do": "garbage"})
        assert garbage["errorType"] == "Runtime.MarshalError"
        assert function.json(b"{ not json")["errorType"] == "Runtime.UnmarshalError"

        assert function.json({"do": "deep"})["errorType"] == "RecursionError"

        large = function.json({"do": "large", "size": 6_291_556})
        assert large["errorType"] == "Function.ResponseSizeTooLarge"
        assert len(function.invoke({"do": "large", "size": 6_291_554})) == 6_291_556, "as much as Lambda takes"

        assert function.json({})["calls"] == 7, "one environment"
        printed = [line for line in function.log().splitlines() if line.startswith("call ")]
        assert printed == [f"call {n}" for n in range(1, 8)]


def test_streams_pass_and_what_they_end_with_does_not_harm_the_next(emulated):
    with emulated([*MODULE, "app.lambda_handler"]) as function:
        assert function.invoke({"do": "stream"}) == b"one,two"
        prelude, _, body = function.invoke({"do": "stream", "head": True}).partition(bytes(8))
        assert json.loads(prelude) == {"statusCode": 201, "headers": {"X-A": "b"}, "cookies": []}
        assert body == b"one,two"
        function.invoke({"do": "stream", "fails": True})
        assert function.json({})["calls"] == 4
        assert "[ERROR] ValueError: in the middle" in function.log()
        function.invoke({"do": "stream", "dies": True})
        assert function.json({})["calls"] == 1, "a new environment"


def test_an_environment_that_ends_or_takes_too_long_is_followed_by_another(emulated):
    with emulated([*MODULE, "app.lambda_handler"], AWS_LAMBDA_FUNCTION_TIMEOUT="1") as function:
        assert function.json({})["calls"] == 1
        assert function.json({"do": "exit"})["errorType"] == "Runtime.ExitError"
        assert function.json({})["calls"] == 1
        assert b"Task timed out after 1.00 seconds" in function.invoke({"do": "sleep"})
        assert function.json({})["calls"] == 1


@pytest.mark.parametrize(
    ("handler", "type"),
    [
        ("bad.f", "Runtime.ImportModuleError"),
        ("app.f", "Runtime.HandlerNotFound"),
        ("app", "Runtime.MalformedHandlerName"),
    ],
)
def test_a_function_that_can_not_be_loaded_is_told_by_its_kind(emulated, handler, type):
    with emulated([*MODULE, handler]) as function:
        assert function.json({})["errorType"] == type


def test_the_bootstrap_script_serves_as_well(emulated, tmp_path):
    script = tmp_path / "bootstrap"
    script.write_text(bootstrap(sys.executable))
    script.chmod(0o755)
    (tmp_path / "lambdallm").symlink_to(__import__("lambdallm").__path__[0])
    with emulated([str(script), "app.lambda_handler"]) as function:
        assert function.json({"name": "Ada"})["name"] == "Ada"
        assert function.invoke({"do": "stream"}) == b"one,two"
