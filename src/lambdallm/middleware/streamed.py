"""What functions return, as far as middleware has to know it: a status, or pieces that are followed to their end."""

from __future__ import annotations

from ..llm.types import StreamChunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
    from typing import Any

    from ..llm.flow import Flow
    from .context import Driver

    Ended = Callable[[BaseException | None], Flow[None]]
    Seen = Callable[[Any], object]


def is_stream(result: Any) -> bool:
    """Whether a result comes in pieces, awaited or not."""
    return any(hasattr(result, name) for name in ("__next__", "__anext__", "texts"))


def status_of(result: Any) -> Any:
    """The HTTP status of a result that has one: a response as a dictionary or a value."""
    if isinstance(result, dict) and "statusCode" in result:
        return result["statusCode"]
    return getattr(getattr(result, "response", result), "status", None)


def response_of(result: Any, context: Any) -> Any:
    """The response that says how pieces go out, `None` where none does; layers that change pieces keep the head."""
    known = getattr(result, "response", None)
    if hasattr(known, "for_direct"):  # streams of other libraries have a response too, which is their provider's
        return known
    return getattr(getattr(context, "answer", None), "response", None)


def followed(stream: Any, driver: Driver, ended: Ended, seen: Seen | None = None, *, awaits: bool = False) -> Any:
    """The same pieces; `seen` sees each, and `ended` is performed at the end.

    It is told what ended the stream early: its error, or `GeneratorExit` where its reader left. One that is never read
    has no end. What else is asked of the stream, such as its `completion`, is its own. With `awaits` the driver gives
    coroutines, and the pieces are awaited, of whichever kind the stream is.
    """
    see = seen or (lambda piece: None)
    if awaits or hasattr(stream, "__aiter__"):
        return _AwaitedPieces(_awaited(stream, driver, ended, see), stream, lambda: _aleft(stream, driver, ended))
    return _Pieces(_read(stream, driver, ended, see), stream, lambda: _left(stream, driver, ended))


class _Pieces:
    """The pieces of a stream, one by one."""

    def __init__(self, pieces: Generator[Any, None, None], stream: Any, left: Callable[[], None]) -> None:
        self._pieces, self._stream, self._left = pieces, stream, left
        self._begun = False

    def __iter__(self) -> _Pieces:
        return self

    def __next__(self) -> Any:
        self._begun = True
        return next(self._pieces)

    def close(self) -> None:
        """End it where its reader leaves, before the first piece too: a generator that never ran can't tell."""
        self._pieces.close()
        if not self._begun:
            self._begun = True
            self._left()

    def texts(self) -> Generator[str, None, None]:
        """The text alone, piece by piece."""
        yield from filter(None, map(text_of, self))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _AwaitedPieces:
    """The same where they are awaited."""

    def __init__(self, pieces: AsyncGenerator[Any, None], stream: Any, left: Callable[[], Awaitable[None]]) -> None:
        self._pieces, self._stream, self._left = pieces, stream, left
        self._begun = False

    def __aiter__(self) -> _AwaitedPieces:
        return self

    async def __anext__(self) -> Any:
        self._begun = True
        return await anext(self._pieces)

    async def aclose(self) -> None:
        """End it where its reader leaves."""
        await self._pieces.aclose()
        if not self._begun:
            self._begun = True
            await self._left()

    async def texts(self) -> AsyncGenerator[str, None]:
        """The text alone, piece by piece."""
        async for piece in self:
            if text := text_of(piece):
                yield text

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _read(stream: Any, driver: Driver, ended: Ended, seen: Seen) -> Generator[Any, None, None]:
    reason: BaseException | None = None
    try:
        for piece in stream:
            seen(piece)
            yield piece
    except BaseException as error:
        reason = error
        getattr(stream, "close", lambda: None)()
        raise
    finally:
        driver.run(ended(reason))


async def _awaited(stream: Any, driver: Driver, ended: Ended, seen: Seen) -> AsyncGenerator[Any, None]:
    reason: BaseException | None = None
    try:
        async for piece in stream if hasattr(stream, "__aiter__") else _one_by_one(stream):
            seen(piece)
            yield piece
    except BaseException as error:
        reason = error
        await _closed(stream)
        raise
    finally:
        await _settled(driver.run(ended(reason)))


async def _one_by_one(stream: Any) -> AsyncGenerator[Any, None]:
    for piece in stream:
        yield piece


async def _closed(stream: Any) -> None:
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    if close is not None:
        await _settled(close())


async def _settled(outcome: Any) -> None:
    if hasattr(outcome, "__await__"):
        await outcome


def _left(stream: Any, driver: Driver, ended: Ended) -> None:
    try:
        getattr(stream, "close", lambda: None)()
    finally:
        driver.run(ended(GeneratorExit()))


async def _aleft(stream: Any, driver: Driver, ended: Ended) -> None:
    try:
        await _closed(stream)
    finally:
        await _settled(driver.run(ended(GeneratorExit())))


def content_of(piece: Any) -> Any:
    """What of a piece goes out: text, bytes, or a value for JSON; no bytes of what says nothing.

    Of a model's chunk it is the text: its thinking and its tool calls are the function's.
    """
    if type(piece) is str:
        return piece
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    if type(piece) is StreamChunk:
        return piece.delta if piece.part is None and not piece.index else _text_of_chunk(piece)
    if piece is None:
        return b""
    if hasattr(piece, "final") and hasattr(piece, "data"):  # a structure while it is written
        return piece.data
    return getattr(piece, "delta", piece)


def _text_of_chunk(chunk: StreamChunk) -> str:
    from ..llm.streaming.stream import text_of as chunk_s

    return chunk_s(chunk)


def text_of(piece: Any) -> str:
    """The text of a piece: a chunk's, its own, or its JSON."""
    content = content_of(piece)
    if isinstance(content, bytes):
        return content.decode("utf-8", "replace")
    if content is None or isinstance(content, str):
        return content or ""
    import json

    return json.dumps(content, ensure_ascii=False, default=str)
