"""One alarm for all the waits of a stream that is awaited: to arm one for each piece takes longer than the piece."""

from __future__ import annotations

import asyncio

from ..llm.errors import DeadlineExceededError
from ..llm.result import Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from .context import LambdaLLMContext

_GRACE_SECONDS = 0.1
"""How long after the deadline a model's stream may take to end by itself, which accounts for more than a cut does."""


class Alarm:
    """Cuts off the wait for a piece at the invocation's deadline; what rings between two waits rings in the next."""

    def __init__(self, context: LambdaLLMContext, ask: Callable[[], Awaitable[Any]]) -> None:
        self._context, self._ask = context, ask
        self._armed: tuple[float | None, asyncio.AbstractEventLoop] | None = None
        self._handle: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Task[Any] | None = None
        self._rang = False

    async def next(self) -> Any:
        """What is asked for; an `Err` of `DeadlineExceededError` where the deadline came before."""
        self._set(asyncio.get_running_loop())
        self._waiting, self._rang = asyncio.current_task(), False
        task: Any = self._waiting
        before = task.cancelling()
        try:
            return await self._ask()
        except asyncio.CancelledError:
            if not self._rang or task.cancelling() > before + 1:
                raise
        finally:
            self._waiting = None
            if self._rang:  # also where what was asked took no notice
                task.uncancel()
        return Err(DeadlineExceededError("The function's time is up."))

    def stop(self) -> None:
        """Ring no more."""
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._armed = None

    def _set(self, loop: asyncio.AbstractEventLoop) -> None:
        """Set it for the deadline, unless it is; a loop that runs elsewhere has none yet."""
        if (wanted := (self._context.deadline, loop)) == self._armed:
            return
        self.stop()
        self._armed = wanted
        if wanted[0] is not None:
            self._handle = loop.call_at(wanted[0], self._ring, _GRACE_SECONDS)

    def _ring(self, grace: float) -> None:
        if grace and self._context.streams and self._armed is not None:
            self._handle = self._armed[1].call_later(grace, self._ring, 0.0)
        elif self._waiting is None:
            self._armed = None  # it rings in the next wait
        else:
            self._rang = True
            self._waiting.cancel()
