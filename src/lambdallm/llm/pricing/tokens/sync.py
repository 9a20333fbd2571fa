"""The blocking twin of `ProviderTokenCounter`, under the same name; the other counters wait for nothing."""

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
        """A blocking client with an endpoint for counts."""

        def count_tokens(self, messages: Messages, **kwargs: Any) -> Result[TokenCount, LLMError]:
            """How many tokens the input has."""
            ...


class ProviderTokenCounter:
    """Exact counts from the provider, a request for each; a `TokenCounterProtocol`. Raises as its twin does.

    counter = ProviderTokenCounter(GeminiClient())
    counter.count("How far is the moon?", "gemini-3.5-flash")
    """

    def __init__(self, client: CountingClient) -> None:
        self._client = client

    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text as a user's message, with what its prompt format adds."""
        return self._counted(text, model)

    def count_messages(self, messages: Sequence[ChatMessage], model: str | None = None) -> int:
        """The tokens of a conversation."""
        return self._counted(messages, model)

    def _counted(self, messages: Messages, model: str | None) -> int:
        options: dict[str, Any] = {} if model is None else {"model": model}
        return self._client.count_tokens(messages, **options).unwrap().input_tokens
