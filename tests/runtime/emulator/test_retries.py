"""Asynchronous events: when they are tried again, when they are given up, and what is told of them, as values."""

import json

import pytest

from lambdallm.runtime.emulator.retries import (
    AsyncEvent,
    AsyncSettings,
    Outcome,
    Over,
    TryAgain,
    dead_letter_attributes,
    iso,
    next_step,
    record,
)

BEGAN = 1_000_000.0
EVENT = AsyncEvent("app", b'{"a": 1}', "id-1", BEGAN)
FAILED = Outcome(error=True, payload=b'{"errorMessage": "m"}', message="m")
THROTTLED = Outcome(error=True, throttled=True)


def walk(outcome, settings=None, event=EVENT):
    """The waits before each further try, and how it ends."""
    waits, now = [], BEGAN
    while isinstance(step := next_step(event, outcome, settings or AsyncSettings(), now), TryAgain):
        waits.append(step.at - now)
        event, now = step.event, step.at
    return waits, step.condition


def test_success_ends_it():
    assert next_step(EVENT, Outcome(error=False), AsyncSettings(), BEGAN) == Over("Success", EVENT)


def test_an_error_is_tried_again_after_one_minute_and_after_two():
    assert walk(FAILED) == ([60.0, 120.0], "RetriesExhausted")


@pytest.mark.parametrize(("retries", "waits"), [(0, []), (1, [60.0])])
def test_fewer_tries_where_that_is_set(retries, waits):
    assert walk(FAILED, AsyncSettings(retries=retries)) == (waits, "RetriesExhausted")


def test_an_event_is_given_up_when_its_next_try_would_be_too_late():
    assert walk(FAILED, AsyncSettings(max_age_seconds=100)) == ([60.0], "EventAgeExceeded")


def test_throttles_are_tried_again_ever_more_slowly_until_the_event_is_too_old():
    waits, condition = walk(THROTTLED)
    assert waits[:10] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert set(waits[10:]) == {300}
    assert condition == "EventAgeExceeded"
    assert sum(waits) <= 21_600


def test_throttles_use_up_no_try():
    step = next_step(EVENT.replace(failures=1), THROTTLED, AsyncSettings(), BEGAN)
    assert (step.event.failures, step.event.throttles) == (1, 1)
    step = next_step(step.event, FAILED, AsyncSettings(), BEGAN)
    assert (step.event.failures, step.event.throttles, step.at) == (2, 0, BEGAN + 120)


def test_a_function_that_may_not_run_is_not_waited_for():
    outcome = THROTTLED.replace(never=True)
    assert next_step(EVENT, outcome, AsyncSettings(), BEGAN).condition == "ZeroReservedConcurrency"


def test_the_record_of_an_event_that_failed_is_the_documented_one():
    over = Over("RetriesExhausted", EVENT.replace(failures=3))
    assert record(over, FAILED, "arn:…:app:$LATEST", 1_573_755_365.568) == {
        "version": "1.0",
        "timestamp": "2019-11-14T18:16:05.568Z",
        "requestContext": {
            "requestId": "id-1",
            "functionArn": "arn:…:app:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"a": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "m"},
    }


def test_the_record_of_a_success_has_no_error():
    told = record(Over("Success", EVENT), Outcome(error=False, payload=b"7", version="2"), "arn", BEGAN)
    assert told["requestContext"]["approximateInvokeCount"] == 1
    assert told["responseContext"] == {"statusCode": 200, "executedVersion": "2"}
    assert told["responsePayload"] == 7


def test_the_record_of_a_function_that_never_ran_has_no_response():
    told = record(Over("EventAgeExceeded", EVENT), THROTTLED, "arn", BEGAN)
    assert "responsePayload" not in told
    assert json.dumps(told)


def test_a_dead_letter_says_why():
    assert dead_letter_attributes(EVENT, FAILED.replace(message="m" * 2000)) == {
        "RequestID": ("String", "id-1"),
        "ErrorCode": ("Number", "200"),
        "ErrorMessage": ("String", "m" * 1024),
    }
    assert dead_letter_attributes(EVENT, THROTTLED)["ErrorCode"] == ("Number", "429")


def test_times_are_written_to_the_millisecond():
    assert iso(1_772_651_717.135) == "2026-03-04T19:15:17.135Z"
