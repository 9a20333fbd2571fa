"""A stream as its reader sees it: iterate, stop when you like, ask for the whole answer at the end."""

from __future__ import annotations

from ..types import TextPart

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
    from types import TracebackType
    from typing import Generic, Self, TypeVar

    from ..errors import LLMError
    from ..types import Completion, StreamChunk
    from .record import StreamRecord

    T = TypeVar("T")
    E = TypeVar("E", bound=BaseException)

    class _Typed(Generic[T, E]): ...

else:

    class _Typed:
        def __class_getitem__(cls, _items):
            return cls

    T = E = StreamChunk = LLMError = None


class Stream(_Typed[T, E]):
    """Items that come one by one, and the error `E` that iterating may raise. Nothing happens before iteration begins.

    Leaving early, or the end of a `with` block, closes what the stream holds open.
    """

    def __init__(self, items: Generator[T, None, None]) -> None:
        self._items = items

    def __iter__(self) -> Iterator[T]:
        return self._items

    def __next__(self) -> T:
        return next(self._items)

    def close(self) -> None:
        """Stop reading and close the connection."""
        self._items.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def text_of(chunk: StreamChunk) -> str:
    """What a chunk adds to the first choice's text; text with citations comes as a part."""
    if chunk.index:
        return ""
    return chunk.delta + chunk.part.text if type(chunk.part) is TextPart else chunk.delta


class ChatStream(Stream[StreamChunk, LLMError]):
    """The chunks of one answer. The call is made when iteration begins.

        with client.stream("Tell me a story") as stream:
            for chunk in stream:
                print(chunk.delta, end="")
        print(stream.completion.usage)

    Iterating raises the call's `LLMError`, its `partial` holding what had come. Leaving early closes the connection.
    """

    def __init__(self, chunks: Generator[StreamChunk, None, None], record: StreamRecord) -> None:
        super().__init__(chunks)
        self._record = record

    def texts(self) -> Iterator[str]:
        """The answer's text alone, piece by piece; together the pieces are `completion.text`."""
        return (text for chunk in self._items if (text := text_of(chunk)))

    @property
    def completion(self) -> Completion:
        """The whole answer; before the end, what has come so far."""
        return self._record.completion()


class AsyncStream(_Typed[T, E]):
    """The asynchronous twin of `Stream`."""

    def __init__(self, items: AsyncGenerator[T, None]) -> None:
        self._items = items

    def __aiter__(self) -> AsyncIterator[T]:
        return self._items

    async def __anext__(self) -> T:
        return await anext(self._items)

    async def aclose(self) -> None:
        """Stop reading and close the connection."""
        await self._items.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()


class AsyncChatStream(AsyncStream[StreamChunk, LLMError]):
    """The asynchronous twin of `ChatStream`."""

    def __init__(self, chunks: AsyncGenerator[StreamChunk, None], record: StreamRecord) -> None:
        super().__init__(chunks)
        self._record = record

    async def texts(self) -> AsyncIterator[str]:
        """The answer's text alone, piece by piece; together the pieces are `completion.text`."""
        async for chunk in self._items:
            if text := text_of(chunk):
                yield text

    @property
    def completion(self) -> Completion:
        """The whole answer; before the end, what has come so far."""
        return self._record.completion()
