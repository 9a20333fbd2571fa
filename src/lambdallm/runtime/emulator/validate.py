"""Lambda's checks of a request's members, and the one error that tells all that is wrong. Pure.

Source: botocore's service description (`min`, `max`, `pattern`, `enum` of each shape); the words are AWS's.
"""

from __future__ import annotations

import re

from ..._value import Value
from .service_errors import ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_TYPES: dict[type, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "a boolean",
    dict: "a map",
    list: "a list",
}


class Rule(Value):
    """What a member may be. `least` and `most` bound a number, or the length of a text or a list."""

    kind: type = str
    words: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    pattern: str = ""
    required: bool = False


def check(given: Mapping[str, Any], rules: Mapping[str, Rule]) -> None:
    """Raise `ServiceError`, a ValidationException naming each member that is wrong; other members are not looked at."""
    found = [said for name, rule in rules.items() if (said := _wrong(name, given.get(name), rule))]
    if found:
        plural = "error" if len(found) == 1 else "errors"
        said = f"{len(found)} validation {plural} detected: {'; '.join(found)}"
        raise ServiceError("ValidationException", said)


def _wrong(name: str, value: Any, rule: Rule) -> str:
    member = name[:1].lower() + name[1:]
    if value is None:
        return (
            f"Value null at '{member}' failed to satisfy constraint: Member must not be null" if rule.required else ""
        )
    if not _is(value, rule.kind):
        raise ServiceError("SerializationException", f"The value of {name} is {value!r}. Give {_TYPES[rule.kind]}.")
    constraint = _constraint(value, rule)
    return f"Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}" if constraint else ""


def _is(value: Any, kind: type) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _constraint(value: Any, rule: Rule) -> str:
    """What the value breaks; empty where it is right."""
    if rule.words and value not in rule.words:
        return f"satisfy enum value set: [{', '.join(rule.words)}]"
    sized = isinstance(value, (str, list, dict))
    amount, length = (len(value), "have length ") if sized else (value, "have value ")
    if rule.most is not None and amount > rule.most:
        return f"{length}less than or equal to {rule.most:g}"
    if rule.least is not None and amount < rule.least:
        return f"{length}greater than or equal to {rule.least:g}"
    if rule.pattern and not re.fullmatch(rule.pattern, value):
        return f"satisfy regular expression pattern: {rule.pattern}"
    return ""
