"""Check a value against a JSON Schema, every problem with its path: `$.items[2].price: expected number, got 'free'`.

Knows the words that structured output is written with: type, enum, const, properties, required, additionalProperties,
items, prefixItems, minItems, maxItems, uniqueItems, minLength, maxLength, pattern, minimum, maximum and their exclusive
kin, multipleOf, anyOf, oneOf, allOf, not, and local `$ref`. Other words are read over, as the specification asks.
Source: JSON Schema 2020-12, core and validation.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Schema = Mapping[str, Any] | bool
    Check = Callable[[Any, Any, "Mapping[str, Any]", str, "Any"], Iterator[str]]

MOST_PROBLEMS = 20


def problems(value: Any, schema: Schema) -> list[str]:
    """What is wrong with a value, the first twenty problems; an empty list when nothing is."""
    found: list[str] = []
    try:
        for problem in _check(value, schema, "$", _Root(schema)):
            found.append(problem)
            if len(found) == MOST_PROBLEMS:
                break
    except RecursionError:
        found.append("$: nested too deep to be checked")
    return found


class _Root:
    """The whole schema, and what alternatives were found to make of a value: each place is tried once.

    Without that, alternatives inside alternatives would take twice as long for each level of nesting.
    """

    def __init__(self, schema: Any) -> None:
        self.schema = schema
        self._tried: dict[tuple[int, str], list[str]] = {}

    def tried(self, value: Any, schema: Any, path: str) -> list[str]:
        key = (id(schema), path)
        if key not in self._tried:
            self._tried[key] = list(_check(value, schema, path, self))
        return self._tried[key]


def _check(value: Any, schema: Any, path: str, root: Any) -> Iterator[str]:
    if schema is True or schema == {}:
        return
    if schema is False:
        yield f"{path}: nothing may stand here"
        return
    for word, argument in schema.items():
        check = _CHECKS.get(word)
        if check is not None:
            yield from check(value, argument, schema, path, root)


_PYTHON: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: isinstance(v, str),
    "integer": lambda v: not isinstance(v, bool) and (isinstance(v, int) or (isinstance(v, float) and v.is_integer())),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "boolean": lambda v: isinstance(v, bool),
    "array": lambda v: isinstance(v, list),
    "object": lambda v: isinstance(v, dict),
    "null": lambda v: v is None,
}


def _type(value: Any, kind: Any, _schema: Any, path: str, _root: Any) -> Iterator[str]:
    kinds = [kind] if isinstance(kind, str) else kind
    if not any(_PYTHON.get(k, lambda _: True)(value) for k in kinds):
        yield f"{path}: expected {' or '.join(kinds)}, got {shown(value)}"


def _enum(value: Any, allowed: Any, _schema: Any, path: str, _root: Any) -> Iterator[str]:
    if not any(_same(value, option) for option in allowed):
        yield f"{path}: expected one of {', '.join(map(shown, allowed))}, got {shown(value)}"


def _properties(value: Any, properties: Any, _schema: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, schema in properties.items():
            if name in value:
                yield from _check(value[name], schema, f"{path}.{name}", root)


def _required(value: Any, names: Any, _schema: Any, path: str, _root: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                yield f"{path}.{name}: missing"


def _additional(value: Any, schema: Any, parent: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value.keys() - parent.get("properties", {}).keys():
            if schema is False:
                yield f"{path}.{name}: not a field of the schema"
            else:
                yield from _check(value[name], schema, f"{path}.{name}", root)


def _items(value: Any, schema: Any, parent: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(value, list):
        first = len(parent.get("prefixItems", ()))
        for at, item in enumerate(value[first:], first):
            yield from _check(item, schema, f"{path}[{at}]", root)


def _prefix_items(value: Any, schemas: Any, _schema: Any, path: str, root: Any) -> Iterator[str]:
    if isinstance(value, list):
        for at, (item, schema) in enumerate(zip(value, schemas, strict=False)):
            yield from _check(item, schema, f"{path}[{at}]", root)


def _unique(value: Any, wanted: Any, _schema: Any, path: str, _root: Any) -> Iterator[str]:
    if wanted and isinstance(value, list) and len({*map(_identity, value)}) < len(value):
        yield f"{path}: items repeat"


def _identity(value: Any) -> Any:
    """What two values share if JSON sees them as equal, and only then: 1 is 1.0, and not `True`."""
    if isinstance(value, dict):
        return frozenset((name, _identity(each)) for name, each in value.items())
    if isinstance(value, list):
        return tuple(map(_identity, value))
    return (isinstance(value, bool), value)


def _pattern(value: Any, pattern: Any, _schema: Any, path: str, _root: Any) -> Iterator[str]:
    if isinstance(value, str) and not re.search(pattern, value):
        yield f"{path}: {shown(value)} does not match {pattern!r}"


def _bound(
    kinds: tuple[type, ...], measure: Callable[[Any], Any], holds: Callable[[Any, Any], bool], words: str
) -> Check:
    def check(value: Any, limit: Any, _schema: Any, path: str, _root: Any) -> Iterator[str]:
        if isinstance(value, kinds) and not isinstance(value, bool) and not holds(measure(value), limit):
            yield f"{path}: expected {words} {limit}, got {shown(value)}"

    return check


def _any_of(value: Any, schemas: Any, _schema: Any, path: str, root: Any) -> Iterator[str]:
    tries = [root.tried(value, schema, path) for schema in schemas]
    if all(tries):
        yield f"{path}: {shown(value)} fits none of {len(schemas)} alternatives; the nearest: {min(tries, key=len)[0]}"


def _one_of(value: Any, schemas: Any, _schema: Any, path: str, root: Any) -> Iterator[str]:
    fitting = sum(not root.tried(value, schema, path) for schema in schemas)
    if fitting != 1:
        yield f"{path}: {shown(value)} fits {fitting} of {len(schemas)} alternatives, not one"


def _all_of(value: Any, schemas: Any, _schema: Any, path: str, root: Any) -> Iterator[str]:
    for schema in schemas:
        yield from _check(value, schema, path, root)


def _not(value: Any, schema: Any, _schema: Any, path: str, root: Any) -> Iterator[str]:
    if not root.tried(value, schema, path):
        yield f"{path}: {shown(value)} is excluded"


def _ref(value: Any, reference: Any, _schema: Any, path: str, root: Any) -> Iterator[str]:
    target = root.schema
    for step in str(reference).removeprefix("#").strip("/").split("/"):
        if step:
            target = target.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(target, dict) else {}
    yield from _check(value, target, path, root)


_NUMBER, _TEXT, _LIST = (int, float), (str,), (list,)
_CHECKS: dict[str, Check] = {
    "type": _type, "enum": _enum, "const": lambda v, a, s, p, r: _enum(v, [a], s, p, r),
    "properties": _properties, "required": _required, "additionalProperties": _additional,
    "items": _items, "prefixItems": _prefix_items, "uniqueItems": _unique, "pattern": _pattern,
    "minItems": _bound(_LIST, len, lambda v, a: v >= a, "a length of at least"),
    "maxItems": _bound(_LIST, len, lambda v, a: v <= a, "a length of at most"),
    "minLength": _bound(_TEXT, len, lambda v, a: v >= a, "a length of at least"),
    "maxLength": _bound(_TEXT, len, lambda v, a: v <= a, "a length of at most"),
    "minimum": _bound(_NUMBER, lambda v: v, lambda v, a: v >= a, "at least"),
    "maximum": _bound(_NUMBER, lambda v: v, lambda v, a: v <= a, "at most"),
    "exclusiveMinimum": _bound(_NUMBER, lambda v: v, lambda v, a: v > a, "more than"),
    "exclusiveMaximum": _bound(_NUMBER, lambda v: v, lambda v, a: v < a, "less than"),
    "multipleOf": _bound(_NUMBER, lambda v: v, lambda v, a: abs(v / a - round(v / a)) < 1e-9, "a multiple of"),
    "anyOf": _any_of, "oneOf": _one_of, "allOf": _all_of, "not": _not, "$ref": _ref,
}  # fmt: skip


def _same(one: Any, other: Any) -> bool:
    return bool(_identity(one) == _identity(other))


def shown(value: Any) -> str:
    """A value as problems quote it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
