"""JSON Schema of Python's types: dataclasses, TypedDicts, NamedTuples, enums, unions, containers, and plain values.

Classes with fields are defined once under `$defs` where they are used inside another type. What a type says of its
values goes along: docstrings, `Annotated` texts and bounds, a dataclass field's `metadata["description"]`. How an
instance is made of a JSON value is told in `type_value`, by the same table of kinds.
"""

from __future__ import annotations

from ..errors import ConfigurationError
from .type_kinds import (
    aliased,
    bare,
    enum_values,
    fields_of,
    is_alias,
    is_class_with_fields,
    kind_of,
    literal_type,
    named,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    Json = dict[str, Any]


def type_schema(hint: Any) -> Json:
    """The schema of a type. Raises `ConfigurationError` naming the field whose type JSON has no word for."""
    writer = _Writer()
    schema = writer.root(hint)
    return {**schema, "$defs": writer.defs} if writer.defs else schema


class _Writer:
    """Writes one schema; `defs` collects the classes inside it."""

    def __init__(self) -> None:
        self.defs: Json = {}
        self._names: dict[Any, str] = {}
        self._again: set[Any] = set()

    def root(self, hint: Any) -> Json:
        """The schema of the outermost type, in place rather than under `$defs`."""
        inner, notes = bare(hint)
        if not is_class_with_fields(inner):
            return self.write(hint, "$")
        return self._object(inner, named(inner)) | notes

    def write(self, hint: Any, where: str) -> Json:
        """The schema of a type inside another; `where` is the field it is the type of."""
        inner, notes = bare(hint, follow=False)
        if is_alias(inner) and not is_alias(bare(inner)[0]):
            return self._alias(inner, where) | notes
        kind, details = kind_of(inner)
        writer = _KINDS.get(kind)
        if writer is None:
            fix = "Use plain values, containers, enums, or classes with fields; or give a JSON Schema instead."
            raise ConfigurationError(f"The type of {where!r} is {hint!r}, which JSON has no word for.", fix=fix)
        return writer(self, details, where) | notes

    def _alias(self, alias: Any, where: str) -> Json:
        """What an alias stands for, in place; a reference to its definition, where it leads back to itself."""
        if alias in self._names:
            self._again.add(alias)
            return {"$ref": f"#/$defs/{self._names[alias]}"}
        self._names[alias] = name = _free_name(named(alias), self.defs)
        self.defs[name] = {}
        schema = self.write(aliased(alias), where)
        if alias not in self._again:
            del self.defs[name], self._names[alias]
            return schema
        self.defs[name] = schema
        return {"$ref": f"#/$defs/{name}"}

    def reference(self, cls: Any, _where: str) -> Json:
        """A reference to a class's definition, which is made when it is first met."""
        if cls not in self._names:
            self._names[cls] = name = _free_name(named(cls), self.defs)
            self.defs[name] = {}
            self.defs[name] = self._object(cls, name)
        return {"$ref": f"#/$defs/{self._names[cls]}"}

    def foreign(self, cls: Any, _where: str) -> Json:
        """The schema that a pydantic model inside another type gives of itself."""
        from .pydantic_model import model_schema

        schema = model_schema(cls)
        self.defs |= schema.pop("$defs", {})
        return schema

    def _object(self, cls: Any, name: str) -> Json:
        fields = fields_of(cls)
        properties = {field.name: {**self.write(field.hint, f"{name}.{field.name}"), **field.notes} for field in fields}
        schema: Json = {"type": "object", "properties": properties}
        schema["required"] = [field.name for field in fields if field.required]
        schema["additionalProperties"] = False
        return _described(cls) | schema


def _described(cls: Any) -> Json:
    """The class's own docstring; not the signature that `dataclass` and `NamedTuple` write where there is none."""
    origin = getattr(cls, "__origin__", cls)
    text = (origin.__dict__.get("__doc__") or "").strip()
    generated = text.startswith(f"{origin.__name__}(")
    return {"description": " ".join(text.split())} if text and not generated else {}


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    """The name, numbered where another class has it."""
    numbered = (f"{name}{number or ''}" for number in range(len(taken) + 1))
    return next(each for each in numbered if each not in taken)


def _plain(schema: Json) -> Callable[[_Writer, Any, str], Json]:
    return lambda _writer, _details, _where: dict(schema)


def _enum(_writer: _Writer, values: tuple[Any, ...], _where: str) -> Json:
    kind = literal_type(values)
    return {**({"type": kind} if kind else {}), "enum": list(values)}


def _union(writer: _Writer, members: tuple[Any, ...], where: str) -> Json:
    return {"anyOf": [writer.write(member, where) for member in members]}


def _list(writer: _Writer, item: Any, where: str) -> Json:
    return {"type": "array", "items": writer.write(item, f"{where}[]")}


def _tuple(writer: _Writer, items: tuple[Any, ...], where: str) -> Json:
    prefix = [writer.write(item, f"{where}[{at}]") for at, item in enumerate(items)]
    return {"type": "array", "prefixItems": prefix, "minItems": len(prefix), "maxItems": len(prefix)}


def _mapping(writer: _Writer, kinds: tuple[Any, Any], where: str) -> Json:
    return {"type": "object", "additionalProperties": writer.write(kinds[1], f"{where}[]")}


_KINDS: dict[str, Callable[[_Writer, Any, str], Json]] = {
    "str": _plain({"type": "string"}), "int": _plain({"type": "integer"}), "float": _plain({"type": "number"}),
    "bool": _plain({"type": "boolean"}), "null": _plain({"type": "null"}), "any": _plain({}),
    "object": _plain({"type": "object"}), "array": _plain({"type": "array"}), "decimal": _plain({"type": "number"}),
    "datetime": _plain({"type": "string", "format": "date-time"}), "date": _plain({"type": "string", "format": "date"}),
    "time": _plain({"type": "string", "format": "time"}), "uuid": _plain({"type": "string", "format": "uuid"}),
    "enum": lambda writer, cls, where: _enum(writer, enum_values(cls), where), "literal": _enum, "union": _union,
    "flags": lambda writer, cls, where: {"type": "array", "items": _enum(writer, tuple(cls.__members__), where)},
    "list": _list, "sequence": _list, "set": _list, "frozenset": _list, "variadic": _list, "tuple": _tuple,
    "dict": _mapping, "class": _Writer.reference, "pydantic": _Writer.foreign,
}  # fmt: skip
