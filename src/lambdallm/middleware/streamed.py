"""What functions return, as far as middleware has to know it: a status, or pieces that are followed to their end."""

from __future__ import annotations

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


def followed(stream: Any, driver: Driver, ended: Ended, seen: Seen | None = None) -> Any:
    """The same pieces; `seen` sees each, and `ended` is performed at the end.

    It is told what ended the stream early: its error, or `GeneratorExit` where its reader left. One that is never read
    has no end. What else is asked of the stream, such as its `completion`, is its own.
    """
    see = seen or (lambda piece: None)
    if hasattr(stream, "__aiter__"):
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
        async for piece in stream:
            seen(piece)
            yield piece
    except BaseException as error:
        reason = error
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
        raise
    finally:
        await driver.run(ended(reason))


def _left(stream: Any, driver: Driver, ended: Ended) -> None:
    try:
        getattr(stream, "close", lambda: None)()
    finally:
        driver.run(ended(GeneratorExit()))


async def _aleft(stream: Any, driver: Driver, ended: Ended) -> None:
    close = getattr(stream, "aclose", None)
    try:
        if close is not None:
            await close()
    finally:
        await driver.run(ended(GeneratorExit()))


def text_of(piece: Any) -> str:
    """The text of a piece: a chunk's, its own, or its JSON."""
    text = getattr(piece, "delta", piece)
    if text is None or isinstance(text, str):
        return text or ""
    import json

    return json.dumps(text, ensure_ascii=False, default=str)
