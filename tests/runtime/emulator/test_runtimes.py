"""The runtimes that people use, each as the process of a function: AWS's own client, and ours."""

import json
import shutil
import sys

import pytest

from emulated import emulated
from servers import lambda_tools

HANDLER = """
import logging
import os

COUNT = []
logging.getLogger().setLevel("INFO")
print("loading")


def lambda_handler(event, context):
    COUNT.append(1)
    print("hello")
    logging.getLogger().info("logged")
    if event.get("raise"):
        raise ValueError("bad")
    if event.get("exit"):
        os._exit(7)
    return {
        "count": len(COUNT),
        "id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb,
        "left": context.get_remaining_time_in_millis(),
        "client": context.client_context.custom if context.client_context else None,
        "where": os.getcwd(),
    }
"""


def aws_command():
    return {
        "command": ("/usr/bin/python3.11", "-m", "awslambdaric", "app.lambda_handler"),
        "shell": {"PYTHONPATH": str(lambda_tools().awslambdaric)},
    }


def our_command():
    return {"command": (sys.executable, "-m", "lambdallm.runtime")}


@pytest.fixture(params=["aws", "ours"])
def emulator(request, tmp_path):
    options = aws_command() if request.param == "aws" else our_command()
    (tmp_path / "app.py").write_text(HANDLER)
    with emulated(tmp_path, "", memory_mb=256, timeout=5.0, **options) as running:
        yield running


def invoke(emulator, event=None, **options):
    answer = emulator.invoke("app", json.dumps(event or {}).encode(), **options)
    return answer, json.loads(answer.read())


BOOTSTRAP = """#!/bin/sh
# The runtime of AWS's tutorial for custom runtimes.
set -eu
. "$LAMBDA_TASK_ROOT/$(echo $_HANDLER | cut -d. -f1).sh"
while true; do
  HEADERS=${TMPDIR:-/tmp}/headers
  EVENT=$(curl -sS -LD "$HEADERS" "http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next")
  ID=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$HEADERS" | tr -d '[:space:]' | cut -d: -f2)
  RESPONSE=$($(echo "$_HANDLER" | cut -d. -f2) "$EVENT")
  curl -sS "http://${AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/$ID/response" -d "$RESPONSE" -o /dev/null
done
"""


@pytest.mark.skipif(shutil.which("curl") is None, reason="it needs curl")
def test_a_runtime_that_is_a_shell_script(tmp_path):
    (tmp_path / "bootstrap").write_text(BOOTSTRAP)
    (tmp_path / "function.sh").write_text("handler () { echo \"Echoing request: '$1'\"; }")
    (tmp_path / "bootstrap").chmod(0o755)
    with emulated(tmp_path, "", command=("./bootstrap",), handler="function.handler") as emulator:
        for word in (b"one", b"two"):
            assert (
                emulator.invoke("app", b'{"text": "%b"}' % word).read() == b'Echoing request: \'{"text": "%b"}\'' % word
            )


def test_a_function_is_invoked(emulator, tmp_path):
    answer, body = invoke(emulator, client_context={"custom": {"a": "b"}})
    assert body["id"] == answer.request_id
    assert body["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:app"
    assert (body["memory"], body["client"], body["where"]) == ("256", {"a": "b"}, str(tmp_path))
    assert 0 < body["left"] <= 5000
    assert answer.content_type == "application/json"


def test_its_log_is_whole(emulator):
    first, _ = invoke(emulator)
    second, body = invoke(emulator)
    assert body["count"] == 2
    assert first.lines[0] == "loading"
    assert second.lines[1] == "hello"
    assert second.lines[2].startswith("[INFO]")
    assert second.lines[2].endswith("logged")
    assert second.request_id in second.lines[2]


def test_it_raises_and_goes_on(emulator):
    answer, body = invoke(emulator, {"raise": True})
    assert answer.function_error == "Unhandled"
    assert (body["errorType"], body["errorMessage"]) == ("ValueError", "bad")
    assert "in lambda_handler" in body["stackTrace"][-1]
    assert any("[ERROR] ValueError: bad" in line for line in answer.lines)
    assert invoke(emulator)[1]["count"] == 2


def test_it_exits_and_another_goes_on(emulator):
    answer, _ = invoke(emulator, {"exit": True})
    assert answer.error["errorMessage"].endswith("Runtime exited with error: exit status 7")
    assert invoke(emulator)[1]["count"] == 1


def test_code_that_can_not_be_loaded(emulator, tmp_path):
    (tmp_path / "app.py").write_text("import nowhere")
    answer, body = invoke(emulator)
    assert body["errorType"] == "Runtime.ImportModuleError"
    assert body["errorMessage"] == "Unable to import module 'app': No module named 'nowhere'"
    assert answer.report.error_type == "Runtime.ImportModuleError"


def test_a_function_streams_under_our_runtime(tmp_path):
    (tmp_path / "app.py").write_text("""
import os, time

def lambda_handler(event, context):
    for name in event:
        while not os.path.exists(name):
            time.sleep(0.002)
        yield name.encode()
""")
    streaming = {"environment": {"LAMBDALLM_RESPONSE_STREAMING": "direct"}, **our_command()}
    with emulated(tmp_path, "", emulator={"isolate": False}, **streaming) as emulator:
        answer = emulator.invoke("app", b'["a", "b"]', streams=True)
        (tmp_path / "a").touch()
        chunks = iter(answer)
        assert next(chunks) == b"a"
        (tmp_path / "b").touch()
        assert list(chunks) == [b"b"]
    assert answer.streamed
    assert answer.error is None
