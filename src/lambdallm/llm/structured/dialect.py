"""The subsets of JSON Schema that wire protocols take, and a schema written in one of them.

What a subset has no word for goes into the description, where the model reads it; answers are checked against the whole
schema whatever was sent. Where even that would change which answers are allowed, the schema can't be told: an object
with free keys where every object must be closed, `allOf` of several, a schema that refers to itself where none may.

Sources: OpenAI, "Structured outputs: supported schemas"; Anthropic, "Structured outputs: JSON Schema limitations";
Amazon Bedrock, "Get validated JSON results from models"; Gemini API, "Structured output: JSON Schema support"; Cohere,
"Structured outputs"; Ollama, "Structured outputs" (llama.cpp's grammars take nearly everything).
"""

from __future__ import annotations

from functools import reduce

from ..._value import Value
from .nulls import takes_null
from .type_kinds import json_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Json = dict[str, Any]


class Dialect(Value):
    """What a protocol takes.

    `keywords` are those beyond types, properties, items, enum, anyOf and references; `None` means all there are.
    `closed` objects have no further properties, `full` ones require every property (optional ones may be null),
    `recursive` schemas may refer to themselves; `lone` references have nothing beside them. `strict` says that it has a
    word for keeping to the schema exactly, `strict_tools` that it has one for tools, `native` that its models take a
    schema unless their facts deny it, `json` that it can ask for any JSON.
    """

    keywords: frozenset[str] | None = frozenset()
    closed: bool = False
    full: bool = False
    recursive: bool = True
    lone: bool = False
    strict: bool = False
    strict_tools: bool = False
    native: bool = True
    json: bool = True


_FORMATS = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"))
_OPENAI = Dialect(
    frozenset(("pattern", "format", "multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
               "minItems", "maxItems")),
    closed=True, full=True, lone=True, strict=True, strict_tools=True,
)  # fmt: skip
_CLAUDE = Dialect(
    frozenset(("format", "pattern")), closed=True, recursive=False, strict=True, strict_tools=True, native=False,
    json=False,
)  # fmt: skip
_GEMINI = Dialect(
    frozenset(("format", "minItems", "maxItems", "minimum", "maximum", "prefixItems", "title")), lone=True
)
_ALL = Dialect(None)

_COHERE = Dialect(frozenset(("format", "pattern")))
DIALECTS: dict[str, Dialect] = {
    "openai_chat": _OPENAI, "openai_responses": _OPENAI, "anthropic_messages": _CLAUDE, "bedrock_converse": _CLAUDE,
    "bedrock_invoke.anthropic": _CLAUDE, "gemini": _GEMINI, "ollama_chat": _ALL, "cohere_chat": _COHERE,
    "cohere_chat_v1": _COHERE,
}  # fmt: skip
"""By wire protocol."""

UNKNOWN = Dialect(None, native=False, json=False)
"""For a protocol that is not in the table: what a schema says goes as it is, and nothing is taken for granted."""


def dialect_of(wire: str, facts: Mapping[str, Any]) -> Dialect:
    """A protocol's dialect; a provider's fact `schema_keywords` adds to its keywords, or is true for all there are."""
    dialect = DIALECTS.get(wire) or UNKNOWN
    more = facts.get("schema_keywords", ())
    if more is True:
        return dialect.replace(keywords=None)
    return dialect if dialect.keywords is None or not more else dialect.replace(keywords=dialect.keywords | {*more})


def common(dialects: Iterable[Dialect]) -> Dialect:
    """What several protocols take: a schema written in it is one that each of them takes."""
    return reduce(_common, dialects)


def _common(one: Dialect, other: Dialect) -> Dialect:
    keywords = one.keywords if other.keywords is None else other.keywords
    if one.keywords is not None and other.keywords is not None:
        keywords = one.keywords & other.keywords
    either = {name: getattr(one, name) or getattr(other, name) for name in ("closed", "full", "lone", "strict")}
    both = {name: getattr(one, name) and getattr(other, name) for name in _OF_BOTH}
    return Dialect(keywords, **either, **both)


_OF_BOTH = ("recursive", "strict_tools", "native", "json")


def written(schema: Mapping[str, Any], dialect: Dialect) -> dict[str, Any] | None:
    """The schema in a dialect; `None` where it can't be told without allowing other answers."""
    try:
        return _Writer(schema, dialect).write(schema)
    except (_Untellable, RecursionError):
        return None


class _Untellable(Exception):
    """The dialect has no way to say it."""


_BASIC = ("type", "description")
_SILENT = (
    "title", "$schema", "$id", "$comment", "$anchor", "examples", "example", "discriminator", "deprecated", "readOnly",
    "writeOnly", "required", "additionalProperties", "$defs", "definitions",
)  # fmt: skip
"""Keywords that change no answer, or that are written with others."""


