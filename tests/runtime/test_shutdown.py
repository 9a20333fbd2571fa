"""SIGTERM: what was registered is called, what is half done lets go, the exit status is 0."""

import signal
from textwrap import dedent

import pytest

from concurrent_api import concurrent_api
from events import event
from function_processes import function_process


@pytest.fixture
def api():
    with concurrent_api() as api:
        yield api


def test_an_idle_environment_ends_in_order(tmp_path, api):
    code = """
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("first registered"))
        on_shutdown(lambda: print("last registered"))
        def handler(event, context):
            return "Hi"
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert api.answer() == ("1", "Hi")
        _asked(api, 2)
        function.process.send_signal(signal.SIGTERM)
        assert function.ends() == (0, "last registered\nfirst registered\n")


def test_one_that_has_not_answered_yet_ends_in_order_where_something_is_registered(tmp_path, api):
    code = """
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        def handler(event, context):
            return "Hi"
    """
    with function_process(tmp_path, api, code) as function:
        _asked(api, 1)
        function.process.send_signal(signal.SIGTERM)
        assert function.ends() == (0, "flushed\n")


def test_in_the_middle_of_an_invocation_what_is_half_done_lets_go_first(tmp_path, api):
    code = """
        import time
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        def handler(event, context):
            try:
                print("began", flush=True)
                time.sleep(60)
            except Exception:
                print("never")
            finally:
                print("let go")
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert function.process.stdout.readline() == b"began\n"
        function.process.send_signal(signal.SIGTERM)
        assert function.ends() == (0, "let go\nflushed\n")
    assert api.posted.empty()


def test_so_does_what_an_async_function_awaits(tmp_path, api):
    code = """
        import asyncio
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        async def handler(event, context):
            try:
                print("began", flush=True)
                await asyncio.sleep(60)
            finally:
                print("let go")
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert function.process.stdout.readline() == b"began\n"
        function.process.send_signal(signal.SIGTERM)
        status, output = function.ends()
    assert (status, output) == (0, "let go\nflushed\n")


@pytest.mark.parametrize("streams", [False, True], ids=["", "streams"])
def test_an_event_loop_in_the_middle_of_its_own_work_is_not_broken(tmp_path, api, streams):
    """An exception there would lose what it was about to do, and what is awaited would never be told to let go."""
    code = f"""
        import asyncio, functools, signal
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        async def handler(event, context):
            loop = asyncio.get_running_loop()
            try:
                {'yield "one"' if streams else ""}
                loop._check_closed = functools.partial(signal.raise_signal, signal.SIGTERM)  # `call_soon` calls it
                await asyncio.sleep(0)
                await asyncio.sleep(60)
            finally:
                print("let go")
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke(event("function_url"), "1")
        assert function.ends() == (0, "let go\nflushed\n")


def test_a_signal_at_the_very_end_of_an_async_function_lets_it_answer_and_ends_the_rest(tmp_path, api):
    code = """
        import asyncio, signal
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        async def beside():
            try:
                await asyncio.sleep(60)
            finally:
                print("let go")
        tasks = []
        async def handler(event, context):
            tasks.append(asyncio.create_task(beside()))
            await asyncio.sleep(0)
            asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGTERM)
            return "Hi"
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert api.answer() == ("1", "Hi")
        assert function.ends() == (0, "flushed\nlet go\n")


def test_a_task_that_does_not_let_go_keeps_no_hook_from_being_called(tmp_path, api):
    code = """
        import asyncio
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed", flush=True))
        async def handler(event, context):
            print("began", flush=True)
            while True:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    pass
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert function.process.stdout.readline() == b"began\n"
        function.process.send_signal(signal.SIGTERM)
        assert function.process.stdout.readline() == b"flushed\n"


