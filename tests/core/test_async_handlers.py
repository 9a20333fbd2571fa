"""`async def` handlers: one event loop for all invocations of an environment, whoever calls."""

import asyncio
import os
import subprocess
import sys
import threading
import time

import pytest

from events import event
from handler_kinds import KINDS, made
from lambdallm import handler, register_provider
from lambdallm.core.exceptions import ConfigurationError, DeadlineExceededError, ProviderTimeoutError
from lambdallm.llm.models import ModelResponse
from lambdallm.providers.base import BaseProvider
from lambdallm.testing import MockLambdaContext, mock_model
from test_imports import imported


class Client:
    """What dies with the loop it was made in, as the clients of many packages do."""

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.lock = asyncio.Lock()

    async def call(self):
        assert asyncio.get_running_loop() is self.loop
        async with self.lock:
            await asyncio.sleep(0)
        return "ok"


clients = []


@handler
async def warm(event, context):
    if not clients:
        clients.append(Client())
    return await clients[0].call()


@pytest.fixture(autouse=True)
def _fresh():
    clients.clear()


def test_what_is_opened_in_one_invocation_lives_in_the_next():
    assert [warm({}, None) for _ in range(3)] == ["ok"] * 3


def test_calls_go_on_beside_one_another():
    @handler(model="echo")
    async def function(event, context):
        return await asyncio.gather(*(context.ainvoke("{n}", n=n) for n in range(3)))

    assert function({}, None) == ["0", "1", "2"]


def test_a_tool_that_runs_a_loop_already_may_call_it():
    async def test():
        return [warm({}, None), warm({}, None)]

    assert asyncio.run(test()) == ["ok", "ok"]


def test_threads_may_call_it_at_once():
    begun, results = threading.Barrier(3, timeout=20), []

    @handler
    async def function(event, context):
        await asyncio.to_thread(begun.wait)
        return event

    threads = [threading.Thread(target=lambda n=n: results.append(function(n, None))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == [0, 1, 2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_forked_child_has_a_loop_of_its_own_and_the_parent_keeps_its():
    warm({}, None)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        clients.clear()
        try:
            os.write(writing, f"{warm({}, None)} {warm({}, None)}".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 100) == b"ok ok"
    assert warm({}, None) == "ok"


def test_a_blocking_method_says_what_to_use():
    @handler(model="echo")
    async def function(event, context):
        return context.invoke("Hi")

    with pytest.raises(ConfigurationError, match=r"await context\.ainvoke"):
        function({}, None)


@handler
async def streaming(event, context):
    for number in range(3):
        await asyncio.sleep(0)
        yield f"{number} "


def test_an_asynchronous_generator_streams():
    reader = MockLambdaContext()
    reader.accepts_stream = True
    assert list(streaming(event("function_url"), reader)) == [b"0 ", b"1 ", b"2 "]
    assert streaming(event("function_url"), None)["body"] == "0 1 2 "


def test_a_stream_is_one_task_as_time_limits_expect():
    tasks = set()

    @handler
    async def function(event, context):
        async with asyncio.timeout(30):
            for number in range(3):
                tasks.add(asyncio.current_task())
                yield str(number)
                await asyncio.sleep(0)

    reader = MockLambdaContext()
    reader.accepts_stream = True
    assert list(function(event("function_url"), reader)) == [b"0", b"1", b"2"]
    stream = function(event("function_url"), reader)
    assert next(iter(stream)) == b"0"
    stream.close()
    assert len(tasks) == 2


def test_a_stream_that_is_read_under_a_running_loop_streams():
    reader = MockLambdaContext()
    reader.accepts_stream = True

    async def test():
        return list(streaming(event("function_url"), reader))

    assert asyncio.run(test()) == [b"0 ", b"1 ", b"2 "]


def test_objects_and_partials_that_are_async_are_known():
    from functools import partial

    class Callable:
        async def __call__(self, event, context):
            return "object"

    async def function(given, event, context):
        return given

    assert handler(Callable())({}, None) == "object"
    assert handler(partial(function, "partial"))({}, None) == "partial"


@mock_model(["Hi"])
async def _mocked():
    await asyncio.sleep(0)
    return await asyncio.to_thread(handler(lambda event, context: context.invoke("Hello")), {}, None)


def test_a_mock_may_decorate_async_tests():
    assert asyncio.run(_mocked()) == "Hi"


def test_a_handler_that_blocks_imports_no_event_loop():
    code = "from lambdallm import handler\nhandler(model='echo')(lambda event, context: context.invoke('Hi'))({}, None)"
    assert not {"asyncio", "threading", "lambdallm.core.loop", "lambdallm.runtime"} & imported(code)


TALKS = """
import json, os, threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Model(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *_: None

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        message = {"role": "assistant", "content": "hi"}
        body = json.dumps({"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ |= {"OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}/v1", "OPENAI_API_KEY": "k"}

from lambdallm import handler
@handler(model="openai/gpt-4o-mini")
async def function(event, context):
    return await context.ainvoke("Hi")

barrier = threading.Barrier(4)
def at_once(_):
    barrier.wait(20)
    return function({}, None)

with ThreadPoolExecutor(4) as threads:
    print(*threads.map(at_once, range(4)))
"""


def test_no_connection_is_lost_among_threads_or_left_open_at_the_end():
    command = [sys.executable, "-W", "error", "-c", TALKS]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (ended.stdout.split(), ended.stderr) == (["hi"] * 4, "")


class Slow(BaseProvider):
    """A plug-in that waits for its fellows: it answers only when all are asked at once."""

    def __init__(self, together):
        self.barrier = threading.Barrier(together, timeout=20)

    def invoke(self, prompt, config):
        self.barrier.wait()
        return ModelResponse(prompt, config.model_id)

    def stream(self, prompt, config):
        self.barrier.wait()
        yield from ("one", " two")


def test_plug_ins_that_block_do_not_hold_up_one_another():
    register_provider("slow", Slow(3))

    @handler(model="slow/any")
    async def function(event, context):
        return await asyncio.gather(*(context.ainvoke("{n}", n=n) for n in range(3)))

    assert function({}, None) == ["0", "1", "2"]


class Dripping(BaseProvider):
    """A plug-in whose stream takes its time."""

    def __init__(self):
        self.ended = threading.Event()

    def invoke(self, prompt, config):
        raise AssertionError("It is streamed.")

    def stream(self, prompt, config):
        try:
            for word in ("one ", "two ", "three"):
                yield word
                time.sleep(0.15)
        finally:
            self.ended.set()


@pytest.mark.parametrize("strategy", ["fail-fast", "truncate"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_plug_in_s_stream_is_left_at_the_deadline(kind, strategy):
    dripping = Dripping()
    register_provider("dripping", dripping)

    @made(kind, model="dripping/any", timeout_strategy=strategy, timeout_buffer=0)
    async def function(event, context):
        return "".join([text async for text in context.astream("Hi").texts()])

    short = MockLambdaContext(remaining_time_ms=100)
    if strategy == "truncate":
        assert function({}, short) == {"def": "one two ", "async def": "one "}[kind]  # what came late came whole
    else:
        with pytest.raises(ProviderTimeoutError):
            function({}, short)
    assert dripping.ended.wait(20)


def test_a_plug_in_that_never_answers_is_left_at_the_deadline():
    held = Slow(2)
    register_provider("held", held)

    @handler(model="held/any", max_retries=0, timeout_buffer=0)
    async def function(event, context):
        return await context.ainvoke("Hi")

    with pytest.raises(DeadlineExceededError):
        function({}, MockLambdaContext(remaining_time_ms=50))
    held.barrier.wait()  # let its thread end
