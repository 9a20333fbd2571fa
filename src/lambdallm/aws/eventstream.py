"""AWS event stream framing, as a server writes it: messages in, bytes out. Reading is in `llm/wire/eventstream.py`.

A message is a prelude (total length, header length, CRC32 of both), headers, a payload, and a CRC32 of all that went
before. Source: the Smithy specification, `application/vnd.amazon.eventstream`.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    HeaderValue: TypeAlias = bool | int | str | bytes

_LENGTHS = Struct(">II")
_CHECKSUM = Struct(">I")
_LONG = Struct(">q")
_LENGTH = Struct(">H")
_AROUND = _LENGTHS.size + 2 * _CHECKSUM.size


def encode_message(headers: Mapping[str, HeaderValue], payload: bytes) -> bytes:
    """A message."""
    return encode_frame(b"".join(encode_header(name, value) for name, value in headers.items()), payload)


def encode_header(name: str, value: HeaderValue) -> bytes:
    """A header: a boolean, a string, bytes, or an integer (as a long)."""
    label = name.encode()
    return bytes((len(label),)) + label + _encode_value(value)


def _encode_value(value: HeaderValue) -> bytes:
    if isinstance(value, bool):
        return b"\x00" if value else b"\x01"
    if isinstance(value, int):
        return b"\x05" + _LONG.pack(value)
    kind, data = (b"\x07", value.encode()) if isinstance(value, str) else (b"\x06", value)
    return kind + _LENGTH.pack(len(data)) + data


def encode_frame(header_block: bytes, payload: bytes) -> bytes:
    """A message from headers already encoded."""
    lengths = _LENGTHS.pack(_AROUND + len(header_block) + len(payload), len(header_block))
    frame = lengths + _CHECKSUM.pack(crc32(lengths)) + header_block + payload
    return frame + _CHECKSUM.pack(crc32(frame))
