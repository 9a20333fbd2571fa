"""Environments come, stay, stand still and go: which process answers, and when a new one starts."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from emulated import Heard, emulated, function
from lambdallm.runtime.emulator import Emulator, EmulatorError, Limits, TooManyRequestsError

ACTING = """
def act(event):
    if "print" in event: print(event["print"], flush=True)
    if "wait_for" in event:
        while not os.path.exists(event["wait_for"]): time.sleep(0.005)
    return os.getpid()

serve(act)
"""
OPEN = {"isolate": False}
"""So that tests and processes share files."""


def pid_of(answer):
    pid = json.loads(answer.read())
    answer.wait(10)
    return pid


def gone(pid):
    """Whether a process ends within ten seconds."""
    try:
        waited = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    try:
        return bool(select.select([waited], [], [], 10)[0])
    finally:
        os.close(waited)


class TestConcurrency:
    def test_a_warm_environment_is_used_again(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            assert pid_of(emulator.invoke("app", b"{}")) == pid_of(emulator.invoke("app", b"{}"))

    def test_a_new_one_starts_when_all_are_busy_up_to_the_limit(self, tmp_path):
        busy = json.dumps({"wait_for": str(tmp_path / "go")}).encode()
        with emulated(tmp_path, ACTING, emulator=OPEN, concurrency=2) as emulator:
            two = [emulator.invoke("app", busy), emulator.invoke("app", busy)]
            with pytest.raises(TooManyRequestsError) as refused:
                emulator.invoke("app", busy)
            (tmp_path / "go").touch()
            pids = [pid_of(answer) for answer in two]
            assert pid_of(emulator.invoke("app", b"{}")) in pids
        assert len(set(pids)) == 2
        assert (refused.value.code, refused.value.status) == ("TooManyRequestsException", 429)

    def test_one_after_the_other_never_finds_the_only_environment_busy(self, tmp_path):
        with emulated(tmp_path, ACTING, concurrency=1) as emulator:
            assert len({pid_of(emulator.invoke("app", b"{}")) for _ in range(200)}) == 1

    def test_a_lost_process_makes_room_before_its_caller_knows(self, tmp_path):
        with emulated(tmp_path, "next(); os._exit(1)", concurrency=1) as emulator:
            for _ in range(5):
                assert emulator.invoke("app", b"{}").read()

    def test_many_threads(self, tmp_path):
        pids, refused = [], []

        def work(emulator):
            for _ in range(20):
                try:
                    pids.append(pid_of(emulator.invoke("app", b"{}")))
                except TooManyRequestsError as error:
                    refused.append(error)

        with emulated(tmp_path, ACTING, concurrency=3) as emulator:
            threads = [threading.Thread(target=work, args=(emulator,)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(pids) + len(refused) == 120
        assert 1 <= len(set(pids)) <= 3


class TestFreezing:
    COUNTING = """
import threading
count = 0
def run():
    global count
    while True:
        count += 1
        time.sleep(0.001)
