"""The Runtime API's states: a request in a state is allowed, or refused in AWS's words."""

import json

import pytest

from lambdallm.runtime.emulator import protocol
from lambdallm.runtime.emulator.protocol import Ask, Refusal, State, read


def state(name, request_id="1"):
    made = State()
    made.name, made.request_id = name, request_id
    return made


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/2018-06-01/runtime/invocation/next", Ask("next")),
        ("POST", "/2018-06-01/runtime/invocation/7/response", Ask("response", "7")),
        ("POST", "/2018-06-01/runtime/invocation/7/error", Ask("error", "7")),
        ("POST", "/2018-06-01/runtime/init/error", Ask("init_error")),
        ("POST", "/lambdallm/notes/7/trace", Ask("note", "7", "trace")),
        ("GET", "/2018-06-01/ping", protocol.PONG),
    ],
)
def test_what_is_asked_for(method, path, expected):
    assert read(method, path, snapstart=False) == expected


def test_restoring_is_asked_for_where_there_is_a_snapshot():
    path = "/2018-06-01/runtime/restore/next"
    assert read("GET", path, snapstart=True) == Ask("restore_next")
    assert read("GET", path, snapstart=False).status == 404


def test_a_path_that_nobody_knows_and_a_method_that_it_does_not_take():
    assert read("GET", "/2018-06-01/nonsense", snapstart=True).status == 404
    refused = read("POST", "/2018-06-01/runtime/invocation/next", snapstart=True)
    assert refused == Refusal(405, b"", {"Allow": "GET"})


def test_an_invocation_from_its_start_to_the_next_one():
    one = State()
    assert one.next() is None
    one.give("1")
    assert one.response("1") is None
    one.sent()
    assert one.next() is None
    assert one.name == "Ready"


def test_asking_again_in_the_middle_of_an_invocation_changes_nothing():
    one = state("Running")
    assert one.next() is None
    assert one.name == "Running"


def test_another_id_is_refused():
    assert state("Running").response("2") == protocol.UNKNOWN_ID
    assert State().error("") == protocol.UNKNOWN_ID


def test_a_second_answer_is_refused_in_words():
    refused = state("RuntimeResponseSentState").response("1")
    assert refused.status == 403
    assert json.loads(refused.body) == {
        "errorMessage": "State transition from RuntimeResponseSentState to InvocationResponse failed for runtime. "
        "Error: State transition is not allowed",
        "errorType": "InvalidStateTransition",
    }


def test_a_start_fails_only_before_it_is_over():
    assert State().init_error() is None
    assert state("Running").init_error().status == 403


def test_a_snapshot_is_restored_or_its_hooks_fail():
    one = State()
    assert one.restore_next() is None
    one.restored()
    assert one.restore_error() is None
    two = state("Restoring")
    assert two.next() is None
    assert state("Restoring").init_error() is None


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("Function.Broken", "Function.Broken"),
        ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
        ("Function.broken", "Function.Unknown"),
        ("ValueError", "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
    ],
)
def test_types_of_errors(given, known):
    assert protocol.error_type(given) == known
