"""What kind of type a hint is, and what a class's fields are: one reading of Python's types for both directions.

A hint is taken apart once: `Annotated` and its kin are taken off (`bare`), aliases and new types are followed, and what
remains is named by a word (`kind_of`) with the details that the word needs.
"""

from __future__ import annotations

from ..._value import Value
from ..errors import ConfigurationError
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Json = dict[str, Any]


class Field(Value):
    """A field of a class. `required` is whether a value must be given; `notes` are schema keywords of its own."""

    name: str
    hint: Any
    required: bool
    notes: Mapping[str, Any] = EMPTY


_SIMPLE = {str: "str", int: "int", float: "float", bool: "bool", type(None): "null", None: "null", object: "any"}
_CONTAINERS = {dict: "object", list: "array", tuple: "array", set: "array", frozenset: "array"}
_STANDARD = {
    ("datetime", "datetime"): "datetime", ("datetime", "date"): "date", ("datetime", "time"): "time",
    ("uuid", "UUID"): "uuid", ("decimal", "Decimal"): "decimal",
}  # fmt: skip
"""Classes of modules that are not imported for being looked at."""

_GENERIC: dict[object, str] = {list: "list", set: "set", frozenset: "frozenset", dict: "dict"}
_ABSTRACT = {
    "Sequence": "sequence", "MutableSequence": "list", "Iterable": "sequence", "Collection": "sequence",
    "Set": "frozenset", "MutableSet": "set", "Mapping": "dict", "MutableMapping": "dict",
}  # fmt: skip
_KEYWORDS = (
    ("ge", "minimum"), ("gt", "exclusiveMinimum"), ("le", "maximum"), ("lt", "exclusiveMaximum"),
    ("multiple_of", "multipleOf"), ("min_length", "minLength"), ("max_length", "maxLength"), ("pattern", "pattern"),
)  # fmt: skip
"""Attributes of annotated-types' and pydantic's constraints, as keywords."""

_OF_LISTS = {"minLength": "minItems", "maxLength": "maxItems"}


def bare(hint: Any, *, follow: bool = True) -> tuple[Any, Json]:
    """The hint without `Annotated`, `Required`, aliases and `NewType`, and the schema keywords they say.

    Without `follow` it ends at an alias (`type Tree = list[Tree]`), which may lead back to itself.
    """
    notes: Json = {}
    for _ in range(_MOST_WRAPPERS):
        origin = getattr(hint, "__origin__", None)
        if (metadata := getattr(hint, "__metadata__", None)) is not None:
            hint = origin
            notes = _notes(metadata, hint) | notes
        elif str(origin) in _WRAPPERS:
            hint = hint.__args__[0]
        elif (supertype := getattr(hint, "__supertype__", None)) is not None:
            hint = supertype
        elif follow and is_alias(hint):
            hint = aliased(hint)
        else:
            break
    return hint, notes


_MOST_WRAPPERS = 100
"""An alias may stand for itself."""


def is_alias(hint: Any) -> bool:
    """Whether it is what a `type` statement makes, its type parameters given or not."""
    return type(getattr(hint, "__origin__", hint)).__name__ == "TypeAliasType"


def aliased(alias: Any) -> Any:
    """The hint that an alias stands for."""
    origin = getattr(alias, "__origin__", alias)
    given = dict(zip(origin.__type_params__, getattr(alias, "__args__", ()), strict=False))
    return _substituted(origin.__value__, given) if given else origin.__value__


_WRAPPERS = tuple(
    f"{home}.{name}" for home in ("typing", "typing_extensions") for name in ("Required", "NotRequired", "ReadOnly")
)


def _notes(metadata: tuple[Any, ...], hint: Any) -> Json:
    """What the extras of `Annotated` say: a text is the description, a mapping is keywords, the rest are bounds."""
    notes: Json = {}
    for extra in metadata:
        if isinstance(extra, str):
            notes["description"] = extra
        elif hasattr(extra, "keys"):
            notes |= dict(extra)
        else:
            notes |= _notes(tuple(getattr(extra, "metadata", ())), hint)
            said = ((word, getattr(extra, name, None)) for name, word in _KEYWORDS)
            notes |= {word: value for word, value in said if isinstance(value, (int, float, str))}
            if isinstance(text := getattr(extra, "description", None), str):
                notes["description"] = text
    listed = kind_of(bare(hint)[0])[0] not in ("str", "union", "any")
    return {_OF_LISTS.get(word, word) if listed else word: value for word, value in notes.items()}


