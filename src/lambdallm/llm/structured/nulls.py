"""`null` for what may be absent: how a model leaves out a property where its schema has to require every one."""

from __future__ import annotations

from .validate import problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_DEFINITIONS = ("$defs", "definitions")


def without_nulls(value: Any, schema: Any, root: Any = None) -> Any:
    """The value without properties that are `null`, though they may be absent and may not be `null`."""
    root = schema if root is None else root
    if not isinstance(value, (dict, list)):
        return value
    schema = _alternative(value, _resolved(schema, root), root)
    if isinstance(value, list):
        return [without_nulls(item, _item(schema, at), root) for at, item in enumerate(value)]
    return {
        name: without_nulls(each, _property(schema, name), root)
        for name, each in value.items()
        if each is not None or not _means_absence(name, schema, root)
    }


def _alternative(value: dict[str, Any] | list[Any], schema: Mapping[str, Any], root: Any) -> Mapping[str, Any]:
    """The schema, or the first of its alternatives that the value may be meant for."""
    alternatives = (_resolved(each, root) for word in ("anyOf", "oneOf") for each in schema.get(word, ()))
    return next((each for each in alternatives if _may_be(value, each)), schema)


def _may_be(value: dict[str, Any] | list[Any], schema: Mapping[str, Any]) -> bool:
    """Whether an alternative is a list, as the value is; or an object with its properties and fixed words."""
    if isinstance(value, list):
        return "items" in schema or "prefixItems" in schema
    known = schema.get("properties", {})
    if schema.get("additionalProperties", False) is False and not value.keys() <= known.keys():
        return False
    fixed = ((name, words) for name in value.keys() & known.keys() if (words := _words(known[name])) is not None)
    is_object = bool(known) or "additionalProperties" in schema
    return is_object and set(schema.get("required", ())) <= value.keys() and all(value[n] in w for n, w in fixed)


def _words(schema: Any) -> Any:
    """The only values that a property may have; `None` where it may have others."""
    if not hasattr(schema, "get"):
        return None
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _item(schema: Mapping[str, Any], at: int) -> Any:
    first = schema.get("prefixItems", ())
    return first[at] if at < len(first) else schema.get("items", {})


def _property(schema: Mapping[str, Any], name: str) -> Any:
    known = schema.get("properties", {})
    return known[name] if name in known else schema.get("additionalProperties", {})


def _means_absence(name: str, schema: Mapping[str, Any], root: Any) -> bool:
    known = schema.get("properties", {})
    return name in known and name not in schema.get("required", ()) and not takes_null(known[name], root)


def takes_null(schema: Any, root: Any) -> bool:
    """Whether a schema allows `null`; its references lead into `root`."""
    schema = _resolved(schema, root)
    return not problems(None, {**schema, **{word: root[word] for word in _DEFINITIONS if word in root}})


def _resolved(schema: Any, root: Any) -> Mapping[str, Any]:
    """The schema that a reference means; one that allows everything where it means none."""
    for _ in range(64):
        if not hasattr(schema, "get"):
            return {}
        if not isinstance(reference := schema.get("$ref"), str):
            found: Mapping[str, Any] = schema
            return found
        schema = root
        for step in filter(None, reference.removeprefix("#").split("/")):
            schema = schema.get(step.replace("~1", "/").replace("~0", "~"), {}) if hasattr(schema, "get") else {}
    return {}
