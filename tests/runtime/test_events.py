"""Events of every source, in one form: what a function asks of a request or a record, whoever sent it."""

import json
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import HTTP_KINDS, event
from lambdallm.core.responses import is_http_event
from lambdallm.runtime import EventError, Headers, kind_of, records_of, request_of
from test_imports import NEVER, imported

KINDS = (*HTTP_KINDS, "sqs", "sns", "s3", "kinesis", "dynamodb", "eventbridge")


@pytest.mark.parametrize("name", KINDS)
def test_every_source_is_known_by_its_shape(name):
    assert kind_of(event(name)) == name.removesuffix("_multi_value")


def test_cargo_lambdas_requests_are_a_function_urls():
    """It writes `null` for what other events have, `localhost` for every domain, and names no API, as SAM's does."""
    theirs = event("function_url") | {"methodArn": None, "httpMethod": "GET"}
    theirs["requestContext"] |= {"domainName": "localhost", "apiId": None, "accountId": None}
    assert kind_of(theirs) == "function_url"
    assert is_http_event(theirs)
    theirs["requestContext"]["apiId"] = "1234567890"
    assert kind_of(theirs) == "api_gateway_v2"


@pytest.mark.parametrize("given", [event("step_functions"), {}, None, [1], "text", {"Records": []}, {"Records": [1]}])
def test_anything_else_is_direct(given):
    assert kind_of(given) == "direct"


class TestRequests:
    @pytest.mark.parametrize("name", HTTP_KINDS)
    def test_say_the_same_whoever_sent_them(self, name):
        request = request_of(event(name))
        assert (request.method, request.path, request.source_ip) == ("POST", "/things/7", "203.0.113.9")
        assert request.headers["Content-Type"] == request.headers["CONTENT-TYPE"] == "application/json; charset=utf-8"
        assert request.cookies == {"seen": "yes", "theme": "dark"}
        assert request.query == {"q": "a b", "tag": "y"}
        assert request.json() == request.content() == {"text": "grüß"}

    @pytest.mark.parametrize("name", [kind for kind in HTTP_KINDS if kind != "alb"])
    def test_keep_what_comes_twice(self, name):
        request = request_of(event(name))
        assert [value for key, value in request.query_pairs if key == "tag"] == ["x", "y"]
        assert ",".join(request.headers.all("x-tag")) == "one,two"

    def test_path_parameters_are_the_route_s(self):
        assert request_of(event("api_gateway_v1")).path_parameters == {"id": "7"}
        assert request_of(event("function_url")).path_parameters == {}

    def test_other_events_are_none(self):
        with pytest.raises(EventError, match="kind 'sqs'"):
            request_of(event("sqs"))

    def test_a_repr_shows_no_content(self):
        assert repr(request_of(event("alb"))) == "Request(method='POST', path='/things/7', kind='alb')"


def posted(body, content_type=None, **more):
    headers = {} if content_type is None else {"content-type": content_type}
    return request_of({**event("api_gateway_v2"), "headers": headers, "body": body, **more})


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "content_type", "content"),
        [
            ('{"a": 1}', "application/json", {"a": 1}),
            ('{"a": 1}', "application/problem+json; charset=utf-8", {"a": 1}),
            ("a=1&b=x+y&b=%C3%BC&c", "application/x-www-form-urlencoded", {"a": "1", "b": "ü", "c": ""}),
            ("plain", "text/plain", "plain"),
            ("<a/>", "application/xml", "<a/>"),
            ("\x00", "application/pdf", b"\x00"),
            ('["no", "type"]', None, ["no", "type"]),
            ("no type", None, "no type"),
            ("", "application/json", None),
            (None, None, None),
        ],
    )
    def test_are_read_by_their_type(self, body, content_type, content):
        assert posted(body, content_type).content() == content

    def test_in_base64_are_bytes_first(self):
        request = posted(b64encode("grüß".encode("latin-1")).decode(), "text/plain; charset=latin-1",
                         isBase64Encoded=True)  # fmt: skip
        assert request.raw_body == b"gr\xfc\xdf"
        assert request.text == "grüß"

    def test_of_forms_may_be_multipart(self):
        body = (
            '--B\r\nContent-Disposition: form-data; name="text"\r\n\r\ngrüß\r\n'
            '--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n'
            "Content-Type: text/plain\r\n\r\ninside\r\n--B--\r\n"
        )
        assert posted(body, "multipart/form-data; boundary=B").form() == {"text": "grüß", "file": "inside"}

    @pytest.mark.parametrize(
        ("disposition", "name"),
        [
            ('form-data; filename="a; name=b"; name="c"', "c"),
            ("form-data; name=plain", "plain"),
            (r'form-data; name="a \"quote\""', 'a "quote"'),
            ("form-data", None),
        ],
    )
    def test_of_forms_have_their_names_in_any_spelling(self, disposition, name):
        body = f"before\r\n--B\r\ncontent-disposition: {disposition}\r\n\r\nx\r\n\r\ny\r\n--B--\r\nafter"
        assert posted(body, 'multipart/form-data; boundary="B"').form() == ({name: "x\r\n\r\ny"} if name else {})

    def test_of_forms_take_time_by_their_length(self):
        part = "--B\r\nContent-Disposition: form-data; name=x\r\n\r\nv\r\n"
        assert len(posted(part * 50_000 + "--B--", "multipart/form-data; boundary=B").form_pairs()) == 50_000

    @pytest.mark.parametrize(
        ("body", "content_type", "more", "message"),
        [
            ("{", "application/json", {}, "line 1, column 2"),
            ("[" * 100_000, "application/json", {}, "nested|not JSON"),
            ("!", None, {"isBase64Encoded": True}, "base64"),
            (b64encode(b"\xff").decode(), "text/plain", {"isBase64Encoded": True}, "'utf-8'"),
            ("x", "text/plain; charset=nope", {}, "'nope'"),
            ("x", "text/plain; charset=punycode", {}, "'punycode', which is not read"),
            ("x", "text/plain; charset=\0", {}, "which is not read"),
            ("x", "text/plain; charset=utf-8\0", {}, "no text in"),
            ("9" * 5000, "application/json", {}, "number too long"),
            ("\ud800", "application/json", {}, "no text in 'utf-8'"),
            ("x", "multipart/form-data", {}, "boundary"),
            ("x", "multipart/form-data; boundary=\udcff", {}, "boundary"),
            (3, None, {}, "type int"),
        ],
    )
    def test_that_are_not_what_they_say_are_refused(self, body, content_type, more, message):
        with pytest.raises(EventError, match=message):
            posted(body, content_type, **more).content()

    @given(
        st.binary(max_size=50), st.sampled_from(["application/json", "text/plain", "a/b", "multipart/form-data", ""])
    )
    def test_of_any_bytes_are_content_or_an_event_error(self, data, content_type):
        with suppress(EventError):
            posted(b64encode(data).decode(), content_type, isBase64Encoded=True).content()


