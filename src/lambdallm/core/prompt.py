"""`Prompt`: a template with typed variables, a shape for the answer, and the settings it was tuned for.

This module holds what every prompt needs. Conversations of several turns, examples, types beyond the plain ones, files
and the registry are in `core/prompts/`, imported by the prompts that use them.
"""

from __future__ import annotations

from .template import check_names, filled, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from os import PathLike
    from typing import Any, Generic, Unpack, overload

    from typing_extensions import TypeVar

    from ..llm.models import Model
    from ..llm.streaming.stream import AsyncChatStream, ChatStream
    from ..llm.types import ChatMessage
    from .prompts.examples import Example
    from .prompts.protocols import Invokes, More, Shape, Types
    from .prompts.turns import Placeholder, Turn

    S = TypeVar("S")
    T_co = TypeVar("T_co", covariant=True, default=Any)

    class _Typed(Generic[T_co]):
        __slots__ = ()

else:

    class _Typed:
        """Stand in for `typing.Generic`, which costs more to import than this module."""

        __slots__ = ()

        def __class_getitem__(cls, _item):
            return cls

    T_co = None


_FIELDS = (
    "template", "input_schema", "output_schema", "system_prompt", "model", "max_tokens", "temperature", "name",
    "version",
)  # fmt: skip
_TYPES: dict[object, Any] = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}
_PLAIN = frozenset((str, int, float, bool))


