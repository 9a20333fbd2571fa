"""Response bytes in, status, headers and body out: a strict HTTP/1.1 parser that never touches a socket.

It owns the framing rules of RFC 9112 (where a head, a chunk and a body end) and whether the connection may carry
another request. It knows nothing of content encodings, time or sockets.

Wherever the RFC lets a client be lenient about framing, this parser refuses: two readers who disagree about where a
response ends is how responses get smuggled. `tests/transport/test_against_h11.py` holds the list of differences
from h11.
"""

from __future__ import annotations

from functools import lru_cache

from .errors import ConnectionLost, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .types import Headers

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 256
MAX_CHUNK_LINE_BYTES = 1024
MAX_TRAILER_BYTES = 8 * 1024
MAX_INTERIM_RESPONSES = 32

_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HEX = b"0123456789abcdefABCDEF"
_TEXT = bytes(b for b in range(256) if b >= 0x20 and b != 0x7F) + b"\t"
_TEXT_AND_LINE_ENDS = _TEXT + b"\r\n"
_FRAMING = frozenset(("content-length", "transfer-encoding", "connection"))
_MAX_KNOWN_NAMES = 512
_MAX_KNOWN_LINES, _MAX_KNOWN_LINE = 512, 96
_SHORT_LINE_BYTES = 8

_AWAIT_SIZE, _AWAIT_TRAILERS = -1, -2
"""Values of `_left` between chunks; zero or more counts the data bytes that a chunk still owes."""

_known_names: dict[str, str] = {}
"""Header names already checked, with their lower-case forms: servers repeat the same dozen."""

_known_lines: dict[str, tuple[tuple[str, str], str]] = {}
"""Short header lines already read: most of a server's are the same in every answer."""


def is_token(text: str) -> bool:
    """Whether the text can be a header name or a method."""
    return bool(text) and text.isascii() and not text.encode().translate(None, _TOKEN)


def has_control(data: bytes) -> bool:
    """Whether the bytes hold a control character other than tab, CR and LF."""
    return bool(data.translate(None, _TEXT_AND_LINE_ENDS))


def lower_name(name: str) -> str:
    """The lower-case form of a valid header name; empty when it is not valid."""
    known = _known_names.get(name)
    if known is not None:
        return known
    if not is_token(name):
        return ""
    if len(_known_names) >= _MAX_KNOWN_NAMES:
        _known_names.clear()
    return _known_names.setdefault(name, name.lower())


