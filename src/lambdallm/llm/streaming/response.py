"""`StreamingResponse`: reads a stream and knows, at any time, what has come and how fast. Its twin is in `sync`."""

from __future__ import annotations

from time import monotonic

from ..errors import LambdaLLMError
from .measured import Measured
from .source import aclose, anext_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Callable
    from types import TracebackType
    from typing import Self

    from ..errors import LLMError
    from ..result import Result
    from ..types import Completion, StreamChunk


class StreamingResponse(Measured):
    """The chunks of a stream, passed on while they are counted, timed and added up.

        async with StreamingResponse(client.stream_chat("Tell me a story")) as response:
            async for chunk in response:
                print(chunk.delta, end="")
        print(response.total_tokens, response.time_to_first_chunk_ms, response.thinking)

    `stream` is any asynchronous iterable of `StreamChunk`s. Iterating raises what the stream fails with, as a
    `LambdaLLMError`; it stays in `error`, with what had come in its `partial`.
    """

    def __init__(self, stream: AsyncIterable[StreamChunk], *, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(stream, clock=clock)
        self._stream = stream
        self._items: AsyncIterator[StreamChunk] | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamChunk:
        if self._over:
            raise StopAsyncIteration
        if self._items is None:
            self._items = aiter(self._stream)
        self._begin()
        try:
            chunk = await anext_of(self._items)
        except BaseException as error:
            self._end(error if isinstance(error, LambdaLLMError) else None)
            raise
        if chunk is None:
            self._end(whole=True)
            raise StopAsyncIteration
        self._take(chunk)
        return chunk

    async def collect(self) -> Result[Completion, LLMError]:
        """The whole answer, once all of it is read; an error has what had come in its `partial`.

        Raises `ConfigurationError` and its kin for what is wrong before anything is sent.
        """
        try:
            async for _ in self:
                pass
        except LambdaLLMError:
            pass  # it is in `error`
        return self._collected()

    async def aclose(self) -> None:
        """Stop reading, and close the stream."""
        self._end()
        if self._closed:
            return
        self._closed = True
        if self._items is not None and self._items is not self._stream:
            await aclose(self._items)
        await aclose(self._stream)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()
