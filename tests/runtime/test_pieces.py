"""Generators of plain functions: streamed where the source of the event reads streams, joined elsewhere."""

import pytest

from lambdallm.runtime import ResponseStream, RuntimeFault
from lambdallm.runtime.pieces import answer_in_pieces

FUNCTION_URL = {"requestContext": {"http": {}, "domainName": "x.lambda-url.us-east-1.on.aws"}}
HTTP_API = {"requestContext": {"http": {}, "domainName": "x.execute-api.us-east-1.amazonaws.com"}}
REST = {"requestContext": {}, "httpMethod": "GET"}


def test_a_function_url_gets_a_head_and_each_piece():
    stream = answer_in_pieces(iter(["a", "é", b"c"]), FUNCTION_URL)
    assert isinstance(stream, ResponseStream)
    assert (stream.head.status, stream.head.headers) == (200, {"Content-Type": "text/plain; charset=utf-8"})
    assert list(stream) == [b"a", "é".encode(), b"c"]


@pytest.mark.parametrize(
    ("setting", "event", "streams"),
    [
        ("function_url", FUNCTION_URL, True),
        ("function_url", REST, False),
        ("function_url", {}, False),
        ("function_url, rest", REST, True),
        ("Function_URL,REST", REST, True),
        (" ", FUNCTION_URL, False),
        ("function_url,rest,direct", REST | {"version": "1.0"}, False),  # of an HTTP API
        ("direct", {"a": 1}, True),
        ("direct", FUNCTION_URL, False),
        ("off", FUNCTION_URL, False),
        ("function_url,rest,direct", HTTP_API, False),
        ("function_url,rest,direct", {"Records": [{"eventSource": "aws:sqs"}]}, False),
    ],
)
def test_what_streams_is_said_by_a_setting(monkeypatch, setting, event, streams):
    monkeypatch.setenv("LAMBDALLM_RESPONSE_STREAMING", setting)
    assert isinstance(answer_in_pieces(iter(["a"]), event), ResponseStream) == streams


def test_elsewhere_text_is_joined():
    assert answer_in_pieces(iter(["a", "é"]), {}) == "aé"
    assert answer_in_pieces(iter([b"a", b"b"]), {}) == b"ab"
    assert answer_in_pieces(iter([]), {}) == b""
    assert answer_in_pieces(iter(["a", "b"]), HTTP_API) == {
        "statusCode": 200, "headers": {"Content-Type": "text/plain; charset=utf-8"}, "body": "ab",
        "isBase64Encoded": False,
    }  # fmt: skip
    assert answer_in_pieces(iter([b"\xff"]), REST)["body"] == "/w=="


def test_what_fails_before_the_first_piece_is_an_ordinary_error():
    with pytest.raises(ZeroDivisionError):
        answer_in_pieces((1 / 0 for _ in "x"), FUNCTION_URL)


def test_pieces_are_text_or_bytes():
    said = r"yielded a dict\. Yield text or bytes, or decorate it with @handler\."
    with pytest.raises(RuntimeFault, match=said):  # an ordinary error: nothing has been sent
        answer_in_pieces(iter([{"a": 1}]), FUNCTION_URL)
    later = answer_in_pieces(iter(["a", {"a": 1}]), FUNCTION_URL)
    with pytest.raises(RuntimeFault, match=said):
        list(later)


def test_a_stream_that_is_left_ends_its_generator():
    ended = []

    def pieces():
        try:
            yield "a"
            yield "b"
        finally:
            ended.append(True)

    answer_in_pieces(pieces(), FUNCTION_URL).close()
    assert ended == [True]
