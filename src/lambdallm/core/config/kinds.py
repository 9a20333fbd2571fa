"""What a setting may be: a `Kind` checks values, reads them from text, and says the same as JSON Schema. Pure."""

from __future__ import annotations

from ..._value import Value
from ...llm.types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    Path = tuple[str | int, ...]

REFERENCE_PATTERN = r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"
"""A reference to a variable, as a regular expression for editors."""


class Problem(Value):
    """One thing that is wrong, where it is, and what to do about it."""

    path: Path
    said: str
    fix: str = ""


class Kind(Value):
    """A kind of values.

    `words` end the sentence "It should be …". `types` are those of Python's that fit, `least` is the smallest number,
    `one_of` are the only words. A section has `fields` of its own and no others; `values` is the kind of what a mapping
    has under any name, `items` that of a list's, `either` are several kinds of which one has to fit. What may
    be `secret` is not quoted.
    """

    words: str
    types: tuple[type, ...] = (str,)
    least: float | None = None
    one_of: tuple[str, ...] = ()
    fields: Mapping[str, Field] = EMPTY
    values: Kind | None = None
    items: Kind | None = None
    either: tuple[Kind, ...] = ()
    secret: bool = False

    def problems(self, value: object, path: Path) -> Iterator[Problem]:
        """What is wrong with a value. Text with references to variables is not looked at: nobody knows it yet."""
        if isinstance(value, str) and "${" in value:
            return
        if self.either:
            if not any(self._fits(value, kind, path) for kind in self.either):
                near = next((kind for kind in self.either if kind._is(value)), None)
                yield from near.problems(value, path) if near else (self._wrong(value, path),)
        elif not self._is(value):
            yield self._wrong(value, path)
        elif isinstance(value, dict):
            yield from self._problems_within(value, path)
        elif isinstance(value, list) and self.items is not None:
            for at, item in enumerate(value):
                yield from self.items.problems(item, (*path, at))

    def _fits(self, value: object, kind: Kind, path: Path) -> bool:
        return next(kind.problems(value, path), None) is None

    def _problems_within(self, value: dict[Any, Any], path: Path) -> Iterator[Problem]:
        for name, held in value.items():
            kind = self.fields[name].kind if name in self.fields else self.values
            if not isinstance(name, str):
                yield Problem((*path, name), f"the name {name!r} is no text.", "Put it in quotes.")
            elif kind is None and self.fields:
                from ...llm.catalog.definition import suggestion

                fix = suggestion(str(name), (each for each in self.fields if each[0] != "$"))
                yield Problem((*path, name), f"unknown field {name!r}.", fix)
            elif kind is not None:
                yield from kind.problems(held, (*path, name))

    def _is(self, value: object) -> bool:
        if not isinstance(value, self.types) or (isinstance(value, bool) and bool not in self.types):
            return False
        if self.least is not None and isinstance(value, (int, float)) and not value >= self.least:
            return False
        return not self.one_of or value in self.one_of

    def _wrong(self, value: object, path: Path) -> Problem:
        return Problem(path, f"{name_of(path)} is {self.shown(value)}.", f"It should be {self.words}.")

    def shown(self, value: object) -> str:
        """A value as errors quote it: never what is secret, nor what a mapping or list holds."""
        if isinstance(value, (dict, list)):
            return "a mapping" if isinstance(value, dict) else "a list"
        return "not of the right kind" if self.secret and value is not None else f"{value!r:.80}"

    def read(self, text: str) -> Any:
        """The value that a text such as a variable's stands for. Raises `ValueError`."""
        kinds = self.either or (self,)
        for kind in kinds:
            for type_ in kind.types:
                try:
                    value = _READ[type_](text)
                except (ValueError, KeyError):
                    continue
                if kind._is(value):
                    return value
        raise ValueError(text)

    @property
    def readable(self) -> bool:
        """Whether a text can stand for it: mappings and lists have no variables."""
        return any(type_ in _READ for kind in (self.either or (self,)) for type_ in kind.types)

    def schema(self) -> dict[str, Any]:
        """The kind in JSON Schema. Where a text may stand for it, so may a reference to a variable."""
        if self.either:
            return {"anyOf": [kind.schema() for kind in self.either]}
        schema = self._own_schema()
        if str in self.types and not self.one_of:
            return schema
        if not self.readable:
            return schema
        return {"anyOf": [schema, {"type": "string", "pattern": REFERENCE_PATTERN}]}

    def _own_schema(self) -> dict[str, Any]:
        names = [_NAMES[type_] for type_ in self.types if type_ is not int or float not in self.types]
        schema: dict[str, Any] = {"type": names[0] if len(names) == 1 else names} if names else {}
        if self.least is not None:
            schema["minimum"] = self.least
        if self.one_of:
            schema["enum"] = list(self.one_of)
        if self.fields:
            schema["properties"] = {name: field.schema() for name, field in self.fields.items()}
            schema["additionalProperties"] = False
        elif self.values is not None:
            schema["additionalProperties"] = self.values.schema()
        if self.items is not None:
            schema["items"] = self.items.schema()
        return schema


class Field(Value):
    """A setting: its kind, and a sentence about it for whoever writes it."""

    kind: Kind
    about: str

    def schema(self) -> dict[str, Any]:
        """The field in JSON Schema."""
        return {"description": self.about, **self.kind.schema()}


def name_of(path: Path) -> str:
    """A path as people write it: `middleware[0].budget`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _truth(text: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.strip().lower()]


_READ: dict[type, Any] = {bool: _truth, int: int, float: float, str: str}
_NAMES: dict[type, str] = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    dict: "object",
    list: "array",
    type(None): "null",
}
