"""The client for every provider that a definition describes: it resolves, builds the request, and runs the flows.

One synchronous class for functions, one asynchronous for servers; both are thin drivers of `llm/pipeline.py`.
"""

from __future__ import annotations

from ..call import CallSettings
from ..catalog.resolve import resolve, resolve_embedding
from ..drivers import shared_driver
from ..errors import LLMError
from ..options import check_options, check_settings
from ..pipeline import chat, count_tokens, stream_chat
from ..result import Err
from ..types import ChatMessage, ChatRequest, EmbeddingRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    from ..catalog.loader import Catalog
    from ..catalog.resolve import Target
    from ..drivers import AsyncDriver, Driver
    from ..result import Result
    from ..streaming.stream import AsyncChatStream, ChatStream
    from ..types import Completion, Embeddings, TokenCount

    Messages: TypeAlias = str | Sequence[ChatMessage | Mapping[str, Any]]


class _Base:
    """What both clients share: which model, which settings, how a request is made of arguments."""

    def __init__(
        self, model: str, *, settings: CallSettings | None = None, catalog: Catalog | None = None, **options: Any
    ) -> None:
        self._catalog = catalog
        self.target = resolve(model, catalog)
        check_options(options, CallSettings._fields)
        self.settings = settings or CallSettings(**options)
        check_settings(self.settings)

    def _embedding(
        self, texts: Sequence[str], model: str | None, options: dict[str, Any]
    ) -> tuple[EmbeddingRequest, Target]:
        from ..embedding.batches import checked_texts

        check_options(options, EmbeddingRequest._fields)
        target = resolve_embedding(model or self.target.provider.name, self._catalog)
        return EmbeddingRequest(target.model.id, checked_texts(texts), **options), target

    def _call(self, messages: Messages, model: str | None, options: dict[str, Any]) -> tuple[ChatRequest, Target]:
        check_options(options, ChatRequest._fields)
        target = self.target if model is None else resolve(model, self._catalog)
        asked: Any = (ChatMessage("user", messages),) if isinstance(messages, str) else tuple(messages)
        if options or any(type(message) is not ChatMessage for message in asked):
            from ..coerce import messages_of, options_of

            asked, options = messages_of(asked), options_of(options)
        return ChatRequest(target.model.id, asked, **options), target


class WireClient(_Base):
    """Calls a model over its provider's wire protocol, in the calling thread.

        client = WireClient("openai/gpt-4o-mini")
        answer = client.chat("Say hello").unwrap()
        print(answer.text, answer.cost_usd)

    `options` are the fields of `CallSettings`; arguments of a call are the fields of `ChatRequest`. Raises
    `ConfigurationError` and its kin for what is wrong before anything is sent; what the provider or the network does
    comes back as `Err`.
    """

    def __init__(self, model: str, *, driver: Driver | None = None, **options: Any) -> None:
        super().__init__(model, **options)
        self._driver = driver or shared_driver()

    def chat(self, messages: Messages, *, model: str | None = None, **options: Any) -> Result[Completion, LLMError]:
        """The whole answer."""
        request, target = self._call(messages, model, options)
        return self.send(request, target)

    def send(self, request: ChatRequest, target: Target | None = None) -> Result[Completion, LLMError]:
        """The whole answer to a finished request."""
        try:
            return self._driver.run(chat(request, target or self.target, self.settings))
        except LLMError as error:
            return Err(error)

    def count_tokens(
        self, messages: Messages, *, model: str | None = None, **options: Any
    ) -> Result[TokenCount, LLMError]:
        """How many tokens the input has, as the provider counts them; nothing is generated."""
        request, target = self._call(messages, model, options)
        try:
            return self._driver.run(count_tokens(request, target, self.settings))
        except LLMError as error:
            return Err(error)

    def embed(self, texts: Sequence[str], *, model: str | None = None, **options: Any) -> Result[Embeddings, LLMError]:
        """A vector for each text. Without a `model`, the default embedding model of the client's provider."""
        from ..embedding.flow import embed

        request, target = self._embedding(texts, model, options)
        try:
            return self._driver.run(embed(request, target, self.settings))
        except LLMError as error:
            return Err(error)

    def stream(self, messages: Messages, *, model: str | None = None, **options: Any) -> ChatStream:
        """The answer piece by piece; the call is made when iteration begins."""
        request, target = self._call(messages, model, options)
        return self.open(request, target)

    def open(self, request: ChatRequest, target: Target | None = None) -> ChatStream:
        """The answer to a finished request, piece by piece."""
        from ..streaming.record import StreamRecord
        from ..streaming.stream import ChatStream

        target = target or self.target
        record = StreamRecord(target)
        return ChatStream(self._driver.iterate(stream_chat(request, target, self.settings, record)), record)


class AsyncWireClient(_Base):
    """The asynchronous twin of `WireClient`."""

    def __init__(self, model: str, *, driver: AsyncDriver | None = None, **options: Any) -> None:
        from ..drivers import shared_async_driver

        super().__init__(model, **options)
        self._driver = driver or shared_async_driver()

    async def chat(
        self, messages: Messages, *, model: str | None = None, **options: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer."""
        request, target = self._call(messages, model, options)
        return await self.send(request, target)

    async def send(self, request: ChatRequest, target: Target | None = None) -> Result[Completion, LLMError]:
        """The whole answer to a finished request."""
        try:
            return await self._driver.run(chat(request, target or self.target, self.settings))
        except LLMError as error:
            return Err(error)

    async def count_tokens(
        self, messages: Messages, *, model: str | None = None, **options: Any
    ) -> Result[TokenCount, LLMError]:
        """How many tokens the input has, as the provider counts them; nothing is generated."""
        request, target = self._call(messages, model, options)
        try:
            return await self._driver.run(count_tokens(request, target, self.settings))
        except LLMError as error:
            return Err(error)

    async def embed(
        self, texts: Sequence[str], *, model: str | None = None, **options: Any
    ) -> Result[Embeddings, LLMError]:
        """A vector for each text. Without a `model`, the default embedding model of the client's provider."""
        from ..embedding.flow import embed

        request, target = self._embedding(texts, model, options)
        try:
            return await self._driver.run(embed(request, target, self.settings))
        except LLMError as error:
            return Err(error)

    def stream(self, messages: Messages, *, model: str | None = None, **options: Any) -> AsyncChatStream:
        """The answer piece by piece; the call is made when iteration begins."""
        request, target = self._call(messages, model, options)
        return self.open(request, target)

    def open(self, request: ChatRequest, target: Target | None = None) -> AsyncChatStream:
        """The answer to a finished request, piece by piece."""
        from ..streaming.record import StreamRecord
        from ..streaming.stream import AsyncChatStream

        target = target or self.target
        record = StreamRecord(target)
        return AsyncChatStream(self._driver.iterate(stream_chat(request, target, self.settings, record)), record)
