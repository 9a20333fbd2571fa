"""Reading a client's JSON: each value at its place, or an error that names the place and quotes what is there."""

from __future__ import annotations

from ...errors import InvalidRequestError
from .fields import camelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHOWN = 80
_DIGITS = 20


def malformed(where: str, value: Any, wanted: str) -> InvalidRequestError:
    """The error for a value of the wrong kind."""
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"
    return InvalidRequestError(f"Invalid value at {where!r}: {shown} is not {wanted}.", fix="Correct it.", param=where)


def mapping(value: Any, where: str) -> dict[str, Any]:
    """An object whose names are somebody's own; null is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise malformed(where, value, "an object")
    return value


def record(value: Any, where: str) -> dict[str, Any]:
    """An object, its names in the API's spelling; null is an empty one."""
    return camelled(mapping(value, where))


def listed(value: Any, where: str) -> list[Any]:
    """A list; the API reads an object as a list of it, and null as an empty one."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise malformed(where, value, "a list")
    return value


def text(value: Any, where: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise malformed(where, value, "a string")
    return value


def number(value: Any, where: str) -> float:
    """A number."""
    if type(value) not in (int, float):
        raise malformed(where, value, "a number")
    return value  # type: ignore[no-any-return]  # int or float


def whole_number(value: Any, where: str) -> int:
    """An integer, also as `40.0` or `"40"`: protobuf's JSON reads all three."""
    if isinstance(value, str) and len(value) < _DIGITS and value.isascii() and value.removeprefix("-").isdecimal():
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise malformed(where, value, "an integer")
    return value


def flag(value: Any, where: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise malformed(where, value, "a boolean")
    return value
