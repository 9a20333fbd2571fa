"""The garbage collector: rare while an environment starts, after the first answer as Python and the function want."""

import gc
import sys

import pytest

from concurrent_api import concurrent_api
from function_processes import SOURCE, function_process
from lambdallm.runtime.collector import OBJECTS
from lambdallm.runtime.scripts import exec_wrapper

USUAL = list(gc.get_threshold())
STATE = """
    import gc, weakref

    class Ring: ...

    def ring():
        one = Ring()
        one.self = one
        one.large = bytearray(1000)
        return weakref.ref(one)

    garbage = ring()

    def state():
        return {"on": gc.isenabled(), "thresholds": gc.get_threshold(), "frozen": gc.get_freeze_count(),
                "garbage": garbage() is not None}
"""
PLAIN = f"{STATE}\n    def handler(event, context):\n        return state()\n"


@pytest.fixture
def api():
    with concurrent_api() as api:
        yield api


def states(api, count=2):
    """What a function said in so many invocations, one after the other."""
    said = []
    for number in range(count):
        api.invoke({}, str(number))
        said.append(api.answer()[1])
    return said


def by_wrapper(folder):
    """The command that Lambda starts where an exec wrapper is named."""
    text = exec_wrapper(sys.executable)
    assert text.count("sys.path[1:1] = [") == 1
    (folder / "wrapper").write_text(text.replace("sys.path[1:1] = [", f"sys.path[1:1] = [{SOURCE!r}, "))
    (folder / "wrapper").chmod(0o755)
    return (str(folder / "wrapper"),)


def test_it_is_rare_until_the_first_answer_and_then_as_ever(tmp_path, api):
    with function_process(tmp_path, api, PLAIN, by_wrapper(tmp_path), _HANDLER="app.handler"):
        first, second = states(api)
    assert first == {"on": True, "thresholds": [OBJECTS, *USUAL[1:]], "frozen": 0, "garbage": True}
    assert (second["on"], second["thresholds"]) == (True, USUAL)


def test_what_was_loaded_is_set_aside_then_and_garbage_is_not(tmp_path, api):
    with function_process(tmp_path, api, PLAIN):
        first, second, third = states(api, 3)
    assert (first["frozen"], first["garbage"]) == (0, True)
    assert second["frozen"] > 1000
    assert second["garbage"] is False
    assert third["frozen"] == second["frozen"]


def test_a_function_without_a_collector_gets_none(tmp_path, api):
    with function_process(tmp_path, api, f"{PLAIN}\n    gc.disable()\n"):
        first, second = states(api)
    assert (first["on"], second["on"]) == (False, False)
    assert (second["thresholds"], second["frozen"], second["garbage"]) == (USUAL, 0, True)


def test_a_functions_own_thresholds_stay(tmp_path, api):
    with function_process(tmp_path, api, f"{PLAIN}\n    gc.set_threshold(5000, 20, 30)\n"):
        first, second = states(api)
    assert first["thresholds"] == second["thresholds"] == [5000, 20, 30]
    assert second["frozen"] == 0


def test_so_do_those_that_a_first_invocation_sets(tmp_path, api):
    code = f"""{STATE}
    def handler(event, context):
        if gc.get_threshold()[0] == {OBJECTS}:
            gc.set_threshold(0)
        return state()
    """
    with function_process(tmp_path, api, code):
        assert [each["thresholds"][0] for each in states(api)] == [0, 0]


def test_garbage_does_not_pile_up_while_the_function_is_loaded(tmp_path, api):
    code = f"{PLAIN}\n    for _ in range({OBJECTS}):\n        ring()\n"
    with function_process(tmp_path, api, code):
        assert states(api, 1)[0]["garbage"] is False


def test_a_snapshot_is_taken_without_garbage(tmp_path, api):
    snap_start = {"AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}
    with function_process(tmp_path, api, PLAIN, **snap_start):
        assert api.asked.get(timeout=20) == "restore"
        api.restored.set()
        first, second = states(api)
    assert (first["thresholds"], first["garbage"]) == (USUAL, False)
    assert first["frozen"] == second["frozen"] > 1000


def test_each_worker_among_several_does_the_same(tmp_path, api):
    code = f"{STATE}\n    import os\n    def handler(event, context):\n        return [os.getpid(), state()]\n"
    with function_process(tmp_path, api, code, AWS_LAMBDA_MAX_CONCURRENCY="2"):
        said = {}
        for pid, state in states(api, 6):
            said.setdefault(pid, []).append(state)
    for first, *others in said.values():
        assert (first["thresholds"][0], first["frozen"], first["garbage"]) == (OBJECTS, 0, True)
        assert all(each["thresholds"] == USUAL and each["frozen"] and not each["garbage"] for each in others)
    assert any(len(each) > 1 for each in said.values())
