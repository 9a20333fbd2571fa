"""The pieces of a function's answer as long as there is time, and what is done after the last of them.

`timeout_buffer` before Lambda's limit they end. What has begun to go out is then whole but for a notice, whatever the
strategy, and `context.truncated` says so; of what has not begun the strategy decides, as of any answer. An async
function's wait for its next piece is cut off then; one that blocks is asked between its pieces, while models' streams
in it end by themselves. Who reads the pieces, and in which form, is not known here.
"""

from __future__ import annotations

from ..llm.errors import DeadlineExceededError, LLMError
from ..llm.flow import NOW, Emit, Perform, ReaderLeft
from ..llm.result import Err, Ok
from .flows import as_error, attempted, paused_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any

    from ..llm.flow import Flow
    from ..llm.result import Result
    from .context import LambdaLLMContext
    from .streaming import StreamingResponse

END: Any = object()
"""What comes after the last piece."""


class _Answer:
    """A function's answer, as middleware sees it. What else is asked of it is the function's own."""

    def __init__(self, response: StreamingResponse, context: LambdaLLMContext) -> None:
        self.response = response
        self._result, self._context = response.body, context
        self._pieces: Any = context.driver.iterate(given(response.pieces, context, streams=True))

    def facts(self) -> dict[str, Any]:
        """What its last event says, as far as it is known by now."""
        from .ending import facts_of

        return facts_of(self._context, accounts=self.response.accounts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)


class Pieces(_Answer):
    """The pieces of an answer."""

    def close(self) -> None:
        """End it where its reader leaves."""
        self._pieces.close()

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> Any:
        return next(self._pieces)

    def texts(self) -> Generator[str, None, None]:
        """The text alone, piece by piece."""
        yield from filter(None, map(_text_of, self))


class AwaitedPieces(_Answer):
    """The same where they are awaited."""

    async def aclose(self) -> None:
        """End it where its reader leaves."""
        await self._pieces.aclose()

    def __aiter__(self) -> AwaitedPieces:
        return self

    async def __anext__(self) -> Any:
        return await anext(self._pieces)

    async def texts(self) -> AsyncGenerator[str, None]:
        """The text alone, piece by piece."""
        async for piece in self:
            if text := _text_of(piece):
                yield text


def _text_of(piece: Any) -> str:
    from ..middleware.streamed import content_of

    content = content_of(piece)
    return content if isinstance(content, str) else ""


def driven(response: StreamingResponse, context: LambdaLLMContext) -> StreamingResponse:
    """A response whose pieces the context's driver can ask for: those to be awaited run in the environment's loop."""
    if context.awaits or not hasattr(response.body, "__aiter__"):
        return response
    from .loop import environment_loop

    return response.replace(body=environment_loop.iterate(_items(response.body)))


async def _items(result: Any) -> AsyncGenerator[Any, None]:
    try:
        async for piece in result:
            yield piece
    finally:
        if (close := getattr(result, "aclose", None)) is not None:
            await close()


class _Asking:
    """Asks for one piece after another, as long as there is time."""

    def __init__(self, pieces: Any, context: LambdaLLMContext) -> None:
        self._context = context
        ask, self._alarm = next_of(pieces), None
        if context.deadline is not None and hasattr(pieces, "__aiter__"):
            from .alarm import Alarm

            self._alarm = Alarm(context, ask)
        self._ask = Perform(ask if self._alarm is None else self._alarm.next)
        self._late = False

    def next(self) -> Flow[Any]:
        """The next piece, `END`, or an `Err`: also where the time is up."""
        context = self._context
        if context.deadline is None:
            return (yield self._ask)
        left = context.deadline - (yield NOW).monotonic
        if left <= 0 and (self._late or not context.streams):
            return Err(DeadlineExceededError("The function's time is up."))
        self._late = left <= 0
        return (yield self._ask)

    def end(self) -> None:
        """Ask no more."""
        if self._alarm is not None:
            self._alarm.stop()


def next_of(pieces: Any) -> Callable[[], Any]:
    """What gives the next piece, `END`, or what was raised as an `Err`."""
    if hasattr(pieces, "__aiter__"):
        coming = aiter(pieces)

        async def awaited() -> Any:
            try:
                return await anext(coming, END)
            except BaseException as reason:  # noqa: BLE001  # it is the result, or raised again
                return Err(as_error(reason))

        return awaited
    waiting = iter(pieces)

    def following() -> Any:
        try:
            return next(waiting, END)
        except BaseException as reason:  # noqa: BLE001  # it is the result, or raised again
            return Err(as_error(reason))

    return following


def given(pieces: Any, context: LambdaLLMContext, *, streams: bool) -> Flow[Result[None, Any]]:
    """Emit a function's pieces as long as there is time; where they stream, save the session after the last one."""
    asking, begun = _Asking(pieces, context), False
    try:
        while (piece := (yield from asking.next())) is not END:
            if type(piece) is Err:
                yield from _cut_off(piece.error, context, begun=begun and streams)
                break
            begun = True
            yield Emit((piece,))
        yield from closed(pieces, context)
        if streams:
            yield from context.saving_session()
    except (Exception, ReaderLeft):
        yield from closed(pieces, context)
        raise
    finally:
        asking.end()
    return Ok(None)


def _cut_off(error: Exception, context: LambdaLLMContext, *, begun: bool) -> Flow[None]:
    """Mark an answer that time ends where it is. Raises the error where something else ended it, or it has not begun"""
    from .late import is_late, out_of_time

    pauses = paused_at(error) is not None
    is_time_s = isinstance(error, (LLMError, DeadlineExceededError)) and (yield from is_late(context, error, 0))
    if not (pauses or is_time_s):
        raise error
    if begun or (context.settings.timeout_strategy == "truncate" and not pauses):
        context.truncated = True
        return
    if pauses or (context.journal is not None and not context.journal.has_begun):
        raise error
    raise out_of_time(context, error)  # type: ignore[arg-type]  # it is ours, by the lines above


def closed(pieces: Any, context: LambdaLLMContext) -> Flow[None]:
    """Close what is not read any further. A failure to do so is logged, and harms nobody else."""
    close = (getattr(pieces, "aclose", None) if context.awaits else None) or getattr(pieces, "close", None)
    result = Ok(None) if close is None else (yield from attempted(close, awaits=context.awaits))
    if isinstance(result, Err):
        from logging import getLogger

        getLogger("lambdallm").error("Closing %r failed.", pieces, exc_info=result.error)
