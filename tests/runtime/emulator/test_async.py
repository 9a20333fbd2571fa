"""Asynchronous events run: retries, destinations and dead letters, in time that passes ten thousand times as fast."""

import json
import threading
from contextlib import contextmanager

import pytest

from fake_engine import FakeEmulator, failing
from lambdallm.runtime.emulator.account import Account
from lambdallm.runtime.emulator.aliases import Alias
from lambdallm.runtime.emulator.clock import Clock
from lambdallm.runtime.emulator.errors import TooManyRequestsError
from lambdallm.runtime.emulator.queues import MemoryQueue
from lambdallm.runtime.emulator.retries import AsyncEvent, AsyncSettings
from lambdallm.runtime.emulator.service_errors import ServiceError

SPEED = 10_000


def target(name):
    return f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"


@contextmanager
def account_of(queues=(), log=print, **functions):
    emulator = FakeEmulator(**functions)
    with Account(emulator, queues=queues, clock=Clock(SPEED), log=log) as account:
        yield account, emulator


def fine(*_):
    return b'"done"'


def failing_times(number):
    """A function that fails so often, then works."""
    left = [number]

    def behave(payload, answer):
        left[0] -= 1
        return failing("no")(payload, answer) if left[0] >= 0 else b'"done"'

    return behave


def test_an_event_runs_under_the_id_it_was_taken_with():
    with account_of(app=fine) as (account, emulator):
        id = account.invoke_event("app", b'{"a": 1}')
        assert account.events.drain(20)
        assert len(id) == 36
        assert emulator.calls[0][:2] == ("app", b'{"a": 1}')


def test_an_error_is_tried_three_times_and_then_a_dead_letter():
    queue = MemoryQueue("dead")
    with account_of([queue], app=failing("the reason")) as (account, emulator):
        account.destinations.set_dead_letters("app", queue.arn)
        account.invoke_event("app", b'{"a": 1}')
        assert account.events.drain(20)
        assert len(emulator.calls) == 3
        (letter,) = queue.receive(10)
    assert letter.body == '{"a": 1}'
    assert letter.attributes["ErrorMessage"] == {"DataType": "String", "StringValue": "the reason"}
    assert letter.attributes["ErrorCode"] == {"DataType": "Number", "StringValue": "200"}


def test_what_works_at_last_is_a_success():
    queue = MemoryQueue("told")
    with account_of([queue], app=failing_times(2)) as (account, emulator):
        account.destinations.set("app", None, AsyncSettings(on_success=queue.arn, on_failure=queue.arn))
        id = account.invoke_event("app", b"{}")
        assert account.events.drain(20)
        (message,) = queue.receive(10)
    told = json.loads(message.body)
    assert told["requestContext"]["condition"] == "Success"
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["requestContext"]["requestId"] == id
    assert told["responsePayload"] == "done"
    assert len(emulator.calls) == 3


def test_a_destination_may_be_a_function():
    with account_of(app=failing("no"), rescue=fine) as (account, emulator):
        account.destinations.set("app", None, AsyncSettings(retries=0, on_failure=target("rescue")))
        account.invoke_event("app", b'{"a": 1}')
        assert account.events.drain(20)
        name, payload, *_ = emulator.calls[-1]
    assert name == "rescue"
    told = json.loads(payload)
    assert (told["requestPayload"], told["requestContext"]["condition"]) == ({"a": 1}, "RetriesExhausted")


def test_throttles_are_waited_out():
    left = [5]

    def busy(*_):
        left[0] -= 1
        if left[0] > 0:
            raise TooManyRequestsError("Rate Exceeded.")
        return b"1"

    with account_of(app=busy) as (account, _):
        account.invoke_event("app", b"{}")
        assert account.events.drain(20)
        assert left == [0]


def test_events_do_not_wait_for_one_another():
    """One that fails for minutes is no reason for the next to wait."""
    open_answers = []

    def slow(payload, answer):
        if payload == b"1":
            open_answers.append(answer)
            return None
        return b"2"

    with account_of(app=slow) as (account, emulator):
        account.invoke_event("app", b"1")
        for _ in range(20):
            account.invoke_event("app", b"2")
        with account.events._changed:
            assert account.events._changed.wait_for(lambda: len(emulator.calls) == 21, 20)
        open_answers[0].over()
        assert account.events.drain(20)


def test_an_alias_has_settings_of_its_own():
    queue = MemoryQueue("told")
    with account_of([queue], app=failing("no")) as (account, emulator):
        account.publish("app")
        account.set_alias("app", Alias("live", "1"))
        account.destinations.set("app", "live", AsyncSettings(retries=0, on_failure=queue.arn))
        account.invoke_event("app", b"{}", qualifier="live")
        assert account.events.drain(20)
        (message,) = queue.receive(10)
    told = json.loads(message.body)
    assert told["requestContext"]["functionArn"] == target("app:live")
    assert told["responseContext"]["executedVersion"] == "1"
    assert len(emulator.calls) == 1


def test_a_destination_that_is_gone_is_logged_and_stops_nothing():
    lines = []
    with account_of(log=lines.append, app=failing("no"), rescue=fine) as (account, emulator):
        account.destinations.set("app", None, AsyncSettings(retries=0, on_failure=target("rescue")))
        del emulator.functions["rescue"]
        account.invoke_event("app", b"{}")
        assert account.events.drain(20)
        assert "is lost: ServiceError('Function not found" in lines[0]
        account.invoke_event("app", b"{}")
        assert account.events.drain(20)


@pytest.mark.parametrize("payload", [b"x" * 2_000_000])
def test_an_event_that_is_too_large_is_refused_at_once(payload):
    with account_of(app=fine) as (account, _), pytest.raises(ServiceError) as caught:
        account.invoke_event("app", payload)
    assert caught.value.code == "RequestTooLargeException"


def test_closing_leaves_what_waits():
    with account_of(app=failing("no")) as (account, _):
        account.events.clock = Clock()
        account.invoke_event("app", b"{}")
    assert account.events.waiting <= 1


def test_what_waits_when_the_account_is_closed_is_said_to_be_lost():
    said = []
    with account_of(log=said.append, app=fine) as (account, _):
        account.events.put(AsyncEvent("app", b"{}", "one", 0.0), at=account.clock.now() + 10_000 * SPEED)
    (line,) = said
    assert line.startswith("The asynchronous invocation one of 'app' is lost: it was closed before it was through.")


def test_and_so_is_what_fails_after_that():
    said, begun, ended = [], threading.Event(), threading.Event()

    def late(payload, answer):
        begun.set()
        assert ended.wait(20)
        return failing("no")(payload, answer)

    told = threading.Event()
    with account_of(log=lambda line: (said.append(line), told.set()), app=late) as (account, _):
        id = account.invoke_event("app", b"{}")
        assert begun.wait(20)
    assert said == []
    ended.set()
    assert told.wait(20)
    assert [id in line for line in said] == [True]
