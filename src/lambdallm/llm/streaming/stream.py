"""A stream of chunks as its reader sees it: iterate, stop when you like, ask for the whole answer at the end."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
    from types import TracebackType
    from typing import Self

    from ..types import Completion, StreamChunk
    from .record import StreamRecord


class ChatStream:
    """The chunks of one answer. The call is made when iteration begins.

        with client.stream("Tell me a story") as stream:
            for chunk in stream:
                print(chunk.delta, end="")
        print(stream.completion.usage)

    Iterating raises the call's `LLMError`, its `partial` holding what had come. Leaving early closes the connection.
    """

    def __init__(self, chunks: Generator[StreamChunk, None, None], record: StreamRecord) -> None:
        self._chunks = chunks
        self._record = record

    def __iter__(self) -> Iterator[StreamChunk]:
        return self._chunks

    def __next__(self) -> StreamChunk:
        return next(self._chunks)

    def texts(self) -> Iterator[str]:
        """The answer's text alone, piece by piece."""
        return (chunk.delta for chunk in self._chunks if chunk.delta)

    @property
    def completion(self) -> Completion:
        """The whole answer; before the end, what has come so far."""
        return self._record.completion()

    def close(self) -> None:
        """Stop reading and close the connection."""
        self._chunks.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class AsyncChatStream:
    """The asynchronous twin of `ChatStream`."""

    def __init__(self, chunks: AsyncGenerator[StreamChunk, None], record: StreamRecord) -> None:
        self._chunks = chunks
        self._record = record

    def __aiter__(self) -> AsyncIterator[StreamChunk]:
        return self._chunks

    async def __anext__(self) -> StreamChunk:
        return await anext(self._chunks)

    async def texts(self) -> AsyncIterator[str]:
        """The answer's text alone, piece by piece."""
        async for chunk in self._chunks:
            if chunk.delta:
                yield chunk.delta

    @property
    def completion(self) -> Completion:
        """The whole answer; before the end, what has come so far."""
        return self._record.completion()

    async def aclose(self) -> None:
        """Stop reading and close the connection."""
        await self._chunks.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()