def test_between_two_pieces_of_a_stream_the_stream_is_closed(tmp_path, api):
    code = """
        import time
        from lambdallm.runtime import Head, ResponseStream, on_shutdown
        on_shutdown(lambda: print("flushed"))
        def pieces():
            try:
                yield b"one"
                print("began", flush=True)
                time.sleep(60)
            finally:
                print("counted")
        def handler(event, context):
            return ResponseStream(Head(), "text/plain", pieces())
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert function.process.stdout.readline() == b"began\n"
        function.process.send_signal(signal.SIGTERM)
        assert function.ends() == (0, "counted\nflushed\n")


FUNCTIONS = {
    "blocks": """
        def handler(event, context):
            context.invoke("Hi")
            print("began", flush=True)
            time.sleep(60)
    """,
    "awaits": """
        async def handler(event, context):
            await context.ainvoke("Hi")
            print("began", flush=True)
            await asyncio.sleep(60)
    """,
    "blocks and streams": """
        def handler(event, context):
            try:
                yield context.invoke("Hi")
                print("began", flush=True)
                time.sleep(60)
            finally:
                print("let go")
    """,
    "awaits and streams": """
        async def handler(event, context):
            try:
                yield await context.ainvoke("Hi")
                print("began", flush=True)
                await asyncio.sleep(60)
            finally:
                print("let go")
    """,
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_a_handler_of_the_framework_measured_is_not_lost(tmp_path, api, function):
    """Not even in its first invocation: sinks are reason enough to listen for the signal."""
    code = """
        import asyncio, time
        import lambdallm
        def sink(metrics):
            print("calls:", sum(metric.name == "model.calls" for metric in metrics))
        @lambdallm.handler(model="echo", metrics_sinks=[sink])
    """
    with function_process(tmp_path, api, f"{dedent(code).rstrip()}\n{dedent(FUNCTIONS[function])}") as process:
        api.invoke(event("function_url"), "1")
        assert process.process.stdout.readline() == b"began\n"
        process.process.send_signal(signal.SIGTERM)
        status, output = process.ends()
    assert status == 0
    assert output.splitlines() == (["let go"] if "streams" in function else []) + ["calls: 1"]


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_function_may_end_the_process_itself_in_the_middle_of_a_stream(tmp_path, api, kind):
    code = f"""
        import sys
        {kind} handler(event, context):
            yield "one"
            print("leaving")
            sys.exit(3)
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke(event("function_url"), "1")
        assert function.ends() == (3, "leaving\n")


def test_a_function_that_swallows_it_ends_after_its_answer(tmp_path, api):
    code = """
        import time
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        def handler(event, context):
            try:
                print("began", flush=True)
                time.sleep(60)
            except BaseException:
                return "swallowed"
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert function.process.stdout.readline() == b"began\n"
        function.process.send_signal(signal.SIGTERM)
        assert api.answer() == ("1", "swallowed")
        assert function.ends() == (0, "flushed\n")


def test_a_handler_of_the_functions_own_is_left_alone(tmp_path, api):
    code = """
        import signal, sys
        from lambdallm.runtime import on_shutdown
        def own(signum, frame):
            print("mine")
            sys.exit(7)
        signal.signal(signal.SIGTERM, own)
        on_shutdown(lambda: print("flushed"))
        def handler(event, context):
            return "Hi"
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert api.answer() == ("1", "Hi")
        _asked(api, 2)
        function.process.send_signal(signal.SIGTERM)
        assert function.ends() == (7, "mine\nflushed\n")


def test_one_hook_that_fails_stops_neither_the_others_nor_the_end(tmp_path, api):
    code = """
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print("flushed"))
        on_shutdown(lambda: 1 / 0)
        def handler(event, context):
            return "Hi"
    """
    with function_process(tmp_path, api, code) as function:
        _asked(api, 1)
        function.process.send_signal(signal.SIGTERM)
        status, output = function.ends()
    assert status == 0
    assert "ZeroDivisionError" in output
    assert "flushed" in output


def test_the_event_loop_and_what_runs_in_it_end_too(tmp_path, api):
    code = """
        import asyncio
        async def beside():
            try:
                await asyncio.sleep(60)
            finally:
                print("cancelled")
        tasks = []
        async def handler(event, context):
            tasks.append(asyncio.create_task(beside()))
            await asyncio.sleep(0)
            return "Hi"
    """
    with function_process(tmp_path, api, code) as function:
        api.invoke({}, "1")
        assert api.answer() == ("1", "Hi")
        _asked(api, 2)
        function.process.send_signal(signal.SIGTERM)
        assert function.ends() == (0, "cancelled\n")


def _asked(api, times):
    """Wait until the process has asked for an invocation so many times in all."""
    for _ in range(times):
        api.asked.get(timeout=20)
