"""Our runtime's streams through cargo-lambda's function URL, which passes each piece on when it comes."""

import http.client
import os
import subprocess
import sys

from stand_in_cargo import cargo_lambda

SOURCE = """
import os
from lambdallm.runtime import Head, ResponseStream

def pieces():
    yield b"first"
    open(os.environ["LAMBDA_TASK_ROOT"] + "/gate").read()
    yield b", second"

def lambda_handler(event, context):
    head = Head(201, {"X-Path": event["rawPath"], "Content-Type": "text/plain"}, ("a=1", "b=2"))
    return ResponseStream(head, "text/plain", pieces())
"""


def test_the_first_piece_reaches_the_caller_before_the_second_is_made(tmp_path):
    (tmp_path / "app.py").write_text(SOURCE)
    os.mkfifo(tmp_path / "gate")
    with cargo_lambda(tmp_path) as port:
        environ = {"AWS_LAMBDA_RUNTIME_API": f"http://127.0.0.1:{port}/.rt", "LAMBDA_TASK_ROOT": str(tmp_path)}
        command = [sys.executable, "-m", "lambdallm.runtime", "app.lambda_handler"]
        process = subprocess.Popen(command, env=os.environ | environ, cwd=tmp_path)
        try:
            for _ in range(2):
                caller = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                caller.request("GET", "/a/path")
                answer = caller.getresponse()
                assert (answer.status, answer.getheader("x-path")) == (201, "/a/path")
                assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
                assert answer.read1(100) == b"first"
                (tmp_path / "gate").write_text("go on")
                assert answer.read() == b", second"
                caller.close()
        finally:
            process.kill()
            process.wait()
