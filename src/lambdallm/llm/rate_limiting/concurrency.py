"""How many calls may be under way at a time: slots, and a queue for those that wait for one. First come, first served.

A slot is handed from the one that leaves to the one that has waited longest, under one lock, so that nobody overtakes.
Whoever gives up waiting (time, cancellation) at the moment a slot is handed to them passes it on.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..errors import ConfigurationError, LLMRateLimitError
from ..flow import NOW, Await
from ..forks import renewed_in_children
from ..result import Err, Ok
from ..task import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result

    T = TypeVar("T")


class ConcurrencyTemplate:
    """At most `max_concurrency` calls under way in this process; the others wait their turn.

        limit = ConcurrencyLimit(8, max_waiting=100, max_wait_seconds=5.0)

    At most `max_waiting` wait (`None`: any number), each for at most `max_wait_seconds` (`None`: as long as it takes).
    One limit serves threads and event loops together; a fork begins with no call under way. Raises `ConfigurationError`
    for numbers that make no sense.
    """

    def __init__(
        self, max_concurrency: int, *, max_waiting: int | None = None, max_wait_seconds: float | None = None
    ) -> None:
        self.max_concurrency = _at_least(1, "max_concurrency", max_concurrency)
        self.max_waiting = None if max_waiting is None else _at_least(0, "max_waiting", max_waiting)
        self.max_wait_seconds = max_wait_seconds
        self._busy = 0
        self._queue: dict[Signal, None] = {}
        self._lock = allocate_lock()
        renewed_in_children(self)

    @property
    def busy(self) -> int:
        """The calls under way."""
        return self._busy

    @property
    def waiting(self) -> int:
        """Those that wait for a slot."""
        return len(self._queue)

    def enter(self, *, deadline: float | None = None) -> Flow[Result[None, LLMRateLimitError]]:
        """Take a slot, waiting for it if need be; never beyond `deadline`, a reading of the monotonic clock.

        Whoever got `Ok` must `leave`. No call was made for an `Err`: its `sent` is false.
        """
        turn = self._slot_or_place()
        if not isinstance(turn, Signal):
            return turn
        try:
            seconds = self.max_wait_seconds
            if deadline is not None:
                left = max(0.0, deadline - (yield NOW).monotonic)
                seconds = left if seconds is None else min(seconds, left)
            yield Await((turn,), seconds)
        except BaseException:
            if not self._gave_up(turn):
                self.leave()
            raise
        if self._gave_up(turn):
            return Err(self._refusal(f"none became free within {seconds:.3g} s"))
        return Ok(None)

    def leave(self) -> None:
        """Give the slot to the one that has waited longest, or free it."""
        with self._lock:
            turn = next(iter(self._queue), None)
            if turn is None:
                self._busy = max(0, self._busy - 1)
                return
            del self._queue[turn]
        turn.fire()

    def during(
        self, attempt: Callable[[], Flow[Result[T, LLMError]]], *, deadline: float | None = None
    ) -> Flow[Result[T, LLMError]]:
        """One attempt in a slot, which is free again however the attempt ends."""
        entered = yield from self.enter(deadline=deadline)
        if isinstance(entered, Err):
            return entered
        try:
            return (yield from attempt())
        finally:
            self.leave()

    def _slot_or_place(self) -> Signal | Result[None, LLMRateLimitError]:
        """A slot at once, or a place in the queue, or neither."""
        with self._lock:
            if self._busy < self.max_concurrency:
                self._busy += 1
                return Ok(None)
            if self.max_waiting is not None and len(self._queue) >= self.max_waiting:
                return Err(self._refusal(f"{len(self._queue)} wait already"))
            turn = Signal()
            self._queue[turn] = None
            return turn

    def _gave_up(self, turn: Signal) -> bool:
        """Leave the queue; false where a slot has been handed over meanwhile."""
        with self._lock:
            if turn not in self._queue:
                return False
            del self._queue[turn]
            return True

    def _refusal(self, why: str) -> LLMRateLimitError:
        message = f"All of the {self.max_concurrency!r} calls that may be under way are, and {why}. No call was made."
        return LLMRateLimitError(message, code="concurrency", sent=False)

    def renew(self) -> None:
        """Start over: a fork has neither the threads nor the calls of its parent."""
        self._lock = allocate_lock()
        self._busy, self._queue = 0, {}

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._busy} of {self.max_concurrency} under way, {len(self._queue)} waiting>"


def _at_least(least: int, name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name} is {value!r}.", fix=f"Give a whole number, {least} or more.")
    return value