def test_headers_are_a_mapping_of_first_values():
    headers = Headers([("X-A", "1"), ("x-a", "2"), ("B", "3")])
    assert (dict(headers), headers.all("X-a")) == ({"x-a": "1", "b": "3"}, ("1", "2"))
    assert (len(headers), "b" in headers) == (2, True)
    assert (headers.get("c"), headers.get("c", "d")) == (None, "d")
    assert repr(headers) == "Headers(['x-a', 'b'])"


class TestRecords:
    @pytest.mark.parametrize(
        ("record", "message"),
        [
            ({"eventSource": "aws:sqs", "body": "x"}, "kind 'sqs' has no 'messageId'"),
            ({"eventSource": "aws:sqs", "messageId": "1", "attributes": []}, "kind 'sqs' can't be read"),
            ({"eventSource": "aws:kinesis", "kinesis": {"data": "!"}}, "kind 'kinesis'"),
            ({"eventSource": "aws:s3"}, "kind 's3' has no 's3'"),
        ],
    )
    def test_that_lack_something_say_what(self, record, message):
        with pytest.raises(EventError, match=message):
            records_of({"Records": [record, None]})

    def test_of_sqs(self):
        one, two, _ = records_of(event("sqs"))
        assert (one.id, one.json(), one.attributes, one.group, one.received) == (
            "m-1", {"text": "one"}, {"language": "de"}, None, 1,
        )  # fmt: skip
        assert (two.text, two.received, two.raw["receiptHandle"]) == ("two", 2, "handle-m-2")
        with pytest.raises(EventError, match="'m-2' is not JSON"):
            two.json()

    def test_of_a_fifo_queue_have_groups(self):
        assert [record.group for record in records_of(event("sqs_fifo"))] == ["a", "b", "a", "b", "a"]

    def test_of_sns(self):
        (record,) = records_of(event("sns"))
        assert (record.text, record.subject, record.attributes) == ("Hello from SNS", "A subject", {"language": "de"})

    def test_of_s3_have_decoded_keys(self):
        (record,) = records_of(event("s3"))
        assert record.attributes["bucket"] == "things"
        assert record.attributes["key"] == record.text == "uploads/a report (final).pdf"
        assert record.subject == "ObjectCreated:Put"

    def test_of_eventbridge_is_the_event(self):
        (record,) = records_of(event("eventbridge"))
        assert (record.json(), record.subject) == ({"id": 7, "state": "new"}, "Thing Changed")

    def test_of_streams(self):
        assert [record.text for record in records_of(event("kinesis"))] == ["one", "two", "three"]
        (change,) = records_of(event("dynamodb"))
        assert (change.id, change.subject, json.loads(change.text)["Id"]) == ("111", "INSERT", {"N": "101"})

    def test_other_events_have_none(self):
        with pytest.raises(EventError, match="no records"):
            records_of({})


def test_nothing_dear_is_imported_to_read_a_request():
    code = "from lambdallm.runtime import request_of\nrequest_of({'requestContext': {'http': {'method': 'GET'}}})"
    assert imported(code) & NEVER == set()
    assert not [name for name in imported(code) if name.startswith(("lambdallm.llm", "lambdallm.core"))]


@pytest.mark.parametrize(
    "told",
    [
        {"type": "REQUEST", "methodArn": "arn:aws:execute-api", "httpMethod": "GET", "requestContext": {}},
        {"version": "2.0", "type": "REQUEST", "routeArn": "arn:aws:execute-api", "requestContext": {"http": {}}},
    ],
)
def test_what_an_authorizer_is_told_is_no_request_to_answer(told):
    assert kind_of(told) == "direct"
    assert not is_http_event(told)
