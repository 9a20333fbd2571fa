"""The types of variables by their names: `"list[str]"` read as a type, and types written as errors and files have them.

Beside a type's name a file may have the shorthand of `output_schema` (`["low", "high"]`, `[str]`, `{"city": str}`), or
a JSON Schema. Nothing is evaluated.
"""

from __future__ import annotations

from ...llm.errors import ConfigurationError
from ...llm.structured.type_kinds import bare, enum_values, kind_of
from ...llm.types import AudioPart, DocumentPart, ImagePart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES: dict[str, Any] = {
    "str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict, "tuple": tuple, "set": set,
    "None": type(None), "any": object, "image": ImagePart, "document": DocumentPart, "audio": AudioPart,
    "string": str, "integer": int, "number": float, "boolean": bool, "array": list, "object": dict, "null": type(None),
    "Any": object,
}  # fmt: skip
"""The names of types in files; the first name of a type is the one it is written with."""

_GENERICS: dict[str, Any] = {"list": list, "dict": dict, "set": set, "tuple": tuple}
_COUNTS = {"list": 1, "set": 1, "dict": 2}
"""How many types a container is told."""


def input_kind(name: str, kind: Any) -> Any:
    """The type that a variable was given. Raises `ConfigurationError` for what is none."""
    if isinstance(kind, str):
        return _named(name, kind)
    if isinstance(kind, (dict, list, tuple)):
        schema_of(kind, name)
        return listed(kind)
    inner, notes = bare(kind)
    word, _ = kind_of(inner)
    if word == "any" and not notes:
        return object
    if word or isinstance(inner, type):
        return kind
    raise _unknown(name, kind)


def _unknown(name: str, kind: Any) -> ConfigurationError:
    fix = f"Use one of {', '.join(list(NAMES)[:13])}, or 'list[str]', 'str | None', or a list of the words allowed."
    error = ConfigurationError(f"The type of {name!r} is {kind!r}.", fix=fix)
    error.data_path = ("input_schema", name)
    return error


def _named(name: str, text: str) -> Any:
    """The type that `list[str]`, `dict[str, int]` or `str | None` names. Nothing is evaluated."""
    try:
        return _parsed(text)
    except (KeyError, ValueError, TypeError, RecursionError):
        raise _unknown(name, text) from None


def _parsed(text: str) -> Any:
    union, *members = (_term(term.strip()) for term in _split(text, "|"))
    for member in members:
        union = union | member
    return union


def _term(text: str) -> Any:
    head, bracket, inner = text.partition("[")
    if not bracket:
        return NAMES[text]
    if not inner.endswith("]"):
        raise ValueError(text)
    args = [arg.strip() for arg in _split(inner[:-1], ",")]
    if head == "Optional" and len(args) == 1:
        return _parsed(args[0]) | None
    if head == "tuple" and len(args) == 2 and args[1] == "...":
        return _GENERICS[head][_parsed(args[0]), ...]
    if head in _COUNTS and len(args) != _COUNTS[head]:
        raise ValueError(text)
    return _GENERICS[head][tuple(map(_parsed, args))]


def _split(text: str, mark: str) -> list[str]:
    """The pieces of a text between marks that stand in no brackets."""
    out, depth = [""], 0
    for letter in text:
        depth += (letter == "[") - (letter == "]")
        if letter == mark and not depth:
            out.append("")
        else:
            out[-1] += letter
    return out


def schema_of(kind: Any, name: str) -> dict[str, Any]:
    """The JSON Schema of a shorthand. Raises `ConfigurationError` naming the variable."""
    from ...llm.structured.schema import json_schema

    try:
        schema: dict[str, Any] = json_schema({"it": kind})["properties"]["it"]
    except ConfigurationError as error:
        raise _unknown(name, kind) from error
    return schema


def listed(kind: Any) -> Any:
    """A shorthand with types by their names, as `Prompt.to_dict` writes it."""
    from ...llm.structured.schema import type_name

    return type_name(kind)


def kind_name(kind: Any) -> str:
    """A type as errors and files write it."""
    inner, _ = bare(kind)
    word, details = kind_of(inner)
    if (name := _simple_name(inner)) is not None:
        return name
    if word in ("literal", "enum"):
        words = details if word == "literal" else enum_values(details)
        return f"{'' if word == 'literal' else inner.__name__ + ': '}one of {', '.join(map(repr, words))}"
    if word == "union":
        return " | ".join(map(kind_name, details))
    if args := getattr(inner, "__args__", None):
        head = getattr(inner.__origin__, "__name__", str(inner))
        return f"{head}[{', '.join('...' if arg is ... else kind_name(arg) for arg in args)}]"
    return getattr(inner, "__name__", None) or repr(kind)


def _simple_name(kind: Any) -> str | None:
    return next((name for name, known in NAMES.items() if known is kind), None)


def kind_data(kind: Any) -> Any:
    """A type as JSON and YAML hold it: its name, its words, or the JSON Schema of a class."""
    if isinstance(kind, (dict, list)):
        return kind if is_plain(kind) else schema_of(kind, "")
    inner, notes = bare(kind)
    word, details = kind_of(inner)
    if word in ("literal", "enum"):
        return list(details if word == "literal" else enum_values(details))
    if not notes:
        name = kind_name(kind)
        try:
            if _parsed(name) == kind:
                return name
        except (KeyError, ValueError, TypeError):
            pass
    return _described(kind)


def is_plain(kind: Any) -> bool:
    """Whether it is what JSON has words for."""
    if isinstance(kind, dict):
        return all(is_plain(each) for each in kind.values())
    if isinstance(kind, list):
        return all(is_plain(each) for each in kind)
    return kind is None or isinstance(kind, (str, int, float, bool))


def _described(kind: Any) -> Any:
    from ...llm.structured.output_model import json_schema_of

    try:
        return json_schema_of(kind)
    except ConfigurationError as error:
        fix = "Use a type that files have a word for, or describe it by a JSON Schema."
        raise ConfigurationError(f"The type {kind!r} can't be written into a file.", fix=fix) from error