def kind_of(hint: Any) -> tuple[str, Any]:
    """The word for a bare hint, and its details: members, item types, or the class. The word is "" for what is none."""
    try:
        if (simple := _SIMPLE.get(hint) or _CONTAINERS.get(hint)) is not None:
            return simple, None
    except TypeError:
        return "", None
    if str(hint) in ("typing.Any", "typing_extensions.Any"):
        return "any", None
    args = getattr(hint, "__args__", None)
    if is_pydantic(hint):
        return "pydantic", hint
    if is_class_with_fields(hint):
        return "class", hint
    if args is not None:
        return _generic(hint, args)
    if isinstance(hint, type):
        return _class_kind(hint)
    return "", None


def _generic(hint: Any, args: tuple[Any, ...]) -> tuple[str, Any]:
    origin = getattr(hint, "__origin__", None)
    if type(hint).__name__ in ("UnionType", "_UnionGenericAlias", "Union") or str(origin) == "typing.Union":
        return "union", args
    if str(origin) in ("typing.Literal", "typing_extensions.Literal"):
        return "literal", tuple(_plain(value) for value in args)
    if origin is tuple:
        return ("variadic", args[0]) if len(args) == 2 and args[1] is Ellipsis else ("tuple", args)
    word = _GENERIC.get(origin) if isinstance(origin, type) else None
    if word is None and getattr(origin, "__module__", "") in ("collections.abc", "typing"):
        word = _ABSTRACT.get(getattr(origin, "__name__", ""))
    if word is None:
        return "", None
    return word, args if word == "dict" else args[0]


def _class_kind(cls: type) -> tuple[str, Any]:
    if hasattr(cls, "__members__"):
        is_flag = any((base.__module__, base.__name__) == ("enum", "Flag") for base in cls.__mro__)
        return "flags" if is_flag else "enum", cls
    return _STANDARD.get((cls.__module__, cls.__name__), ""), cls


def _plain(value: Any) -> Any:
    """A literal's value as JSON says it: an enum's member by its value."""
    return value.value if hasattr(type(value), "__members__") else value


def enum_values(cls: Any) -> tuple[Any, ...]:
    """What stands for an enum's members in JSON: their values where JSON has them all, else their names."""
    values = tuple(member.value for member in cls.__members__.values())
    plain = all(isinstance(value, (str, int, float, bool)) or value is None for value in values)
    return tuple(dict.fromkeys(values)) if plain else tuple(cls.__members__)


def literal_type(values: tuple[Any, ...]) -> str | None:
    """The JSON type that all the values have; `None` where they differ."""
    kinds = {json_type(value) for value in values}
    return kinds.pop() if len(kinds) == 1 else None


_JSON_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def json_type(value: Any) -> str | None:
    """The word for a plain value's type; `None` for what is no plain value."""
    known = _JSON_TYPES.get(type(value))
    return known or next((word for kind, word in _JSON_TYPES.items() if isinstance(value, kind)), None)


def is_pydantic(hint: Any) -> bool:
    """Whether it is a model or a dataclass of pydantic 2; pydantic is not imported to find out."""
    return isinstance(hint, type) and hasattr(hint, "__pydantic_validator__")


def is_class_with_fields(hint: Any) -> bool:
    """Whether it is a dataclass, a TypedDict or a NamedTuple, its type parameters given or not."""
    cls = getattr(hint, "__origin__", hint)
    return isinstance(cls, type) and _way(cls) is not None


def _way(cls: type) -> str | None:
    if hasattr(cls, "__dataclass_fields__"):
        return "dataclass"
    if hasattr(cls, "__required_keys__"):
        return "typeddict"
    return "namedtuple" if issubclass(cls, tuple) and hasattr(cls, "_field_defaults") else None


