"""Managed Instances: a worker process for each invocation at once, what becomes of them, and where their lines go."""

import json
import os
import selectors
import signal
import socket

import pytest

from concurrent_api import concurrent_api
from function_processes import OURS, function_process
from lambdallm.runtime.instances import run_workers

CODE = """
    import os, sys, time
    sys.stderr.write(f"loaded by {os.getpid()}\\n")
    def handler(event, context):
        if event.get("gather"):
            open(f"{event['gather']}/{context.aws_request_id}", "w").close()
            while len(os.listdir(event["gather"])) < event["size"]:
                time.sleep(0.005)
        if "exit" in event:
            os._exit(event["exit"])
        if "kill" in event:
            os.kill(os.getpid(), 9)
        print("answering", context.aws_request_id)
        return os.getpid()
"""


@pytest.fixture
def api():
    with concurrent_api() as api:
        yield api


def workers(count):
    return {"AWS_LAMBDA_MAX_CONCURRENCY": str(count)}


@pytest.mark.parametrize("framed", [False, True], ids=["", "framed"])
def test_the_pool_is_announced_where_debug_records_are_wanted(tmp_path, api, framed):
    """As by AWS's client: once, before there are workers, whose records come out once each."""
    code = """
        import logging, os
        def handler(event, context):
            logging.getLogger().debug("worked")
            return sorted(os.listdir("/proc/self/fd"))
    """
    log = open(tmp_path / "frames", "wb+")  # noqa: SIM115  # closed below
    command = ("bash", "-c", f"exec {' '.join(OURS)}" + (f" 9<>{log.name}" if framed else ""))
    settings = {"_LAMBDA_TELEMETRY_LOG_FD": "9"} if framed else {}
    debug = {"AWS_LAMBDA_LOG_LEVEL": "debug", "AWS_LAMBDA_LOG_FORMAT": "JSON"}
    with log, function_process(tmp_path, api, code, command, **debug, **settings, **workers(2)) as function:
        api.invoke({}, "a")
        assert "9" not in api.answer()[1]
        function.process.send_signal(signal.SIGTERM)
        printed = function.ends()[1] + log.read()[16:].decode()
    told = [json.loads(line) for line in printed.splitlines()]
    assert sorted(str(each["message"]) for each in told) == ["worked", str(POOL)]
    assert all(each["level"] == "DEBUG" for each in told)


POOL = {
    "event": "runtime_worker_pool_initializing",
    "workerCount": 2,
    "executionEnvironmentMaxConcurrency": 2,
}


