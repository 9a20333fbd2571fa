"""Instances of Python's types from JSON values, every problem with its path: `$.items[2].price: expected number`.

Strict as JSON is: `"3"` is no number and `1` no boolean. What JSON has no word for is read from what `type_schema`
says for it. Where a union's members all fail, the nearest one's problems are told. Bounds from `Annotated` are the
schema's to check; a class's own `__post_init__` is run, and the `ValueError` or `TypeError` it raises is a problem.
"""

from __future__ import annotations

from .type_kinds import bare, enum_values, fields_of, kind_of
from .validate import MOST_PROBLEMS, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .type_kinds import Field

_ABSENT: Any = object()


def type_value(value: Any, hint: Any) -> tuple[Any, list[str]]:
    """An instance of the type and no problems, or anything and the problems."""
    reader = _Reader()
    made = reader.read(value, hint, "$")
    return made, reader.problems[:MOST_PROBLEMS]


class _Reader:
    """Reads one value. Members of unions are tried once for each place, so that nested unions stay affordable."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self._tried: dict[tuple[int, str], tuple[Any, list[str], Any]] = {}
        self._fields: dict[int, tuple[tuple[Field, ...], Any]] = {}

    def read(self, value: Any, hint: Any, path: str) -> Any:
        inner, _ = bare(hint)
        kind, details = kind_of(inner)
        return _READERS[kind](self, value, details, path)

    def wrong(self, path: str, expected: str, value: Any) -> Any:
        self.problems.append(f"{path}: expected {expected}, got {shown(value)}")
        return _ABSENT

    def trial(self, value: Any, hint: Any, path: str) -> tuple[Any, list[str]]:
        """What a member makes of the value, and its problems, told to nobody yet."""
        key = (id(hint), path)
        if key not in self._tried:
            outer, self.problems = self.problems, []
            self._tried[key] = self.read(value, hint, path), self.problems, hint
            self.problems = outer
        return self._tried[key][:2]

    def union(self, value: Any, members: tuple[Any, ...], path: str) -> Any:
        tries: list[list[str]] = []
        for member in members:
            made, problems = self.trial(value, member, path)
            if not problems:
                return made
            tries.append(problems)
        own: list[list[str]] = [problems for problems in tries if not problems[0].startswith(f"{path}: expected")]
        if own:
            nearest = min(own, key=len)
            self.problems += nearest
            return _ABSENT
        expected = (problem[0].partition(": expected ")[2].partition(", got ")[0] for problem in tries)
        return self.wrong(path, " or ".join(dict.fromkeys(expected)), value)

    def instance(self, value: Any, cls: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return self.wrong(path, "object", value)
        before = len(self.problems)
        fields = self._fields_of(cls)
        given = {field.name: self._field(value, field, path) for field in fields}
        unknown = value.keys() - given.keys()
        self.problems += [f"{path}.{name}: not a field of the schema" for name in value if name in unknown]
        if len(self.problems) > before:
            return _ABSENT
        return self._made(cls, {name: made for name, made in given.items() if made is not _ABSENT}, path)

    def _fields_of(self, cls: Any) -> tuple[Field, ...]:
        """A class's fields, found once. What stands beside them keeps the class alive, whose id is the key."""
        if id(cls) not in self._fields:
            self._fields[id(cls)] = fields_of(cls), cls
        return self._fields[id(cls)][0]

    def _field(self, value: dict[str, Any], field: Field, path: str) -> Any:
        where = f"{path}.{field.name}"
        if field.name in value:
            return self.read(value[field.name], field.hint, where)
        if field.required:
            self.problems.append(f"{where}: missing")
        return _ABSENT

    def _made(self, cls: Any, fields: dict[str, Any], path: str) -> Any:
        try:
            return cls(**fields)
        except (ValueError, TypeError) as reason:
            self.problems.append(f"{path}: {reason}")
            return _ABSENT

    def items(self, value: Any, item: Any, path: str) -> list[Any]:
        if not isinstance(value, list):
            self.wrong(path, "array", value)
            return []
        return [self.read(each, item, f"{path}[{at}]") for at, each in enumerate(value)]

    def set_of(self, value: Any, item: Any, path: str) -> list[Any]:
        """The items of a set, where they can be in one."""
        read = self.items(value, item, path)
        try:
            hash(tuple(read))
        except TypeError:
            self.problems.append(f"{path}: its items can't be in a set")
            return []
        return read

    def tuple_of(self, value: Any, items: tuple[Any, ...], path: str) -> Any:
        if not isinstance(value, list) or len(value) != len(items):
            return self.wrong(path, f"array of {len(items)} items", value)
        each = zip(value, items, strict=True)
        return tuple(self.read(one, item, f"{path}[{at}]") for at, (one, item) in enumerate(each))

    def mapping(self, value: Any, kinds: tuple[Any, Any], path: str) -> Any:
        if not isinstance(value, dict):
            return self.wrong(path, "object", value)
        pairs = ((self._key(key, kinds[0], path), key, each) for key, each in value.items())
        return {made: self.read(each, kinds[1], f"{path}.{key}") for made, key, each in pairs}

    def _key(self, key: str, hint: Any, path: str) -> Any:
        """A key as its type: JSON's keys are strings, so that numbers come written in them."""
        if kind_of(bare(hint)[0])[0] in ("int", "float", "decimal"):
            import json

            try:
                return self.read(json.loads(key), hint, f"{path}.{key}")
            except ValueError:
                return self.wrong(f"{path}.{key}", "a number for its name", key)
        return self.read(key, hint, f"{path}.{key}")


