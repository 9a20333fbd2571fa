"""An SQS queue as event source, made by boto3: batches, partial failures, dead letters, order, throttles."""

import json
import threading
from contextlib import contextmanager

import pytest

from fake_engine import FakeEmulator, failing
from lambdallm.runtime.emulator.account import Account
from lambdallm.runtime.emulator.clock import Clock
from lambdallm.runtime.emulator.errors import TooManyRequestsError
from lambdallm.runtime.emulator.event_sources import SourceSettings
from lambdallm.runtime.emulator.queues import MemoryQueue
from lambdallm.runtime.emulator.service_errors import ServiceError

CLOCK = Clock(1000)


class Seen:
    """A function that keeps the texts of each batch, and fails at those named."""

    def __init__(self, failing=(), reports=True):
        self.batches, self._failing, self._reports = [], set(failing), reports

    def __call__(self, payload, answer):
        records = json.loads(payload)["Records"]
        self.batches.append([record["body"] for record in records])
        bad = [record["messageId"] for record in records if record["body"] in self._failing]
        if bad and not self._reports:
            return failing("no")(payload, answer)
        return json.dumps({"batchItemFailures": [{"itemIdentifier": id} for id in bad]}).encode()

    @property
    def all(self):
        return [body for batch in self.batches for body in batch]


def queue_of(name="jobs", visibility_seconds=100_000, **options):
    """A queue whose messages stay hidden for longer than a test takes, where it does not say otherwise."""
    return MemoryQueue(name, visibility_seconds=visibility_seconds, clock=CLOCK, **options)


@contextmanager
def reading(queue, function, settings=None, log=print):
    with Account(FakeEmulator(app=function), queues=[queue], clock=CLOCK, log=log) as account:
        mapping = account.sources.create(queue.arn, "app", settings or SourceSettings())
        yield account, mapping


def test_messages_are_handed_on_and_deleted():
    queue, seen = queue_of(), Seen()
    for number in range(25):
        queue.send(f"{number}")
    with reading(queue, seen):
        assert queue.wait_for(0, 20)
    assert sorted(seen.all, key=int) == [f"{number}" for number in range(25)]
    assert max(map(len, seen.batches)) <= 10


def test_a_batch_that_fails_comes_again():
    queue, seen = queue_of(visibility_seconds=30), Seen(["bad"], reports=False)
    queue.send("bad")
    with reading(queue, seen):
        while len(seen.batches) < 3:
            queue.wait_for(0, 0.01)
    assert len(queue) == 1


def test_only_what_failed_comes_again_and_ends_as_a_dead_letter():
    dead = queue_of("dead")
    queue, seen = queue_of(visibility_seconds=500, dead_letters=dead, max_receive_count=2), Seen(["2"])
    for number in range(4):
        queue.send(f"{number}")
    with reading(queue, seen, SourceSettings(reports_failures=True)):
        assert dead.wait_for(1, 20)
        assert queue.wait_for(0, 20)
    assert sorted(seen.all) == ["0", "1", "2", "2", "3"]


def test_without_report_an_answer_that_names_failures_is_a_success():
    queue, seen = queue_of(), Seen(["1"])
    queue.send("1")
    with reading(queue, seen):
        assert queue.wait_for(0, 20)
    assert seen.all == ["1"]


def test_a_window_gathers_a_batch():
    queue, seen = queue_of(), Seen()
    with reading(queue, seen, SourceSettings(batch_size=50, window_seconds=300, workers=1)):
        for number in range(50):
            queue.send(f"{number}")
        assert queue.wait_for(0, 20)
    assert len(seen.batches) == 1


def test_no_more_run_at_once_than_is_set():
    queue, held = queue_of(), []

    def hold(_payload, answer):
        held.append(answer)

    for number in range(5):
        queue.send(f"{number}")
    with reading(queue, hold, SourceSettings(batch_size=1, workers=2)):
        while len(held) < 2:
            queue.wait_for(0, 0.01)
        assert not queue.wait_for(4, 0.05)
        assert len(held) == 2
        for number in range(5):
            while len(held) <= number:
                queue.wait_for(0, 0.01)
            held[number].over()
        assert queue.wait_for(0, 20)


def test_a_fifo_queue_keeps_the_order_of_each_group():
    queue, seen = queue_of("jobs.fifo"), Seen()
    for number in range(20):
        queue.send(f"{number}", group=f"{number % 3}")
    with reading(queue, seen, SourceSettings(batch_size=3)):
        assert queue.wait_for(0, 20)
    for group in range(3):
        mine = [int(body) for body in seen.all if int(body) % 3 == group]
        assert mine == sorted(mine)


def test_throttles_leave_messages_in_the_queue():
    queue, left = queue_of(visibility_seconds=30), [3]

    def busy(*_):
        left[0] -= 1
        if left[0] > 0:
            raise TooManyRequestsError("Rate Exceeded.")
        return b"null"

    queue.send("one")
    with reading(queue, busy):
        assert queue.wait_for(0, 20)
    assert left == [0]


def test_a_mapping_is_switched_off_and_on_and_removed():
    queue, seen = queue_of(), Seen()
    with reading(queue, seen) as (account, mapping):
        account.sources.change(mapping.replace(enabled=False))
        queue.send("one")
        assert not queue.wait_for(0, 0.3), "Nobody reads it."
        account.sources.change(mapping.replace(enabled=True))
        assert queue.wait_for(0, 20)
        account.sources.delete(mapping.id)
        with pytest.raises(ServiceError):
            account.sources.get(mapping.id)


def test_a_queue_that_breaks_is_logged_and_read_on():
    lines, queue, seen = [], queue_of(), Seen()
    real, broken = queue.receive, [2]

    def receive(most, *, wait_seconds=0.0):
        broken[0] -= 1
        if broken[0] >= 0:
            raise ConnectionError("gone")
        return real(most, wait_seconds=wait_seconds)

    queue.receive = receive
    queue.send("one")
    with reading(queue, seen, log=lines.append):
        assert queue.wait_for(0, 20)
    assert "could not be read: ConnectionError('gone')" in lines[0]


def test_what_is_worked_on_when_the_account_is_closed_stays_in_the_queue():
    """The batch fails with its emulator; what was received and not begun is shown again at once."""
    queue, begun, ended = queue_of(), threading.Event(), threading.Event()

    def slow(payload, answer):
        begun.set()
        assert ended.wait(20)
        return failing("closed")(payload, answer)

    for number in range(3):
        queue.send(f"{number}")
    with reading(queue, slow, SourceSettings(batch_size=1, workers=1)):
        assert begun.wait(20)
    ended.set()
    assert len(queue) == 3
    assert [message.body for message in queue.receive(10)] == ["1", "2"]
