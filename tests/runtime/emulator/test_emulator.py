"""The front door of the emulator: what it serves, and that it lets go of it."""

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import boto3
import pytest

from emulated import emulated
from lambdallm.runtime.emulator import Account, EmulatorError, TooManyRequestsError
from lambdallm.runtime.emulator.gateway import HttpApi
from servers import AWS

ECHO = 'serve(lambda event: {"statusCode": 200, "body": event.get("rawPath", "none")})'


def read(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read()


def test_a_functions_url(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        address = emulator.serve_url("app", mode="BUFFERED")
        assert read(f"{address}/a/b") == b"/a/b"
    with pytest.raises(OSError):
        read(address)


def test_an_api_of_api_gateways(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        address = emulator.serve_gateway(HttpApi({"GET /things/{id}": "app"}))
        assert read(f"{address}/things/7") == b"/things/7"


def test_lambdas_own_api(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        keys = {"aws_access_key_id": AWS["AWS_ACCESS_KEY_ID"], "aws_secret_access_key": AWS["AWS_SECRET_ACCESS_KEY"]}
        client = boto3.client("lambda", endpoint_url=emulator.serve_api(), region_name="us-east-1", **keys)
        answer = client.invoke(FunctionName="app", Payload=b"{}", LogType="Tail")
        assert json.loads(answer["Payload"].read()) == {"statusCode": 200, "body": "none"}
        assert answer["ExecutedVersion"] == "$LATEST"
        client.close()


def test_closing_twice_is_no_error(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        emulator.invoke("app", b"{}").read()
        emulator.close()


def test_publishing_what_has_not_changed_gives_the_same_version(tmp_path):
    with emulated(tmp_path, ECHO) as emulator, Account(emulator) as account:
        assert [account.publish("app").version for _ in range(2)] == ["1", "1"]
        assert json.loads(account.invoke("app", b"{}", qualifier="1").read())["statusCode"] == 200


def test_functions_are_listed_while_others_come_and_go(tmp_path):
    over = threading.Event()

    def come_and_go(emulator, function):
        for number in range(1500):
            emulator.add(function.replace(name=f"other{number}"))
            emulator.remove(f"other{number - 10}")
        over.set()

    interval = sys.getswitchinterval()
    with emulated(tmp_path, ECHO, emulator={"isolate": False}) as emulator:
        others = threading.Thread(target=come_and_go, args=(emulator, emulator.functions["app"]))
        sys.setswitchinterval(1e-6)
        try:
            others.start()
            while not over.is_set():
                assert "app" in emulator.functions
        finally:
            sys.setswitchinterval(interval)
            others.join()


def test_a_closed_emulator_takes_nothing_more(tmp_path):
    with emulated(tmp_path, ECHO) as emulator:
        function = emulator.functions["app"]
    for ask in (
        lambda: emulator.serve_url("app"),
        lambda: emulator.replace(function),
        lambda: emulator.new_folder("x"),
    ):
        with pytest.raises(EmulatorError, match="closed"):
            ask()


def test_all_is_ended_where_one_front_end_can_not_be(tmp_path):
    class Stubborn:
        def close(self):
            raise OSError("it does not close")

    with emulated(tmp_path, ECHO) as emulator:
        address = emulator.serve_url("app", mode="BUFFERED")
        emulator._fronts.insert(0, Stubborn())
        with pytest.raises(OSError, match="it does not close"):
            emulator.close()
        emulator._fronts.pop(0)
    with pytest.raises(OSError):
        read(address)
    with pytest.raises(EmulatorError, match="closed"):
        emulator.invoke("app", b"{}")


def test_what_was_published_is_gone_with_a_process_that_is_killed(tmp_path):
    program = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from emulated import emulated
from lambdallm.runtime.emulator import Account
with emulated(Path({str(tmp_path)!r}), {ECHO!r}) as emulator, Account(emulator) as account:
    print(account.publish("app").code, emulator._host.guard._shell.pid, flush=True)
    os.kill(os.getpid(), 9)
"""
    told = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False)
    code, guard = told.stdout.split()
    ended = time.monotonic() + 20
    while os.path.exists(f"/proc/{guard}") and time.monotonic() < ended:
        pass
    assert not os.path.exists(Path(code).parents[1])


def test_many_callers_while_processes_die_at_random(tmp_path):
    """Each caller hears of its own invocation, with its own lines; in the end nothing is left."""
    program = """
def act(event):
    print("at", event["id"], flush=True)
    if event["dies"] == "killed": os.kill(os.getpid(), 9)
    if event["dies"] == "exits": os._exit(3)
    return event["id"]

serve(act)
"""
    wrong, heard = [], []

    def call(emulator, number):
        pick = random.Random(number)
        for turn in range(6):
            event = {"id": f"{number}-{turn}", "dies": pick.choice(["", "", "", "killed", "exits"])}
            while (answer := attempt(emulator, event)) is None:
                time.sleep(0.01)
            said = json.loads(answer.read())
            right = answer.function_error if event["dies"] else said == event["id"]
            printed = [line for line in answer.lines if line.startswith("at ")]
            if not right or printed != [f"at {event['id']}"]:
                wrong.append((event, said, answer.log))

    def attempt(emulator, event):
        try:
            return emulator.invoke("app", json.dumps(event).encode())
        except TooManyRequestsError:
            return None

    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    with emulated(tmp_path, program, emulator={"log": heard.append}, concurrency=10) as emulator:
        callers = [threading.Thread(target=call, args=(emulator, number)) for number in range(50)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        folder = emulator._host.folder()
    assert wrong == []
    assert sum(line.startswith("at ") for line in heard) == sum(line.startswith("REPORT ") for line in heard) == 300
    assert threading.active_count() == before[0]
    assert len(os.listdir("/proc/self/fd")) <= before[1]
    assert not os.path.exists(folder)