def _checked(kind: type | tuple[type, ...], expected: str) -> Callable[[_Reader, Any, Any, str], Any]:
    """A value that is right as it is. `True` is an `int` to Python alone."""

    def read(reader: _Reader, value: Any, _details: Any, path: str) -> Any:
        right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        return value if right else reader.wrong(path, expected, value)

    return read


def _int(reader: _Reader, value: Any, _details: Any, path: str) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _INTEGER(reader, value, None, path)


def _float(reader: _Reader, value: Any, _details: Any, path: str) -> Any:
    number = _NUMBER(reader, value, None, path)
    return number if number is _ABSENT else float(number)


def _null(reader: _Reader, value: Any, _details: Any, path: str) -> Any:
    return None if value is None else reader.wrong(path, "null", value)


def _decimal(reader: _Reader, value: Any, cls: Any, path: str) -> Any:
    """From the number's shortest form, so that 19.99 stays 19.99."""
    number = _NUMBER(reader, value, None, path)
    return number if number is _ABSENT else cls(str(number))


def _from_text(expected: str, method: str = "") -> Callable[[_Reader, Any, Any, str], Any]:
    """An instance that its class makes of a string, by its constructor or a named method."""

    def read(reader: _Reader, value: Any, cls: Any, path: str) -> Any:
        make = getattr(cls, method) if method else cls
        if isinstance(value, str):
            try:
                return make(value)
            except ValueError:
                pass
        return reader.wrong(path, expected, value)

    return read


def _literal(reader: _Reader, value: Any, words: tuple[Any, ...], path: str) -> Any:
    found = [word for word in words if word == value and isinstance(word, bool) == isinstance(value, bool)]
    return found[0] if found else reader.wrong(path, f"one of {', '.join(map(shown, words))}", value)


def _member(reader: _Reader, value: Any, cls: Any, path: str) -> Any:
    """The member of a value, or of a name where the members' values are none of JSON's."""
    found = _literal(reader, value, enum_values(cls), path)
    if found is _ABSENT:
        return found
    by_value = [member for member in cls.__members__.values() if member.value == found]
    return by_value[0] if by_value else cls[found]


def _flags(reader: _Reader, names: Any, cls: Any, path: str) -> Any:
    """Members by their names, as one value."""
    if not isinstance(names, list):
        return reader.wrong(path, "array", names)
    found = [_literal(reader, each, tuple(cls.__members__), f"{path}[{at}]") for at, each in enumerate(names)]
    made = cls(0)
    for name in found:
        made = made if name is _ABSENT else made | cls[name]
    return made


def _instance_of_pydantic(reader: _Reader, value: Any, cls: Any, path: str) -> Any:
    from .pydantic_model import model_value

    made, problems = model_value(value, cls)
    reader.problems += [path + problem.removeprefix("$") for problem in problems]
    return made


_INTEGER, _NUMBER = _checked(int, "integer"), _checked((int, float), "number")
_READERS: dict[str, Callable[[_Reader, Any, Any, str], Any]] = {
    "str": _checked(str, "string"), "int": _int, "float": _float, "bool": _checked(bool, "boolean"), "null": _null,
    "any": lambda _reader, value, _details, _path: value, "object": _checked(dict, "object"),
    "array": _checked(list, "array"), "decimal": _decimal, "datetime": _from_text("date and time", "fromisoformat"),
    "date": _from_text("date", "fromisoformat"), "time": _from_text("time", "fromisoformat"),
    "uuid": _from_text("UUID"), "enum": _member, "flags": _flags, "literal": _literal, "union": _Reader.union,
    "list": _Reader.items, "sequence": _Reader.items, "tuple": _Reader.tuple_of, "dict": _Reader.mapping,
    "set": lambda reader, value, item, path: set(reader.set_of(value, item, path)),
    "frozenset": lambda reader, value, item, path: frozenset(reader.set_of(value, item, path)),
    "variadic": lambda reader, value, item, path: tuple(reader.items(value, item, path)),
    "class": _Reader.instance, "pydantic": _instance_of_pydantic,
}  # fmt: skip