threading.Thread(target=run, daemon=True).start()
serve(lambda event: [os.getpid(), count])
"""

    def test_nothing_runs_between_invocations(self, tmp_path):
        with emulated(tmp_path, self.COUNTING) as emulator:
            answer = emulator.invoke("app", b"{}")
            pid, _ = json.loads(answer.read())
            assert answer.wait(10)
            assert self.stands_still(pid)
            pid_again, _ = json.loads(emulator.invoke("app", b"{}").read())
        assert pid_again == pid

    def test_unless_it_is_wanted(self, tmp_path):
        with emulated(tmp_path, self.COUNTING, emulator={"freeze": False}) as emulator:
            _, before = json.loads(emulator.invoke("app", b"{}").read())
            while json.loads(emulator.invoke("app", b"{}").read())[1] == before:
                pass

    def stands_still(self, pid):
        """Whether the process is stopped, within ten seconds."""
        for _ in range(2000):
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "T":
                    return True
            threading.Event().wait(0.005)
        return False


class TestNewCode:
    def test_new_processes_take_over_and_old_ones_finish(self, tmp_path):
        busy = json.dumps({"wait_for": str(tmp_path / "go")}).encode()
        with emulated(tmp_path, ACTING, emulator=OPEN, concurrency=1) as emulator:
            old = emulator.invoke("app", busy)
            (tmp_path / "new").mkdir()
            emulator.replace(function(tmp_path / "new", "serve(lambda event: 'new')", memory_mb=256))
            assert emulator.invoke("app", b"{}").read() == b'"new"'
            (tmp_path / "go").touch()
            assert gone(pid_of(old))
            assert emulator.functions["app"].memory_mb == 256

    def test_a_function_is_added_once_and_can_be_taken_away(self, tmp_path):
        with emulated(tmp_path, ACTING) as emulator:
            pid = pid_of(emulator.invoke("app", b"{}"))
            with pytest.raises(EmulatorError, match="replace"):
                emulator.add(emulator.functions["app"])
            emulator.remove("app")
            assert gone(pid)
            assert emulator.functions == {}

    def test_versions_run_beside_each_other(self, tmp_path):
        (tmp_path / "one").mkdir()
        with emulated(tmp_path, "serve(lambda event: 'latest')") as emulator:
            emulator.add(function(tmp_path / "one", "serve(lambda event: 'one')", version="1"))
            assert emulator.invoke("app", b"{}").read() == b'"latest"'
            assert emulator.invoke("app", b"{}", qualifier="1").read() == b'"one"'


class TestStarting:
    def test_a_function_can_be_loaded_before_it_is_asked_for(self, tmp_path):
        with emulated(tmp_path, 'print("loading", flush=True)\n' + ACTING) as emulator:
            assert emulator.warm("app") is None
            assert emulator.heard == ["loading"]
            answer = emulator.invoke("app", b"{}")
            answer.read()
        assert answer.report.init_ms is None
        assert answer.lines[0].startswith("START")

    def test_an_invocation_takes_the_environment_that_starts_already(self, tmp_path):
        program = "open('started', 'a').write('x')\nwhile not os.path.exists('go'): time.sleep(0.005)\n" + ACTING
        with emulated(tmp_path, program, emulator=OPEN) as emulator:
            warming = threading.Thread(target=emulator.warm, args=("app",))
            warming.start()
            while not (tmp_path / "started").exists():
                assert warming.is_alive()
            answer = emulator.invoke("app", b"{}")
            (tmp_path / "go").touch()
            assert pid_of(answer)
            warming.join()
        assert (tmp_path / "started").read_text() == "x"
        assert answer.report.init_ms > 0

    def test_a_start_that_fails_is_tried_again_in_the_invocations_own_time(self, tmp_path):
        program = """
print("loading", flush=True)
error = {"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named 'x'"}
ask("POST", "/init/error", json.dumps(error), {"Lambda-Runtime-Function-Error-Type": error["errorType"]})
sys.exit(1)
"""
        with emulated(tmp_path, program) as emulator:
            answer = emulator.invoke("app", b"{}")
            body = json.loads(answer.read())
        assert body == answer.error == {"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named 'x'"}
        lines = [line.split("\t")[0].split(":")[0] for line in answer.lines]
        assert lines == [
            "loading", "INIT_REPORT Init Duration", "loading", "INIT_REPORT Init Duration",
            "START RequestId", "END RequestId", "REPORT RequestId",
        ]  # fmt: skip
        assert "Phase: init\tStatus: error\tError Type: Runtime.ImportModuleError" in answer.lines[1]
        assert "Phase: invoke\tStatus: error\tError Type: Runtime.ImportModuleError" in answer.lines[3]
        assert answer.report.error_type == "Runtime.ImportModuleError"

    def test_or_only_once_where_that_is_wanted(self, tmp_path):
        with emulated(tmp_path, "os._exit(3)", init_again=False) as emulator:
            answer = emulator.invoke("app", b"{}")
            message = f"RequestId: {answer.request_id} Error: Runtime exited with error: exit status 3"
            assert json.loads(answer.read()) == {"errorType": "Runtime.ExitError", "errorMessage": message}
        assert sum(line.startswith("INIT_REPORT") for line in answer.lines) == 1

    def test_a_second_start_may_succeed(self, tmp_path):
        program = (
            """
if not os.path.exists("tried"):
    open("tried", "w").close()
    os._exit(1)
