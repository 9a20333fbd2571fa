"""Messages into a queue: one, many, too large, refused; and nothing twice that was not asked for."""

import json

import pytest

import servers
from lambdallm.llm.errors import ConfigurationError, ProviderTimeoutError
from lambdallm.llm.flow import Send
from lambdallm.llm.services import JsonService, MessagesFailed, QueueMessage, ServiceError, SQSQueue
from lambdallm.llm.services.queue import SQS
from lambdallm.testing import Script

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs"


@pytest.fixture
def sqs(aws):
    return JsonService(SQS)


def created(sqs, run, name, **attributes):
    return run(sqs.call("CreateQueue", {"QueueName": name, "Attributes": attributes}))["QueueUrl"]


def received(sqs, run, url):
    body = {"QueueUrl": url, "MaxNumberOfMessages": 10, "MessageAttributeNames": ["All"], "AttributeNames": ["All"]}
    messages = []
    while found := run(sqs.call("ReceiveMessage", body)).get("Messages", []):
        messages += found
        for message in found:
            run(sqs.call("DeleteMessage", {"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]}))
    return messages


def test_a_message_arrives_with_its_attributes(sqs, run):
    url = created(sqs, run, "jobs")
    id = run(SQSQueue(url).send(QueueMessage('{"job": "ü"}', attributes={"kind": "resume"})))
    (message,) = received(sqs, run, url)
    assert (message["MessageId"], message["Body"]) == (id, '{"job": "ü"}')
    assert message["MessageAttributes"]["kind"]["StringValue"] == "resume"


def test_many_messages_arrive(sqs, run):
    url = created(sqs, run, "jobs")
    ids = run(SQSQueue(url).send_many([f"message {n}" for n in range(23)]))
    assert len(set(ids)) == 23
    assert {message["Body"] for message in received(sqs, run, url)} == {f"message {n}" for n in range(23)}


@pytest.mark.parametrize("named", ["jobs", "arn:aws:sqs:us-east-1:000000000000:jobs"])
def test_a_queue_is_found_by_name_and_arn(sqs, run, named):
    url = created(sqs, run, "jobs")
    run(SQSQueue(named).send("hello"))
    assert [message["Body"] for message in received(sqs, run, url)] == ["hello"]


def test_a_fifo_queue_takes_a_message_once_and_in_order(sqs, run):
    url = created(sqs, run, f"{run.__name__}.fifo", FifoQueue="true")
    queue = SQSQueue(url)
    for deduplication, text in (("a", "first"), ("b", "second"), ("a", "again")):
        run(queue.send(QueueMessage(text, group="g", deduplication=deduplication)))
    assert [message["Body"] for message in received(sqs, run, url)] == ["first", "second"]


def test_a_missing_queue_is_named(aws, run):
    with pytest.raises(ServiceError, match=r"'nothing'.*Create the queue"):
        run(SQSQueue("nothing").send("x"))


def sent(script):
    return [json.loads(effect.request.body) for effect in script.of(Send)]


def test_a_message_that_may_have_been_taken_is_not_sent_twice(answer):
    with pytest.raises(ServiceError, match="did not answer") as failed:
        Script([ProviderTimeoutError("No.")], servers.AWS).run(SQSQueue(URL).send("x"))
    assert not failed.value.refused


def test_one_that_a_queue_takes_once_is_sent_again(answer):
    script = Script([ProviderTimeoutError("No."), answer(MessageId="1")], servers.AWS)
    assert script.run(SQSQueue(URL, jitter=lambda: 0.0).send(QueueMessage("x", group="g", deduplication="d"))) == "1"
    assert sent(script)[0] == sent(script)[1]


def test_the_region_is_the_queues(answer):
    script = Script([answer(MessageId="1")], servers.AWS)
    script.run(SQSQueue(URL).send("x"))
    request = script.of(Send)[0].request
    assert request.url == "https://sqs.eu-central-1.amazonaws.com/"
    assert "/eu-central-1/sqs/aws4_request" in dict(request.headers)["Authorization"]


def test_messages_are_split_by_weight_too(answer):
    half = "x" * 600_000
    replies = [answer(Successful=[{"Id": str(at), "MessageId": f"m{at}"}]) for at in range(3)]
    script = Script(replies, servers.AWS)
    assert script.run(SQSQueue(URL).send_many([half] * 3)) == ["m0", "m1", "m2"]


def test_a_message_that_is_too_large_is_refused_before_anything_is_sent():
    with pytest.raises(ServiceError, match=r"1048577 bytes.*Keep the content in S3"):
        Script([], servers.AWS).run(SQSQueue(URL).send("x" * (1024 * 1024 + 1)))


def entry(at, fault):
    return {"Id": str(at), "SenderFault": fault, "Code": "Bad" if fault else "InternalError", "Message": "No."}


def test_what_a_queue_could_not_take_is_sent_again_and_the_rest_is_not(answer):
    replies = [
        answer(Successful=[{"Id": "0", "MessageId": "m0"}], Failed=[entry(1, False)]),
        answer(Successful=[{"Id": "1", "MessageId": "m1"}]),
    ]
    script = Script(replies, servers.AWS)
    assert script.run(SQSQueue(URL, jitter=lambda: 0.0).send_many(["a", "b"])) == ["m0", "m1"]
    assert [one["MessageBody"] for one in sent(script)[1]["Entries"]] == ["b"]


def test_what_a_queue_refuses_is_told_with_what_it_took(answer):
    reply = answer(Successful=[{"Id": "0", "MessageId": "m0"}], Failed=[entry(1, True)])
    with pytest.raises(MessagesFailed, match=r"1 of 2 messages.*No \(Bad\)") as failed:
        Script([reply], servers.AWS).run(SQSQueue(URL).send_many(["a", "b"]))
    assert (failed.value.failed, failed.value.ids) == ({1: "No (Bad)"}, {0: "m0"})


def test_what_is_no_arn_of_a_queue_is_refused():
    with pytest.raises(ConfigurationError, match="no ARN of a queue"):
        SQSQueue("arn:aws:sqs")
    assert QueueMessage("\ud83d").weight == 3
