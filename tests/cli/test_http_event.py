"""HTTP to function URL events and back: values in, values out."""

import json

import pytest

from lambdallm.cli.http_event import Request, http_event, http_response, sse
from lambdallm.core.responses import is_http_event

JSON = ("Content-Type", "application/json")


def event(*args, **kwargs):
    return http_event(Request(*args, **kwargs), "id-1", 1_583_348_638.39)


class TestEvent:
    def test_is_one_the_handler_knows_as_http(self):
        made = event("GET", "/a/b%20c?x=1")
        assert is_http_event(made)
        assert (made["version"], made["rawPath"], made["rawQueryString"]) == ("2.0", "/a/b%20c", "x=1")
        assert made["requestContext"]["http"]["method"] == "GET"
        assert made["requestContext"]["requestId"] == "id-1"
        assert made["requestContext"]["time"] == "04/Mar/2020:19:03:58 +0000"
        assert made["requestContext"]["timeEpoch"] == 1_583_348_638_390

    def test_query_is_decoded_and_repeated_names_are_joined(self):
        assert event("GET", "/?a=1&a=2&b=%C3%A9&c=")["queryStringParameters"] == {"a": "1,2", "b": "é", "c": ""}
        assert "queryStringParameters" not in event("GET", "/")

    def test_header_names_are_lower_case_and_repeated_ones_joined(self):
        made = event("GET", "/", (("X-A", "1"), ("x-a", "2"), ("Cookie", "a=b; c=d")))
        assert made["headers"] == {"x-a": "1,2"}
        assert made["cookies"] == ["a=b", "c=d"]

    @pytest.mark.parametrize("kind", ["application/json", "text/plain; charset=utf-8", "application/problem+json"])
    def test_a_body_of_text_stays_text(self, kind):
        made = event("POST", "/", (("content-type", kind),), "é".encode())
        assert (made["body"], made["isBase64Encoded"]) == ("é", False)

    @pytest.mark.parametrize("kind", ["image/png", "application/x-www-form-urlencoded", ""])
    def test_any_other_body_is_base64_as_on_lambda(self, kind):
        made = event("POST", "/", (("content-type", kind),), b"\x00\xff")
        assert (made["body"], made["isBase64Encoded"]) == ("AP8=", True)

    def test_text_that_is_no_utf8_is_base64(self):
        assert event("POST", "/", (JSON,), b"\xff")["isBase64Encoded"] is True

    def test_no_body_is_no_field(self):
        assert "body" not in event("GET", "/")


class TestResponse:
    def test_a_finished_one(self):
        made = http_response({"statusCode": 201, "headers": {"X-A": 1, "Content-Type": "text/html"}, "body": "<p>"})
        assert made.status == 201
        assert made.headers == (("X-A", "1"), ("Content-Type", "text/html"))
        assert made.body == b"<p>"

    def test_cookies_are_a_header_each(self):
        made = http_response({"statusCode": 204, "cookies": ["a=1", "b=2; Secure"]})
        assert [value for name, value in made.headers if name == "set-cookie"] == ["a=1", "b=2; Secure"]

    def test_base64_is_decoded(self):
        assert http_response({"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}).body == b"\x00\xff"

    @pytest.mark.parametrize("result", [{"a": 1}, [1], "text", 7, None])
    def test_anything_else_is_json(self, result):
        made = http_response(result)
        assert (made.status, json.loads(made.body)) == (200, result)
        assert made.headers == (("content-type", "application/json"),)

    def test_framing_headers_are_the_servers_own(self):
        made = http_response({"statusCode": 200, "headers": {"Content-Length": "99", "Transfer-Encoding": "chunked"}})
        assert made.headers == (("content-type", "application/json"),)

    @pytest.mark.parametrize(
        ("result", "said"),
        [
            ({"statusCode": "ok"}, "statusCode is 'ok'"),
            ({"statusCode": 99}, "statusCode is 99"),
            ({"statusCode": True}, "statusCode is True"),
            ({"statusCode": 200, "body": {"a": 1}}, "body is of type dict"),
            ({"statusCode": 200, "headers": {"a": "b\r\nc: d"}}, "line break"),
            ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, "base64"),
        ],
    )
    def test_what_lambda_could_not_send_is_said(self, result, said):
        with pytest.raises(ValueError, match=said):
            http_response(result)


class TestSse:
    def test_a_piece(self):
        assert sse("hello") == b"data: hello\n\n"

    def test_line_breaks_survive(self):
        assert sse("a\nb\r\n") == b"data: a\ndata: b\ndata: \n\n"

    def test_a_named_event(self):
        assert sse("{}", "done") == b"event: done\ndata: {}\n\n"
