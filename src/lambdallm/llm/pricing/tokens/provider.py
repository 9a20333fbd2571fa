"""`ProviderTokenCounter`: counts by the provider's own endpoint, through a client that has `count_tokens`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from ...coerce import Messages
    from ...errors import LLMError
    from ...result import Result
    from ...types import ChatMessage, TokenCount

    class CountingClient(Protocol):
        """A client with an endpoint for counts, such as `AnthropicClient` and `GeminiClient`."""

        async def count_tokens(self, messages: Messages, **kwargs: Any) -> Result[TokenCount, LLMError]:
            """How many tokens the input has."""
            ...


class ProviderTokenCounter:
    """Exact counts from the provider, a request for each: nothing is generated, and nothing is charged.

        counter = ProviderTokenCounter(AnthropicClient())
        await counter.count_messages(messages, "claude-haiku-4-5")

    Raises the `LLMError` that the request ends with, and `ConfigurationError` for a provider that counts no tokens.
    `pricing.tokens.sync` has its blocking twin, which is a `TokenCounterProtocol`.
    """

    def __init__(self, client: CountingClient) -> None:
        self._client = client

    async def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text as a user's message, with what its prompt format adds."""
        return (await self._client.count_tokens(text, **_options(model))).unwrap().input_tokens

    async def count_messages(self, messages: Sequence[ChatMessage], model: str | None = None) -> int:
        """The tokens of a conversation."""
        return (await self._client.count_tokens(messages, **_options(model))).unwrap().input_tokens


def _options(model: str | None) -> dict[str, Any]:
    return {} if model is None else {"model": model}
