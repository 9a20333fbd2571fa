"""A queue behind SQS's own API, emulated by MiniStack, as an event source: the same events, the same ways to fail."""

import json
import threading

import pytest

import servers
from fake_engine import FakeEmulator
from lambdallm.llm.drivers import Driver
from lambdallm.llm.services import JsonService, ServiceError
from lambdallm.llm.services.queue import SQS
from lambdallm.runtime.emulator.account import Account
from lambdallm.runtime.emulator.event_sources import SourceSettings
from lambdallm.runtime.records import records_of
from lambdallm.testing.sqs_queue import RealQueue


@pytest.fixture
def call(monkeypatch, ministack):
    """An SQS operation."""
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", ministack)
    driver, service = Driver(), JsonService(SQS)
    yield lambda operation, **body: driver.run(service.call(operation, body))
    driver.close()


@pytest.fixture
def queue(call, request):
    name = request.node.originalname[:60]
    call("CreateQueue", QueueName=name, Attributes={"VisibilityTimeout": "1"})
    made = RealQueue(name)
    yield made
    made.close()


def test_messages_become_the_documented_event(queue):
    attributes = {"language": {"DataType": "String", "StringValue": "de"}}
    id = queue.send('{"text": "ü"}', attributes=attributes)
    payloads, come = [], threading.Event()

    def keep(payload, _answer):
        payloads.append(json.loads(payload))
        come.set()
        return b"null"

    with Account(FakeEmulator(app=keep), queues=[queue]) as account:
        account.sources.create(queue.arn, "app", SourceSettings(workers=1))
        assert come.wait(20)
    (record,) = records_of(payloads[0])
    assert (record.id, record.text, record.attributes["language"], record.received) == (id, '{"text": "ü"}', "de", 1)
    raw = payloads[0]["Records"][0]
    assert raw["eventSourceARN"] == queue.arn == f"arn:aws:sqs:us-east-1:000000000000:{queue.url.rpartition('/')[2]}"
    assert raw["awsRegion"] == "us-east-1"
    assert {"SentTimestamp", "ApproximateReceiveCount"} <= set(raw["attributes"])
    assert raw["messageAttributes"]["language"]["stringValue"] == "de"


def test_what_works_is_deleted_and_what_fails_comes_again(queue):
    for text in ("good", "bad"):
        queue.send(text)
    seen = []

    def picky(payload, _answer):
        records = json.loads(payload)["Records"]
        seen.extend(record["body"] for record in records)
        bad = [record["messageId"] for record in records if record["body"] == "bad" and seen.count("bad") < 2]
        return json.dumps({"batchItemFailures": [{"itemIdentifier": id} for id in bad]}).encode()

    with Account(FakeEmulator(app=picky), queues=[queue]) as account:
        account.sources.create(queue.arn, "app", SourceSettings(workers=1, reports_failures=True))
        while left(queue):
            pass
    assert sorted(seen) == ["bad", "bad", "good"]


def test_a_message_is_shown_again_at_once(queue):
    queue.send("one")
    (message,) = queue.receive(1)
    queue.change_visibility(message.handle, 0)
    (again,) = queue.receive(1)
    assert again.id == message.id
    queue.delete([again.handle])
    assert left(queue) == 0


def test_a_queue_that_is_not_there_is_told(call):
    with pytest.raises(ServiceError, match="Create the queue"):
        RealQueue("not-there")


def left(queue):
    """The messages in a queue, hidden ones too."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = queue._call("GetQueueAttributes", {"AttributeNames": names})["Attributes"]
    return sum(int(found[name]) for name in names)
