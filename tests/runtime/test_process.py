"""A function's process under our own runtime, from its start to its end."""

import json
import subprocess
import sys

import pytest

from runtime_api import OURS, Process, function, runtime_api


@pytest.fixture
def api():
    with runtime_api() as api:
        yield api


FIVE_HUNDRED = """
import logging

def lambda_handler(event, context):
    print("printed", event["n"])
    logging.getLogger("mine").warning("logged %s", event["n"])
    if event["n"] % 5 == 3:
        raise ValueError(event["n"])
    if event["n"] % 5 == 4:
        return (text for text in ["a", "b"])
    with open("/proc/self/statm") as pages:
        return {"n": event["n"], "pages": int(pages.read().split()[1]), "large": "x" * 20_000}
"""


def test_five_hundred_invocations_leave_no_trace_in_memory_and_lose_no_line(api, tmp_path):
    with function(api, tmp_path, FIVE_HUNDRED, LAMBDALLM_RESPONSE_STREAMING="direct") as process:
        pages = []
        for number in range(500):
            request = api.invoke({"n": number}).answer()
            if "pages" in (told := request.body.decode()):
                pages.append(json.loads(told)["pages"])
        log = process.output()
    assert [line for line in log.splitlines() if line.startswith("printed")] == [f"printed {n}" for n in range(500)]
    logged = [line.split("\t") for line in log.splitlines() if "\tlogged " in line]
    assert [(fields[2], fields[3]) for fields in logged] == [(f"request-{n + 1}", f"logged {n}") for n in range(500)]
    assert log.count("[ERROR] ValueError: ") == 100
    assert pages[-1] - pages[50] < 128, "it grew by more than half a megabyte"
    assert len(pages) == 300


def test_a_function_that_closes_standard_output_still_has_a_log(api, tmp_path):
    source = "import sys\ndef lambda_handler(event, context):\n sys.stdout.close()\n raise ValueError('closed')\n"
    with function(api, tmp_path, source) as process:
        for _ in range(2):
            assert api.invoke({}).answer().json()["errorType"] == "ValueError"
        assert process.output().count("[ERROR] ValueError: closed") == 2


def test_a_function_may_put_something_of_its_own_in_the_place_of_standard_output(api, tmp_path):
    source = (
        "import sys\nclass Upper:\n def write(self, text): sys.__stdout__.write(text.upper())\n"
        "sys.stdout = Upper()\ndef lambda_handler(event, context):\n print('said')\n raise ValueError('no')\n"
    )
    with function(api, tmp_path, source) as process:
        assert api.invoke({}).answer().json()["errorType"] == "ValueError"
        assert process.output().startswith("SAID\n[ERROR] VALUEERROR: NO")


ENDS = """
import os, sys
def lambda_handler(event, context):
    print("unfinished line", end="")
    if event == "exit":
        sys.exit(7)
    if event == "builtin":
        exit(8)
    if event == "kill":
        sys.stdout.flush()
        os.kill(os.getpid(), 9)
    return event
"""


@pytest.mark.parametrize(("event", "status"), [("exit", 7), ("builtin", 8), ("kill", -9)])
def test_a_function_may_end_its_process_and_what_it_printed_is_there(api, tmp_path, event, status):
    with function(api, tmp_path, ENDS) as process:
        api.invoke("first").answer()
        told = api.invoke(event)
        assert process.wait() == status
        assert process.output() == "unfinished line" * 2
        assert not told.begun.is_set()


def test_a_refusal_that_leaves_the_environment_alive_is_logged_and_the_next_invocation_comes(api, tmp_path):
    api.replies["response"] = lambda request: (413, b"too large") if b"first" in request.body else None
    with function(api, tmp_path, ENDS) as process:
        api.invoke("first").answer()
        assert api.invoke("second").answer().json() == "second"
        assert "answered 413" in process.output()


@pytest.mark.parametrize("status", [400, 403, 500])
def test_any_other_refusal_ends_the_process(api, tmp_path, status):
    api.replies["response"] = (status, b'{"errorType":"InvalidRequestID"}')
    with function(api, tmp_path, ENDS) as process:
        api.invoke("first").answer()
        assert process.wait() == 1
        assert f"Runtime.ApiError: The Runtime API answered {status}" in process.output()


def test_when_the_api_is_gone_the_process_ends(api, tmp_path):
    with function(api, tmp_path, ENDS) as process:
        api.invoke("first").answer()
        api.end()
        assert process.wait() == 1


