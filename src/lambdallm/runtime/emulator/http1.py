"""HTTP/1.1 as a server reads it from a trusted neighbour: bytes in, events out. It opens nothing.

The standard library's server hides where a chunk ends and drops trailers; a streamed response is both. Requests that
follow one another on a connection come out one after the other.
"""

from __future__ import annotations

from ..._value import Value
from .limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping
    from typing import TypeAlias

    Event: TypeAlias = "Head | Data | End"

_MOST_HEADER_BYTES = 2 * 1024 * 1024  # AWS's client sends an X-Ray cause of up to 1 MB as a header
_PIECE_BYTES = 256 * 1024
_REASONS = {
    100: "Continue",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}


class BadRequest(ValueError):
    """These bytes are no HTTP request: the connection can only be closed."""


class Head(Value):
    """A request line and its headers, whose names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


class Data(Value):
    """A part of the body: exactly one chunk where the body is chunked."""

    data: bytes


class End(Value):
    """The body is whole. Names of trailers are in lower case."""

    trailers: Mapping[str, str]


class Reader:
    """The requests of one connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parse = self._requests()
        self._wanted = next(self._parse)

    def feed(self, data: bytes) -> Iterator[Event]:
        """The events that these bytes complete. Raises `BadRequest`."""
        self._buffer += data
        while self._wanted is not None:
            if isinstance(self._wanted, (Head, Data, End)):
                yield self._wanted
                self._wanted = self._parse.send(b"")
            elif (found := self._take(self._wanted)) is None:
                return
            else:
                self._wanted = self._parse.send(found)

    def _take(self, wanted: int | bytes) -> bytes | None:
        """So many bytes, or (negative) at most so many and at least one, or up to a mark; `None` while they lack."""
        if isinstance(wanted, bytes):
            at = self._buffer.find(wanted)
            if at < 0 and len(self._buffer) > _MOST_HEADER_BYTES:
                raise BadRequest("A header is longer than 2 MB.")
            size = at + len(wanted) if at >= 0 else -1
        elif wanted < 0:
            size = min(len(self._buffer), -wanted) or -1
        else:
            size = wanted if len(self._buffer) >= wanted else -1
        if size < 0:
            return None
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _requests(self) -> Generator[int | bytes | Event, bytes, None]:
        while True:
            line = (yield b"\r\n").strip()
            if not line:
                continue  # a client may end a body with a line too many
            headers = yield from self._headers()
            yield _head(line, headers)
            if "chunked" in headers.get("transfer-encoding", "").lower():
                yield from self._chunks()
            else:
                yield from self._sized(_number(headers.get("content-length", "0"), 10))

    def _headers(self) -> Generator[int | bytes | Event, bytes, dict[str, str]]:
        headers: dict[str, str] = {}
        while line := (yield b"\r\n").strip():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon:
                raise BadRequest(f"{name!r} is no header.")
            headers[name.strip().lower()] = value.strip()
        return headers

    def _sized(self, left: int) -> Generator[int | bytes | Event, bytes, None]:
        while left:
            data = yield -min(left, _PIECE_BYTES)
            left -= len(data)
            yield Data(data)
        yield End({})

    def _chunks(self) -> Generator[int | bytes | Event, bytes, None]:
        while size := _number((yield b"\r\n").partition(b";")[0].decode("latin-1"), 16):
            if size > Limits().stream_bytes * 2:
                raise BadRequest(f"A chunk of {size} bytes is larger than any response.")
            data = yield size
            yield Data(data)
            if (yield 2) != b"\r\n":
                raise BadRequest("A chunk is longer than it says.")
        yield End((yield from self._headers()))


def _head(line: bytes, headers: Mapping[str, str]) -> Head:
    words = line.decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequest(f"{line!r} is no request line.")
    return Head(words[0], words[1], headers)


def _number(digits: str, base: int) -> int:
    try:
        return int(digits.strip(), base)
    except ValueError:
        raise BadRequest(f"{digits!r} is no length.") from None


def reply(status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
    """A response, whole."""
    lines = [f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body


CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
"""For a client that asks before it sends a large body, as AWS's does from 1 MB on."""
