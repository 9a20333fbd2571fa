"""One DynamoDB table: items, conditions, where requests go, and what is tried again."""

import json

import pytest

import servers
from lambdallm.llm.backends import BackendError, ConditionFailed, DynamoDBBackend, DynamoDBTable
from lambdallm.llm.backends.writes import Check, Delete, Put, Update
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


@pytest.fixture
def turns(ministack, aws, run):
    """A table with a sort key, emptied."""
    table = DynamoDBTable("turns", endpoint=ministack, sort_key_name="sk", sort_key_type="N", timeout_seconds=20.0)
    run(table.ensure())
    for item in run(table.query("s")):
        run(table.delete(("s", item["sk"])))
    return table


def test_a_table_with_other_keys_is_not_taken_for_this_one(turns, ministack, run):
    with pytest.raises(BackendError, match="has the keys pk, sk, not pk"):
        run(DynamoDBTable("turns", endpoint=ministack, timeout_seconds=20.0).ensure())


def filled(turns, run, count):
    run(turns.batch_write([Put(("s", n), {"n": n}) for n in range(count)]))


def test_items_with_a_sort_key_are_found_under_the_pair(turns, run):
    run(turns.put(("s", 1), {"text": "one"}))
    assert run(turns.get(("s", 1))) == {"pk": "s", "sk": 1, "text": "one"}
    assert run(turns.update(("s", 1), "SET n = :n", values={":n": 2}))["n"] == 2
    run(turns.delete(("s", 1)))
    assert run(turns.get(("s", 1))) is None


@pytest.mark.parametrize(
    ("bounds", "found"),
    [
        ({}, [0, 1, 2, 3, 4]),
        ({"after": 1}, [2, 3, 4]),
        ({"before": 3}, [0, 1, 2]),
        ({"after": 0, "before": 3}, [1, 2]),
        ({"after": 3, "before": 3}, []),
        ({"after": 0, "before": 4, "limit": 1}, [1]),
        ({"after": 0, "before": 4, "limit": 2, "descending": True}, [3, 2]),
        ({"limit": 2, "descending": True}, [4, 3]),
        ({"limit": 9}, [0, 1, 2, 3, 4]),
    ],
)
def test_a_query_gives_what_is_between_its_bounds(turns, run, bounds, found):
    filled(turns, run, 5)
    assert [item["n"] for item in run(turns.query("s", **bounds))] == found
    assert run(turns.query("another", **bounds)) == []


def test_a_query_reads_all_pages(turns, run):
    """A page is a megabyte at most; whoever asks sees none of them."""
    run(turns.batch_write([Put(("s", n), {"n": n, "weight": bytes(300_000)}) for n in range(8)]))
    assert [item["n"] for item in run(turns.query("s"))] == list(range(8))
    assert [item["n"] for item in run(turns.query("s", after=1, limit=5))] == [2, 3, 4, 5, 6]


def test_many_writes_are_made_in_batches_of_25(turns, run):
    filled(turns, run, 60)
    run(turns.batch_write([Delete(("s", n)) for n in range(40)] + [Put(("s", 59), {"n": "last"})] * 2))
    assert [item["n"] for item in run(turns.query("s"))] == [*range(40, 59), "last"]
    run(turns.batch_write([]))


def test_a_transaction_is_done_whole(turns, run):
    filled(turns, run, 2)
    run(
        turns.transact(
            [
                Put(("s", 5), {"n": 5}, condition="attribute_not_exists(pk)"),
                Update(("s", 0), "SET n = n + :ten", values={":ten": 10}),
                Delete(("s", 1), condition="attribute_exists(pk)"),
                Check(("s", 9), "attribute_not_exists(#p)", names={"#p": "pk"}),
            ]
        )
    )
    assert [(item["sk"], item["n"]) for item in run(turns.query("s"))] == [(0, 10), (5, 5)]


def test_a_transaction_whose_condition_fails_does_nothing_and_says_which(turns, run):
    filled(turns, run, 1)
    with pytest.raises(ConditionFailed, match="write 1") as failed:
        run(
            turns.transact([Put(("s", 7), {"n": 7}), Check(("s", 0), "n = :one", values={":one": 1}), Delete(("s", 3))])
        )
    assert (failed.value.index, failed.value.item["n"]) == (1, 0)
    assert [item["sk"] for item in run(turns.query("s"))] == [0]


def test_a_transaction_under_one_token_is_done_once(turns, run):
    """So a writer that never heard the answer may ask again."""
    write = [Update(("s", 0), "ADD n :one", values={":one": 1})]
    for _ in range(2):
        run(turns.transact(write, token="a-token-of-this-write" + run.__name__))
    assert run(turns.get(("s", 0)))["n"] == 1


