"""HTTP/1.1 as a server reads it: given bytes, expect events."""

import pytest

from lambdallm.runtime.emulator.http1 import BadRequest, Data, End, Head, Reader, reply

NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\n\r\n"
SIZED = b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: Error\r\n\r\n"
    b"3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nError: yes\r\n\r\n"
)


def events(*parts):
    reader = Reader()
    return [event for part in parts for event in reader.feed(part)]


def test_a_request_without_a_body():
    assert events(NEXT) == [Head("GET", "/next", {"host": "x"}), End({})]


def test_a_body_of_a_known_length():
    assert events(SIZED) == [Head("POST", "/a", {"content-length": "5"}), Data(b"hello"), End({})]


def test_a_body_of_a_known_length_comes_out_as_it_comes_in():
    assert events(SIZED[:-2], SIZED[-2:])[1:] == [Data(b"hel"), Data(b"lo"), End({})]


def test_chunks_come_out_as_they_were_sent_and_trailers_with_the_end():
    assert events(CHUNKED)[1:] == [Data(b"abc"), Data(b"0123456789"), End({"error": "yes"})]


@pytest.mark.parametrize("cut", range(1, len(CHUNKED)))
def test_chunks_are_the_same_wherever_the_bytes_are_split(cut):
    assert events(CHUNKED[:cut], CHUNKED[cut:]) == events(CHUNKED)


def test_requests_that_follow_one_another():
    assert events(SIZED + NEXT + CHUNKED) == events(SIZED) + events(NEXT) + events(CHUNKED)


def test_byte_by_byte():
    stream = NEXT + CHUNKED
    assert events(*(stream[i : i + 1] for i in range(len(stream)))) == events(stream)


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense\r\n\r\n",
        b"GET /a SPDY/1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET /a HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
    ],
)
def test_what_is_no_request_is_refused(bad):
    with pytest.raises(BadRequest):
        events(bad)


def test_a_reply():
    expected = b"HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
    assert reply(202, b"hi", {"Content-Type": "text/plain"}) == expected