class Prompt(_Typed[T_co]):
    """A reusable prompt, which does not change once it is made.

        sentiment = Prompt(
            template="What is the sentiment of: {text}",
            input_schema={"text": str},
            output_schema={"sentiment": ["positive", "negative"], "score": float},
        )
        sentiment.invoke(context, text="I love it")   # {"sentiment": "positive", "score": 0.9}

    `input_schema` gives each variable a type (or its name); `output_schema` is the shape of the answer: the shorthand
    or JSON Schema for a dictionary, a type for an instance of it. `model` overrides the handler's. `name`, `version`
    and `labels` say which prompt it is, to metrics and to a `PromptRegistry`.

    `defaults` are values for variables that are not given. `examples` are pairs of variables and the answer wanted;
    `messages` are turns before the template's: `{"role": …, "content": "a template"}`, or `"{history}"` for a
    conversation that is put in its place. `Prompt[Review]` is a prompt whose answer is a `Review`.

    Raises `PromptError` for a template, types, defaults and examples that don't fit, and `ConfigurationError` for a
    setting that is none.
    """

    __slots__ = (*_FIELDS, "_kinds", "_optional", "_variables", "defaults", "examples", "labels", "turns")

    if TYPE_CHECKING:
        template: str
        input_schema: dict[str, Any] | None
        output_schema: Any
        system_prompt: str | None
        model: Model | str | None
        max_tokens: int
        temperature: float
        name: str | None
        version: str
        turns: tuple[Turn | Placeholder | ChatMessage, ...]
        """The turns before the template's, which `messages` gave."""
        examples: tuple[Example | ChatMessage, ...]
        defaults: dict[str, Any]
        labels: tuple[str, ...]
        _kinds: dict[str, Any]
        _variables: tuple[str, ...]
        _optional: tuple[str, ...]

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: Prompt[str], template: str = ..., input_schema: Types | None = ..., output_schema: None = ...,
            system_prompt: str | None = ..., model: Model | str | None = ..., max_tokens: int = ...,
            temperature: float = ..., name: str | None = ..., version: str = ..., **more: Unpack[More],
        ) -> None: ...  # fmt: skip

        @overload
        def __init__(
            self: Prompt[S], template: str = ..., input_schema: Types | None = ..., output_schema: type[S] = ...,
            system_prompt: str | None = ..., model: Model | str | None = ..., max_tokens: int = ...,
            temperature: float = ..., name: str | None = ..., version: str = ..., **more: Unpack[More],
        ) -> None: ...  # fmt: skip

        @overload
        def __init__(
            self: Prompt[dict[str, Any]], template: str = ..., input_schema: Types | None = ...,
            output_schema: Mapping[str, Any] = ..., system_prompt: str | None = ..., model: Model | str | None = ...,
            max_tokens: int = ..., temperature: float = ..., name: str | None = ..., version: str = ...,
            **more: Unpack[More],
        ) -> None: ...  # fmt: skip

        @overload
        def __init__(
            self: Prompt[Any], template: str = ..., input_schema: Types | None = ..., output_schema: Shape = ...,
            system_prompt: str | None = ..., model: Model | str | None = ..., max_tokens: int = ...,
            temperature: float = ..., name: str | None = ..., version: str = ..., **more: Unpack[More],
        ) -> None: ...  # fmt: skip

    def __init__(
        self,
        template: str | None = None,
        input_schema: Types | None = None,
        output_schema: object = None,
        system_prompt: str | None = None,
        model: Model | str | None = None,
        max_tokens: int = 1024,
        temperature: float = 0.7,
        name: str | None = None,
        version: str = "1.0.0",
        *,
        messages: Iterable[Any] = (),
        examples: Iterable[Any] = (),
        defaults: Mapping[str, Any] | None = None,
        labels: Iterable[str] = (),
    ) -> None:
        turns = _turns(messages) if messages else ()
        self._put(
            template="" if template is None and turns else _text("template", template), turns=turns,
            input_schema=_mapping("input_schema", input_schema), defaults=_mapping("defaults", defaults) or {},
            output_schema=dict(output_schema) if isinstance(output_schema, dict) else output_schema,
            system_prompt=None if system_prompt is None else _text("system_prompt", system_prompt),
            model=model, max_tokens=max_tokens, temperature=temperature, name=name, version=version,
            labels=tuple(labels) if isinstance(labels, (tuple, list, set, frozenset)) else labels,
        )  # fmt: skip
        self._put(_variables=self._used(), _optional=(*self.defaults, *self.placeholders))
        self._put(_kinds={key: _kind(key, kind) for key, kind in (self.input_schema or {}).items()})
        self._check()
        self._put(examples=_examples(self, examples) if examples else ())

    @property
    def variables(self) -> list[str]:
        """The names of its variables, those of the system prompt and of every turn included."""
        return list(self._variables)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The names that a conversation can be given for; without one nothing stands in their place."""
        turns: Any = self.turns
        return tuple(turn.name for turn in turns if hasattr(turn, "is_placeholder"))

    @property
    def shape(self) -> Any:
        """What the answer is to become: the shorthand, a JSON Schema or a type; `None` for text."""
        return self.output_schema

    @property
    def json_schema(self) -> dict[str, Any] | None:
        """The shape of the answer as JSON Schema; `None` for text. Raises `ConfigurationError` for what is none."""
        if self.output_schema is None:
            return None
        from ..llm.structured.output_model import json_schema_of

        return json_schema_of(self.output_schema)

    def format(self, /, **kwargs: Any) -> str:
        """The template with its variables filled in; without a template, the last of its messages.

        Raises `PromptError` naming a variable that is missing, unknown, or of the wrong type.
        """
        return filled(self.question, self._checked(kwargs), self.label)

    def messages(self, values: Mapping[str, Any], history: Sequence[ChatMessage] = ()) -> tuple[ChatMessage, ...]:
        """The whole conversation that it begins, filled in: system prompt, examples, turns, template.

        Images, documents and sounds (`ImagePart` and its kin) stand in a user's turn where their variable does. What
        was said before, `history`, fills the first placeholder that has no value, and without one stands before the
        last user's turn. Raises as `format` does.
        """
        from ..llm.types import ChatMessage

        values = self._checked(values)
        if self.turns or self.examples or history or not all(type(value) in _PLAIN for value in values.values()):
            from .prompts.turns import conversation

            return conversation(self, values, history)
        system = filled(self.system_prompt, values, self.label) if self.system_prompt else ""
        user = ChatMessage("user", filled(self.template, values, self.label))
        return (ChatMessage("system", system), user) if system else (user,)

    def invoke(self, /, _context: Invokes, **kwargs: Any) -> T_co:
        """Ask the model: text, or where there is an `output_schema` what it describes.

        `_context` is what the handler was given; its underscore leaves the name `context` to the template. Raises
        `PromptError`, `LLMError`, `ExtractionError`.
        """
        answer: T_co = _checked_context(_context).invoke_prompt(self, kwargs)
        return answer

    async def ainvoke(self, /, _context: Invokes, **kwargs: Any) -> T_co:
        """The twin of `invoke` for async handlers."""
        answer: T_co = await _checked_context(_context).ainvoke_prompt(self, kwargs)
        return answer

    def stream(self, /, _context: Invokes, **kwargs: Any) -> ChatStream:
        """Ask the model and read its text as it comes. Raises as `invoke`; a shape can't be streamed."""
        return self._streamed(_context).stream(self, **kwargs)

    def astream(self, /, _context: Invokes, **kwargs: Any) -> AsyncChatStream:
        """The twin of `stream` for async handlers."""
        return self._streamed(_context).astream(self, **kwargs)

    def _streamed(self, context: Invokes) -> Invokes:
        if self.output_schema is not None:
            raise _checks().no_stream(self)
        return _checked_context(context)

    def with_options(self, options: Mapping[str, Any]) -> Prompt[T_co]:
        """The same prompt with some of what it was made of replaced."""
        return type(self)(**{**self._made_of(), **options})

    def to_dict(self) -> dict[str, Any]:
        """Everything it was made of, fit for JSON and YAML. `from_dict` goes back.

        Types that files have no word for are written as JSON Schema. Raises `ConfigurationError` for what can't be.
        """
        from .prompts.data import data_of

        return data_of(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Prompt[Any]:
        """The prompt that `to_dict` or a file describes.

        Raises `ConfigurationError` for a field that does not exist, naming the nearest one, and as `Prompt` does.
        """
        from .prompts.data import checked

        return cls(**checked(data))

    @classmethod
    def from_yaml(cls, path: str | PathLike[str]) -> Prompt[Any]:
        """The prompt in a YAML or JSON file; JSON needs no package.

        Raises `ConfigurationError` and `PromptError` naming the file, the line and the column.
        """
        from .prompts.files import read_prompt

        return read_prompt(path, cls)

    @staticmethod
    def schema() -> dict[str, Any]:
        """The JSON Schema of a prompt's file, for editors: `# yaml-language-server: $schema=prompt.schema.json`."""
        from .prompts.file_schema import file_schema

        return file_schema()

    @property
    def question(self) -> str:
        """The template of the last turn, which examples are pairs of."""
        return self.template or next((turn.template for turn in self.turns[::-1] if hasattr(turn, "template")), "")

    @property
    def label(self) -> str:
        """What errors call it."""
        return f"Prompt {self.name!r}" if self.name else "The prompt"

    def _put(self, **fields: Any) -> None:
        for field, value in fields.items():
            object.__setattr__(self, field, value)

    def _used(self) -> tuple[str, ...]:
        """The names of all variables and placeholders, in the order of a reader."""
        templates = [self.template, self.system_prompt or ""]
        templates += [turn.template for turn in self.turns if hasattr(turn, "template")]
        names = [name for template in templates for name in variables(template)]
        return tuple(dict.fromkeys((*names, *self.placeholders)))

    def _check(self) -> None:
        if type(self.max_tokens) is not int or self.max_tokens < 1 or type(self.temperature) not in (int, float):
            _checks().check_numbers(self)
        named = [word for word in (self.name, self.model) if word is not None]
        labels = self.labels if type(self.labels) is tuple else (None,)
        if not all(isinstance(word, str) and word for word in (self.version, *named, *labels)):
            _checks().check_identity(self)
        if self.placeholders:
            _checks().check_placeholders(self)
        for field in ("input_schema", "defaults"):
            for name in getattr(self, field) or ():
                if name not in self._variables:
                    raise _checks().unknown_variable(self, field, name)
        self._check_types(self.defaults, "defaults")

    def _checked(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The values with the defaults behind them. Raises `PromptError` for what does not fit."""
        check_names(self._variables, values, self.label, self._optional)
        self._check_types(values)
        return {**self.defaults, **values} if self.defaults else values

    def _check_types(self, values: Mapping[str, Any], *path: str | int) -> None:
        for name, kind in self._kinds.items():
            if name in values and type(values[name]) is not kind:
                _checks().check_type(self.label, name, values[name], kind, path)

    def _made_of(self) -> dict[str, Any]:
        """The arguments that make it again."""
        made = {field: getattr(self, field) for field in (*_FIELDS, "examples", "defaults", "labels")}
        return {**made, "template": self.template if self.template or not self.turns else None, "messages": self.turns}

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"A prompt is immutable; with_options({{{name!r}: …}}) makes a changed copy.")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"A prompt is immutable; {name!r} can't be deleted.")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Prompt):
            return NotImplemented
        from .prompts.data import identity

        return identity(self) == identity(other)

    def __hash__(self) -> int:
        return hash((self.template, self.name, self.version))

    def __repr__(self) -> str:
        text = self.template if len(self.template) <= 60 else self.template[:57] + "…"
        return f"Prompt({text!r}, name={self.name!r}, version={self.version!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (type(self), self._made_of())


def _made(cls: type[Prompt], arguments: dict[str, Any]) -> Prompt:
    return cls(**arguments)


def _text(field: str, given: object) -> str:
    if not isinstance(given, str):
        raise _checks().no_text(field, given)
    return given


def _mapping(field: str, given: Any) -> dict[str, Any] | None:
    if given is not None and not hasattr(type(given), "keys"):
        raise _checks().no_mapping(field, given)
    return None if given is None else dict(given)


def _turns(messages: Iterable[Any]) -> tuple[Any, ...]:
    from .prompts.turns import read_turns

    return read_turns(messages)


def _examples(prompt: Prompt, examples: Iterable[Any]) -> tuple[Any, ...]:
    from .prompts.examples import read_examples

    return read_examples(prompt, examples)


def _kind(name: str, kind: Any) -> Any:
    """The type of a variable: the plain ones here, where most are."""
    if kind in _PLAIN if isinstance(kind, type) else isinstance(kind, str) and kind in _TYPES:
        return _TYPES.get(kind, kind)
    from .prompts.type_names import input_kind

    return input_kind(name, kind)


def _checked_context(context: Invokes) -> Invokes:
    if not hasattr(context, "invoke_prompt"):
        raise _checks().no_context(context)
    return context


def _checks() -> Any:
    """What refuses, and what is looked at closer: most prompts never need it."""
    from .prompts import checks

    return checks
