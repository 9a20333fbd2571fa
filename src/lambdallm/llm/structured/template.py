"""What an extractor that awaits and one that blocks share: settings, the conversation, the calls, and their flows."""

from __future__ import annotations

from ..coerce import messages_of
from ..errors import ConfigurationError
from ..types import ChatMessage
from .flow import Wanted, extract
from .modes import asks, checked_mode, known_of
from .output_model import output_model as modelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..coerce import Messages
    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result
    from .extraction import Extraction
    from .modes import Ask, AskedMode
    from .output_model import OutputModel

_MOST_MODELS = 100
"""Output models that an extractor remembers: types are few, shorthands may be made anew for each call."""

_DECIDED = ("response_format", "tools", "tool_choice")
"""Options of a call that the output model and the mode decide."""


class ExtractorTemplate:
    """The state of an extractor and its flows. Its client may be of either kind: nothing here awaits."""

    def __init__(self, llm_client: Any, default_model: str | None, mode: AskedMode, max_retries: int) -> None:
        self.llm_client = llm_client
        self.default_model = default_model
        self.mode = checked_mode(mode)
        self.max_retries = _checked_retries(max_retries)
        self._models: dict[Any, OutputModel] = {}
        self._refused: dict[tuple[str | None, str], set[str]] = {}

    def _wanted(
        self,
        prompt: Messages,
        output_model: object,
        model: str | None,
        mode: AskedMode | None,
        max_retries: int | None,
        system: str | None,
        deadline: float | None = None,
        *,
        client: Any = None,
    ) -> Wanted:
        """What is asked, from the arguments of a call; of `client` where this one is another than the extractor's."""
        shape, model = self._modelled(output_model), model or self.default_model
        refused, known = self._refusals(model, shape), known_of(client or self.llm_client, model)
        return Wanted(
            shape,
            _conversation(prompt, system),
            asks(shape, self.mode if mode is None else checked_mode(mode), known, refused),
            self.max_retries if max_retries is None else _checked_retries(max_retries),
            refused,
            deadline,
        )

    def _refusals(self, model: str | None, shape: OutputModel) -> set[str]:
        """The modes that a model's provider has refused for an output model of that name."""
        key = (model, shape.name)
        if key not in self._refused and len(self._refused) >= _MOST_MODELS:
            return set()
        return self._refused.setdefault(key, set())

    def _options(self, model: str | None, options: dict[str, Any]) -> dict[str, Any]:
        """The options of the client's call. Raises `ConfigurationError` for those that the output model decides."""
        for name in _DECIDED:
            if name in options:
                fix = "Leave it out: the output model and the mode say it."
                raise ConfigurationError(f"An extraction takes no {name!r}.", fix=fix)
        model = model or self.default_model
        return options if model is None else {**options, "model": model}

    def _modelled(self, given: object) -> OutputModel:
        """The output model of an object, made once for each type."""
        try:
            known = self._models.get(given)
        except TypeError:
            return modelled(given)
        if known is None:
            known = modelled(given)
            if len(self._models) < _MOST_MODELS:
                self._models[given] = known
        return known

    def _extracted(self, wanted: Wanted, options: dict[str, Any]) -> Flow[Result[Extraction[Any], LLMError]]:
        """The flow of a whole extraction."""
        client = self.llm_client

        def call(messages: tuple[ChatMessage, ...], ask: Ask) -> Any:
            if ask.tool is not None:
                return client.chat(messages, [ask.tool], **options, **ask.options)
            return client.complete(messages, **options, **ask.options)

        return extract(wanted, call)

    def _streamed(
        self,
        wanted: Wanted,
        options: dict[str, Any],
        done: list[Extraction[Any]],
        following: Callable[[Any], Callable[[], Any]],
    ) -> Flow[Result[None, LLMError]]:
        """The flow of a streamed extraction; `following` gives what reads the next chunk of an opened stream."""
        from .stream import Source, stream

        def begin(messages: tuple[ChatMessage, ...], ask: Ask) -> Source:
            tools = {} if ask.tool is None else {"tools": [ask.tool]}
            chunks = self.llm_client.stream_chat(messages, **options, **tools, **ask.options)
            return Source(chunks, following(chunks))

        return stream(wanted, begin, done)


def _checked_retries(number: int) -> int:
    if type(number) is not int or number < 0:
        raise ConfigurationError(f"max_retries is {number!r}.", fix="Use a whole number of at least 0.")
    return number


def _conversation(prompt: Messages, system: str | None) -> tuple[ChatMessage, ...]:
    """The messages with the system prompt before them. Raises `ConfigurationError` for no message at all."""
    messages = messages_of(prompt)
    if not any(message.parts for message in messages):
        raise ConfigurationError(f"The prompt is {prompt!r}.", fix="Give a text or messages.")
    return (ChatMessage("system", system), *messages) if system else messages
