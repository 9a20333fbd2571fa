"""DynamoDB's typed attribute values and the Python values they stand for. Pure.

    str ↔ S    int, float ↔ N    bytes ↔ B    bool ↔ BOOL    None ↔ NULL    list, tuple ↔ L    dict ↔ M

Sets are read as lists. Numbers come back as `int` where they are whole, else as `float`.
Source: "AttributeValue" in the Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def encode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item, or the values of an expression, as DynamoDB's JSON. Raises `TypeError` for what it can't hold."""
    return {name: encode(value) for name, value in item.items()}


def decode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of DynamoDB's JSON as plain values."""
    return {name: decode(value) for name, value in item.items()}


def encode(value: Any) -> dict[str, Any]:
    """One value with its type."""
    for kind, write in _WRITE:
        if isinstance(value, kind):
            return write(value)
    raise TypeError(f"DynamoDB can't hold {value!r}.")


def decode(typed: Mapping[str, Any]) -> Any:
    """The value of a type that is known here; of another one, the JSON as it came."""
    ((kind, value),) = typed.items()
    return _READ[kind](value) if kind in _READ else value


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() and abs(number) < 2**53 else number


_WRITE: tuple[tuple[Any, Callable[[Any], dict[str, Any]]], ...] = (
    (str, lambda value: {"S": value}),
    (bool, lambda value: {"BOOL": value}),
    ((int, float), lambda value: {"N": repr(value)}),
    ((bytes, bytearray, memoryview), lambda value: {"B": b2a_base64(value, newline=False).decode()}),
    (type(None), lambda _: {"NULL": True}),
    (dict, lambda value: {"M": encode_item(value)}),
    ((list, tuple), lambda value: {"L": [encode(one) for one in value]}),
)

_READ: dict[str, Callable[[Any], Any]] = {
    "N": _number,
    "B": a2b_base64,
    "NULL": lambda _: None,
    "M": decode_item,
    "L": lambda values: [decode(one) for one in values],
    "NS": lambda texts: [_number(text) for text in texts],
    "BS": lambda texts: [a2b_base64(text) for text in texts],
}