class ResponseParser:
    """Parses one final response; interim (1xx) responses before it are skipped.

    Feed it with `receive` until `done`. `status` is 0 until the headers are in. `reusable` is true when the response is
    complete, both sides agreed to keep the connection, and nothing followed the response.
    """

    __slots__ = ("_body", "_buffer", "_interim", "_keep", "_left", "_method", "done", "headers", "reusable", "status")

    def __init__(self, method: str) -> None:
        self.status = 0
        self.headers: Headers = ()
        self.done = False
        self.reusable = False
        self._method = method
        self._buffer: bytes | bytearray = b""
        self._left = 0
        self._keep = False
        self._interim = 0
        self._body: Callable[[ResponseParser, bytes], bytes] = ResponseParser._after_end

    def receive(self, data: bytes) -> bytes:
        """Take what arrived and return the body bytes it completes, often none. Raises `ProtocolError`."""
        if self.status:
            return self._body(self, data)
        rest = self._receive_head(data)
        return self._body(self, rest) if rest else b""

    def end_of_input(self) -> None:
        """Say that the peer closed. Raises `ConnectionLost` unless the response ends there."""
        if self.done:
            self.reusable = False
        elif self.status and self._body is ResponseParser._until_close:
            self.done = True
        else:
            part = "body" if self.status else "headers"
            raise ConnectionLost(f"The server closed the connection before the end of the response {part}. Try again.")

    def _receive_head(self, data: bytes) -> bytes:
        """Collect bytes up to the end of a final head; return what follows it."""
        buffer, start = self._joined(data)
        while not self.status:
            end = buffer.find(b"\r\n\r\n", start)
            if end > MAX_HEAD_BYTES or (end < 0 and len(buffer) > MAX_HEAD_BYTES):
                raise ProtocolError(f"The response headers exceed {MAX_HEAD_BYTES} bytes.")
            if end < 0:
                self._keep_partial_head(buffer, start)
                return b""
            self._read_head(bytes(buffer[:end]))
            buffer, start = bytes(buffer[end + 4 :]), 0
        self._buffer = b""
        return bytes(buffer)

    def _joined(self, data: bytes) -> tuple[bytes | bytearray, int]:
        """The pending head with the new bytes, and where a search for its end may begin."""
        pending = self._buffer
        if not pending:
            return data, 0
        start = max(len(pending) - 3, 0)
        if isinstance(pending, bytes):
            pending = bytearray(pending)
        pending += data
        return pending, start

    def _keep_partial_head(self, buffer: bytes | bytearray, start: int) -> None:
        """Hold an unfinished head, unless it can no longer become one."""
        if not b"HTTP/1.".startswith(bytes(buffer[:7])) or buffer.find(b"\n\n", start) >= 0:
            raise ProtocolError(f"The server does not answer in HTTP/1.1: {bytes(buffer[:24])!r}.")
        self._buffer = buffer

    def _read_head(self, block: bytes) -> None:
        """Take a complete head: a status line and header lines without their last line end."""
        lines = _split_lines(block)
        status, modern = _read_status(lines[0])
        headers, framing = _read_fields(lines[1:])
        coded, length = _read_framing(framing)
        if status < 200:
            self._skip_interim(status)
            return
        self.status, self.headers = status, headers
        self._keep = modern and not _asks_to_close(framing)
        self._choose_body(coded, length)

    def _skip_interim(self, status: int) -> None:
        self._interim += 1
        if status == 101:
            raise ProtocolError("The server switched protocols (101) without being asked.")
        if self._interim > MAX_INTERIM_RESPONSES:
            raise ProtocolError(f"More than {MAX_INTERIM_RESPONSES} interim responses came before the final one.")

    def _choose_body(self, coded: bool, length: int | None) -> None:
        """RFC 9112 section 6.3: which rule ends this body."""
        if self._method == "HEAD" or self.status in (204, 304) or (self._method == "CONNECT" and self.status < 300):
            self._finish()
        elif coded:
            self._left, self._body = _AWAIT_SIZE, ResponseParser._chunked
        elif length is None:
            self._keep, self._body = False, ResponseParser._until_close
        elif length:
            self._left, self._body = length, ResponseParser._sized
        else:
            self._finish()

    def _finish(self) -> None:
        self.done = True
        self.reusable = self._keep
        self._left = 0
        self._body = ResponseParser._after_end

    def _after_end(self, data: bytes) -> bytes:
        """Bytes that nobody asked for: the next response on this connection could not be trusted."""
        if data:
            self.reusable = False
        return b""

    def _until_close(self, data: bytes) -> bytes:
        return data

    def _sized(self, data: bytes) -> bytes:
        left = self._left
        if len(data) < left:
            self._left = left - len(data)
            return data
        self._finish()
        self._after_end(data[left:])
        return data[:left]

    def _chunked(self, data: bytes) -> bytes:
        """Walk over size lines and data, returning the data joined."""
        if self._buffer:
            data = bytes(self._buffer) + data
            self._buffer = b""
        pieces: list[bytes] = []
        at, left = 0, self._left
        while True:
            if left >= 0:
                end = at + left
                if data[end : end + 2] != b"\r\n":
                    at, left = self._partial_chunk(data, at, left, pieces)
                    break
                pieces.append(data[at:end])
                at, left = end + 2, _AWAIT_SIZE
            if left == _AWAIT_TRAILERS:
                self._trailers(data, at)
                return b"".join(pieces)
            end = data.find(b"\r\n", at)
            if end < 0 or end - at > MAX_CHUNK_LINE_BYTES:
                _check_partial_line(data, at)
                break
            line = data[at:end]
            left = (_known_size(line) if end - at <= _SHORT_LINE_BYTES else _read_size(line)) or _AWAIT_TRAILERS
            at = end + 2
        self._left, self._buffer = left, data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _partial_chunk(self, data: bytes, at: int, left: int, pieces: list[bytes]) -> tuple[int, int]:
        """Take what is there of a chunk whose end has not arrived; return the new position and what it still owes."""
        piece = data[at : at + left]
        pieces.append(piece)
        at += len(piece)
        if data[at:] not in (b"", b"\r"):
            raise ProtocolError("A chunk of the response is longer than its size says.")
        return at, left - len(piece)

    def _trailers(self, data: bytes, at: int) -> None:
        """Check trailer lines like headers, and drop them."""
        self._left = _AWAIT_TRAILERS
        end = at if data.startswith(b"\r\n", at) else data.find(b"\r\n\r\n", at)
        if (end if end >= 0 else len(data)) - at > MAX_TRAILER_BYTES:
            raise ProtocolError(f"The response trailers exceed {MAX_TRAILER_BYTES} bytes.")
        if end < 0:
            self._buffer = data[at:]
            return
        if end > at:
            _read_fields(_split_lines(data[at:end]))
        self._finish()
        self._after_end(data[end + (4 if end > at else 2) :])


