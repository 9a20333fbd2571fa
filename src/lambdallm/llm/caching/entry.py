"""A stored answer and its form in bytes: JSON of our own values, with a version and a checksum before it.

    v1 j 1c291ca3 {"$":"CacheEntry","completion":{"$":"Completion", …}}

`j` is JSON, `z` the same compressed by zlib. An object with `$` is a value of the type it names, from a closed table;
`$b` is bytes in base64, `$t` a tuple where none is expected, `$d` a mapping as pairs where keys are not plain text.
What another version wrote, or what is damaged in any byte, reads as `None`: an answer not there. Nothing is executed.
"""

from __future__ import annotations

import json

from ..._value import Value
from .. import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..types import Completion, StreamChunk

VERSION = b"v1"
"""Goes up whenever what was written can't be read any more, or would be read as something else."""

_MOST_BYTES = 256 * 2**20
"""More than this does not come out of compressed bytes, whatever they say."""


class CacheEntry(Value):
    """A whole answer, and the chunks it came in where it was streamed."""

    completion: Completion
    chunks: tuple[StreamChunk, ...] | None = None


_NAMES = (
    "TextPart", "RefusalPart", "ImagePart", "AudioPart", "DocumentPart", "ReasoningPart", "ToolCall", "ToolResult",
    "ProviderPart", "ChatMessage", "Usage", "Choice", "Completion", "ToolCallDelta", "StreamChunk",
)  # fmt: skip
_TYPES: dict[str, type[Value]] = {name: getattr(types, name) for name in _NAMES} | {"CacheEntry": CacheEntry}


def encode_entry(entry: CacheEntry, *, compress_over: int | None = None) -> bytes:
    """The entry as bytes, compressed where its JSON has more than `compress_over` of them.

    How a router chose is left out: that was the decision of another call. Raises `TypeError`, `ValueError` or
    `RecursionError` for metadata that is no JSON.
    """
    entry = entry.replace(completion=entry.completion.replace(routing=None))
    text = json.dumps(_plain(entry), ensure_ascii=False, separators=(",", ":"))
    form, body = b"j", text.encode("utf-8", "surrogatepass")
    if compress_over is not None and len(body) > compress_over:
        from zlib import compress

        form, body = b"z", compress(body)
    return _head(form, body) + body


def _head(form: bytes, body: bytes) -> bytes:
    from binascii import crc32

    return b"%b %b %08x " % (VERSION, form, crc32(body))


_HEAD_BYTES = len(VERSION) + 12


def decode_entry(data: bytes) -> CacheEntry | None:
    """The entry that `encode_entry` wrote; `None` for anything else."""
    head, body = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
    form = next((form for form in (b"j", b"z") if head == _head(form, body)), None)
    if form is None:
        return None
    try:
        text = (_inflated(body) if form == b"z" else body).decode("utf-8", "surrogatepass")
        entry = json.loads(text, object_hook=_value)
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return entry if isinstance(entry, CacheEntry) and isinstance(entry.completion, types.Completion) else None


def _inflated(body: bytes) -> bytes:
    from zlib import decompressobj, error

    try:
        return decompressobj().decompress(body, _MOST_BYTES)
    except error as reason:
        raise ValueError(str(reason)) from reason


def _plain(value: Any) -> Any:
    """A value as what JSON can say, and `_value` takes back."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Value):
        return _object(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, tuple):
        return {"$t": [_plain(item) for item in value]}
    if isinstance(value, (bytes, bytearray, memoryview)):
        from binascii import b2a_base64

        return {"$b": b2a_base64(value, newline=False).decode("ascii")}
    if hasattr(value, "items"):
        return _mapping(value)
    raise TypeError(f"a {type(value).__name__} is no JSON")


def _object(value: Value) -> dict[str, Any]:
    """A value by its name and what differs from its defaults; a tuple in a field needs no mark."""
    name = type(value).__name__
    if _TYPES.get(name) is not type(value):
        raise TypeError(f"a {name} is no part of an answer")
    plain: dict[str, Any] = {"$": name}
    for field in value._fields:
        content = getattr(value, field)
        if content is not value._defaults.get(field, value):
            plain[field] = [_plain(item) for item in content] if type(content) is tuple else _plain(content)
    return plain


def _mapping(value: Any) -> Any:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: _plain(item) for key, item in value.items()}
    return {"$d": [[_plain(key), _plain(item)] for key, item in value.items()]}


def _value(plain: dict[str, Any]) -> Any:
    """What `_plain` made an object of."""
    if "$" in plain:
        kind = _TYPES[plain.pop("$")]
        return kind(**{name: tuple(item) if type(item) is list else item for name, item in plain.items()})
    if len(plain) != 1:
        return plain
    mark, content = next(iter(plain.items()))
    read = _MARKED.get(mark)
    return plain if read is None else read(content)


def _bytes(text: str) -> bytes:
    from binascii import a2b_base64

    return a2b_base64(text)


_MARKED: dict[str, Any] = {"$t": tuple, "$d": dict, "$b": _bytes}
