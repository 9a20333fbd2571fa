"""The contracts of the client library: what a client, a token counter and a registry are to those who use them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .embedding.protocol import EmbeddingClientProtocol as EmbeddingClientProtocol
from .types import HealthCheckResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .errors import LLMError
    from .result import Result
    from .streaming.stream import AsyncStream
    from .types import ChatMessage, Completion, StreamChunk, ToolDefinition


@runtime_checkable
class LLMClientProtocol(Protocol):
    """What every client of a provider does. What goes wrong at the provider is an `Err`, never an exception."""

    async def complete(self, messages: str | Sequence[ChatMessage], **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer. `kwargs` are `model` and the fields of `ChatRequest`."""
        ...

    def stream_chat(self, messages: str | Sequence[ChatMessage], **kwargs: Any) -> AsyncStream[StreamChunk, LLMError]:
        """The answer piece by piece. Nothing happens before the first piece is asked for; errors surface there."""
        ...

    async def chat(
        self, messages: str | Sequence[ChatMessage], tools: Sequence[ToolDefinition] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call tools."""
        ...

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the provider answers within `timeout` seconds."""
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...


@runtime_checkable
class TokenCounterProtocol(Protocol):
    """Counts tokens as a model does."""

    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text."""
        ...

    def count_messages(self, messages: Sequence[ChatMessage], model: str | None = None) -> int:
        """The tokens of a conversation, with what separates its messages."""
        ...


@runtime_checkable
class ProviderRegistryProtocol(Protocol):
    """Knows clients by their provider's name."""

    def register(self, name: str, client: type[Any]) -> None:
        """Make a client class known under a name."""
        ...

    def get(self, name: str) -> type[Any]:
        """The client class of that name."""
        ...

    def names(self) -> list[str]:
        """Every known name, sorted."""
        ...
