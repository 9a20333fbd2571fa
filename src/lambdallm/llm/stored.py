"""Our values in bytes, for whatever is kept: JSON, with a version and a checksum before it.

    v1 j 1c291ca3 {"$":"ChatMessage","role":"user","content":"Hi"}

`j` is JSON, `z` the same compressed by zlib. An object with `$` is a value of the type it names, from a closed table;
`$b` is bytes in base64, `$t` a tuple and `$l` a list where the other is expected, `$d` a mapping as pairs where keys
are not plain text. What another version wrote, or what is damaged in any byte, reads as `None`. Nothing is executed.
"""

from __future__ import annotations

import json

from .._value import Value
from . import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_MOST_BYTES = 256 * 2**20
"""More than this does not come out of compressed bytes, whatever they say."""

_NAMES = (
    "TextPart", "RefusalPart", "ImagePart", "AudioPart", "DocumentPart", "ReasoningPart", "ToolCall", "ToolResult",
    "ProviderPart", "ChatMessage", "Usage", "Choice", "Completion", "ToolCallDelta", "StreamChunk",
)  # fmt: skip
MESSAGE_TYPES: Mapping[str, type[Value]] = {name: getattr(types, name) for name in _NAMES}
"""What conversations and answers are made of."""


class StoredForm:
    """How values of some types are written. `version` goes up whenever what was written can't be read any more."""

    def __init__(self, version: bytes, further: Mapping[str, type[Value]]) -> None:
        self._version = version
        self._types = {**MESSAGE_TYPES, **further}

    def encode(self, value: object, *, compress_over: int | None = None) -> bytes:
        """A value as bytes, compressed where its JSON has more than `compress_over` of them.

        Raises `TypeError`, `ValueError` or `RecursionError` for what is no JSON.
        """
        text = json.dumps(self._plain(value), ensure_ascii=False, separators=(",", ":"))
        form, body = b"j", text.encode("utf-8", "surrogatepass")
        if compress_over is not None and len(body) > compress_over:
            from zlib import compress

            form, body = b"z", compress(body)
        return self._head(form, body) + body

    def decode(self, data: bytes) -> Any:
        """What `encode` wrote; `None` for anything else."""
        size = len(self._version) + 12
        head, body = data[:size], data[size:]
        form = next((form for form in (b"j", b"z") if head == self._head(form, body)), None)
        if form is None:
            return None
        try:
            text = (_inflated(body) if form == b"z" else body).decode("utf-8", "surrogatepass")
            return json.loads(text, object_hook=self._value)
        except (ValueError, TypeError, KeyError, RecursionError):
            return None

    def _head(self, form: bytes, body: bytes) -> bytes:
        from binascii import crc32

        return b"%b %b %08x " % (self._version, form, crc32(body))

    def _plain(self, value: Any) -> Any:
        """A value as what JSON can say, and `_value` takes back."""
        if value is None or isinstance(value, (str, int, float)):
            return value
        if isinstance(value, Value):
            return self._object(value)
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        if isinstance(value, tuple):
            return {"$t": [self._plain(item) for item in value]}
        if isinstance(value, (bytes, bytearray, memoryview)):
            from binascii import b2a_base64

            return {"$b": b2a_base64(value, newline=False).decode("ascii")}
        if hasattr(value, "items"):
            return self._mapping(value)
        raise TypeError(f"a {type(value).__name__} is no JSON")

    def _object(self, value: Value) -> dict[str, Any]:
        """A value by its name and what differs from its defaults; a tuple in a field needs no mark."""
        name = type(value).__name__
        if self._types.get(name) is not type(value):
            raise TypeError(f"a {name} is nothing that is stored here")
        plain: dict[str, Any] = {"$": name}
        for field in value._fields:
            content = getattr(value, field)
            if content is not value._defaults.get(field, value):
                plain[field] = self._field(content)
        return plain

    def _field(self, content: Any) -> Any:
        if type(content) is tuple:
            return [self._plain(item) for item in content]
        plain = self._plain(content)
        return {"$l": plain} if type(plain) is list else plain

    def _mapping(self, value: Any) -> Any:
        if all(type(key) is str and not key.startswith("$") for key in value):
            return {key: self._plain(item) for key, item in value.items()}
        return {"$d": [[self._plain(key), self._plain(item)] for key, item in value.items()]}

    def _value(self, plain: dict[str, Any]) -> Any:
        """What `_plain` made an object of."""
        if "$" in plain:
            kind = self._types[plain.pop("$")]
            return kind(**{name: tuple(item) if type(item) is list else _listed(item) for name, item in plain.items()})
        if len(plain) != 1:
            return plain
        mark, content = next(iter(plain.items()))
        read = _MARKED.get(mark)
        return plain if read is None else read(content)


class _Listed:
    """A list that a field holds, until the field's owner is read."""

    __slots__ = ("items",)

    def __init__(self, items: list[Any]) -> None:
        self.items = items


def _listed(item: Any) -> Any:
    return item.items if type(item) is _Listed else item


def _inflated(body: bytes) -> bytes:
    from zlib import decompressobj, error

    try:
        return decompressobj().decompress(body, _MOST_BYTES)
    except error as reason:
        raise ValueError(str(reason)) from reason


def _bytes(text: str) -> bytes:
    from binascii import a2b_base64

    return a2b_base64(text)


_MARKED: dict[str, Any] = {"$t": tuple, "$l": _Listed, "$d": dict, "$b": _bytes}
