"""The queue in memory behaves as SQS: visibility, order, redrive; and its messages become Lambda's event."""

import threading

import pytest

from events import event as fixture
from lambdallm.runtime.emulator.clock import Clock
from lambdallm.runtime.emulator.queues import MemoryQueue
from lambdallm.runtime.emulator.sqs_event import batches, failed_ids, sqs_event
from lambdallm.runtime.records import records_of


class Stopped(Clock):
    """Time that stands still until a test moves it."""

    def __init__(self):
        super().__init__()
        self.time = 1_772_651_717.135

    def now(self):
        return self.time


def bodies(messages):
    return [message.body for message in messages]


class TestStandard:
    def test_what_is_received_is_hidden_until_its_time_is_over(self):
        clock = Stopped()
        queue = MemoryQueue("jobs", visibility_seconds=30, clock=clock)
        queue.send("one")
        (first,) = queue.receive(10)
        assert queue.receive(10) == []
        clock.time += 30
        (again,) = queue.receive(10)
        assert (again.id, again.system["ApproximateReceiveCount"]) == (first.id, "2")
        assert again.handle != first.handle

    def test_what_is_deleted_is_gone_and_an_old_handle_deletes_nothing(self):
        clock = Stopped()
        queue = MemoryQueue("jobs", clock=clock)
        queue.send("one")
        (first,) = queue.receive(10)
        clock.time += 30
        (again,) = queue.receive(10)
        queue.delete([first.handle])
        assert len(queue) == 1
        queue.delete([again.handle])
        assert len(queue) == 0

    def test_a_message_can_be_shown_again_at_once(self):
        queue = MemoryQueue("jobs", clock=Stopped())
        queue.send("one")
        queue.change_visibility(queue.receive(1)[0].handle, 0)
        assert bodies(queue.receive(1)) == ["one"]

    def test_a_delay_hides_a_message_at_first(self):
        clock = Stopped()
        queue = MemoryQueue("jobs", clock=clock)
        queue.send("late", delay_seconds=10)
        assert queue.receive(1) == []
        clock.time += 10
        assert bodies(queue.receive(1)) == ["late"]

    def test_what_was_received_too_often_is_a_dead_letter(self):
        clock = Stopped()
        dead = MemoryQueue("dead", clock=clock)
        queue = MemoryQueue("jobs", dead_letters=dead, max_receive_count=2, clock=clock)
        queue.send("bad", attributes={"a": {"DataType": "String", "StringValue": "b"}})
        for _ in range(2):
            assert bodies(queue.receive(1)) == ["bad"]
            clock.time += 30
        assert queue.receive(1) == []
        (letter,) = dead.receive(1)
        assert (letter.body, letter.attributes["a"]["StringValue"], len(queue)) == ("bad", "b", 0)

    def test_who_waits_gets_what_comes(self):
        queue = MemoryQueue("jobs")
        got = []
        reader = threading.Thread(target=lambda: got.extend(queue.receive(1, wait_seconds=20)))
        reader.start()
        queue.send("one")
        reader.join(20)
        assert bodies(got) == ["one"]

    def test_who_waits_gets_what_becomes_visible(self):
        queue = MemoryQueue("jobs", visibility_seconds=30, clock=Clock(1000))
        queue.send("one")
        queue.receive(1)
        assert bodies(queue.receive(1, wait_seconds=20)) == ["one"]


class TestFifo:
    def test_a_group_is_held_while_one_of_it_is_worked_on(self):
        queue = MemoryQueue("jobs.fifo", clock=Stopped())
        for group, body in (("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3"), ("b", "b2")):
            queue.send(body, group=group)
        first = queue.receive(2)
        assert bodies(first) == ["a1", "a2"]
        assert bodies(queue.receive(10)) == ["b1", "b2"]
        assert queue.receive(10) == []
        queue.delete([message.handle for message in first])
        assert bodies(queue.receive(10)) == ["a3"]

    def test_the_order_survives_a_failure(self):
        clock = Stopped()
        queue = MemoryQueue("jobs.fifo", clock=clock)
        for number in range(3):
            queue.send(f"{number}", group="a")
        queue.receive(1)
        assert queue.receive(10) == []
        clock.time += 30
        assert bodies(queue.receive(10)) == ["0", "1", "2"]

    def test_the_same_message_is_taken_once_in_five_minutes(self):
        clock = Stopped()
        queue = MemoryQueue("jobs.fifo", clock=clock)
        assert queue.send("x", group="a") == queue.send("x", group="a")
        assert queue.send("x", group="a", deduplication="other") != queue.send("x", group="a")
        clock.time += 300
        queue.send("x", group="a")
        assert len(queue) == 3

    def test_a_group_is_needed(self):
        with pytest.raises(ValueError, match="needs a group"):
            MemoryQueue("jobs.fifo").send("x")


class TestEvents:
    @pytest.mark.parametrize("name", ["things", "things.fifo"])
    def test_an_event_has_the_fields_of_the_documented_one(self, name):
        queue = MemoryQueue(name, region="eu-west-1", clock=Stopped())
        attributes = {"language": {"DataType": "String", "StringValue": "de"}}
        queue.send('{"text": "one"}', attributes=attributes, group="a" if name.endswith("fifo") else None)
        made = sqs_event(queue.receive(1), queue.arn)
        wanted = fixture("sqs_fifo" if name.endswith("fifo") else "sqs")["Records"][0]
        (record,) = made["Records"]
        assert set(record) == set(wanted)
        assert set(record["attributes"]) == set(wanted["attributes"])
        assert record["messageAttributes"] == wanted["messageAttributes"]
        for field in ("eventSource", "eventSourceARN", "awsRegion"):
            assert record[field] == wanted[field]
        assert record["attributes"]["SentTimestamp"] == "1772651717135"
        assert records_of(made)[0].json() == {"text": "one"}

    def test_batches_are_no_larger_than_an_event_may_be(self):
        queue = MemoryQueue("jobs", clock=Stopped())
        for _ in range(5):
            queue.send("x" * 1000)
        made = list(batches(queue.receive(10), queue.arn, most_bytes=4000))
        assert [len(batch) for batch in made] == [2, 2, 1]


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        (b"", []),
        (b"null", []),
        (b"{}", []),
        (b'{"batchItemFailures": null}', []),
        (b'{"batchItemFailures": []}', []),
        (b'{"batchItemFailures": [{"itemIdentifier": "2"}]}', ["2"]),
        (b'{"batchItemFailures": [{"itemIdentifier": ""}]}', ["1", "2"]),
        (b'{"batchItemFailures": [{"itemIdentifier": null}]}', ["1", "2"]),
        (b'{"batchItemFailures": [{"itemIdentifer": "1"}]}', ["1", "2"]),
        (b'{"batchItemFailures": [{"itemIdentifier": "9"}]}', ["1", "2"]),
        (b'{"batchItemFailures": "all"}', ["1", "2"]),
        (b"no json", ["1", "2"]),
    ],
)
def test_what_an_answer_says_of_failures(answer, failed):
    """The documentation's own cases: a name that is none fails the whole batch."""
    assert failed_ids(answer, ["1", "2"]) == frozenset(failed)