class _Writer:
    """Writes one schema in one dialect."""

    def __init__(self, root: Mapping[str, Any], dialect: Dialect) -> None:
        self._root, self._dialect = root, dialect
        self._open: list[str] = []
        self._written: set[str] = set()

    def write(self, schema: Any) -> Json:
        schema = {} if schema is True else schema
        if not hasattr(schema, "keys") or (not schema and self._dialect.closed):
            raise _Untellable
        said: Json = {}
        noted: Json = {}
        for word, value in self._simplified(schema).items():
            if word in _WRITERS:
                said |= getattr(self, _WRITERS[word])(value)
            elif word in _BASIC or self._takes(word, value):
                said[word] = value
            elif word not in _SILENT and (word, value) != ("default", None):
                noted[word] = value
        if "enum" in said:
            said = self._typed(said)
        if self._is_object(said):
            said |= self._object(schema, said)
        return self._with_notes(said, noted)

    def _takes(self, word: str, value: Any) -> bool:
        if self._dialect.keywords is None:
            return word not in _SILENT
        return word in self._dialect.keywords and (word != "format" or value in _FORMATS)

    def _simplified(self, schema: Mapping[str, Any]) -> Json:
        """The schema with `const`, `oneOf` and `allOf` in plainer words, and a reference that stands alone."""
        said = dict(schema)
        if "const" in said:
            said["enum"] = [said.pop("const")]
        if "oneOf" in said:
            said["anyOf"] = said.pop("oneOf")
        if "allOf" in said and self._dialect.keywords is not None:
            parts = said.pop("allOf")
            if len(parts) != 1:
                raise _Untellable
            said = {**parts[0], **said}
        return said

    def _reference(self, reference: str) -> Json:
        """The reference, once it is known that its definition can be written."""
        if reference in self._open and not self._dialect.recursive:
            raise _Untellable
        if reference in self._open or reference in self._written:
            return {"$ref": reference}
        target: Any = self._root
        for step in filter(None, reference.removeprefix("#").split("/")):
            target = target.get(step.replace("~1", "/").replace("~0", "~")) if hasattr(target, "get") else None
        self._open.append(reference)
        try:
            self.write(target)
        finally:
            self._open.pop()
        self._written.add(reference)
        return {"$ref": reference}

    def _definitions(self, named: Mapping[str, Any]) -> Json:
        return {"$defs": {name: self.write(schema) for name, schema in named.items()}}

    def _older(self, named: Mapping[str, Any]) -> Json:
        return {"definitions": {name: self.write(schema) for name, schema in named.items()}}

    def _properties(self, properties: Mapping[str, Any]) -> Json:
        return {"properties": {name: self.write(schema) for name, schema in properties.items()}}

    def _items(self, items: Any) -> Json:
        if isinstance(items, bool):
            return {"items": items} if self._dialect.keywords is None else {}
        return {"items": self.write(items)}

    def _prefix(self, items: list[Any]) -> Json:
        """A tuple's items; as a list of any of them, where that is all the dialect has."""
        each = [self.write(item) for item in items]
        if self._takes("prefixItems", items):
            return {"prefixItems": each}
        kinds = [kind for at, kind in enumerate(each) if kind not in each[:at]]
        return {"items": kinds[0] if len(kinds) == 1 else {"anyOf": kinds}}

    def _alternatives(self, schemas: list[Any]) -> Json:
        return {"anyOf": [self.write(schema) for schema in schemas]}

    def _enum(self, values: list[Any]) -> Json:
        return {"enum": list(values)}

    def _typed(self, said: Json) -> Json:
        """An enumeration with its type: OpenAI refuses one without, and shorthands and `Literal` don't say it."""
        kinds = list(dict.fromkeys(json_type(value) for value in said["enum"]))
        if "type" in said or None in kinds or self._dialect.keywords is None:
            return said
        return {"type": kinds[0] if len(kinds) == 1 else kinds, **said}

    def _is_object(self, said: Json) -> bool:
        return said.get("type") == "object" or "properties" in said

    def _object(self, schema: Mapping[str, Any], said: Json) -> Json:
        """What an object says of its properties as a whole."""
        dialect, properties = self._dialect, said.get("properties", {})
        more = schema.get("additionalProperties")
        required = list(schema.get("required", ()))
        if dialect.closed:
            if more not in (None, False) or "patternProperties" in schema or (more is None and not properties):
                raise _Untellable
            more = False
        if dialect.full:
            optional = [name for name in properties if name not in required]
            said["properties"] = {
                name: self._nullable(kind) if name in optional else kind for name, kind in properties.items()
            }
            required = list(properties)
        written = self.write(more) if hasattr(more, "keys") and more else more
        return {**({"required": required} if required or dialect.full else {}),
                **({} if more is None else {"additionalProperties": written})}  # fmt: skip

    def _nullable(self, schema: Json) -> Json:
        """The schema, or `null`."""
        if takes_null(schema, self._root):
            return schema
        kind = schema.get("type")
        if isinstance(kind, str) and kind not in ("object", "array"):
            enum = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
            return {**schema, "type": [kind, "null"], **enum}
        if "anyOf" in schema:
            return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
        described = {"description": schema["description"]} if "description" in schema else {}
        alone = {word: value for word, value in schema.items() if word not in described}
        return {**described, "anyOf": [alone, {"type": "null"}]}

    def _with_notes(self, said: Json, noted: Json) -> Json:
        """What there was no keyword for, in the description; nothing beside a reference where that must stand alone."""
        if noted:
            import json

            words = ", ".join(f"{word}: {json.dumps(value, default=repr)}" for word, value in noted.items())
            said["description"] = f"{said.get('description', '')} ({words})".strip()
        if self._dialect.lone and "$ref" in said and len(said) > 1:
            said["anyOf"] = [{"$ref": said.pop("$ref")}]
        return said


_WRITERS = {
    "$ref": "_reference", "$defs": "_definitions", "definitions": "_older", "properties": "_properties",
    "items": "_items", "prefixItems": "_prefix", "anyOf": "_alternatives", "enum": "_enum",
}  # fmt: skip
