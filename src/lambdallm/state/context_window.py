"""`ContextWindow`: a history and a prompt fitted into what a model can read, by counting tokens.

Knows models by the catalog's facts and tokens by a counter; nothing of sessions or stores. What is dropped is said, in
the `Fitted` and in the log (`lambdallm.state`, at debug).
"""

from __future__ import annotations

from .._value import Value
from ..llm.types import ChatRequest
from .strategies import buffered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..llm.catalog.definition import ModelFacts
    from ..llm.protocols import TokenCounterProtocol
    from ..llm.types import ChatMessage, ProviderPart, ToolDefinition

_ANSWER_TOKENS = 4096
_MOST_OF_WINDOW = 0.25
_MARGIN = 0.05
"""What an estimate may be off for a whole request (see `EstimatingCounter`)."""


class Fitted(Value):
    """A request's messages: what is kept of the history, then the prompt.

    `dropped` counts the messages of the history that are left out; `tokens` is what the rest has with the tools,
    `room` what it may have, `None` where the model's window is not known. `fits` is false where the prompt alone is too
    long: then nothing of the history is left but the instructions.
    """

    messages: tuple[ChatMessage, ...]
    history: tuple[ChatMessage, ...] = ()
    dropped: int = 0
    tokens: int = 0
    room: int | None = None

    @property
    def fits(self) -> bool:
        """Whether the messages are within the room."""
        return self.room is None or self.tokens <= self.room


class ContextWindow:
    """What one model can read at once.

        window = ContextWindow("openai/gpt-4o")
        fitted = window.fit(session.messages, [ChatMessage("user", question)], max_tokens=500)
        fitted.messages, fitted.dropped

    `tokens` is the size of the window, the catalog's where it is not given. `counter` counts (the best at hand, without
    fetching anything); 5 % of the window is left free, since counts may be estimates.
    """

    def __init__(self, model: str, *, tokens: int | None = None, counter: TokenCounterProtocol | None = None) -> None:
        facts = _facts(model)
        self.model = model
        self.tokens = tokens if tokens is not None or facts is None else facts.context_window
        self._most_output = None if facts is None else facts.max_output_tokens
        self._counter = counter

    def room(self, max_tokens: int | None = None) -> int | None:
        """The tokens that a request may have, when `max_tokens` are kept free for the answer; `None` if unknown.

        Without `max_tokens` it is as much as the model can write, at most 4,096 and a quarter of the window.
        """
        if self.tokens is None:
            return None
        if max_tokens is None:
            max_tokens = min(self._most_output or _ANSWER_TOKENS, _ANSWER_TOKENS, int(self.tokens * _MOST_OF_WINDOW))
        return max(int(self.tokens * (1 - _MARGIN)) - max_tokens, 0)

    def count(self, messages: Sequence[ChatMessage], tools: Sequence[ToolDefinition | ProviderPart] = ()) -> int:
        """The tokens of a request with these messages and tools."""
        from ..llm.pricing.tokens.base import request_tokens

        return request_tokens(self._counting(), ChatRequest(self.model, tuple(messages), tuple(tools)))

    def fit(
        self,
        history: Sequence[ChatMessage],
        prompt: Sequence[ChatMessage] = (),
        *,
        tools: Sequence[ToolDefinition | ProviderPart] = (),
        max_tokens: int | None = None,
    ) -> Fitted:
        """The newest of the history that fits before the prompt, with calls and results of tools kept together."""
        room = self.room(max_tokens)
        everything = (*history, *prompt)
        tokens = self.count(everything, tools)
        if room is None or tokens <= room:
            return Fitted(everything, tuple(history), 0, tokens, room)
        kept = buffered(history, room, lambda messages: self.count((*messages, *prompt), tools)).messages
        tokens = self.count((*kept, *prompt), tools)
        if tokens > room:
            kept = tuple(message for message in kept if message.role in ("system", "developer"))
            tokens = self.count((*kept, *prompt), tools)
        fitted = Fitted((*kept, *prompt), kept, len(history) - len(kept), tokens, room)
        _log(self.model, fitted)
        return fitted

    def _counting(self) -> TokenCounterProtocol:
        if self._counter is None:
            from ..llm.pricing.tokens.registry import TokenCounterRegistry

            self._counter = TokenCounterRegistry()
        return self._counter


def _facts(model: str) -> ModelFacts | None:
    from ..llm.catalog.resolve import resolve
    from ..llm.errors import LLMModelNotFoundError

    try:
        return resolve(model).model
    except LLMModelNotFoundError:
        return None


def _log(model: str, fitted: Fitted) -> None:
    from logging import getLogger

    getLogger("lambdallm.state").debug(
        "%d messages of the history were left out for %s: %d of %d tokens are used.",
        *(fitted.dropped, model, fitted.tokens, fitted.room),
    )
