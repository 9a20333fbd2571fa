"""Whether values are of their variables' types: `misfit` finds the place where one is not.

Values are Python's own: a variable of type `User` takes a `User`, an enum a member or its value. One that is described
by a shorthand or a JSON Schema takes whatever JSON would say that way.
"""

from __future__ import annotations

from ...llm.structured.type_kinds import bare, enum_values, fields_of, kind_of
from .type_names import schema_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Misfit = tuple[str, str]
    """The place inside the value (`[1].name`, or ""), and what is wrong there (`is 3`)."""


def misfit(value: Any, kind: Any) -> Misfit | None:
    """What keeps a value from being of a type; `None` where nothing does.

    A whole number is a `float` too; `True` is no number.
    """
    if isinstance(kind, (dict, list)):
        return _against_schema(value, schema_of(kind, ""))
    inner, notes = bare(kind)
    found = None
    if not _is_instance(value, inner):
        word, details = kind_of(inner)
        found = _CHECKS.get(word, _instance)(value, details, inner)
    return found or (_against_schema(value, notes) if notes else None)


def _is_instance(value: Any, kind: Any) -> bool:
    """Whether it is plainly an instance. Typed dictionaries and types with parameters can't be asked."""
    if kind is object or (type(value) is bool and kind is not bool):
        return kind is object
    return isinstance(kind, type) and not hasattr(kind, "__required_keys__") and _asked(value, kind)


def _asked(value: Any, kind: type) -> bool:
    try:
        return isinstance(value, kind)
    except TypeError:
        return False


def _wrong(value: Any, *_: Any) -> Misfit:
    return "", f"is {shown(value)}"


def shown(value: Any) -> str:
    """A value as errors quote it: its type where it is long."""
    text = repr(value)
    return text if len(text) < 80 else f"of type {type(value).__name__}"


def _instance(value: Any, details: Any, kind: Any) -> Misfit | None:
    return None if _asked(value, getattr(kind, "__origin__", kind)) else _wrong(value)


def _float(value: Any, *_: Any) -> Misfit | None:
    return None if isinstance(value, (int, float)) and not isinstance(value, bool) else _wrong(value)


def _union(value: Any, members: tuple[Any, ...], _kind: Any) -> Misfit | None:
    tries = [misfit(value, member) for member in members]
    if None in tries:
        return None
    inside = [found for found in tries if found and found[0]]
    return inside[0] if inside else _wrong(value)


def _one_of(value: Any, words: Iterable[Any], _kind: Any) -> Misfit | None:
    fits = any(word == value and isinstance(word, bool) == isinstance(value, bool) for word in words)
    return None if fits else _wrong(value)


def _member(value: Any, cls: Any, kind: Any) -> Misfit | None:
    """A member, or the value of one."""
    return _one_of(value, enum_values(cls), kind)


def _items(classes: Any) -> Callable[[Any, Any, Any], Misfit | None]:
    def check(value: Any, item: Any, _kind: Any) -> Misfit | None:
        if not isinstance(value, classes):
            return _wrong(value)
        return _first((f"[{at}]", one, item) for at, one in enumerate(value))

    return check


def _tuple(value: Any, items: tuple[Any, ...], _kind: Any) -> Misfit | None:
    if not isinstance(value, tuple) or len(value) != len(items):
        return _wrong(value)
    return _first((f"[{at}]", each, item) for at, (each, item) in enumerate(zip(value, items, strict=True)))


def _mapping(value: Any, kinds: tuple[Any, Any], _kind: Any) -> Misfit | None:
    if not hasattr(type(value), "keys"):
        return _wrong(value)
    keys = _first(("", key, kinds[0]) for key in value)
    return keys or _first((f"[{key!r}]", value[key], kinds[1]) for key in value)


def _with_fields(value: Any, cls: Any, kind: Any) -> Misfit | None:
    """An instance of a class; a mapping with the fields of a typed dictionary."""
    if not hasattr(getattr(cls, "__origin__", cls), "__required_keys__"):
        return _instance(value, cls, kind)
    if not hasattr(type(value), "keys"):
        return _wrong(value)
    fields = {field.name: field for field in fields_of(cls)}
    for name in value:
        if name not in fields:
            return f".{name}", "is no field of the type"
    for field in fields.values():
        if field.required and field.name not in value:
            return f".{field.name}", "is missing"
    return _first((f".{name}", value[name], fields[name].hint) for name in value)


def _first(each: Iterable[tuple[str, Any, Any]]) -> Misfit | None:
    for place, value, kind in each:
        if (found := misfit(value, kind)) is not None:
            return place + found[0], found[1]
    return None


_CHECKS: dict[str, Callable[[Any, Any, Any], Misfit | None]] = {
    "float": _float, "union": _union, "literal": _one_of, "enum": _member, "flags": _wrong, "tuple": _tuple,
    "list": _items((list,)), "sequence": _items((list, tuple, set, frozenset)), "set": _items((set, frozenset)),
    "frozenset": _items((set, frozenset)), "variadic": _items((tuple,)), "dict": _mapping, "class": _with_fields,
    "str": _wrong, "int": _wrong, "bool": _wrong, "null": _wrong, "any": lambda *_: None,
}  # fmt: skip


def _against_schema(value: Any, schema: Any) -> Misfit | None:
    from ...llm.structured.validate import problems
    from .values import as_json

    try:
        wrong = problems(as_json(value), schema)
    except (TypeError, ValueError, RecursionError):
        return _wrong(value)
    place, _, problem = wrong[0].partition(": ") if wrong else ("", "", "")
    return (place.removeprefix("$"), f"does not fit: {problem}") if wrong else None
