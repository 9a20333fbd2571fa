"""What an answer is to become: the schema a model is told, and the way from its JSON to a value of the user's type.

An output model is a dataclass, TypedDict, NamedTuple, enum, pydantic model, any type `type_schema` knows, a shorthand
(`{"name": str, "age?": int}`), or a JSON Schema. What is no object at its root is wrapped in one, because providers
want an object there; answers are read wrapped or bare.
"""

from __future__ import annotations

from ..._value import Value
from ..errors import ExtractionValidationError
from .json_block import json_blocks, no_json
from .nulls import without_nulls
from .schema import json_schema
from .validate import problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any, TypeVar, overload

    T = TypeVar("T")
    Make = Callable[[Any], tuple[Any, list[str]]]

WRAPPER = "value"
"""The property that holds an answer which is no object."""


class OutputModel(Value):
    """A schema with an object at its root, and the way from its values. `inner` is the schema without the wrapper.

    `make` gives an instance and the problems it met; only without problems is the instance one.
    """

    name: str
    schema: Mapping[str, Any]
    inner: Mapping[str, Any]
    make: Make

    @property
    def wrapped(self) -> bool:
        """Whether the answer stands in the wrapper's property."""
        return self.schema is not self.inner

    @property
    def description(self) -> str | None:
        """What the type says of itself."""
        return self.inner.get("description")

    def build(self, value: Any) -> tuple[Any, list[str]]:
        """The instance of a JSON value, bare or wrapped, and its problems.

        A `null` where the schema allows none, in a property that may be absent, means its absence.
        """
        if self.wrapped and isinstance(value, dict) and value.keys() == {WRAPPER}:
            made, wrong = self._bare(value[WRAPPER])
            if not wrong:
                return made, wrong
            bare = self._bare(value)
            return bare if not bare[1] else (None, [problem.replace("$", f"$.{WRAPPER}", 1) for problem in wrong])
        return self._bare(value)

    def _bare(self, value: Any) -> tuple[Any, list[str]]:
        try:
            return self.make(without_nulls(value, self.inner))
        except RecursionError:
            return None, ["$: nested too deep to be read"]

    def unwrapped(self, value: Any) -> Any:
        """An answer, or a part of one, without the wrapper."""
        if self.wrapped and isinstance(value, dict) and value.keys() <= {WRAPPER}:
            return value.get(WRAPPER)
        return value

    def read(self, text: str) -> Any:
        """The instance of the JSON in a model's text; raises as `find` does."""
        return self.find(text)[0]

    def find(self, text: str) -> tuple[Any, Any]:
        """The instance of the first JSON in a model's text that fits, and that JSON.

        Raises `ExtractionParseError` where there is no JSON, and `ExtractionValidationError` naming what does not fit
        in the likeliest candidate.
        """
        nearest: tuple[bool, list[str]] | None = None
        for value in self._candidates(text):
            made, wrong = self.build(value)
            if not wrong:
                return made, value
            elsewhere = wrong[0].startswith("$: expected")
            if nearest is None or elsewhere < nearest[0]:
                nearest = elsewhere, wrong
        if nearest is None:
            raise no_json(text)
        raise mismatch(nearest[1], text)

    def _candidates(self, text: str) -> Iterator[Any]:
        """The JSON values in a text, what a JSON string holds as JSON, and a bare word where the words are few."""
        for _, value in json_blocks(text):
            yield value
            if isinstance(value, str) and self.inner.get("type") != "string":
                yield from (inner for _, inner in json_blocks(value))
        if "enum" in self.inner and text.strip() in self.inner["enum"]:
            yield text.strip()


def mismatch(wrong: list[str], text: str = "") -> ExtractionValidationError:
    """The error for JSON that does not fit."""
    message = f"The answer does not match the schema: {'; '.join(wrong)}."
    return ExtractionValidationError(message, text=text, problems=tuple(wrong))


def output_model(given: Any) -> OutputModel:
    """The output model that a user's object means. Raises `ConfigurationError` for what is none."""
    if isinstance(given, OutputModel):
        return given
    if hasattr(type(given), "keys"):
        schema = json_schema(given)
        return _modelled(schema, str(schema.get("title", "answer")), lambda value: (value, problems(value, schema)))
    from .type_kinds import bare, kind_of, named

    inner, _ = bare(given)
    kind, _ = kind_of(inner)
    if kind == "pydantic":
        return _of_pydantic(inner)
    return _of_type(given, named(inner) if kind in ("class", "enum") else "answer")


def _of_pydantic(cls: Any) -> OutputModel:
    from .pydantic_model import model_schema, model_value

    return _modelled(model_schema(cls), cls.__name__, lambda value: model_value(value, cls))


def _of_type(hint: Any, name: str) -> OutputModel:
    from .type_schema import type_schema
    from .type_value import type_value

    schema = type_schema(hint)

    def make(value: Any) -> tuple[Any, list[str]]:
        made, wrong = type_value(value, hint)
        return made, wrong or problems(value, schema)

    return _modelled(schema, name, make)


def _modelled(schema: Mapping[str, Any], name: str, make: Make) -> OutputModel:
    inner = _rooted(schema)
    safe = "".join(mark if mark.isascii() and (mark.isalnum() or mark in "_-") else "_" for mark in name)[:64]
    is_object = inner.get("type") == "object" or ("type" not in inner and "properties" in inner)
    return OutputModel(safe or "answer", inner if is_object else _wrapper(inner), inner, make)


def _rooted(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with its own keywords at the root, where the root is only a reference."""
    found: Any = schema
    if isinstance(reference := schema.get("$ref"), str) and reference.startswith("#/"):
        for step in reference[2:].split("/"):
            found = found.get(step, {}) if hasattr(found, "get") else {}
        return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _wrapper(inner: Mapping[str, Any]) -> dict[str, Any]:
    """An object with the schema as its only property; definitions stay at the root, where references look for them."""
    shared = {word: inner[word] for word in ("$defs", "definitions") if word in inner}
    own = {key: value for key, value in inner.items() if key not in shared}
    fields = {"type": "object", "properties": {WRAPPER: own}, "required": [WRAPPER], "additionalProperties": False}
    return fields | shared


if TYPE_CHECKING:

    @overload
    def validate_against_model(value: object, output_model: type[T]) -> T: ...

    @overload
    def validate_against_model(value: object, output_model: object) -> Any: ...


def validate_against_model(value: object, output_model: object) -> Any:
    """The instance of `output_model` that a JSON value is.

        validate_against_model({"name": "Ada", "born": 1815}, Person)   # Person(name='Ada', born=1815)

    Raises `ExtractionValidationError` with a path for each problem (`$.items[2].price: expected number, got 'free'`).
    """
    made, wrong = _model(output_model).build(value)
    if wrong:
        raise mismatch(wrong)
    return made


_model = output_model


def json_schema_of(output_model: object) -> dict[str, Any]:
    """The JSON Schema of an output model, before any provider's limits. Raises `ConfigurationError` for what is none.

    json_schema_of(list[int])   # {'type': 'array', 'items': {'type': 'integer'}}
    """
    return dict(_model(output_model).inner)
