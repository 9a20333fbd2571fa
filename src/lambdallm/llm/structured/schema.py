"""From the shorthand people write to JSON Schema: `{"sentiment": str, "score": float, "tags": [str]}`.

A name may end in `?` to be optional. A value is a type, its name, a nested object, a list of one kind, a tuple or list
of the words allowed, or a JSON Schema of its own (a mapping whose `type` names a JSON type, or with `enum`, `anyOf`,
`$ref`).
"""

from __future__ import annotations

from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_TYPES: dict[object, dict[str, Any]] = {
    str: {"type": "string"}, int: {"type": "integer"}, float: {"type": "number"}, bool: {"type": "boolean"},
    list: {"type": "array"}, dict: {"type": "object"}, type(None): {"type": "null"}, object: {},
}  # fmt: skip
_NAMES = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "list": list,
    "dict": dict,
    "None": type(None),
    "any": object,
}
_JSON_TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
_SCHEMA_WORDS = ("$schema", "$ref", "anyOf", "allOf", "oneOf", "enum", "const", "properties")


def json_schema(shape: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON Schema that a shape means; one that is JSON Schema already comes back as it is.

    Raises `ConfigurationError` naming the field and what may stand there.
    """
    if _is_schema(shape):
        return dict(shape)
    properties = {name.removesuffix("?"): _kind(kind, name) for name, kind in shape.items()}
    required = [name for name in shape if not name.endswith("?")]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def type_name(kind: object) -> object:
    """A shape with types as their names, fit for JSON and YAML. `types_in` goes back."""
    if isinstance(kind, dict):
        return {name: type_name(value) for name, value in kind.items()}
    if isinstance(kind, (list, tuple)):
        return [type_name(value) for value in kind]
    return next((name for name, known in _NAMES.items() if known is kind), kind)


def _is_schema(shape: Mapping[str, Any]) -> bool:
    kind = shape.get("type")
    named = isinstance(kind, str) and (kind in _JSON_TYPES) and len(shape) > 1
    return named or any(word in shape and not isinstance(shape[word], type) for word in _SCHEMA_WORDS)


def _kind(kind: Any, where: str) -> dict[str, Any]:
    if isinstance(kind, dict):
        only_type = set(kind) == {"type"} and kind["type"] in _JSON_TYPES
        return dict(kind) if only_type else json_schema(kind)
    if isinstance(kind, (list, tuple)):
        return _listed(kind, where)
    if isinstance(kind, str):
        if kind in _JSON_TYPES:
            return {"type": kind}
        kind = _NAMES.get(kind, kind)
    if isinstance(kind, type) and kind in _TYPES:
        return dict(_TYPES[kind])
    if args := getattr(kind, "__args__", None):
        return _generic(kind, args, where)
    members = getattr(kind, "__members__", None)
    if members:
        return {"enum": [member.value for member in members.values()]}
    known = ", ".join(_NAMES)
    raise ConfigurationError(
        f"Field {where!r} of the schema is {kind!r}.", fix=f"Use one of {known}, a list or an object."
    )


def _listed(kind: Any, where: str) -> dict[str, Any]:
    """`[str]` is a list of strings; `["low", "high"]` is one of two words."""
    if len(kind) == 1 and not (isinstance(kind[0], str) and kind[0] not in _NAMES and kind[0] not in _JSON_TYPES):
        return {"type": "array", "items": _kind(kind[0], where)}
    return {"enum": list(kind)}


def _generic(kind: Any, args: tuple[Any, ...], where: str) -> dict[str, Any]:
    """`list[str]`, `dict[str, int]`, `str | None`, `Literal["a", "b"]`."""
    origin = getattr(kind, "__origin__", None)
    if origin is list:
        return {"type": "array", "items": _kind(args[0], where)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _kind(args[1], where)}
    if "Literal" in str(origin):
        return {"enum": list(args)}
    return {"anyOf": [_kind(arg, where) for arg in args]}
