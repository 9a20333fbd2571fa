"""AWS event stream framing: bytes in, messages out, both checksums verified. Writing is in `aws/eventstream.py`.

A message is a prelude (total length, header length, CRC32 of both), headers, a payload, and a CRC32 of all that went
before. Source: "Event stream encoding" in the Amazon Transcribe developer guide; the Smithy specification,
`application/vnd.amazon.eventstream`. What headers and payloads mean is for the codec to know.

Broken bytes are no exception but an `error`: the messages before them are still good.
"""

from __future__ import annotations

from struct import Struct
from struct import error as StructError
from zlib import crc32

from .framing import MAX_FRAME_BYTES, FramingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    HeaderValue: TypeAlias = bool | int | str | bytes
    Message: TypeAlias = tuple[Mapping[str, HeaderValue], bytes]
    """A message's headers (shared between messages that have the same: don't change them) and its payload."""

MAX_HEADER_BYTES = 128 * 1024
"""The protocol's own bound on a message's headers."""

_PRELUDE = Struct(">III")
_CHECKSUM = Struct(">I")
_AROUND = _PRELUDE.size + _CHECKSUM.size
_REMEMBERED_SETS = 64
_REMEMBERED_BYTES = 512

_FIXED: dict[int, Struct] = {2: Struct(">b"), 3: Struct(">h"), 4: Struct(">i"), 5: Struct(">q"), 8: Struct(">q")}
"""Header kinds of fixed width: byte, short, integer, long, and a timestamp in milliseconds since 1970."""
_LENGTH = Struct(">H")


class EventStreamDecoder:
    """Feed bytes as they come, split anywhere; get whole messages.

    `error` is set by bytes that break the rules; nothing comes after that. `close` sets it for a message cut short.
    """

    def __init__(self) -> None:
        self.error: FramingError | None = None
        self._held = bytearray()
        self._needed = _PRELUDE.size
        self._known: dict[bytes, Mapping[str, HeaderValue]] = {}

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete."""
        messages: list[Message] = []
        if self.error is not None:
            return messages
        if self._held or len(data) < self._needed:
            self._held += data
            if len(self._held) < self._needed:
                return messages
            data = bytes(self._held)
        try:
            rest = self._read(data, messages)
        except FramingError as error:
            self.error, rest = error, b""
        self._held = bytearray(rest)
        return messages

    def close(self) -> None:
        """Say that the bytes have ended."""
        if self._held and self.error is None:
            self.error = FramingError(f"cut off {len(self._held)} bytes into a message")
        self._held = bytearray()

    def _read(self, data: bytes, messages: list[Message]) -> bytes:
        """Add the whole messages in `data`; return what is left."""
        start, end = 0, len(data)
        self._needed = _PRELUDE.size
        while end - start >= _PRELUDE.size:
            total, header_bytes, checksum = _PRELUDE.unpack_from(data, start)
            if crc32(data[start : start + 8]) != checksum:
                raise FramingError("a message's prelude does not match its checksum")
            _check_lengths(total, header_bytes)
            if end - start < total:
                self._needed = total
                break
            messages.append(self._message(data[start : start + total], header_bytes))
            start += total
        return data[start:]

    def _message(self, frame: bytes, header_bytes: int) -> Message:
        if crc32(frame[:-4]) != _CHECKSUM.unpack(frame[-4:])[0]:
            raise FramingError("a message does not match its checksum")
        split = _PRELUDE.size + header_bytes
        return self._headers(frame[_PRELUDE.size : split]), frame[split:-4]

    def _headers(self, block: bytes) -> Mapping[str, HeaderValue]:
        """The headers in a block. A stream repeats the same few sets, so they are read once and remembered."""
        headers = self._known.get(block)
        if headers is None:
            headers = decode_headers(block)
            if len(self._known) < _REMEMBERED_SETS and len(block) <= _REMEMBERED_BYTES:
                self._known[block] = headers
        return headers


def _check_lengths(total: int, header_bytes: int) -> None:
    if header_bytes > MAX_HEADER_BYTES:
        raise FramingError(f"headers of {header_bytes} bytes, where {MAX_HEADER_BYTES} are allowed")
    if total > MAX_FRAME_BYTES:
        raise FramingError(f"a message of {total} bytes, where {MAX_FRAME_BYTES} are allowed")
    if total < _AROUND + header_bytes:
        raise FramingError(f"a message of {total} bytes with headers of {header_bytes}")


def decode_headers(block: bytes) -> dict[str, HeaderValue]:
    """The headers of a message by name. Raises `FramingError` for a broken block or a name given twice.

    Timestamps come as milliseconds since 1970, UUIDs as their 16 bytes.
    """
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(block):
            name, at = _text(block, at + 1, block[at])
            if name in headers:
                raise FramingError(f"the header {name!r} comes twice")
            headers[name], at = _value(block, at + 1, block[at])
    except (IndexError, StructError, UnicodeDecodeError) as error:
        raise FramingError(f"a message's headers are broken ({error})") from error
    return headers


def _value(block: bytes, at: int, kind: int) -> tuple[HeaderValue, int]:
    """A header's value, and where it ends."""
    if kind in _FIXED:
        number: int = _FIXED[kind].unpack_from(block, at)[0]
        return number, at + _FIXED[kind].size
    if kind in _OTHERS:
        return _OTHERS[kind](block, at)
    raise FramingError(f"a header has the unknown type {kind}")


def _bytes(block: bytes, at: int, length: int) -> tuple[bytes, int]:
    if at + length > len(block):
        raise IndexError("a value runs beyond the end")
    return block[at : at + length], at + length


def _text(block: bytes, at: int, length: int) -> tuple[str, int]:
    value, at = _bytes(block, at, length)
    return value.decode(), at


def _length(block: bytes, at: int) -> int:
    length: int = _LENGTH.unpack_from(block, at)[0]
    return length


_OTHERS: dict[int, Callable[[bytes, int], tuple[HeaderValue, int]]] = {
    0: lambda _, at: (True, at),
    1: lambda _, at: (False, at),
    6: lambda block, at: _bytes(block, at + 2, _length(block, at)),
    7: lambda block, at: _text(block, at + 2, _length(block, at)),
    9: lambda block, at: _bytes(block, at, 16),
}


__all__ = ["MAX_HEADER_BYTES", "EventStreamDecoder", "FramingError", "decode_headers"]
