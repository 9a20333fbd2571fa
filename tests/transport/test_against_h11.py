"""The parser beside h11: both accept a response with the same result, or both refuse it.

`DIFFERENCES` is the whole list of exceptions, each with its reason.
"""

from __future__ import annotations

import random
from collections.abc import Iterable

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.transport.errors import TransportError
from lambdallm.transport.http1 import ResponseParser

Outcome = tuple[int, tuple[tuple[str, str], ...], bytes] | None


def ours(data: bytes, method: str, sizes: list[int]) -> Outcome:
    parser, body = ResponseParser(method), b""
    try:
        for piece in cut(data, sizes):
            body += parser.receive(piece)
        parser.end_of_input()
    except TransportError:
        return None
    return parser.status, without_framing((n.lower(), v) for n, v in parser.headers), body


def theirs(data: bytes, method: str, sizes: list[int]) -> Outcome:
    peer = h11.Connection(h11.CLIENT, max_incomplete_event_size=64 * 1024)
    peer.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    peer.send(h11.EndOfMessage())
    status, headers, body = 0, (), b""
    feed = [*cut(data, sizes), b""]
    try:
        while True:
            event = peer.next_event()
            if event is h11.NEED_DATA:
                peer.receive_data(feed.pop(0))
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = without_framing((n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers)
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, headers, body
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except (h11.RemoteProtocolError, IndexError):
        return None


def without_framing(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Headers but those that h11 rewrites (it merges equal lengths); the body shows how they were read."""
    return tuple(pair for pair in pairs if pair[0] not in ("content-length", "transfer-encoding"))


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    out = []
    for size in sizes:
        out.append(data[:size])
        data = data[size:]
    return [piece for piece in (*out, data) if piece]


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

STATUS_LINES = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 404 Not Found", b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 X", b"HTTP/1.1 20 OK", b"HTTP/1.1 2000", b"HTTP/1.1 999 Odd", b"HTTP/1.1 200OK", b"http/1.1 200 OK",
    b"HTTP/1.1 200 \xe9t\xe9", b"HTTP/1.1\t200 OK", b"", b"HTTP/1 200 OK", b"HTTP/1.1 099 X", b"HTTP/1.1 101 Switch",
]  # fmt: skip
FIELDS = [
    b"", b"Content-Length: 5\r\n", b"content-length: 5\r\nContent-Length: 5\r\n", b"Content-Length: 5, 5\r\n",
    b"Content-Length: 5, 6\r\n", b"Content-Length: 3\r\n", b"Content-Length: 9\r\n", b"Content-Length: -1\r\n",
    b"Content-Length: +5\r\n", b"Content-Length: 5x\r\n", b"Content-Length: \xb2\r\n", b"Content-Length:\r\n",
    b"Content-Length: 0005\r\n", b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: CHUNKED\r\n",
    b"Transfer-Encoding: gzip\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Transfer-Encoding: chunked, chunked\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"A : b\r\n", b"A b\r\n", b" A: b\r\n", b": b\r\n",
    b"A:b\r\nA: \t c \t\r\n", b"A: \xff\xfe\r\n", b"A: x\0y\r\n", b"A\0: y\r\n", b"A@: y\r\n", b"\xe9: y\r\n",
    b"Connection: close\r\n", b"A: x\ry\r\n", b"A:\r\n",
]  # fmt: skip
BODIES = [
    b"", b"hello", b"hello!", b"5\r\nhello\r\n0\r\n\r\n", b"5;x=y\r\nhello\r\n0;z\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
    b"5 ;x\r\nhello\r\n0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"0\r\nA b\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n",
    b"+5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello\r\n", b"\r\n5\r\nhello\r\n0\r\n\r\n",
    b"00000000000000000005\r\nhello\r\n0\r\n\r\n", b"000000000000000000005\r\nhello\r\n0\r\n\r\n", b"g\r\n",
    b"5\r\nhelloXX0\r\n\r\n", b"-5\r\nhello\r\n0\r\n\r\n", b" 5\r\nhello\r\n0\r\n\r\n", b"0\r\n\r\nHTTP/1.1 200 OK\r\n",
]  # fmt: skip

DIFFERENCES = {
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok": "h11 takes a bare LF as a line end; RFC 9112 2.2 makes that optional",
    HEAD + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n": "h11 unfolds obsolete line folding; RFC 9112 5.2 lets us refuse",
    HEAD
    + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n": "h11 lets chunked win: a smuggling shape",
    HEAD + b"A: x\x01y\r\nContent-Length: 0\r\n\r\n": "h11 keeps control characters, which RFC 9110 5.5 calls invalid",
    b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n": "h11 takes any version; we speak 1.0 and 1.1",
    CHUNKED + b"5;x=\0\r\nhello\r\n0\r\n\r\n": "h11 keeps control characters in chunk extensions",
    CHUNKED + b"5;" + b"x" * 2000 + b"\r\nhello\r\n0\r\n\r\n": "our bound on a size line is 1 KiB",
    HEAD + b"A: b\r\n" * 300 + b"Content-Length: 0\r\n\r\n": "our bound is 256 header lines",
    b"HTTP/1.1 100 C\r\n\r\n" * 40 + HEAD + b"Content-Length: 0\r\n\r\n": "our bound is 32 interim responses",
}


@pytest.mark.parametrize("data", DIFFERENCES, ids=lambda data: DIFFERENCES[data][:50])
def test_where_we_are_stricter_on_purpose(data: bytes) -> None:
    assert theirs(data, "GET", []) is not None
    assert ours(data, "GET", []) is None


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("fields", FIELDS)
def test_every_combination_of_parts_agrees(fields: bytes, method: str) -> None:
    for status in STATUS_LINES:
        for body in BODIES:
            data = status + b"\r\n" + fields + b"\r\n" + body
            assert ours(data, method, []) == theirs(data, method, []), data


def test_every_split_agrees() -> None:
    rng = random.Random(7)
    for fields in FIELDS:
        for body in BODIES:
            data = HEAD + fields + b"\r\n" + body
            expected = ours(data, "GET", [])
            assert ours(data, "GET", [1] * len(data)) == expected, data
            for _ in range(3):
                assert ours(data, "GET", [rng.randint(1, 9) for _ in range(20)]) == expected, data
            assert theirs(data, "GET", [1] * len(data)) == expected, data


response = st.tuples(
    st.sampled_from(STATUS_LINES[:4]),
    st.lists(st.sampled_from([f for f in FIELDS if b"Transfer" not in f and f[:1] != b" "]), max_size=3).map(b"".join),
    st.lists(st.integers(0, 30)),
)


@settings(max_examples=200)
@given(response, st.lists(st.integers(1, 30)), st.randoms(use_true_random=False))
def test_generated_chunked_bodies_agree(
    made: tuple[bytes, bytes, list[int]], cuts: list[int], rng: random.Random
) -> None:
    status, fields, sizes = made
    if b"ontent-" not in fields:
        fields += b"Transfer-Encoding: chunked\r\n"
    chunks = [b"%x\r\n%s\r\n" % (n, rng.randbytes(n)) for n in sizes if n]
    data = bytearray(status + b"\r\n" + fields + b"\r\n" + b"".join(chunks) + b"0\r\n\r\n")
    if rng.random() < 0.5:
        # Line ends stay, because h11 takes bare ones in trailers (see DIFFERENCES).
        body = data.index(b"\r\n\r\n") + 4
        data[rng.choice([at for at in range(body, len(data)) if data[at] not in b"\r\n"])] = rng.choice(b"0123;zZ")
    assert ours(bytes(data), "GET", cuts) == theirs(bytes(data), "GET", cuts)
