"""Responses in the shape of each service: the same answer, said as its front door wants it."""

from base64 import b64decode

import pytest

from events import HTTP_KINDS, event
from lambdallm.core.responses import lambda_response
from lambdallm.runtime import Response
from lambdallm.runtime.response import shaped

FULL = Response({"a": 1}, 201, {"Location": "/things/7", "Vary": ["Origin", "Accept"]}, ("seen=yes; Secure", "x=1"))


def sent(name, result):
    return lambda_response(event(name), result)


@pytest.mark.parametrize("name", ["api_gateway_v2", "function_url"])
def test_payload_2_joins_headers_and_has_cookies_apart(name):
    assert sent(name, FULL) == {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "Location": "/things/7", "Vary": "Origin, Accept"},
        "cookies": ["seen=yes; Secure", "x=1"],
        "body": '{"a": 1}',
    }


def test_payload_1_lists_what_comes_twice():
    assert sent("api_gateway_v1", FULL) == {
        "statusCode": 201,
        "headers": {"Content-Type": "application/json", "Location": "/things/7"},
        "multiValueHeaders": {"Vary": ["Origin", "Accept"], "Set-Cookie": ["seen=yes; Secure", "x=1"]},
        "body": '{"a": 1}',
    }


def test_a_load_balancer_wants_a_description_and_each_name_once():
    assert sent("alb", FULL) == {
        "statusCode": 201,
        "statusDescription": "201 Created",
        "isBase64Encoded": False,
        "headers": {
            "Content-Type": "application/json", "Location": "/things/7", "Vary": "Origin, Accept",
            "set-cookie": "seen=yes; Secure", "Set-cookie": "x=1",
        },
        "body": '{"a": 1}',
    }  # fmt: skip


def test_a_load_balancer_with_multi_value_headers_reads_those_alone():
    response = sent("alb_multi_value", FULL)
    assert "headers" not in response
    assert response["multiValueHeaders"]["Set-Cookie"] == ["seen=yes; Secure", "x=1"]
    assert response["multiValueHeaders"]["Content-Type"] == ["application/json"]


@pytest.mark.parametrize("name", HTTP_KINDS)
@pytest.mark.parametrize(
    ("result", "status", "kind", "body"),
    [
        ("text", 200, "text/plain; charset=utf-8", "text"),
        (b"\x00\xff", 200, "application/octet-stream", "AP8="),
        ({"a": 1}, 200, "application/json", '{"a": 1}'),
        (["ü"], 200, "application/json", '["ü"]'),
        (None, 204, None, None),
        (Response("<p>", 404, {"content-type": "text/html"}), 404, "text/html", "<p>"),
    ],
    ids=str,
)
def test_what_a_function_returns_says_its_type(name, result, status, kind, body):
    response = sent(name, result)
    headers = response.get("headers") or {key: each[0] for key, each in response.get("multiValueHeaders", {}).items()}
    found = {key.lower(): value for key, value in headers.items()}
    assert (response["statusCode"], found.get("content-type"), response.get("body")) == (status, kind, body)
    if isinstance(result, bytes):
        assert b64decode(response["body"]) == result
        assert response["isBase64Encoded"]


class TestFinishedResponses:
    @pytest.mark.parametrize("name", ["api_gateway_v1", "api_gateway_v2", "function_url"])
    def test_are_left_as_they_are(self, name):
        written = {"statusCode": 200, "headers": {"X": "y"}, "body": "text", "custom": 1}
        assert sent(name, written) is written

    def test_get_what_their_service_needs(self):
        written = {"statusCode": "200", "body": "text", "cookies": ["a=1"]}
        assert sent("api_gateway_v1", written)["multiValueHeaders"] == {"Set-Cookie": ["a=1"]}
        balanced = sent("alb", written)
        assert (balanced["statusDescription"], balanced["headers"]) == ("200 OK", {"set-cookie": "a=1"})
        several = {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"], "X": ["1", "2"]}}
        assert sent("function_url", several) == {"statusCode": 200, "headers": {"X": "1, 2"}, "cookies": ["a=1", "b=2"]}

    def test_have_a_body_of_text(self):
        response = sent("function_url", {"statusCode": 200, "body": {"a": 1}})
        assert (response["body"], response["headers"]) == ('{"a": 1}', {"Content-Type": "application/json"})

    def test_keep_base64(self):
        written = {"statusCode": 200, "body": "AA==", "isBase64Encoded": True, "cookies": ["a=1"]}
        assert sent("api_gateway_v1", written)["isBase64Encoded"] is True


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (Response(status=199), "199"),
        (Response(status=True), "True"),
        (Response(headers={"X": "a\r\nb"}), "'X' has a line break"),
        (Response(cookies=("a\nb",)), "line break"),
    ],
)
def test_what_can_t_be_sent_is_refused(response, message):
    with pytest.raises(ValueError, match=message):
        sent("function_url", response)


def test_who_invokes_directly_gets_a_response_as_a_function_url_would():
    assert lambda_response({}, Response({"a": 1}, 201)) == {
        "statusCode": 201, "headers": {"Content-Type": "application/json"}, "body": '{"a": 1}',
    }  # fmt: skip


def test_what_a_response_varies_by_is_united_with_what_others_say():
    response = Response("Hi", headers={"vary": "Accept, Origin"})
    shape = shaped(event("function_url"), response, repr, {"Vary": "Origin", "X-Mark": "1"})
    assert shape["headers"] == {"Content-Type": "text/plain; charset=utf-8", "vary": "Accept, Origin", "X-Mark": "1"}


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_can_not_say_is_no_body(number):
    with pytest.raises(ValueError, match="NaN or an infinity"):
        sent("function_url", {"score": [number]})