def test_a_response_beyond_the_limit_is_an_error_that_says_what_to_do(api, tmp_path):
    with function(api, tmp_path, "def lambda_handler(event, context): return 'x' * event") as process:
        request = api.invoke(7_000_000).answer()
        assert request.path.endswith("/error")
        assert request.json()["errorType"] == "Function.ResponseSizeTooLarge"
        assert "7000002 bytes, the limit is 6291556. Stream it, or put it in S3" in request.json()["errorMessage"]
        assert api.invoke(3).answer().json() == "xxx"
        assert "Function.ResponseSizeTooLarge" in process.output()


def test_load_balancers_take_a_megabyte_and_destinations_are_told(api, tmp_path):
    balancer = {"requestContext": {"elb": {}}, "httpMethod": "GET"}
    scheduled = {"detail-type": "Scheduled Event", "detail": {}}
    with function(api, tmp_path, "def lambda_handler(event, context): return 'x' * 1_100_000") as process:
        refused = api.invoke(balancer).answer().json()
        assert "load balancer has 1100002 bytes, the limit is 1048576." in refused["errorMessage"]
        assert api.invoke(scheduled).answer().path.endswith("/response")
        assert "'eventbridge' has 1100002 bytes, and a destination gets at most 1048576" in process.output()


ASYNC = """
import asyncio
loops = []

async def lambda_handler(event, context):
    loops.append(asyncio.get_running_loop())
    await asyncio.sleep(0)
    if event == "cancelled":
        raise asyncio.CancelledError
    if event == "raises":
        raise ValueError("async")
    return {"loops": len({id(loop) for loop in loops}), "closed": loops[0].is_closed()}
"""


def test_bare_async_functions_run_in_one_loop_for_all_invocations(api, tmp_path):
    with function(api, tmp_path, ASYNC):
        api.invoke("first").answer()
        raised = api.invoke("raises").answer().json()
        assert (raised["errorType"], raised["errorMessage"]) == ("ValueError", "async")
        assert [line.split(", in ")[1].split("\n")[0] for line in raised["stackTrace"]] == ["lambda_handler"]
        assert api.invoke("cancelled").answer().json()["errorType"] == "CancelledError"
        assert api.invoke("last").answer().json() == {"loops": 1, "closed": False}


STREAMS = """
import os
def pieces(event):
    yield "first"
    open("/".join([os.environ["LAMBDA_TASK_ROOT"], "gate"])).read()
    if event.get("fails"):
        raise ValueError("in the middle")
    yield b" second"

async def apieces(event):
    for piece in pieces(event):
        yield piece

def lambda_handler(event, context):
    return apieces(event) if event.get("async") else pieces(event)
"""


@pytest.mark.parametrize("event", [{}, {"async": True}], ids=["generator", "async generator"])
def test_a_generator_streams_and_its_first_piece_is_there_before_its_second_is_made(api, tmp_path, event):
    """The function waits between the two until something is written for it, which happens after the first was seen."""
    import os

    os.mkfifo(tmp_path / "gate")
    with function(api, tmp_path, STREAMS, LAMBDALLM_RESPONSE_STREAMING="direct"):
        told = api.invoke(event)
        assert told.answer_begun().wait_for_chunks(1) == [b"first"]
        (tmp_path / "gate").write_text("go on")
        assert told.answer().chunks == [b"first", b" second"]
        assert told.request.headers["content-type"] == "text/plain; charset=utf-8"
        failing = api.invoke(event | {"fails": True})
        failing.answer_begun().wait_for_chunks(1)
        (tmp_path / "gate").write_text("go on")
        assert failing.answer().trailers["lambda-runtime-function-error-type"] == "ValueError"


def test_a_stream_that_dies_in_the_middle_is_logged_and_the_next_invocation_works(api, tmp_path):
    source = "def lambda_handler(event, context):\n yield 'a'\n yield 1 / event\n"
    with function(api, tmp_path, source, LAMBDALLM_RESPONSE_STREAMING="direct") as process:
        assert api.invoke(0).answer().chunks == [b"a"]
        assert "ZeroDivisionError" in api.invoke(0).answer().trailers["lambda-runtime-function-error-type"]
        assert "[ERROR] ZeroDivisionError: division by zero" in process.output()


LATE = """
import sys
assert "logging" not in sys.modules, "the runtime imported it"

def lambda_handler(event, context):
    import threading
    ready, done = threading.Barrier(8), []

    def log(number):
        ready.wait()
        import logging
        logging.getLogger("mine").warning("thread %s", number)

    threads = [threading.Thread(target=log, args=(n,)) for n in range(8)]
    for each in threads: each.start()
    for each in threads: each.join()
    import logging
    return {"handlers": len(logging.getLogger().handlers), "finders": [type(f).__name__ for f in sys.meta_path],
            "loader": type(logging.__loader__).__name__}
"""


