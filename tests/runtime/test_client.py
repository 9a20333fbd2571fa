"""The Runtime API client against a real server on loopback: exact bytes out, and whatever may come back."""

import json
import os

import pytest

from lambdallm.runtime import ResponseTooLarge, RuntimeApiError, RuntimeClient, RuntimeFault
from lambdallm.runtime.limits import BUFFERED_BYTES
from runtime_api import runtime_api

AGENT = "User-Agent: lambdallm Python/{}.{}.{}".format(*__import__("sys").version_info)


@pytest.fixture
def api():
    with runtime_api() as api:
        yield api


@pytest.fixture
def client(api):
    client = RuntimeClient(api.address)
    yield client
    client.close()


def test_next_asks_and_gives_the_invocation(api, client):
    api.invoke(
        {"name": "Ada"}, id="8476a536-e9f4", trace_id="Root=1-5bef;Sampled=1", client_context='{"custom": {}}',
        cognito_identity="{}", aws_tenant_id="blue", invocation_id="i-1",
    )  # fmt: skip
    invocation = client.next()
    assert api.requests[0].raw.decode() == (
        f"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: {api.address}\r\n{AGENT}\r\n\r\n"
    )
    assert (invocation.id, invocation.deadline_ms) == ("8476a536-e9f4", 4102444800000)
    assert invocation.body == b'{"name": "Ada"}'
    assert invocation.arn == "arn:aws:lambda:us-east-1:123456789012:function:f"
    assert (invocation.trace_id, invocation.tenant_id) == ("Root=1-5bef;Sampled=1", "blue")
    assert (invocation.client_context, invocation.identity) == ('{"custom": {}}', "{}")
    assert invocation.invocation_id == "i-1"


def test_a_response_goes_out_in_one_piece(api, client):
    client.respond("id-1", '"é"'.encode())
    assert api.requests[0].raw.decode() == (
        f"POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: {api.address}\r\n{AGENT}\r\n"
        'Content-Type: application/json\r\nContent-Length: 4\r\n\r\n"é"'
    )


def test_what_an_invocation_is_called_beside_its_request_id_goes_back_with_the_answer(api, client):
    api.invoke({}, invocation_id="i-7")
    client.next()
    client.respond("request-1", b"{}")
    assert api.wait_for("/response")[0].headers["lambda-runtime-invocation-id"] == "i-7"


def test_an_error_goes_out_with_its_type_and_the_cause_that_traces_show(api, client):
    try:
        raise ValueError("wrong\nvalue é")
    except ValueError as error:
        client.fail("id-1", error)
    request = api.requests[0]
    assert request.path == "/2018-06-01/runtime/invocation/id-1/error"
    told = request.json()
    assert (told["errorType"], told["errorMessage"], told["requestId"]) == ("ValueError", "wrong\nvalue é", "id-1")
    assert told["stackTrace"][0].startswith(f'  File "{__file__}", line ')
    assert request.headers["lambda-runtime-function-error-type"] == "ValueError"
    cause = json.loads(request.headers["lambda-runtime-function-xray-error-cause"])
    assert cause["exceptions"][0]["stack"][0]["path"] == __file__
    assert cause["paths"] == [__file__]


def test_an_error_type_that_no_header_can_carry_is_shown_as_far_as_it_can(api, client):
    client.fail("id-1", type("Größe\r\nX", (Exception,), {})("!"))
    assert api.requests[0].headers["lambda-runtime-function-error-type"] == "Gr??e??X"
    assert api.requests[0].json()["errorType"] == "Größe\r\nX"


def test_a_cause_too_long_for_a_header_is_left_out(api, client):
    client.fail("id-1", ValueError("x" * 1_100_000))
    assert "lambda-runtime-function-xray-error-cause" not in api.requests[0].headers
    assert len(api.requests[0].json()["errorMessage"]) == 1_100_000


def test_an_error_message_beyond_the_limit_is_cut(api, client):
    client.fail("id-1", ValueError("\u00e9" * 7_000_000))
    assert api.requests[0].json()["errorMessage"].endswith("\u00e9 …")
    assert len(api.requests[0].body) < BUFFERED_BYTES


def test_an_error_at_the_start_has_its_own_place(api, client):
    client.init_error(RuntimeFault("Runtime.HandlerNotFound", "Handler 'f' missing on module 'm'"))
    client.init_error(OSError("disk"), "Runtime.BeforeSnapshotError")
    assert [request.path for request in api.requests] == ["/2018-06-01/runtime/init/error"] * 2
    types = [request.headers["lambda-runtime-function-error-type"] for request in api.requests]
    assert types == ["Runtime.HandlerNotFound", "Runtime.BeforeSnapshotError"]
    assert api.requests[0].json()["stackTrace"] == []


def test_a_restore_has_a_connection_of_its_own(api, client):
    client.respond("id-1", b"{}")
    client.restore_next()
    client.restore_error(ValueError("no"))
    assert [request.path[len("/2018-06-01/runtime") :] for request in api.requests] == [
        "/invocation/id-1/response", "/restore/next", "/restore/error",
    ]  # fmt: skip
    assert api.connections == 3
    assert api.requests[2].headers["lambda-runtime-function-error-type"] == "Runtime.AfterRestoreError"


def test_one_connection_serves_many_requests(api, client):
    for number in range(5):
        api.invoke({}, id=f"id-{number}")
        client.respond(client.next().id, b"{}")
    assert api.connections == 1


def test_a_kept_connection_that_was_closed_is_opened_again_once(api, client):
    api.closes_after = lambda request: request.path.endswith("/response")
    for number in range(3):
        api.invoke({}, id=f"id-{number}")
        client.respond(client.next().id, b"{}")
    assert len(api.wait_for("/response", 3)) == 3


