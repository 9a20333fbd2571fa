"""The response parser: given bytes, expect status, headers and body."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.transport import http1
from lambdallm.transport.errors import ConnectionLost, ProtocolError, TransportError
from lambdallm.transport.http1 import ResponseParser


def parse(data: bytes, method: str = "GET", *, sizes: list[int] | None = None, close: bool = False):
    """Feed in pieces of the given sizes (the rest whole) and return the parser and the body."""
    parser, body = ResponseParser(method), b""
    for size in sizes or []:
        body += parser.receive(data[:size])
        data = data[size:]
    if data:
        body += parser.receive(data)
    if close:
        parser.end_of_input()
    return parser, body


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

COMPLETE = {
    "sized": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello", 200, b"hello"),
    "empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
    "no reason": (b"HTTP/1.1 404\r\nContent-Length: 1\r\n\r\nx", 404, b"x"),
    "chunked": (CHUNKED + b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n", 200, b"hello world"),
    "padded size": (CHUNKED + b"5  \r\nhello\r\n0\r\n\r\n", 200, b"hello"),
    "upper hex": (CHUNKED + b"A\r\n0123456789\r\n000\r\n\r\n", 200, b"0123456789"),
    "trailers": (CHUNKED + b"1\r\nx\r\n0\r\nX-Sum: 1\r\nX-B: 2\r\n\r\n", 200, b"x"),
    "interim": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hint\r\nLink: x\r\n\r\n" + CHUNKED + b"0\r\n\r\n",
        200,
        b"",
    ),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "not modified": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, b""),
    "agreeing lengths": (b"HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
    "no headers": (b"HTTP/1.1 204\r\n\r\n", 204, b""),
}


@pytest.mark.parametrize("name", COMPLETE)
def test_a_complete_response_is_read_whole_and_leaves_the_connection_reusable(name: str) -> None:
    data, status, body = COMPLETE[name]
    parser, got = parse(data)
    assert (parser.status, got, parser.done, parser.reusable) == (status, body, True, True)


@pytest.mark.parametrize("name", COMPLETE)
def test_where_the_bytes_are_split_does_not_matter(name: str) -> None:
    data, status, body = COMPLETE[name]
    whole, _ = parse(data)
    for at in range(1, len(data)):
        parser, got = parse(data, sizes=[at])
        assert (parser.status, parser.headers, got, parser.reusable) == (status, whole.headers, body, True)
    parser, got = parse(data, sizes=[1] * len(data))
    assert (parser.headers, got, parser.reusable) == (whole.headers, body, True)


@pytest.mark.parametrize("name", COMPLETE)
def test_a_response_cut_short_is_a_lost_connection(name: str) -> None:
    data, _, _ = COMPLETE[name]
    for at in range(len(data)):
        with pytest.raises(ConnectionLost):
            parse(data[:at], close=True)


def test_headers_keep_their_order_case_and_repeats() -> None:
    parser, _ = parse(b"HTTP/1.1 204 X\r\nSet-Cookie: a\r\nset-cookie:  b \t\r\nX-Utf: \xc3\xa9\r\nEmpty:\r\n\r\n")
    assert parser.headers == (("Set-Cookie", "a"), ("set-cookie", "b"), ("X-Utf", "Ã©"), ("Empty", ""))


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("CONNECT", 200)])
def test_some_methods_have_no_body_whatever_the_headers_say(method: str, status: int) -> None:
    parser, body = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method)
    assert (parser.status, parser.done, body) == (status, True, b"")


def test_without_framing_the_body_ends_with_the_connection() -> None:
    parser, body = parse(b"HTTP/1.1 200 OK\r\n\r\nabc", close=True)
    assert (body, parser.done, parser.reusable) == (b"abc", True, False)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: foo, Close\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!",
        CHUNKED + b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_a_connection_is_not_reused_after_close_http10_or_extra_bytes(data: bytes) -> None:
    parser, _ = parse(data)
    assert parser.done
    assert not parser.reusable


def test_extra_bytes_in_a_later_piece_also_spoil_the_connection() -> None:
    parser, _ = parse(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert parser.receive(b"x") == b""
    assert not parser.reusable


HEAD = b"HTTP/1.1 200 OK\r\n"

HOSTILE = {
    "not http": b"SSH-2.0-OpenSSH\r\n",
    "http 2 preface": b"\x00\x00\x12\x04\x00\x00",
    "leading blank line": b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    "version 2": b"HTTP/2.0 200 OK\r\n\r\n",
    "version 1.2": b"HTTP/1.2 200 OK\r\n\r\n",
    "two-digit status": b"HTTP/1.1 20 OK\r\n\r\n",
    "four-digit status": b"HTTP/1.1 2000 OK\r\n\r\n",
    "status 0xx": b"HTTP/1.1 099 OK\r\n\r\n",
    "superscript digits": b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\n\r\n",
    "folded header": HEAD + b"A: b\r\n c\r\n\r\n",
    "space before colon": HEAD + b"Content-Length : 1\r\n\r\nx",
    "no colon": HEAD + b"Broken\r\n\r\n",
    "empty name": HEAD + b": x\r\n\r\n",
    "name not a token": HEAD + b"A(b): x\r\n\r\n",
    "name not ascii": HEAD + b"\xe9: x\r\n\r\n",
    "nul in value": HEAD + b"A: x\0y\r\n\r\n",
    "bare cr": HEAD + b"A: x\ry\r\n\r\n",
    "bare lf": HEAD + b"A: x\nB: y\r\n\r\n",
    "bare lf ends": b"HTTP/1.1 200 OK\nA: b\n\n",
    "switching": b"HTTP/1.1 101 Switching\r\n\r\n",
    "length and coding": HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two codings": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    "coding twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    "unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n",
    "lengths differ": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    "length list differs": HEAD + b"Content-Length: 1, 2\r\n\r\n",
    "signed length": HEAD + b"Content-Length: +1\r\n\r\nx",
    "negative length": HEAD + b"Content-Length: -1\r\n\r\nx",
    "hex length": HEAD + b"Content-Length: 0x1\r\n\r\nx",
    "underscore length": HEAD + b"Content-Length: 1_0\r\n\r\nx",
    "empty length": HEAD + b"Content-Length:\r\n\r\n",
    "endless length": HEAD + b"Content-Length: " + b"9" * 21 + b"\r\n\r\n",
    "signed size": CHUNKED + b"+5\r\nhello\r\n",
    "hex prefix": CHUNKED + b"0x5\r\nhello\r\n",
    "underscore size": CHUNKED + b"1_0\r\n",
    "empty size": CHUNKED + b"\r\nhello\r\n",
    "space before size": CHUNKED + b" 5\r\nhello\r\n",
    "size not hex": CHUNKED + b"g\r\n",
    "endless size": CHUNKED + b"0" * 21 + b"\r\n",
    "size ends in lf": CHUNKED + b"5\nhello\r\n",
    "nul in extension": CHUNKED + b"5;a=\0\r\nhello\r\n",
    "cr in extension": CHUNKED + b"5;a=\rb\r\nhello\r\n",
    "chunk too long": CHUNKED + b"5\r\nhello!\r\n",
    "chunk ends in lf": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "chunk ends in cr x": CHUNKED + b"5\r\nhello\rx0\r\n\r\n",
    "bad trailer": CHUNKED + b"0\r\nbad trailer\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_malformed_response_is_refused_wherever_it_is_split(name: str) -> None:
    data = HOSTILE[name]
    with pytest.raises(ProtocolError):
        parse(data)
    with pytest.raises(ProtocolError):
        parse(data, sizes=[1] * len(data))


@pytest.mark.parametrize(
    ("prefix", "filler", "limit"),
    [
        (HEAD + b"A: ", b"x", http1.MAX_HEAD_BYTES),
        (HEAD, b"A: b\r\n", http1.MAX_HEAD_BYTES),
        (CHUNKED + b"1;", b"x", http1.MAX_CHUNK_LINE_BYTES),
        (CHUNKED + b"0\r\nA: ", b"x", http1.MAX_TRAILER_BYTES),
        (b"", b"HTTP/1.1 100 C\r\n\r\n", http1.MAX_INTERIM_RESPONSES * 20),
    ],
)
def test_nothing_that_is_held_back_grows_without_bound(prefix: bytes, filler: bytes, limit: int) -> None:
    parser = ResponseParser("GET")
    parser.receive(prefix)
    with pytest.raises(ProtocolError):
        any(parser.receive(filler * 100) for _ in range((limit + 8192) // (len(filler) * 100) + 1))


def test_too_many_headers_are_refused() -> None:
    with pytest.raises(ProtocolError, match="header lines"):
        parse(HEAD + b"A: b\r\n" * (http1.MAX_HEADERS + 1) + b"\r\n")


def test_the_memory_of_known_names_is_bounded() -> None:
    for number in range(3000):
        parse(b"HTTP/1.1 204 X\r\nX-%d: y\r\n\r\n" % number)
    assert len(http1._known_names) <= 512


pieces = st.lists(st.sampled_from([*HOSTILE.values(), *(v[0] for v in COMPLETE.values()), b"\r\n", b"\r", b"0"]))


@given(st.one_of(st.binary(), pieces.map(b"".join)), st.lists(st.integers(1, 40)), st.sampled_from(["GET", "HEAD"]))
def test_no_input_does_more_than_raise_a_transport_error(data: bytes, sizes: list[int], method: str) -> None:
    try:
        parser, body = parse(data, method, sizes=sizes, close=True)
    except TransportError:
        return
    assert parser.done
    assert len(body) <= len(data)
