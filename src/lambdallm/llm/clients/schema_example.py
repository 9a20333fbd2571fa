"""The smallest value a JSON Schema allows: what the echo provider answers when a structure is asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Schema = dict[str, Any]

_DEEPEST = 32
"""A schema that refers to itself in a required property has no finite value; this ends the search."""


def example(schema: Any) -> Any:
    """A minimal value that satisfies `schema`; `$ref` is followed inside the schema only.

    Knows `const`, `enum`, `type`, `properties` and `required`, `minItems` and `prefixItems`, `minLength`,
    `format`, bounds and `multipleOf` of numbers, `anyOf`, `oneOf`, `allOf`. Raises `ValueError` for a reference that
    leads nowhere or never ends. A `pattern` is not looked at.
    """
    return _example(schema, schema, 0)


def _example(schema: Any, root: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise ValueError("The schema requires itself without end.")
    if not isinstance(schema, dict):
        return None
    schema = _flat(schema, root, depth)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    return _BY_TYPE.get(_type(schema), _null)(schema, root, depth)


def _flat(schema: Schema, root: Any, depth: int) -> Schema:
    """The schema with its reference followed, and its alternatives and conjunctions merged in."""
    if depth > _DEEPEST:
        raise ValueError("The schema refers to itself without end.")
    merged = {name: value for name, value in schema.items() if name not in ("$ref", "anyOf", "oneOf", "allOf")}
    parts = [_resolved(schema["$ref"], root)] if "$ref" in schema else []
    parts += [min(schema[name], key=_refers) for name in ("anyOf", "oneOf") if schema.get(name)]
    for part in parts + list(schema.get("allOf", ())):
        if isinstance(part, dict):
            merged = _merged(merged, _flat(part, root, depth + 1))
    return merged


def _refers(schema: Any) -> bool:
    """Alternatives without a reference come first: a value that refers to its own kind ends there."""
    return isinstance(schema, dict) and "$ref" in schema


def _merged(one: Schema, other: Schema) -> Schema:
    both = other | one
    if "properties" in one and "properties" in other:
        both["properties"] = other["properties"] | one["properties"]
    if "required" in one and "required" in other:
        both["required"] = [*one["required"], *(n for n in other["required"] if n not in one["required"])]
    return both


def _resolved(reference: Any, root: Any) -> Any:
    """What a local reference (`#/$defs/Name`) points at."""
    found = root
    if not isinstance(reference, str) or not reference.startswith("#"):
        raise ValueError(f"The reference {reference!r} leaves the schema.")
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or name not in found:
            raise ValueError(f"The reference {reference!r} leads nowhere.")
        found = found[name]
    return found


def _type(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return str(kind[0]) if kind else "null"
    if kind is not None:
        return str(kind)
    return next((name for word, name in _IMPLIED if word in schema), "null")


_IMPLIED = (
    ("properties", "object"), ("required", "object"), ("items", "array"), ("prefixItems", "array"),
    ("minItems", "array"), ("minLength", "string"), ("pattern", "string"), ("minimum", "number"),
    ("exclusiveMinimum", "number"), ("maximum", "number"), ("exclusiveMaximum", "number"),
)  # fmt: skip


def _object(schema: Schema, root: Any, depth: int) -> Any:
    properties = schema.get("properties", {})
    return {name: _example(properties.get(name, True), root, depth + 1) for name in schema.get("required", ())}


def _array(schema: Schema, root: Any, depth: int) -> Any:
    prefix = schema.get("prefixItems", [])
    kinds = [prefix[i] if i < len(prefix) else schema.get("items", True) for i in range(schema.get("minItems", 0))]
    return [_example(kind, root, depth + 1) for kind in kinds]


def _string(schema: Schema, _root: Any, _depth: int) -> Any:
    text: str = _FORMATS.get(schema.get("format", ""), "")
    return text.ljust(schema.get("minLength", 0), "x")


_FORMATS = {
    "date": "1970-01-01", "time": "00:00:00Z", "date-time": "1970-01-01T00:00:00Z", "duration": "PT0S",
    "email": "a@example.com", "uri": "https://example.com", "hostname": "example.com", "ipv4": "127.0.0.1",
    "ipv6": "::1", "uuid": "00000000-0000-0000-0000-000000000000",
}  # fmt: skip


def _integer(schema: Schema, _root: Any, _depth: int) -> Any:
    return _number({"multipleOf": 1} | schema, _root, _depth)


def _number(schema: Schema, _root: Any, _depth: int) -> Any:
    """The first of the likely values that fits: zero, the bounds, what lies next to and between them."""
    step = schema.get("multipleOf", 1)
    low = max((schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema), default=0)
    high = min((schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema), default=low)
    up, down = -(-low // step) * step, high // step * step
    likely = (0, up, up + step, down, down - step, low, high, (low + high) / 2)
    return next((value for value in likely if _fits(value, schema)), 0)


def _fits(value: float, schema: Schema) -> bool:
    return bool(
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and value > schema.get("exclusiveMinimum", value - 1)
        and value < schema.get("exclusiveMaximum", value + 1)
        and value % schema.get("multipleOf", value or 1) == 0
    )


def _boolean(_schema: Schema, _root: Any, _depth: int) -> Any:
    return False


def _null(_schema: Schema, _root: Any, _depth: int) -> Any:
    return None


_BY_TYPE: dict[str, Callable[[Schema, Any, int], Any]] = {
    "object": _object, "array": _array, "string": _string, "integer": _integer, "number": _number, "boolean": _boolean,
}  # fmt: skip
