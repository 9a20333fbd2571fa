"""One DynamoDB table: items, conditions, where requests go, and what is tried again."""

import json

import pytest

import servers
from lambdallm.llm.backends import BackendError, ConditionFailed, DynamoDBBackend, DynamoDBTable
from lambdallm.llm.errors import ConfigurationError, ProviderConnectionError, ProviderTimeoutError
from lambdallm.llm.flow import Send, Sleep
from lambdallm.testing.script import Script
from lambdallm.transport.types import HttpResponse

EMPTY = HttpResponse(200, body=b"{}")


@pytest.fixture
def items(dynamodb, aws, run):
    run(dynamodb.ensure_table())
    return dynamodb.table


def test_items_are_put_read_changed_and_deleted(items, run):
    run(items.put("user#7", {"turns": 1, "tags": ["a"], "raw": b"\x00", "deep": {"x": None}}))
    assert run(items.get("user#7")) == {"pk": "user#7", "turns": 1, "tags": ["a"], "raw": b"\x00", "deep": {"x": None}}
    changed = run(items.update("user#7", "SET turns = turns + :one", values={":one": 1}))
    assert changed["turns"] == 2
    run(items.delete("user#7"))
    assert run(items.get("user#7")) is None


def test_a_condition_that_does_not_hold_gives_the_item_as_it_is(items, run):
    run(items.put("locked", {"owner": "me"}))
    with pytest.raises(ConditionFailed) as failed:
        run(items.put("locked", {"owner": "you"}, condition="attribute_not_exists(pk)"))
    assert failed.value.item == {"pk": "locked", "owner": "me"}
    assert run(items.get("locked"))["owner"] == "me"
    with pytest.raises(ConditionFailed):
        run(
            items.update(
                "locked", "SET #o = :you", condition="#o = :you", names={"#o": "owner"}, values={":you": "you"}
            )
        )


def sent_by(environ, **options):
    script = Script([EMPTY], environ)
    script.run(DynamoDBTable("t", **options).get("k"))
    return script.of(Send)[0].request


@pytest.mark.parametrize(
    ("environ", "options", "url"),
    [
        ({}, {}, "https://dynamodb.us-east-1.amazonaws.com/"),
        ({}, {"region": "eu-north-1"}, "https://dynamodb.eu-north-1.amazonaws.com/"),
        ({}, {"region": "cn-north-1"}, "https://dynamodb.cn-north-1.amazonaws.com.cn/"),
        ({"AWS_ENDPOINT_URL": "http://all:1"}, {}, "http://all:1/"),
        ({"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://own:2/"}, {}, "http://own:2/"),
        ({"AWS_ENDPOINT_URL_DYNAMODB": "http://own:2"}, {"endpoint": "http://given:3"}, "http://given:3/"),
    ],
)
def test_where_requests_go(environ, options, url):
    assert sent_by(servers.AWS | environ, **options).url == url


def test_requests_are_signed_for_the_region_asked():
    headers = dict(sent_by(servers.AWS, region="eu-north-1").headers)
    assert "/eu-north-1/dynamodb/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Target"] == "DynamoDB_20120810.GetItem"


def test_no_region_is_the_callers_to_mend(monkeypatch):
    monkeypatch.setattr("lambdallm.aws.botocore_chain.find_region", lambda _: None)
    with pytest.raises(ConfigurationError, match="No AWS region"):
        Script([], {}).run(DynamoDBTable("t").get("k"))


@pytest.mark.parametrize(
    "reply",
    [
        HttpResponse(500, body=b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError"}'),
        HttpResponse(400, body=b'{"__type":"x#ProvisionedThroughputExceededException","message":"slow"}'),
        HttpResponse(503, body=b"<html>"),
        HttpResponse(200, body=b"not json"),
        ProviderConnectionError("The connection broke."),
    ],
)
def test_what_may_pass_is_tried_again(reply):
    script = Script([reply, EMPTY], servers.AWS)
    script.run(DynamoDBTable("t", jitter=lambda: 0.0).get("k"))
    assert [effect.seconds for effect in script.of(Sleep)] == [0.0125]


def test_tries_end_with_the_time_allowed():
    script = Script([ProviderTimeoutError("Nothing.")] * 50, servers.AWS)
    with pytest.raises(BackendError, match="did not answer: Nothing") as failed:
        script.run(DynamoDBTable("t", timeout_seconds=0.5, jitter=lambda: 1.0).get("k"))
    assert failed.value.retryable
    assert sum(effect.seconds for effect in script.of(Sleep)) < 0.5
    assert all(effect.timeouts.deadline == 1000.5 for effect in script.of(Send))


def test_a_write_that_may_have_been_done_is_not_repeated_when_told_so():
    script = Script([HttpResponse(500, body=b"{}")], servers.AWS)
    with pytest.raises(BackendError):
        script.run(DynamoDBTable("t").update("k", "SET a = :a", values={":a": 1}, again=False))


def test_the_refusal_of_a_large_item_says_why():
    body = {"__type": "com.amazon.coral.validate#ValidationException", "message": "Item size has exceeded the maximum"}
    script = Script([HttpResponse(400, body=json.dumps(body).encode())], servers.AWS)
    with pytest.raises(BackendError, match="Item size has exceeded") as failed:
        script.run(DynamoDBBackend("t").save("k", b"x"))
    assert (failed.value.retryable, failed.value.code) == (False, "ValidationException")