"""
            + ACTING
        )
        with emulated(tmp_path, program, emulator=OPEN) as emulator:
            answer = emulator.invoke("app", b"{}")
            answer.read()
        assert answer.function_error is None
        assert "Phase: invoke\tStatus: success" in answer.lines[1]
        assert answer.report.init_ms is None

    def test_a_start_that_takes_too_long(self, tmp_path):
        settings = {"limits": Limits(init_seconds=0.2)}
        with emulated(tmp_path, "time.sleep(60)", emulator=settings, timeout=0.3) as emulator:
            answer = emulator.invoke("app", b"{}")
            assert json.loads(answer.read())["errorType"] == "Sandbox.Timedout"
        assert "Phase: init\tStatus: timeout" in answer.lines[0]
        assert "Phase: invoke\tStatus: timeout" in answer.lines[1]
        assert answer.report.status == "timeout"

    def test_loading_ahead_tells_what_went_wrong(self, tmp_path):
        with emulated(tmp_path, "os._exit(3)") as emulator:
            error = emulator.warm("app")
        assert error == {"errorType": "Runtime.ExitError", "errorMessage": "Runtime exited with error: exit status 3"}

    def test_a_start_that_takes_too_long_and_is_not_tried_again(self, tmp_path):
        settings = {"limits": Limits(init_seconds=0.2)}
        with emulated(tmp_path, "time.sleep(60)", emulator=settings, init_again=False) as emulator:
            error = json.loads(emulator.invoke("app", b"{}").read())
            assert emulator.warm("app")["errorType"] == "Sandbox.Timedout"
        assert error["errorType"] == "Sandbox.Timedout"
        assert error["errorMessage"].endswith("The function was not loaded within 0.2 seconds.")

    def test_a_process_that_has_failed_to_start_and_stays(self, tmp_path):
        program = "ask('POST', '/init/error', b'{\"errorType\": \"E\"}')\ntime.sleep(60)"
        with emulated(tmp_path, program, init_again=False) as emulator:
            answer = emulator.invoke("app", b"{}")
            assert json.loads(answer.read()) == {"errorType": "E"}
        assert answer.error == {"errorType": "E", "errorMessage": ""}

    def test_a_command_that_is_nowhere(self, tmp_path):
        with emulated(tmp_path, "", command=("no-such-program",)) as emulator:
            error = json.loads(emulator.invoke("app", b"{}").read())
        assert error["errorType"] == "Runtime.InvalidEntrypoint"
        assert "fork/exec no-such-program: no such file or directory" in error["errorMessage"]

    def test_a_process_that_the_system_does_not_start(self, tmp_path):
        with emulated(tmp_path, "", shell={"LONG": "x" * 4_000_000}) as emulator:
            error = json.loads(emulator.invoke("app", b"{}").read())
        assert error["errorType"] == "Runtime.InvalidEntrypoint"
        assert "Argument list too long" in error["errorMessage"]

    def test_a_folder_that_is_nowhere(self, tmp_path):
        with emulated(tmp_path, "") as emulator:
            emulator.replace(emulator.functions["app"].replace(code=str(tmp_path / "nowhere")))
            assert json.loads(emulator.invoke("app", b"{}").read())["errorType"] == "Runtime.InvalidWorkingDir"


class TestSnapStart:
    PROGRAM = """
print(os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "before", flush=True)
restored = ask("GET", "/restore/next")
print("after", restored.status, flush=True)
"""

    def test_a_restore_goes_before_the_first_invocation(self, tmp_path):
        with emulated(tmp_path, self.PROGRAM + ACTING, snapstart=True) as emulator:
            emulator.warm("app")
            assert emulator.heard == ["snap-start before"]
            first, second = emulator.invoke("app", b"{}"), None
            first.read()
            second = emulator.invoke("app", b"{}")
            second.read()
        assert first.lines[0] == "after 200"
        assert first.lines[1].startswith("RESTORE_REPORT Restore Duration:")
        assert (first.report.init_ms, first.report.restore_ms is None) == (None, False)
        assert "\tRestore Duration: " in str(first.report)
        assert second.report.restore_ms is None

    def test_a_hook_that_fails_after_the_restore(self, tmp_path):
        program = (
            self.PROGRAM
            + """
error = {"errorType": "Runtime.AfterRestoreError", "errorMessage": "no"}
ask("POST", "/restore/error", json.dumps(error), {"Lambda-Runtime-Function-Error-Type": error["errorType"]})
sys.exit(65)
"""
        )
        with emulated(tmp_path, program, snapstart=True, init_again=False) as emulator:
            body = json.loads(emulator.invoke("app", b"{}").read())
        assert body == {"errorType": "Runtime.AfterRestoreError", "errorMessage": "no"}


def test_a_process_that_leaves_its_connection_may_come_back(tmp_path):
    program = """
