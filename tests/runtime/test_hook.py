"""Streaming under AWS's own runtime client: exact bytes against a Runtime API of ours, and the real emulator."""

import json
import logging
import signal
import sys
import types
import urllib.error
import urllib.request
from base64 import b64decode
from contextlib import contextmanager
from textwrap import dedent

import pytest

from concurrent_api import concurrent_api
from events import event
from function_processes import SOURCE, THEIRS, function_process
from lambdallm.runtime import hook
from lambdallm.runtime.hook import streams_here
from servers import free_port, lambda_tools, running

CODE = """
    import os
    from lambdallm.runtime import Head, ResponseStream
    from lambdallm.runtime.hook import streams_here

    def pieces(event):
        try:
            yield b"one "
            if event.get("fails"):
                raise ValueError("half-way")
            yield b"two"
        finally:
            print("counted")

    def handler(event, context):
        if event.get("raises"):
            raise KeyError("before")
        if not event.get("streams"):
            return {"pid": os.getpid()}
        assert streams_here(context)
        head = Head(201, {"Content-Type": "text/plain", "X-Pid": str(os.getpid())}, ("a=b",))
        return ResponseStream(head if event.get("head") else None, "text/plain", pieces(event))
"""


@pytest.fixture
def api():
    with concurrent_api() as api:
        yield api


@contextmanager
def under_aws(folder, api, code=CODE, **environ):
    path = f"{folder}:{SOURCE}:{lambda_tools().awslambdaric}"
    with function_process(folder, api, code, THEIRS, PYTHONPATH=path, **environ) as function:
        yield function


def test_a_stream_is_posted_as_one_and_nothing_after_it(tmp_path, api):
    with under_aws(tmp_path, api):
        api.invoke({"streams": True, "head": True}, "1")
        path, headers, body = api.posted.get(timeout=20)
        api.invoke({}, "2")
        id, answer = api.answer()
    assert path == "/invocation/1/response"
    assert headers["lambda-runtime-function-response-mode"] == "streaming"
    assert headers["content-type"] == "application/vnd.awslambda.http-integration-response"
    assert headers["lambda-runtime-invocation-id"] == "nonce-1"
    head, _, rest = body.partition(bytes(8))
    assert json.loads(head)["statusCode"] == 201
    assert json.loads(head)["cookies"] == ["a=b"]
    assert rest == b"one two"
    assert (id, str(answer["pid"])) == ("2", json.loads(head)["headers"]["X-Pid"]), "the process is still the same"
    assert api.posted.empty()


def test_whole_answers_streams_and_errors_follow_one_another(tmp_path, api):
    kinds = [{}, {"streams": True}, {"raises": True}, {"streams": True, "fails": True}]
    with under_aws(tmp_path, api):
        for number in range(20):
            api.invoke(kinds[number % 4], str(number))
        posts = [api.posted.get(timeout=20) for _ in range(20)]
    assert api.posted.empty()
    for number, (path, headers, body) in enumerate(posts):
        kind = number % 4
        assert path == f"/invocation/{number}/{'error' if kind == 2 else 'response'}"
        assert ("transfer-encoding" in headers) == (kind in (1, 3))
        assert kind not in (1, 3) or body == (b"one two" if kind == 1 else b"one ")


def test_an_error_half_way_is_told_in_trailers_and_in_the_log(tmp_path, api):
    with under_aws(tmp_path, api) as function:
        api.invoke({"streams": True, "fails": True}, "1")
        _, headers, body = api.posted.get(timeout=20)
        api.invoke({}, "2")
        assert api.answer()[0] == "2"
        function.process.kill()
        _, output = function.ends()
    assert body == b"one "
    assert headers["lambda-runtime-function-error-type"] == "ValueError"
    told = json.loads(b64decode(headers["lambda-runtime-function-error-body"]))
    assert (told["errorMessage"], told["errorType"]) == ("half-way", "ValueError")
    assert "counted" in output
    assert 'raise ValueError("half-way")' in output
    assert "sending.py" not in output, "the trace begins with the function's own frames"


def test_a_stream_that_lambda_does_not_take_ends_neither_the_process_nor_its_work(tmp_path, api):
    api.statuses = [("/1/response", 403)]
    with under_aws(tmp_path, api):
        api.invoke({"streams": True}, "1")
        api.invoke({}, "2")
        assert api.posted.get(timeout=20)[0] == "/invocation/1/response"
        assert api.answer()[0] == "2"


def test_a_head_that_is_too_large_is_an_error_of_the_invocation(tmp_path, api):
    code = """
        from lambdallm.runtime import Head, ResponseStream
        from lambdallm.runtime.hook import streams_here
        def handler(event, context):
            assert streams_here(context)
            return ResponseStream(Head(headers={"X": "x" * 20_000}), "text/plain", (p for p in ()))
    """
    with under_aws(tmp_path, api, code):
        api.invoke({}, "1")
        id, (what, error) = api.answer()
    assert (id, what, error["errorType"]) == ("1", "error", "Function.ResponseSizeTooLarge")


def test_the_functions_own_marshaller_is_kept(tmp_path, api):
    code = """
        from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
        from lambdallm.runtime import ResponseStream
        from lambdallm.runtime.hook import streams_here
        class Marshaller(type(LambdaRuntimeClient.marshaller)):
            def marshal_response(self, response):
                return '"by mine"', "application/json"
        LambdaRuntimeClient.marshaller = Marshaller()
        def handler(event, context):
            assert streams_here(context)
            return ResponseStream(None, "text/plain", (p for p in (b"streamed",))) if event else {}
    """
    with under_aws(tmp_path, api, code):
        api.invoke({"streams": True}, "1")
        assert api.posted.get(timeout=20)[2] == b"streamed"
        api.invoke({}, "2")
        assert api.answer() == ("2", "by mine")