def _split_lines(block: bytes) -> list[str]:
    """Decode and split at CRLF. Raises for control characters, bare CR and bare LF."""
    text = block.decode("latin-1")
    lines = text.split("\r\n")
    breaks = len(lines) - 1
    if has_control(block) or text.count("\n") != breaks or text.count("\r") != breaks:
        raise ProtocolError("The response headers hold a control character or a bare line break.")
    return lines


def _read_status(line: str) -> tuple[int, bool]:
    """The status, and whether the peer speaks 1.1 rather than 1.0."""
    version, code = line[:9], line[9:12]
    digits = code.isascii() and code.isdigit() and len(code) == 3
    if version not in ("HTTP/1.1 ", "HTTP/1.0 ") or not digits or line[12:13] not in ("", " ") or code < "100":
        raise ProtocolError(f"The server does not answer in HTTP/1.1: {line[:40]!r}.")
    return int(code), version == "HTTP/1.1 "


def _read_fields(lines: list[str]) -> tuple[Headers, dict[str, list[str]]]:
    """Header lines as pairs, and the values of those that decide framing."""
    if len(lines) > MAX_HEADERS:
        raise ProtocolError(f"The response has more than {MAX_HEADERS} header lines.")
    headers: list[tuple[str, str]] = []
    framing: dict[str, list[str]] = {}
    for line in lines:
        pair, rule = _known_lines.get(line) or _read_line(line)
        headers.append(pair)
        if rule:
            framing.setdefault(rule, []).append(pair[1])
    return tuple(headers), framing


def _read_line(line: str) -> tuple[tuple[str, str], str]:
    """A header line as a pair, and its name in lower case if it decides framing."""
    name, colon, value = line.partition(":")
    lower = lower_name(name)
    if not lower or not colon:
        raise ProtocolError(f"The response has a malformed header line, named {name[:40]!r}.")
    read = (name, value.strip(" \t")), lower if lower in _FRAMING else ""
    if len(line) <= _MAX_KNOWN_LINE:
        if len(_known_lines) >= _MAX_KNOWN_LINES:
            _known_lines.clear()
        _known_lines[line] = read
    return read


def _read_framing(framing: dict[str, list[str]]) -> tuple[bool, int | None]:
    """Whether the body is chunked, and else its length when one is stated."""
    codings, lengths = framing.get("transfer-encoding"), framing.get("content-length")
    if not codings:
        return False, _read_length(lengths) if lengths else None
    if lengths:
        raise ProtocolError("The response has both Content-Length and Transfer-Encoding, so its end is ambiguous.")
    if len(codings) != 1 or codings[0].lower() != "chunked":
        raise ProtocolError(f"The response's Transfer-Encoding {', '.join(codings)[:40]!r} is not supported.")
    return True, None


def _read_length(values: list[str]) -> int:
    """A length that all occurrences agree on, also in the form `5, 5`."""
    first, *others = [part.strip(" \t") for value in values for part in value.split(",")]
    if not (first.isascii() and first.isdigit() and len(first) <= 20) or any(other != first for other in others):
        raise ProtocolError(f"The response's Content-Length {', '.join(values)[:40]!r} is not one whole number.")
    return int(first)


def _asks_to_close(framing: dict[str, list[str]]) -> bool:
    options = ",".join(framing.get("connection", ())).lower().split(",")
    return any(option.strip(" \t") == "close" for option in options)


def _read_size(line: bytes) -> int:
    """The size on a chunk's first line; extensions are dropped."""
    digits, mark, extension = line.partition(b";")
    if not mark:
        digits = digits.rstrip(b" \t")
    if not digits or len(digits) > 20 or digits.translate(None, _HEX) or extension.translate(None, _TEXT):
        raise ProtocolError(f"A chunk of the response has a malformed size line: {line[:24]!r}.")
    return int(digits, 16)


_known_size = lru_cache(1024)(_read_size)
"""Streams repeat a few sizes. Only short lines are remembered, so that a hostile peer fills little."""


def _check_partial_line(data: bytes, at: int) -> None:
    """Refuse a size line that is too long or can't end properly any more."""
    if len(data) - at > MAX_CHUNK_LINE_BYTES or b"\n" in data[at:]:
        raise ProtocolError(f"A chunk of the response has a malformed size line: {data[at : at + 24]!r}.")
