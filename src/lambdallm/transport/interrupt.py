"""Stopping a wait from another thread: what a blocking call needs to be cancelled by whoever no longer wants it.

A thread that may be interrupted has an `Interrupt` in `here`; what waits in it says how to be woken for as long as it
waits. Looking up a name and functions that are not ours can't be woken: they end by themselves.
"""

from __future__ import annotations

import _thread
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Interrupted(BaseException):
    """Whoever started this no longer wants it: the blocking twin of `asyncio.CancelledError`, and no failure either."""


class Interrupt:
    """Says whether the work of one thread is still wanted, and wakes the thread when it is not.

        with interrupt.while_waiting(wake):
            wait()                             # `wake` is called from another thread, and only in this block

    Raises `Interrupted` on entering and on leaving the block where the work is no longer wanted.
    """

    __slots__ = ("_lock", "_wake", "requested")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._wake: Callable[[], object] | None = None
        self.requested = False

    def request(self) -> None:
        """Wake the thread, now or at its next wait."""
        with self._lock:
            self.requested = True
            if self._wake is not None:
                self._wake()

    def while_waiting(self, wake: Callable[[], object]) -> _Waiting:
        """The block in which `wake` may be called."""
        return _Waiting(self, wake)


class _Waiting:
    __slots__ = ("_interrupt", "_wake")

    def __init__(self, interrupt: Interrupt, wake: Callable[[], object]) -> None:
        self._interrupt, self._wake = interrupt, wake

    def __enter__(self) -> None:
        with self._interrupt._lock:
            self._interrupt._wake = self._wake
        if self._interrupt.requested:
            self._left()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._left()

    def _left(self) -> None:
        with self._interrupt._lock:
            self._interrupt._wake = None
        if self._interrupt.requested:
            raise Interrupted("It is no longer wanted.")


class _Here(_thread._local):
    """What interrupts the running thread; `None` in those that nobody interrupts."""

    interrupt: Interrupt | None = None


here = _Here()