def test_a_connection_closed_before_any_answer_is_no_reason_to_try_for_ever(api, client):
    api.replies["next"] = b""
    with pytest.raises(RuntimeApiError, match="did not answer"):
        client.next()
    assert len(api.requests) == 1


def test_an_api_that_is_not_there_is_named():
    with pytest.raises(RuntimeApiError, match=r"'127.0.0.1:1' can't be reached.*AWS_LAMBDA_RUNTIME_API"):
        RuntimeClient("127.0.0.1:1").next()
    with pytest.raises(RuntimeApiError, match="'nonsense' can't be reached"):
        RuntimeClient("nonsense").next()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", "2 of the 10 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n{}", "'ten' where a number belongs"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}", "'-5' where a number belongs"),
        (b"HTTP/1.1 200 OK\r\nContent-", "in the middle of an answer's head"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}", "between the chunks"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "does not answer in HTTP/1.1: 'SSH-2.0"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "the id ''"),
        (b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: ../x\r\nContent-Length: 2\r\n\r\n{}", r"the id '\.\./x'"),
        (b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: a\r\nContent-Length: 2\r\n\r\n{}", "the deadline ''"),
        (b"HTTP/1.1 500 Error\r\nContent-Length: 4\r\n\r\nlost", "answered 500 to 'next': 'lost'"),
    ],
)
def test_what_the_api_may_not_answer_is_told(api, client, reply, words):
    api.replies["next"] = reply
    with pytest.raises(RuntimeApiError, match=words):
        client.next()


HEADERS = "Lambda-Runtime-Aws-Request-Id: a\r\nLambda-Runtime-Deadline-Ms: 1\r\n"


@pytest.mark.parametrize(
    "reply",
    [
        f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n{HEADERS}Content-Length: 7\r\n\r\n[1,2,3]",
        f"HTTP/1.1 200 OK\r\n{HEADERS}Transfer-Encoding: chunked\r\n\r\n3\r\n[1,\r\n4 ;x\r\n2,3]\r\n0\r\nT: x\r\n\r\n",
        f"HTTP/1.0 200 OK\r\n{HEADERS}\r\n[1,2,3]",
        f"HTTP/1.1 200 OK\r\n{HEADERS}Connection: close\r\nContent-Length: 7\r\n\r\n[1,2,3]",
    ],
    ids=["sized", "chunked", "until-close", "closing"],
)
def test_bodies_are_read_however_http_ends_them(api, client, reply):
    api.replies["next"] = reply.encode()
    assert client.next().body == b"[1,2,3]"


@pytest.mark.parametrize("read_bytes", [1, 2, 3, 7])
def test_an_answer_may_come_in_the_smallest_pieces(api, client, monkeypatch, read_bytes):
    monkeypatch.setattr("lambdallm.runtime.connection._READ_BYTES", read_bytes)
    chunks = "3\r\n[1,\r\n4\r\n2,3]\r\n0\r\nT: x\r\n\r\n"
    api.replies["next"] = f"HTTP/1.1 200 OK\r\n{HEADERS}Transfer-Encoding: chunked\r\n\r\n{chunks}".encode()
    assert client.next().body == b"[1,2,3]"
    api.replies.clear()
    api.invoke("é" * 100)
    assert json.loads(client.next().body) == "é" * 100
    client.respond("request-1", b"{}")


def test_large_events_and_responses_pass(api, client):
    event = b'"%b"' % (b"x" * 6_000_000)
    api.invoke(event)
    assert client.next().body == event
    client.respond("request-1", event)
    assert api.wait_for("/response")[0].body == event


def test_a_response_beyond_the_limit_is_not_even_sent(api, client):
    client.respond("id-1", b"x" * BUFFERED_BYTES)
    with pytest.raises(ResponseTooLarge, match=r"has 6291557 bytes, the limit is 6291556\. Stream it, or put it in S3"):
        client.respond("id-2", b"x" * (BUFFERED_BYTES + 1))
    assert [request.path.split("/")[4] for request in api.requests] == ["id-1"]


def test_a_refusal_says_what_was_refused(api, client):
    api.replies["response"] = (413, b'{"errorType":"RequestEntityTooLarge"}')
    with pytest.raises(RuntimeApiError, match=r"413.*RequestEntityTooLarge.* 5 bytes were sent\. Stream") as refused:
        client.respond("id-1", b"large")
    assert refused.value.status == 413


def test_an_answer_that_comes_before_the_body_was_read_is_read(api, client):
    api.replies["early", "response"] = (413, b"too large")
    api.closes_after = lambda request: True
    with pytest.raises(RuntimeApiError, match="413"):
        client.respond("id-1", b"x" * 6_000_000)


def test_a_content_type_adds_no_header_of_its_own(api, client):
    client.respond("id-1", b"x", "text/plain\r\nX-Evil: 1")
    assert "x-evil" not in api.requests[0].headers


def test_a_forked_child_opens_a_connection_of_its_own(api, client):
    client.respond("parent-1", b"{}")
    child = os.fork()
    if not child:
        client.respond("child", b"{}")
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    client.respond("parent-2", b"{}")
    assert {request.path.split("/")[4] for request in api.requests} == {"parent-1", "child", "parent-2"}
    assert api.connections == 2


def test_the_default_time_limit_of_the_functions_own_sockets_is_not_this_ones(api, client):
    import socket

    socket.setdefaulttimeout(0.001)
    try:
        client.respond("id-1", b"{}")
        assert client._connection._sock.gettimeout() is None
    finally:
        socket.setdefaulttimeout(None)
