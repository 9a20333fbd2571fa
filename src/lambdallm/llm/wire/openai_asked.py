"""A client's JSON, read field by field: values of the expected kind, or OpenAI's words for what is wrong and where.

Source: error messages of OpenAI's API; a value is quoted besides.
"""

from __future__ import annotations

import binascii
import json

from ..errors import InvalidRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_SHOWN = 80
_URL_SAFE = str.maketrans("-_", "+/", " \n\r\t")


def _is_whole(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "string": ("a string", lambda value: isinstance(value, str)),
    "integer": ("an integer", _is_whole),
    "number": ("a decimal", lambda value: type(value) in (int, float)),
    "boolean": ("a boolean", lambda value: isinstance(value, bool)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "array": ("an array", lambda value: isinstance(value, list)),
}


def invalid(message: str, param: str | None, code: str | None = None) -> InvalidRequestError:
    """The error for a request that a client must change."""
    return InvalidRequestError(message, param=param, code=code, type="invalid_request_error")


def wrong_kind(value: Any, expected: str, where: str) -> InvalidRequestError:
    """The error for a value of another kind than expected."""
    message = f"Invalid type for {where!r}: expected {expected}, but got {shown(value)} instead."
    return invalid(message, where, "invalid_type")


def wrong_value(value: Any, known: tuple[str, ...], where: str) -> InvalidRequestError:
    """The error for a word that is none of those known."""
    words = ", ".join(repr(word) for word in known)
    return invalid(f"Invalid value: {shown(value)}. Supported values are: {words}.", where, "invalid_value")


def missing(where: str) -> InvalidRequestError:
    """The error for a field that must be there."""
    return invalid(f"Missing required parameter: {where!r}.", where, "missing_required_parameter")


def parsed(body: bytes) -> dict[str, Any]:
    """The body's object. Raises `InvalidRequestError` for what is none."""
    try:
        value = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as reason:
        raise invalid(f"We could not parse the JSON body of your request: {str(reason)[:_SHOWN]}.", None) from None
    if not isinstance(value, dict):
        raise invalid(f"The body of a request is a JSON object, but got {shown(value)} instead.", None)
    return value


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON value")


def take(record: dict[str, Any], key: str, kind: str, where: str = "") -> Any:
    """A field's value, checked; `None` where it is absent or null."""
    value = record.get(key)
    if value is None:
        return None
    expected, fits = _KINDS[kind]
    if not fits(value):
        raise wrong_kind(value, expected, path(where, key))
    return int(value) if kind == "integer" else value


def need(record: dict[str, Any], key: str, kind: str, where: str = "") -> Any:
    """A field's value, checked, where it must be there."""
    value = take(record, key, kind, where)
    if value is None:
        raise missing(path(where, key))
    return value


def items(record: dict[str, Any], key: str, where: str = "") -> list[tuple[dict[str, Any], str]]:
    """The objects of an array, each with its path; nothing where the field is absent."""
    found = [
        (item, f"{path(where, key)}[{place}]") for place, item in enumerate(take(record, key, "array", where) or ())
    ]
    for item, place in found:
        if not isinstance(item, dict):
            raise wrong_kind(item, "an object", place)
    return found


def path(where: str, key: str) -> str:
    """The path to a field."""
    return f"{where}.{key}" if where else key


def shown(value: Any) -> str:
    """A value as an error quotes it."""
    try:
        text = repr(value)
    except RecursionError:
        text = type(value).__name__
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def from_base64(text: str, where: str) -> bytes:
    """The bytes that base64 tells, in either alphabet, with or without padding and line ends."""
    try:
        digits = text.translate(_URL_SAFE).rstrip("=").encode("ascii")
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4), strict_mode=True)
    except ValueError:
        raise invalid(f"Invalid base64 in {where!r}: {shown(text)}.", where, "invalid_value") from None


def from_data_uri(uri: str, where: str) -> tuple[bytes | None, str | None]:
    """Bytes and media type of a base64 `data:` URI (RFC 2397); of any other, `None` twice: it stays a URL."""
    head, comma, data = uri.partition(",")
    if not comma or head[:5].lower() != "data:" or not head.endswith(";base64"):
        return None, None
    return from_base64(data, where), head[5:-7].partition(";")[0] or None