def test_as_many_invocations_as_there_are_workers_run_at_once(tmp_path, api):
    """Each waits for the others to have begun: one process after the other would never answer."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    with function_process(tmp_path, api, CODE, **workers(4)) as function:
        for id in "abcd":
            api.invoke({"gather": str(meeting), "size": 4}, id)
        pids = set(api.answers(4).values())
    assert len(pids) == 4
    assert function.process.pid not in pids


def test_each_worker_loads_the_function_for_itself(tmp_path, api):
    with function_process(tmp_path, api, CODE, **workers(3)) as function:
        for _ in range(3):
            api.asked.get(timeout=20)
        function.process.send_signal(signal.SIGTERM)
        status, output = function.ends()
    loaded = [line for line in output.splitlines() if line.startswith("loaded by")]
    assert status == 0
    assert len(set(loaded)) == 3


def test_many_invocations_are_each_answered_once_and_by_their_own_id(tmp_path, api):
    code = "def handler(event, context):\n    return [event, context.aws_request_id]"
    with function_process(tmp_path, api, code, **workers(3)):
        for number in range(60):
            api.invoke(number, f"id-{number}")
        answers = api.answers(60)
    assert answers == {f"id-{number}": [number, f"id-{number}"] for number in range(60)}
    assert api.posted.empty()


@pytest.mark.parametrize(("event", "told"), [({"exit": 3}, "exit status 3"), ({"kill": 1}, "killed by signal 9")])
def test_a_worker_that_dies_in_an_invocation_is_followed_by_another(tmp_path, api, event, told):
    with function_process(tmp_path, api, CODE, **workers(2)) as function:
        for number in range(5):
            api.invoke(event, f"dies-{number}")
        for id in "ab":
            api.invoke({"gather": str(_folder(tmp_path)), "size": 2}, id)
        assert len(set(api.answers(2).values())) == 2
        for _ in range(2 + 5 + 2):
            api.asked.get(timeout=20)
        function.process.send_signal(signal.SIGTERM)
        status, output = function.ends()
    assert status == 0
    assert output.count(told) == 5


def test_a_function_that_cant_be_loaded_is_told_once_and_ends_all(tmp_path, api):
    api.statuses = [("/init/error", 202), ("/init/error", 403)]
    with function_process(tmp_path, api, "1 / 0", **workers(2)) as function:
        status, output = function.ends()
    told = [api.posted.get(timeout=1) for _ in range(2)]
    assert status == 1
    assert {path for path, *_ in told} == {"/init/error"}
    assert json.loads(told[0][2])["errorType"] == "ZeroDivisionError"
    assert "none takes its place" in output
    assert "403" not in output


def test_an_answer_that_lambda_refuses_does_not_end_the_worker(tmp_path, api):
    api.statuses = [("/1/response", 500)]
    with function_process(tmp_path, api, CODE, **workers(1)) as function:
        for id in "12":
            api.invoke({}, id)
        answers = api.answers(2)
        api.asked.get(timeout=20)
        function.process.send_signal(signal.SIGTERM)
        _, output = function.ends()
    assert answers["1"] == answers["2"]
    assert "The Runtime API answered 500" in output


def test_an_invocation_that_cant_be_had_is_asked_for_again(tmp_path, api):
    api.statuses = [("/next", 500), ("/next", 503)]
    with function_process(tmp_path, api, CODE, **workers(1)):
        api.invoke({}, "1")
        assert api.answer()[0] == "1"


def test_where_lambda_has_gone_the_workers_end_and_none_takes_their_place(tmp_path, api):
    api.statuses = [("/next", 500)] * 10
    with function_process(tmp_path, api, CODE, **workers(2)) as function:
        status, output = function.ends()
    assert status == 1
    assert output.count("none takes its place") == 2


def test_sigterm_reaches_every_worker_even_in_an_invocation(tmp_path, api):
    code = """
        import os, time
        from lambdallm.runtime import on_shutdown
        on_shutdown(lambda: print(f"{os.getpid()} flushed"))
        def handler(event, context):
            try:
                open(event, "w").close()
                time.sleep(60)
            finally:
                print("let go")
    """
    marks = [tmp_path / "1", tmp_path / "2"]
    with function_process(tmp_path, api, code, **workers(2)) as function:
        for mark in marks:
            api.invoke(str(mark), mark.name)
        _until(lambda: all(mark.exists() for mark in marks))
        function.process.send_signal(signal.SIGTERM)
        status, output = function.ends()
    assert status == 0
    assert len({line for line in output.splitlines() if line.endswith("flushed")}) == 2
    assert output.count("let go") == 2


def test_what_workers_print_goes_to_lambda_by_connections_of_their_own(tmp_path, api):
    """Two for each, of standard output and standard error; the first process keeps its own."""
    path = str(tmp_path / "log.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        settings = workers(2) | {"_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET": path}
        with function_process(tmp_path, api, CODE, **settings) as function:
            connections = [listener.accept()[0] for _ in range(4)]
            for id in "ab":
                api.invoke({"gather": str(_folder(tmp_path)), "size": 2}, id)
            api.answers(2)
            for _ in range(4):
                api.asked.get(timeout=20)
            function.process.send_signal(signal.SIGTERM)
            status, output = function.ends()
        texts = [_everything(connection) for connection in connections]
    assert (status, output) == (0, "")
    assert sorted(text for text in texts if "answering" in text) == ["answering a\n", "answering b\n"]
    assert len([text for text in texts if text.startswith("loaded by")]) == 2


def test_workers_leave_the_framed_log_of_a_single_process_alone():
    reading, writing = os.pipe()
    environ = {"_LAMBDA_TELEMETRY_LOG_FD": str(writing)}
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit):
            run_workers(0, lambda had_one: None, environ)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert environ == {}
    assert os.read(reading, 1) == b"", "nobody holds its other end"
    os.close(reading)


def _everything(connection):
    connection.settimeout(10)
    with connection:
        pieces = []
        while piece := connection.recv(65536):
            pieces.append(piece)
    return b"".join(pieces).decode()


def _folder(tmp_path):
    folder = tmp_path / "meeting"
    folder.mkdir(exist_ok=True)
    return folder


def _until(condition):
    with selectors.DefaultSelector() as selector:
        for _ in range(4000):
            if condition():
                return
            selector.select(0.005)
    pytest.fail("it did not come true in 20 s")