def test_a_lost_answer_to_a_transaction_is_asked_for_again_under_the_same_token():
    script = Script([ProviderTimeoutError("Nothing."), EMPTY], servers.AWS)
    script.run(DynamoDBTable("t", jitter=lambda: 0.0).transact([Delete("k")]))
    first, second = (json.loads(effect.request.body)["ClientRequestToken"] for effect in script.of(Send))
    assert first == second
    script = Script([EMPTY], servers.AWS)
    script.run(DynamoDBTable("t").transact([Delete("k")]))
    assert json.loads(script.of(Send)[0].request.body)["ClientRequestToken"] != first


def cancelled(*reasons):
    body = {"__type": "x#TransactionCanceledException", "message": "cancelled", "CancellationReasons": list(reasons)}
    return HttpResponse(400, body=json.dumps(body).encode())


def test_a_transaction_that_met_another_is_tried_again():
    script = Script([cancelled({"Code": "None"}, {"Code": "TransactionConflict"}), EMPTY], servers.AWS)
    script.run(DynamoDBTable("t", jitter=lambda: 0.0).transact([Delete("a"), Delete("b")]))
    assert len(script.of(Send)) == 2


def test_a_transaction_that_is_wrong_says_why():
    reasons = {"Code": "ValidationError", "Message": "An operand has a bad type."}, {"Code": "TransactionConflict"}
    script = Script([cancelled(*reasons)], servers.AWS)
    with pytest.raises(BackendError, match="An operand has a bad type") as failed:
        script.run(DynamoDBTable("t").transact([Delete("a"), Delete("b")]))
    assert failed.value.code == "ValidationError"


def test_an_empty_transaction_sends_nothing():
    Script([], servers.AWS).run(DynamoDBTable("t").transact([]))


def unprocessed(*keys):
    left = [{"DeleteRequest": {"Key": {"pk": {"S": key}}}} for key in keys]
    return HttpResponse(200, body=json.dumps({"UnprocessedItems": {"t": left} if left else {}}).encode())


def test_what_a_batch_leaves_undone_is_sent_again():
    script = Script([unprocessed("b"), unprocessed()], servers.AWS)
    script.run(DynamoDBTable("t", jitter=lambda: 0.0).batch_write([Delete("a"), Delete("b")]))
    assert json.loads(script.of(Send)[1].request.body)["RequestItems"]["t"] == [
        {"DeleteRequest": {"Key": {"pk": {"S": "b"}}}}
    ]


def test_a_batch_of_which_nothing_gets_done_ends_with_the_time_allowed():
    script = Script([unprocessed("a")] * 50, servers.AWS)
    with pytest.raises(BackendError, match="left 1 writes"):
        script.run(DynamoDBTable("t", timeout_seconds=0.5, jitter=lambda: 1.0).batch_write([Delete("a")]))
    assert sum(effect.seconds for effect in script.of(Sleep)) <= 0.5


def test_a_batch_takes_no_conditions():
    with pytest.raises(ValueError, match="transact"):
        Script([], servers.AWS).run(DynamoDBTable("t").batch_write([Delete("a", "attribute_exists(pk)")]))


@pytest.mark.parametrize(("options", "key"), [({}, ("a", "b")), ({"sort_key_name": "sk"}, "a")])
def test_a_key_of_the_wrong_shape_is_named(options, key):
    with pytest.raises(TypeError, match="does not fit the table 't'"):
        Script([], servers.AWS).run(DynamoDBTable("t", **options).get(key))


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


def test_a_write_that_was_surely_not_done_is_repeated_all_the_same():
    slow = HttpResponse(400, body=b'{"__type":"x#ProvisionedThroughputExceededException"}')
    script = Script([slow, EMPTY], servers.AWS)
    script.run(DynamoDBTable("t").update("k", "SET a = :a", values={":a": 1}, again=False))
    assert len(script.of(Send)) == 2


def test_the_refusal_of_a_large_item_says_why():
    body = {"__type": "com.amazon.coral.validate#ValidationException", "message": "Item size has exceeded the maximum"}
    script = Script([HttpResponse(400, body=json.dumps(body).encode())], servers.AWS)
    with pytest.raises(BackendError, match="Item size has exceeded") as failed:
        script.run(DynamoDBBackend("t").save("k", b"x"))
    assert (failed.value.retryable, failed.value.code) == (False, "ValidationException")
