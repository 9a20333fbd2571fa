"""Bytes to an event, and a function's result to bytes, as AWS's own Python client does it.

That one encodes with `simplejson`, whose rules go beyond the standard library's: decimal numbers keep their digits, a
named tuple is an object, bytes in UTF-8 are text. The fast way here is the standard library's; a result that has one of
those takes a slower one.

Source: `awslambdaric` 4.2, `lambda_runtime_marshaller.py`.
"""

from __future__ import annotations

import json
import os

from .errors import RuntimeFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESCAPES = ("AWS_Lambda_python3.8", "AWS_Lambda_python3.9", "AWS_Lambda_python3.10", "AWS_Lambda_python3.11")
"""Managed runtimes in which AWS's client writes every character beyond ASCII as an escape."""


_SCALARS = (str, int, float, bool, type(None))


class _Unusual(Exception):
    """A value that the standard library has no JSON for."""


def decode(body: bytes, content_type: str) -> Any:
    """The event: parsed where it is JSON, the bytes themselves where it is not. Raises `RuntimeFault`."""
    if content_type.partition(";")[0].strip().lower() != "application/json":
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RuntimeFault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def encode(result: Any) -> tuple[bytes, str]:
    """A result as bytes, and their content type. Raises `RuntimeFault` for what has no JSON."""
    if isinstance(result, bytes):
        return result, "application/unknown"
    try:
        return _bytes(result), "application/json"
    except (TypeError, ValueError, RecursionError) as error:
        raise RuntimeFault("Runtime.MarshalError", f"Unable to marshal response: {error}") from error


def _bytes(result: Any) -> bytes:
    if os.environ.get("AWS_EXECUTION_ENV") not in _ESCAPES:
        try:
            return _text(result, escapes=False).encode()
        except UnicodeEncodeError:
            pass  # half a character, as a stream may end with; an escape can carry it
    return _text(result, escapes=True).encode()


def _text(result: Any, escapes: bool) -> str:
    try:
        text = json.dumps(result, ensure_ascii=escapes, default=_unusual)
        if not _has_named_tuple(result):
            return text
    except (_Unusual, TypeError):  # a TypeError is a key's
        pass
    return "".join(_Writer(escapes).pieces(result))


def _unusual(value: Any) -> Any:
    raise _Unusual


def _has_named_tuple(value: Any) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return False
    elif hasattr(value, "_asdict"):
        return True
    return any(_has_named_tuple(each) for each in value if type(each) not in _SCALARS)


class _Writer:
    """Writes what the standard library's encoder has no words for; an error says the same as that one's."""

    def __init__(self, escapes: bool) -> None:
        self._escapes = escapes

    def pieces(self, value: Any) -> list[str]:
        """The JSON of a value, in pieces."""
        if hasattr(value, "_asdict") and isinstance(value, tuple):
            value = value._asdict()  # type: ignore[attr-defined]  # it has one, by the line above
        if isinstance(value, dict):
            return self._within(value, "{", "}", [[self._key(k), ": ", *self.pieces(v)] for k, v in value.items()])
        if isinstance(value, (list, tuple)):
            return self._within(value, "[", "]", [self.pieces(item) for item in value])
        return [self._single(value)]

    def _within(self, value: Any, start: str, end: str, parts: list[list[str]]) -> list[str]:
        pieces = [start]
        for position, part in enumerate(parts):
            pieces += [", ", *part] if position else part
        return [*pieces, end]

    def _single(self, value: Any) -> str:
        if isinstance(value, bytes):
            value = value.decode()
        elif hasattr(value, "is_nan") and hasattr(value, "as_tuple"):  # a decimal, without importing its module
            return "NaN" if value.is_nan() else str(value)
        return json.dumps(value, ensure_ascii=self._escapes)

    def _key(self, key: Any) -> str:
        if isinstance(key, bytes):
            key = key.decode()
        text: str = json.dumps({key: 0}, ensure_ascii=self._escapes)
        return text[1 : -len(": 0}")]
