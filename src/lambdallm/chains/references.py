"""References in templates: `{text}`, `{draft.output}`, `{draft.output.title}`, `{draft.title}`, `{split.output.0}`.

The first name is a value: an input of the run, or the output of an earlier step. The rest are fields of it: keys of
mappings, numbers of lists, declared fields of values; no other attribute of an object can be reached. `{{` and `}}` are
braces, and a brace that opens no name stands as it is.

A reference to a skipped step gives the step's `default`, `None` without one; in a text `None` is nothing.
"""

from __future__ import annotations

import re

from .._value import Value
from ..llm.errors import PromptError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

# A bare name has no hyphen, so that `{a-b}` in a piece of code stays text; the name of a step may have one.
_TOKEN = r"\{\{|\}\}|\{([A-Za-z_]\w*|[A-Za-z_][\w-]*(?:\.[\w-]+)+)\}"


class Reference(Value):
    """A value by its name, and what was written after it."""

    name: str
    fields: tuple[str, ...] = ()

    @property
    def way(self) -> tuple[str, ...]:
        """The fields that lead into the value: `output` after a step's name says nothing that the name does not."""
        of_step = self.name not in ("item", "index")
        return self.fields[1:] if of_step and self.fields[:1] == ("output",) else self.fields

    def __str__(self) -> str:
        return ".".join((self.name, *self.fields))


class Template(Value):
    """A text with references. `text` has each reference as a variable (`{draft_title}`), as `Prompt` knows them."""

    text: str
    references: Mapping[str, Reference]

    @property
    def whole(self) -> Reference | None:
        """The reference, where the text is nothing but one."""
        if len(self.references) == 1:
            (name, reference), *_ = self.references.items()
            return reference if self.text.strip() == f"{{{name}}}" else None
        return None

    def value(self, scope: Scope) -> Any:
        """The value that the text is nothing but a reference to, as it is; else the text, filled in."""
        if (whole := self.whole) is not None:
            return scope.resolve(whole)
        filled = {name: as_text(scope.resolve(reference)) for name, reference in self.references.items()}
        return re.sub(_TOKEN, lambda found: filled[found[1]] if found[1] else found[0][0], self.text)


def template(text: str) -> Template:
    """The template that a text is."""
    names: dict[Reference, str] = {}

    def variable(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0]
        reference = parse(found[1])
        if reference not in names:
            names[reference] = _free_name(reference, names.values())
        return f"{{{names[reference]}}}"

    rewritten = re.sub(_TOKEN, variable, text)
    return Template(rewritten, {name: reference for reference, name in names.items()})


def parse(text: str) -> Reference:
    """`draft.output.title` as a reference."""
    name, *fields = text.split(".")
    return Reference(name, tuple(fields))


def _free_name(reference: Reference, taken: Iterable[str]) -> str:
    name = base = re.sub(r"\W", "_", "_".join((reference.name, *reference.fields)))
    number = 1
    while name in taken:
        number += 1
        name = f"{base}_{number}"
    return name


class Scope(Value):
    """What a step can refer to: the run's inputs, the outputs of the steps before it, and its own (`item`, `index`)."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    own: Mapping[str, Any]

    def __contains__(self, name: str) -> bool:
        return name in self.own or name in self.outputs or name in self.inputs

    def __getitem__(self, name: str) -> Any:
        for space in (self.own, self.outputs):
            if name in space:
                return space[name]
        return self.inputs[name]

    def resolve(self, reference: Reference) -> Any:
        """The value of a reference. Raises `PromptError` naming what is missing."""
        if reference.name not in self:
            raise PromptError(f"{{{reference}}} has no value.", fix=suggestion(reference.name, self.all()))
        value = self[reference.name]
        way = reference.way
        for at, field in enumerate(way):
            if value is None:
                return None
            value = _field(value, field, Reference(reference.name, way[:at]))
        return value

    def with_own(self, own: Mapping[str, Any]) -> Scope:
        """The same with further names of its own."""
        return Scope(self.inputs, self.outputs, {**self.own, **own})

    def all(self) -> Values:
        """All values by name."""
        return Values({**self.inputs, **self.outputs, **self.own})


class Values(dict):  # type: ignore[type-arg]  # names and anything
    """All values so far by name; a key may be a whole reference too: `values["draft.output.title"]`."""

    def __missing__(self, key: str) -> Any:
        reference = parse(str(key))
        if reference.name == key or reference.name not in self:
            raise KeyError(key)
        return Scope({}, self, {}).resolve(reference)


def as_text(value: Any) -> str:
    """A value as a prompt says it: text as it is, nothing for `None`, data as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list, tuple)) or fields_of(value) is not None:
        import json

        from .outputs import plain

        return json.dumps(plain(value), ensure_ascii=False, default=repr)
    return str(value)


def _field(value: Any, field: str, of: Reference) -> Any:
    if hasattr(type(value), "keys"):
        known: Any = list(value)
        if field in value:
            return value[field]
    elif isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        known = [str(number) for number in range(len(value))]
        if field in known:
            return value[int(field)]
    else:
        known = fields_of(value)
        if known is None:
            kind = type(value).__name__
            raise PromptError(
                f"{{{of}}} is {kind} {value!r:.60} and has no field {field!r}.",
                fix=f"Refer to {{{of}}}, or give that step an output_schema.",
            )
        if field in known:
            return getattr(value, field)
    fix = suggestion(field, map(str, known[:20])) if known else "It is empty."
    raise PromptError(f"{{{of}}} has no field {field!r}.", fix=fix)


def fields_of(value: Any) -> list[str] | None:
    """The declared fields of a dataclass, a value, a named tuple or a pydantic model; `None` for anything else."""
    cls = type(value)
    found = getattr(cls, "__dataclass_fields__", None) or getattr(cls, "model_fields", None)
    if found is None and issubclass(cls, tuple):
        found = getattr(cls, "_fields", None)
    return None if found is None else list(found)


def suggestion(word: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest of the known names."""
    from ..llm.catalog.definition import suggestion

    return suggestion(word, known)
