"""`AbstractLLMClient`: what to subclass for a provider that no definition describes, and what all named clients are.

A subclass gives the hooks; the template around them is in `template`. Its blocking twin is in `sync`.
"""

from __future__ import annotations

from ..drivers import AsyncDriver
from ..errors import LambdaLLMError, LLMError, StreamError
from ..result import Err
from ..streaming.record import StreamRecord
from ..streaming.stream import AsyncChatStream
from ..types import HealthCheckResult
from .template import ClientTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
    from types import TracebackType
    from typing import Any, Self

    from ..coerce import Messages, Tool
    from ..config import ClientConfig
    from ..result import Result
    from ..types import ChatMessage, Completion, StreamChunk, ToolDefinition
    from .policies import Asked


class AbstractLLMClient(ClientTemplate):
    """A client of one provider: circuit breaker, token limit, retries and thinking around three hooks.

        class AcmeClient(AbstractLLMClient):
            provider, default_model = "acme", "acme-large"

            async def _do_complete(self, messages, **options):
                text = await my_acme_call(messages[-1].text)
                return Ok(Completion((Choice(ChatMessage("assistant", text), "stop"),)))

    `_do_chat` and `_do_stream_chat` fall back on `_do_complete`. A hook returns `Err`, or raises an `LLMError`, an
    `OSError` or `TimeoutError`, for what the provider or the network does; anything else it raises is a bug and is
    raised on. Clients share nothing: each has its connections and its breaker. Use it with `async with`, or `close` it.
    """

    def __init__(
        self, config: ClientConfig | None = None, *, driver: AsyncDriver | None = None, **options: Any
    ) -> None:
        super().__init__(config, **options)
        self._driver = driver or AsyncDriver()

    async def complete(self, messages: Messages, **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer. `kwargs` are `model` and the fields of `ChatRequest`.

        Raises `ConfigurationError` and its kin for what is wrong before anything is sent.
        """
        return await self._driver.run(
            self._whole(
                lambda asked: self._do_complete(asked.messages, **self._given(asked)), self._asked(messages, kwargs)
            )
        )

    async def chat(
        self, messages: Messages, tools: Iterable[Tool] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call `tools`."""
        asked = self._asked(messages, {**kwargs, "tools": tools})
        return await self._driver.run(self._whole(self._chatted, asked))

    def _chatted(self, asked: Asked) -> Any:
        options = self._given(asked)
        called: Any = options.pop("tools", ())
        return self._do_chat(asked.messages, called, **options)

    def stream_chat(self, messages: Messages, **kwargs: Any) -> AsyncChatStream:
        """The answer piece by piece. Nothing is sent before the first piece is asked for; errors surface there."""
        record = StreamRecord(self._target(kwargs.get("model")))
        return AsyncChatStream(self._streamed(messages, kwargs, record), record)

    async def _streamed(
        self, messages: Messages, kwargs: dict[str, Any], record: StreamRecord
    ) -> AsyncGenerator[StreamChunk, None]:
        opened: list[AsyncIterator[StreamChunk]] = []

        def begin(asked: Asked) -> Callable[[], Awaitable[StreamChunk | None]]:
            chunks = aiter(self._do_stream_chat(asked.messages, **self._given(asked)))
            opened.append(chunks)
            return lambda: _next(chunks)

        chunks = self._driver.iterate(self._pieces(begin, self._asked(messages, kwargs), record))
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()
            for iterator in opened:
                await _closed(iterator)

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the provider answers within `timeout` seconds: here, a one-word question."""
        import asyncio
        from time import monotonic

        begun = monotonic()
        error: Exception | None = None
        try:
            async with asyncio.timeout(timeout):
                result = await self._do_complete((self._ping(),), max_tokens=16)
            error = result.error if isinstance(result, Err) else None
        except (LambdaLLMError, OSError) as failure:
            error = failure
        return self._health(error, (monotonic() - begun) * 1000)

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _do_complete(self, messages: tuple[ChatMessage, ...], **options: Any) -> Result[Completion, LLMError]:
        """One attempt at a whole answer."""
        raise NotImplementedError(f"{type(self).__name__} must implement _do_complete.")

    async def _do_chat(
        self, messages: tuple[ChatMessage, ...], tools: tuple[ToolDefinition, ...], **options: Any
    ) -> Result[Completion, LLMError]:
        """One attempt at a whole answer of a model that may call tools."""
        return await self._do_complete(messages, **options, **({"tools": tools} if tools else {}))

    async def _do_stream_chat(self, messages: tuple[ChatMessage, ...], **options: Any) -> AsyncIterator[StreamChunk]:
        """One attempt at a streamed answer; without an override, the whole answer as one piece."""
        result = await self._do_complete(messages, **options)
        for chunk in self._in_one_piece(result.unwrap()):
            yield chunk


async def _next(chunks: AsyncIterator[StreamChunk]) -> StreamChunk | None:
    try:
        return await anext(chunks, None)
    except (LLMError, OSError):
        raise
    except Exception as bug:
        raise StreamError(f"The stream failed: {bug!r}") from bug


async def _closed(chunks: AsyncIterator[StreamChunk]) -> None:
    close = getattr(chunks, "aclose", None)
    if close is not None:
        await close()