import socket
host, port = API.split(":")
with socket.create_connection((host, int(port))) as connection:
    connection.sendall(f"GET {RUNTIME}/invocation/next HTTP/1.1\\r\\n\\r\\n".encode())
    while not os.path.exists("go"): time.sleep(0.002)
time.sleep(0.1)
serve(lambda event: "back")
"""
    with emulated(tmp_path, program, emulator={"isolate": False, "freeze": False}) as emulator:
        assert emulator.warm("app") is None
        (tmp_path / "go").touch()
        assert emulator.invoke("app", b"{}").read() == b'"back"'


class TestEnding:
    def test_an_idle_environment_ends(self, tmp_path):
        with emulated(tmp_path, ACTING, emulator={"limits": Limits(idle_seconds=0.1)}) as emulator:
            pid = pid_of(emulator.invoke("app", b"{}"))
            assert gone(pid)
            assert pid_of(emulator.invoke("app", b"{}")) != pid

    def test_a_process_that_hears_sigterm_has_a_moment(self, tmp_path):
        program = (
            """
import signal
signal.signal(signal.SIGTERM, lambda *_: (print("flushed", flush=True), os._exit(0)))
"""
            + ACTING
        )
        with emulated(tmp_path, program, sigterm=True) as emulator:
            emulator.invoke("app", b"{}").read()
            heard = emulator.heard
        assert heard[-1] == "flushed"

    def test_and_no_more_than_that(self, tmp_path):
        program = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ACTING
        with emulated(tmp_path, program, sigterm=True) as emulator:
            pid = pid_of(emulator.invoke("app", b"{}"))
        assert gone(pid)

    def test_what_the_process_has_started_ends_with_it(self, tmp_path):
        program = """
import subprocess
child = subprocess.Popen(["sleep", "600"])
serve(lambda event: child.pid)
"""
        with emulated(tmp_path, program) as emulator:
            child = pid_of(emulator.invoke("app", b"{}"))
        assert gone(child)

    def test_and_so_does_what_has_left_its_group(self, tmp_path):
        program = """
import subprocess
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
serve(lambda event: child.pid)
"""
        with emulated(tmp_path, program, emulator=OPEN) as emulator:
            child = pid_of(emulator.invoke("app", b"{}"))
        assert gone(child)

    def test_closing_ends_what_runs_and_tells_who_waits(self, tmp_path):
        with emulated(tmp_path, "next(); time.sleep(600)") as emulator:
            answer = emulator.invoke("app", b"{}")
        assert json.loads(answer.read())["errorType"] == "Sandbox.Failure"
        with pytest.raises(EmulatorError, match="closed"):
            emulator.invoke("app", b"{}")

    def test_no_thread_file_or_process_is_left_behind(self, tmp_path):
        def left():
            return threading.active_count(), len(os.listdir("/proc/self/fd"))

        with Emulator():
            pass
        before = left()
        for _ in range(20):
            with emulated(tmp_path, ACTING) as emulator:
                pid = pid_of(emulator.invoke("app", b"{}"))
            assert gone(pid)
        assert left() == before

    def test_processes_die_with_an_emulator_that_is_killed(self, tmp_path):
        function(tmp_path, ACTING)
        program = f"""
import sys
sys.path.insert(0, {os.path.dirname(os.path.dirname(os.path.dirname(__file__)))!r})
from pathlib import Path
from emulated import ACTING, emulated
"""
        program = (
            program.replace("ACTING, ", "")
            + f"""
with emulated(Path({str(tmp_path)!r}), {ACTING!r}) as emulator:
    print(emulator.invoke("app", b"{{}}").read().decode(), flush=True)
    print(emulator._host.folder(), emulator._host.guard._shell.pid, sep="\\n", flush=True)
    sys.stdin.read()
"""
        )
        command = [sys.executable, "-c", program]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as owner:
            pid = int(owner.stdout.readline())
            folder = owner.stdout.readline().decode().strip()
            assert os.path.isdir(folder)
            guard = int(owner.stdout.readline())
            owner.send_signal(signal.SIGKILL)
        assert gone(pid)
        assert gone(guard)
        assert not os.path.exists(folder)


def test_lines_of_several_functions_are_told_apart(tmp_path):
    heard = Heard()
    with Emulator(log=heard) as emulator:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            emulator.add(function(tmp_path / name, ACTING, name=name))
            emulator.invoke(name, json.dumps({"print": name}).encode()).read()
    assert [(line.function, line) for line in heard if line.source == "function"] == [("one", "one"), ("two", "two")]