def named(cls: Any) -> str:
    """A class's name, with those of its type arguments: `Page[Person]` is `PagePerson`."""
    args = getattr(cls, "__args__", ())
    name: str = getattr(cls, "__origin__", cls).__name__
    return name + "".join(getattr(arg, "__name__", "").capitalize() for arg in args)


def fields_of(cls: Any) -> tuple[Field, ...]:
    """The fields of a class, in order, as far as its constructor takes them.

    Raises `ConfigurationError` where an annotation names what can't be found.
    """
    origin = getattr(cls, "__origin__", cls)
    return _READ[_way(origin) or ""](origin, _hints(cls))


def _hints(cls: Any) -> dict[str, Any]:
    """The hints of a class by their names, type arguments in the place of its parameters and of its bases'."""
    origin = getattr(cls, "__origin__", cls)
    hints = _own_hints(origin)
    if any(map(_is_open, hints.values())):
        for base in filter(is_class_with_fields, origin.__dict__.get("__orig_bases__", origin.__bases__)):
            plain = _own_hints(getattr(base, "__origin__", base))
            hints |= {name: hint for name, hint in _hints(base).items() if hints.get(name) == plain.get(name)}
    given = dict(zip(getattr(origin, "__parameters__", ()), getattr(cls, "__args__", ()), strict=False))
    return {name: _substituted(hint, given) for name, hint in hints.items()} if given else hints


def _is_open(hint: Any) -> bool:
    """Whether a type parameter is in it."""
    return type(hint).__name__ == "TypeVar" or bool(getattr(hint, "__parameters__", ()))


def _own_hints(cls: type) -> dict[str, Any]:
    from typing import get_type_hints

    try:
        return get_type_hints(cls, include_extras=True)
    except (NameError, TypeError) as error:
        fix = "Define the type at a module's top level, and import outside of TYPE_CHECKING what its fields name."
        raise ConfigurationError(f"The annotations of {cls.__name__!r} can't be read: {error}.", fix=fix) from error


def _substituted(hint: Any, given: Mapping[Any, Any]) -> Any:
    """The hint with type arguments in place of parameters."""
    if type(hint).__name__ == "TypeVar":
        return given.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if not parameters or isinstance(hint, type):
        return hint
    return hint[tuple(given.get(parameter, parameter) for parameter in parameters)]


def _of_dataclass(cls: Any, hints: dict[str, Any]) -> tuple[Field, ...]:
    """What the constructor takes: fields, and what is for `__post_init__` alone (`InitVar`)."""
    from dataclasses import MISSING, fields

    kept = {field.name for field in fields(cls)}
    taken = [field for field in cls.__dataclass_fields__.values() if field.init]
    return tuple(
        Field(
            field.name,
            hints[field.name] if field.name in kept else hints[field.name].type,
            field.default is MISSING and field.default_factory is MISSING,
            {"description": str(field.metadata["description"])} if "description" in field.metadata else EMPTY,
        )
        for field in taken
        if field.name in kept or type(hints[field.name]).__name__ == "InitVar"
    )


def _of_typed_dict(cls: Any, hints: dict[str, Any]) -> tuple[Field, ...]:
    """`Required` and `NotRequired` are read from the hints: quoted annotations hide them from the class."""

    def required(name: str, hint: Any) -> bool:
        while (origin := getattr(hint, "__origin__", None)) is not None:
            word = str(origin).rpartition(".")[2]
            if word in ("Required", "NotRequired"):
                return word == "Required"
            hint = origin if hasattr(hint, "__metadata__") else hint.__args__[0] if word == "ReadOnly" else None
        return name in cls.__required_keys__

    return tuple(Field(name, hint, required(name, hint)) for name, hint in hints.items())


def _of_named_tuple(cls: Any, hints: dict[str, Any]) -> tuple[Field, ...]:
    from typing import Any

    return tuple(Field(name, hints.get(name, Any), name not in cls._field_defaults) for name in cls._fields)


_READ = {"dataclass": _of_dataclass, "typeddict": _of_typed_dict, "namedtuple": _of_named_tuple}