def test_logging_is_set_up_when_it_is_imported_and_no_record_is_earlier(api, tmp_path):
    with function(api, tmp_path, LATE) as process:
        told = api.invoke({}).answer().json()
        assert told["handlers"] == 1
        assert "_WhenLoggingIsImported" not in told["finders"]
        assert told["loader"] == "SourceFileLoader"
        lines = [line.split("\t") for line in process.output().splitlines()]
        assert sorted(fields[3] for fields in lines) == [f"thread {n}" for n in range(8)]
        assert {fields[2] for fields in lines} == {"request-1"}


def test_basic_config_changes_nothing_as_under_awss_client(api, tmp_path):
    source = (
        "import logging\nlogging.basicConfig(format='%(message)s')\n"
        "def lambda_handler(event, context): logging.warning('once')"
    )
    with function(api, tmp_path, source) as process:
        api.invoke({}).answer()
        assert process.output().count("once") == 1
        assert process.output().startswith("[WARNING]\t")


def test_the_trace_of_an_invocation_is_in_the_environment_for_as_long(api, tmp_path):
    source = "import os\ndef lambda_handler(event, context): return os.environ.get('_X_AMZN_TRACE_ID')"
    with function(api, tmp_path, source):
        assert api.invoke({}, trace_id="Root=1").answer().json() == "Root=1"
        assert api.invoke({}).answer().json() is None


def test_a_first_answer_of_a_plain_function_loads_little(api, tmp_path):
    """What is loaded is what a socket and JSON need, and these modules of the runtime."""
    source = "import sys\ndef lambda_handler(event, context): return sorted(sys.modules)"
    command = (sys.executable, "-S", "-c", PLAIN.format(*__import__("lambdallm").__path__))
    process = _started(api, tmp_path, source, command)
    try:
        modules = set(api.invoke({}).answer().json())
    finally:
        process.close()
    assert {name for name in modules if name.startswith("lambdallm.runtime.")} == {
        f"lambdallm.runtime.{name}"
        for name in ("client", "collector", "connection", "context", "errors", "invocation", "limits", "loading",
                     "logs", "loop", "main", "payload")
    }  # fmt: skip
    assert {name for name in modules if name.startswith("lambdallm.")} <= {
        "lambdallm.runtime", "lambdallm._door", "lambdallm._value",
        *(name for name in modules if name.startswith("lambdallm.runtime.")),
    }  # fmt: skip
    assert not modules & {"logging", "asyncio", "threading", "traceback", "typing", "http", "email", "ssl", "urllib",
                          "inspect", "dataclasses", "datetime", "contextlib", "site", "warnings"}  # fmt: skip


PLAIN = """
import sys
sys.path.insert(0, {0!r}.rpartition("/")[0])
from lambdallm.runtime.main import main
main()
"""


def _started(api, folder, source, command, **environ):
    (folder / "app.py").write_text(source)
    return Process(api, folder, "app.lambda_handler", command, **environ)


def test_without_a_runtime_api_the_process_says_where_it_belongs():
    ended = subprocess.run([*OURS, "app.f"], env={}, capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert ended.stderr == (
        "AWS_LAMBDA_RUNTIME_API is not set: this runs in AWS Lambda. On your own machine use `lambdallm dev`.\n"
    )


HANDLER = """
from lambdallm import handler

@handler(model="echo")
def lambda_handler(event, context):
    if event == "raise":
        raise ValueError("mine")
    return context.invoke("Hi")
"""


def test_the_stack_of_an_error_begins_at_the_function_whatever_of_ours_is_around_it(api, tmp_path):
    with function(api, tmp_path, HANDLER):
        stack = api.invoke("raise").answer().json()["stackTrace"]
        assert len(stack) == 1
        assert 'app.py", line 7, in lambda_handler' in stack[0]
        assert api.invoke({}).answer().json() == "Hi"


def test_half_a_character_may_be_printed_and_logged(api, tmp_path):
    source = "import logging\ndef lambda_handler(event, context):\n print('\\ud83d')\n logging.warning('\\ud83d')\n"
    with function(api, tmp_path, source) as process:
        assert api.invoke({}).answer().path.endswith("/response")
        assert process.output().count("\\ud83d") == 2
