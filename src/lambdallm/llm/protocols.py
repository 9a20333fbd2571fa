"""The contracts of the client library: what a client, a token counter and a registry are to those who use them."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .embedding.protocol import EmbeddingClientProtocol as EmbeddingClientProtocol
from .types import HealthCheckResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from typing import Any, TypeAlias, TypeVar

    from .clients.behind import Behind
    from .errors import LLMError
    from .flow import Flow
    from .notices import Notice
    from .rate_limiting.quota import Charge, Short, Taken
    from .result import Result
    from .routing.candidate import CandidateFacts
    from .routing.plan import Observation, Plan, RoutedCall
    from .streaming.stream import AsyncStream, Stream
    from .types import ChatMessage, Completion, StreamChunk, ToolDefinition

    T = TypeVar("T")
    Answer: TypeAlias = T | Awaitable[T] | Flow[T]
    """What a method gives that may be plain, asynchronous or a flow."""


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
class BlockingLLMClientProtocol(Protocol):
    """What `LLMClientProtocol` is, without waiting: for those who have no event loop."""

    def complete(self, messages: str | Sequence[ChatMessage], **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer. `kwargs` are `model` and the fields of `ChatRequest`."""
        ...

    def stream_chat(self, messages: str | Sequence[ChatMessage], **kwargs: Any) -> Stream[StreamChunk, LLMError]:
        """The answer piece by piece. Nothing happens before the first piece is asked for; errors surface there."""
        ...

    def chat(
        self, messages: str | Sequence[ChatMessage], tools: Sequence[ToolDefinition] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call tools."""
        ...

    def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the provider answers within `timeout` seconds."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


@runtime_checkable
class HandsOnProtocol(Protocol):
    """A client that hands its calls on to others, such as a wrapper: what they can do is then known of it too.

        class Timed:                    # a wrapper of one's own, around any client
            def behind(self, model=None):
                return (Behind(self.client, model),)

    Without it an extractor asks a foreign client in words, and a router takes it for one of which nothing is known.
    """

    def behind(self, model: str | None = None) -> Sequence[Behind]:
        """Those that may answer a call for `model`."""
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


@runtime_checkable
class LLMCacheProtocol(Protocol):
    """Keeps answers by key: a cache of one's own. Methods may be plain or `async`.

    What they raise, or take longer than a second for, counts as the cache being down: calls go on without it.
    """

    def lookup(self, key: str) -> Answer[Completion | None]:
        """The answer of a key; `None` where there is none, or its time has passed."""
        ...

    def store(self, key: str, completion: Completion, ttl_seconds: float | None = None) -> Answer[None]:
        """Keep an answer, for `ttl_seconds` where given."""
        ...


@runtime_checkable
class CacheBackendProtocol(Protocol):
    """Keeps bytes by key: where a cache of this package may keep its answers. Methods may be plain or `async`."""

    def get(self, key: str) -> Answer[bytes | None]:
        """The bytes of a key; `None` where there are none, or their time has passed."""
        ...

    def set(self, key: str, value: bytes, ttl_seconds: float | None = None) -> Answer[None]:
        """Keep bytes, for `ttl_seconds` where given."""
        ...

    def delete(self, key: str) -> Answer[None]:
        """Forget a key; one that is not there is fine."""
        ...


@runtime_checkable
class QuotaBackendProtocol(Protocol):
    """Keeps count of what was taken from limits, for all who share it: `RateLimiter`'s `backend`, and itself one.

    Methods may be plain or `async`; what they raise counts as the backend being down. `gives_flows = True` says that
    they return flows, as this package's own do.
    """

    def take(self, key: str, charges: Sequence[Charge], wait_seconds: float = 0.0) -> Answer[Taken | Short]:
        """Take all charges of a key in one step, or none of them.

        Charges that have to wait no longer than `wait_seconds` are taken ahead of time: `Taken.wait_seconds` is then
        how long. Else `Short` names the one that has to wait longest.
        """
        ...

    def settle(self, taken: Taken, used: Sequence[float]) -> Answer[None]:
        """Say how much was used of each charge, in their order: more is charged, what was not used is given back."""
        ...


@runtime_checkable
class RoutingStrategyProtocol(Protocol):
    """Says whom a router asks first: pure, so no clock, no network, no waiting.

        class Newest:
            def plan(self, call, candidates):
                newest = sorted(candidates, key=lambda one: one.model or "", reverse=True)
                return Plan(newest, lambda one: f"Its model is {one.model!r}.")

            def observe(self, observation):
                pass

    A `name` on it is the strategy's name in the decision, else its class is.
    """

    def plan(self, call: RoutedCall, candidates: Sequence[CandidateFacts], /) -> Plan:
        """The order among candidates that can, or may be able to, do what the call needs."""
        ...

    def observe(self, observation: Observation, /) -> None:
        """Hear what an attempt was like; may come from several threads."""
        ...


class ContainerProtocol(Protocol):
    """What the library needs of a container. `lambdallm.llm.di.Container` is one; to adapt another, add this method."""

    def singleton(self, key: type[Any] | str, value: Any) -> None:
        """Make `value` known under a type, a protocol or a name."""
        ...


@runtime_checkable
class InferenceLoggerProtocol(Protocol):
    """Hears of every call to a model: a listener. What it raises is reported by the driver, and harms no call."""

    def __call__(self, notice: Notice) -> object:
        """Hear that a call has begun, is completed, or has failed."""
        ...
