"""`Prompt`: a template with typed variables, a shape for the answer, and the settings it was tuned for."""

from __future__ import annotations

from ..llm.errors import ConfigurationError, PromptError
from ..llm.options import check_options
from ..llm.structured.schema import json_schema, type_name
from .template import fill, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from typing import Any, Protocol

    from ..llm.models import Model

    class Invokes(Protocol):
        """What a prompt needs of the context it is invoked with."""

        def invoke_prompt(self, prompt: Prompt, values: Mapping[str, Any]) -> str | dict[str, Any]:
            """Ask with the prompt."""
            ...


_FIELDS = (
    "template", "input_schema", "output_schema", "system_prompt", "model", "max_tokens", "temperature", "name",
    "version",
)  # fmt: skip
_TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}


class Prompt:
    """A reusable prompt.

        sentiment = Prompt(
            template="What is the sentiment of: {text}",
            input_schema={"text": str},
            output_schema={"sentiment": ["positive", "negative"], "score": float},
        )
        sentiment.invoke(context, text="I love it")   # {"sentiment": "positive", "score": 0.9}

    `input_schema` gives each variable a type (or its name); `output_schema` is the shape of the answer, in shorthand or
    as JSON Schema, and makes `invoke` return a dictionary. `model` overrides the handler's. `name` and `version` label
    it in metrics. Raises `PromptError` for a template and a schema that don't fit.
    """

    def __init__(
        self,
        template: str,
        input_schema: Mapping[str, Any] | None = None,
        output_schema: Mapping[str, Any] | None = None,
        system_prompt: str | None = None,
        model: Model | str | None = None,
        max_tokens: int = 1024,
        temperature: float = 0.7,
        name: str | None = None,
        version: str = "1.0.0",
    ) -> None:
        if not isinstance(template, str):
            raise PromptError(f"A template is text, not {template!r}.", fix="Pass a string with {variables}.")
        check_options({"max_tokens": max_tokens, "temperature": temperature})
        self.template = template
        self.input_schema = dict(input_schema) if input_schema is not None else None
        self.output_schema = dict(output_schema) if output_schema is not None else None
        self.system_prompt = system_prompt
        self.model = model
        self.max_tokens = max_tokens
        self.temperature = temperature
        self.name = name
        self.version = version
        self._types = {key: _type(key, kind) for key, kind in (input_schema or {}).items()}
        self._check_names()

    @property
    def variables(self) -> list[str]:
        """The names of its variables, those of the system prompt included."""
        return list(dict.fromkeys(variables(self.template) + variables(self.system_prompt or "")))

    @property
    def json_schema(self) -> dict[str, Any] | None:
        """The shape of the answer as JSON Schema; `None` for free text."""
        return None if self.output_schema is None else json_schema(self.output_schema)

    def format(self, **kwargs: Any) -> str:
        """The template with its variables filled in.

        Raises `PromptError` naming a variable that is missing, unknown, or of the wrong type.
        """
        return self.render(kwargs)[0]

    def render(self, values: Mapping[str, Any]) -> tuple[str, str | None]:
        """The template and the system prompt, filled in."""
        self._check_types(values)
        system, used = self.system_prompt, variables(self.template)
        if system is not None and (names := variables(system)):
            fill(system, {n: values[n] for n in names if n in values}, self._label)
            system = fill(system, {n: values[n] for n in names}, self._label)
            values = {n: v for n, v in values.items() if n in used or n not in names}
        return fill(self.template, values, self._label), system

    def invoke(self, _context: Invokes, **kwargs: Any) -> str | dict[str, Any]:
        """Ask the model: text, or a dictionary that matches `output_schema`.

        `_context` is what the handler was given; its underscore leaves the name `context` to the template. Raises
        `PromptError`, `LLMError`, `ExtractionError`.
        """
        return _context.invoke_prompt(self, kwargs)

    def with_options(self, options: Mapping[str, Any]) -> Prompt:
        """The same prompt with some of what it was made of replaced."""
        return Prompt(**{**{field: getattr(self, field) for field in _FIELDS}, **options})

    def to_dict(self) -> dict[str, Any]:
        """Everything it was made of, fit for JSON. `from_dict` goes back."""
        values = {field: type_name(getattr(self, field)) for field in _FIELDS}
        return {**values, "model": None if self.model is None else str(self.model)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Prompt:
        """The prompt that `to_dict` or a YAML file describes.

        Raises `ConfigurationError` for a field that does not exist, naming the nearest one.
        """
        for field in data:
            if field not in _FIELDS:
                from ..llm.catalog.definition import suggestion

                raise ConfigurationError(f"A prompt has no field {field!r}.", fix=suggestion(str(field), _FIELDS))
        if "template" not in data:
            raise ConfigurationError("The prompt has no template.", fix="Add the field 'template'.")
        return cls(**data)

    @classmethod
    def from_yaml(cls, path: str | PathLike[str]) -> Prompt:
        """The prompt in a YAML (or JSON) file. Raises `ConfigurationError` naming the file and the line."""
        from .config import read_mapping

        try:
            return cls.from_dict(read_mapping(path))
        except (ConfigurationError, PromptError) as error:
            if str(path) in error.message:
                raise
            raise type(error)(f"{path}: {error.message}", fix=error.fix) from error

    @property
    def _label(self) -> str:
        return f"Prompt {self.name!r}" if self.name else "The prompt"

    def _check_names(self) -> None:
        unknown = [name for name in self._types if name not in self.variables]
        if unknown:
            fix = f"Its variables are {', '.join(self.variables) or 'none'}; correct input_schema or the template."
            raise PromptError(f"{self._label} has no variable {unknown[0]!r}.", fix=fix)

    def _check_types(self, values: Mapping[str, Any]) -> None:
        for name, kind in self._types.items():
            if name in values and not _fits(values[name], kind):
                got = f"{values[name]!r}" if len(repr(values[name])) < 80 else type(values[name]).__name__
                wanted = getattr(kind, "__name__", str(kind))
                raise PromptError(f"{self._label}: {name!r} is {got}.", fix=f"Pass a value of type {wanted}.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prompt) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.template, self.name, self.version))

    def __repr__(self) -> str:
        text = self.template if len(self.template) <= 60 else self.template[:57] + "…"
        return f"Prompt({text!r}, name={self.name!r}, version={self.version!r})"


def _type(name: str, kind: Any) -> Any:
    if isinstance(kind, str):
        if kind not in _TYPES:
            fix = f"Use one of {', '.join(_TYPES)}."
            raise ConfigurationError(f"The type of {name!r} is {kind!r}.", fix=fix)
        return _TYPES[kind]
    return kind


def _fits(value: Any, kind: Any) -> bool:
    """Whether a value is of a type. A whole number is a number; `True` is not 1."""
    if isinstance(value, bool) and kind in (int, float):
        return False
    if kind is float:
        return isinstance(value, (int, float))
    try:
        return isinstance(value, getattr(kind, "__origin__", None) or kind)
    except TypeError:
        return True