def test_a_handler_of_the_framework_streams_to_a_function_url(tmp_path, api):
    code = """
        from lambdallm import handler
        @handler(model="echo")
        def handler(event, context):
            yield from context.stream("Hi {who}", who="you").texts()
    """
    with under_aws(tmp_path, api, code):
        api.invoke(event("function_url"), "1")
        path, headers, body = api.posted.get(timeout=20)
        api.invoke(event("api_gateway_v2"), "2")
        id, answer = api.answer()
    assert (path, headers["transfer-encoding"]) == ("/invocation/1/response", "chunked")
    assert body.partition(bytes(8))[2] == b"Hi you"
    assert (id, answer["statusCode"], answer["body"]) == ("2", 200, "Hi you")


def test_workers_of_managed_instances_stream_too(tmp_path, api):
    with under_aws(tmp_path, api, AWS_LAMBDA_MAX_CONCURRENCY="2"):
        for id in "123456":
            api.invoke({"streams": True}, id)
        posts = [api.posted.get(timeout=20) for _ in range(6)]
    assert {(path, body) for path, _, body in posts} == {(f"/invocation/{id}/response", b"one two") for id in "123456"}


def test_hooks_of_ours_are_called_by_their_snapstart(tmp_path, api):
    code = """
        from lambdallm.runtime import after_restore, before_snapshot
        said = []
        before_snapshot(lambda: said.append("before"))
        after_restore(lambda: said.append("after"))
        def handler(event, context):
            return said
    """
    api.restored.set()
    with under_aws(tmp_path, api, code, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start"):
        api.invoke({}, "1")
        assert api.answer() == ("1", ["before", "after"])


class TestShutdown:
    CODE = """
        import time
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        def handler(event, context):
            try:
                print("began", flush=True)
                time.sleep(event)
            finally:
                print("let go")
            return "Hi"
    """

    def test_an_idle_environment_ends_in_order_although_a_thread_of_theirs_waits(self, tmp_path, api):
        with under_aws(tmp_path, api, self.CODE, AWS_EXECUTION_ENV="AWS_Lambda_python3.13") as function:
            api.invoke(0, "1")
            assert api.answer() == ("1", "Hi")
            for _ in range(2):
                api.asked.get(timeout=20)
            function.process.send_signal(signal.SIGTERM)
            assert function.ends() == (0, "began\nlet go\nflushed\n")

    def test_an_invocation_is_unwound_first(self, tmp_path, api):
        with under_aws(tmp_path, api, self.CODE) as function:
            api.invoke(60, "1")
            assert function.process.stdout.readline() == b"began\n"
            function.process.send_signal(signal.SIGTERM)
            assert function.ends() == (0, "let go\nflushed\n")


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    """Invokes the function in AWS's emulator, which gives the bytes of the answer."""
    folder, tools = tmp_path_factory.mktemp("function"), lambda_tools()
    (folder / "app.py").write_text(dedent(CODE))
    port, command = free_port(), THEIRS
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}",
                 "--runtime-api-address", f"127.0.0.1:{free_port()}"]  # fmt: skip
    environ = {"PYTHONPATH": f"{folder}:{SOURCE}:{tools.awslambdaric}", "AWS_LAMBDA_FUNCTION_TIMEOUT": "20"}
    with running([str(tools.emulator), *addresses, *command], port, folder, environ):
        yield lambda event: _invoked(port, event)


class TestOnTheRealEmulator:
    """AWS's Runtime Interface Emulator with AWS's client, our hook in it. The emulator gives streams whole."""

    def test_streams_and_whole_answers_come_from_one_warm_process(self, emulated):
        pids = set()
        for _ in range(3):
            pids.add(json.loads(emulated({}))["pid"])
            assert emulated({"streams": True}) == b"one two"
            pids.add(json.loads(emulated({}))["pid"])
            assert emulated({"streams": True, "head": True}).endswith(bytes(8) + b"one two")
        assert len(pids) == 1

    def test_after_a_stream_that_fails_half_way_the_next_invocation_works(self, emulated):
        before = json.loads(emulated({}))["pid"]
        assert emulated({"streams": True, "fails": True}).startswith(b"one ")
        assert json.loads(emulated({}))["pid"] == before

    def test_an_error_is_the_clients_own_business(self, emulated):
        assert json.loads(emulated({"raises": True}))["errorType"] == "KeyError"
        assert emulated({"streams": True}) == b"one two"


def _invoked(port, event):
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=30) as answer:
        return answer.read()


class TestWithoutAwssClient:
    def test_a_context_that_says_so_streams(self):
        assert streams_here(types.SimpleNamespace(accepts_stream=True))
        assert not streams_here(types.SimpleNamespace(accepts_stream=False))

    @pytest.mark.parametrize("context", [None, object(), types.SimpleNamespace(aws_request_id="1")])
    def test_any_other_does_not(self, context):
        assert not streams_here(context)

    def test_a_client_that_looks_otherwise_is_left_alone_and_the_log_says_why_once(self, monkeypatch, caplog):
        monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1")
        monkeypatch.setattr(hook, "_said", [])
        monkeypatch.setitem(sys.modules, "awslambdaric.lambda_runtime_client", types.ModuleType("rewritten"))
        context = type("LambdaContext", (), {"__module__": "awslambdaric.lambda_context"})()
        with caplog.at_level(logging.WARNING):
            assert not streams_here(context)
            assert not streams_here(context)
        assert len(caplog.records) == 1
        assert "exec wrapper" in caplog.text
