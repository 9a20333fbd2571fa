"""JSON Schema and the subset of OpenAPI 3.0 that Gemini's `Schema` is, one as the other.

Source: Gemini API reference, `Schema`; "Structured outputs"; OpenAPI 3.0.3, "Schema Object".
"""

from __future__ import annotations

from ...errors import UnsupportedParameterError
from .fields import camel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_KEPT = frozenset(
    ("type", "format", "title", "description", "nullable", "enum", "items", "maxItems", "minItems", "properties",
     "required", "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example", "anyOf",
     "propertyOrdering", "default", "minimum", "maximum")
)  # fmt: skip
"""The keywords that both AI Studio and Vertex know."""

_NAMED = ("properties", "defs", "$defs", "definitions", "patternProperties")
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not")
_COUNTS = ("maxItems", "minItems", "minProperties", "maxProperties", "minLength", "maxLength")
_UNSEEN = ("$schema", "$id", "$comment", "$defs", "definitions", "examples", "$anchor")
"""Keywords that change no answer: left out without a word."""

_DEEPEST = 64
_MOST = 10_000
"""Schemas in one schema, references put in place: a few that refer to one another twice each would be billions."""


def from_openapi(schema: Any) -> Any:
    """A `Schema` as JSON Schema: types in small letters, `nullable` as a type. Names of properties stay."""
    if not isinstance(schema, dict):
        return schema
    said = {camel(key): value for key, value in schema.items()}
    for key, value in said.items():
        if key in _NAMED and isinstance(value, dict):
            said[key] = {name: from_openapi(inner) for name, inner in value.items()}
        elif key in _LISTED and isinstance(value, list):
            said[key] = [from_openapi(inner) for inner in value]
        elif key in _SINGLE:
            said[key] = from_openapi(value)
        elif key in _COUNTS and isinstance(value, str) and value.isdecimal():
            said[key] = int(value)
    if isinstance(kind := said.get("type"), str):
        said["type"] = kind.lower()
    return _with_null(said) if said.pop("nullable", None) else said


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema.get("anyOf"), list):
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema | {"type": [schema["type"], "null"]} if "type" in schema else schema


def to_openapi(schema: Mapping[str, Any], where: str, warnings: list[str]) -> dict[str, Any]:
    """JSON Schema as a `Schema`: references put in place, a warning for each keyword it has no word for.

    Raises `UnsupportedParameterError` for a schema that refers to itself, which only JSON Schema can say.
    """
    writer = _Writer(schema, where, warnings)
    try:
        return writer.write(schema, 0)
    except RecursionError:
        raise writer.endless() from None


class _Writer:
    def __init__(self, root: Mapping[str, Any], where: str, warnings: list[str]) -> None:
        self._root, self._where, self._warnings = root, where, warnings
        self._written = 0

    def endless(self) -> UnsupportedParameterError:
        """The error for a schema that has no end."""
        return UnsupportedParameterError(
            f"{self._where} can't be sent: it refers to itself, or is nested too deep.", param=self._where
        )

    def write(self, schema: Any, depth: int) -> dict[str, Any]:
        """A schema and those inside it."""
        if depth > _DEEPEST:
            raise self.endless()
        said = self._plain(dict(schema) if hasattr(schema, "keys") else {})
        written: dict[str, Any] = {}
        for key, value in said.items():
            if key == "properties" and hasattr(value, "items"):
                written[key] = {name: self.write(inner, depth + 1) for name, inner in value.items()}
            elif key == "anyOf" and isinstance(value, (list, tuple)):
                written[key] = [self.write(inner, depth + 1) for inner in value]
            elif key == "items":
                written[key] = self.write(value, depth + 1)
            elif key in _KEPT:
                written[key] = value.upper() if key == "type" and isinstance(value, str) else value
            elif key not in _UNSEEN:
                self._left_out(key)
        return written

    def _plain(self, schema: dict[str, Any]) -> dict[str, Any]:
        """The same schema in the keywords there are."""
        self._written += 1
        if self._written > _MOST:
            raise self.endless()
        for _ in range(_DEEPEST):
            if not isinstance(reference := schema.pop("$ref", None), str):
                break
            schema = self._referred(reference) | schema
        else:
            raise self.endless()
        if "const" in schema:
            schema["enum"] = [schema.pop("const")]
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        for part in schema.pop("allOf", ()):
            schema = self._plain(dict(part)) | schema
        if any(not isinstance(value, str) for value in schema.get("enum", ())):
            self._left_out("enum")
            del schema["enum"]
        return _nullable(schema)

    def _referred(self, reference: str) -> dict[str, Any]:
        found: Any = self._root
        for step in filter(None, reference.removeprefix("#").split("/")):
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if hasattr(found, "get") else None
        if not hasattr(found, "keys"):
            raise UnsupportedParameterError(
                f"{self._where} can't be sent: {reference!r} refers to nothing in it.", param=self._where
            )
        return dict(found)

    def _left_out(self, keyword: str) -> None:
        warning = f"{keyword!r} of {self._where} left out: the model's schemas have no such keyword"
        if warning not in self._warnings:
            self._warnings.append(warning)


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """`null` among the types as `nullable`."""
    kind = schema.get("type")
    if isinstance(kind, (list, tuple)):
        types = [one for one in kind if one != "null"]
        one = {"type": types[0]} if len(types) == 1 else {"anyOf": [{"type": name} for name in types]}
        rest = {key: value for key, value in schema.items() if key != "type"}
        return rest | one | ({"nullable": True} if len(types) < len(kind) else {})
    return schema
