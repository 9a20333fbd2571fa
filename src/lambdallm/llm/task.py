"""What flows wait for: a signal that fires once, and a task, which is a flow that runs beside the one that began it.

Threads and event loops may share both; drivers wait for a signal each in their own way.
"""

from __future__ import annotations

from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .flow import Flow


class Signal:
    """Fires once, for whoever waits for it then or later."""

    __slots__ = ("_fired", "_listeners", "_lock")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._fired = False
        self._listeners: list[Callable[[], object]] = []

    @property
    def fired(self) -> bool:
        """Whether it has."""
        return self._fired

    def fire(self) -> None:
        """Tell everybody who waits; the second time says nothing new."""
        with self._lock:
            self._fired = True
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], object]) -> None:
        """Have `listener` called when it fires, at once where it has fired; in whichever thread fires it."""
        with self._lock:
            if not self._fired:
                self._listeners.append(listener)
                return
        listener()

    def forget(self, listener: Callable[[], object]) -> None:
        """Take back what `listen` was told."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)


class Task:
    """A flow that runs beside another. `signal` fires when it has ended, paused or been cancelled.

    Its outcome is one of four: `value` of a flow that returned, `emitted` with the `flow` that goes on after it,
    `failure` for a bug, or `cancelled`. `handles` are the answers it holds open, in its driver's own form.
    """

    __slots__ = ("cancelled", "emitted", "failure", "flow", "handles", "own", "signal", "value")

    def __init__(self, flow: Flow[Any]) -> None:
        self.flow = flow
        self.signal = Signal()
        self.value: Any = None
        self.emitted: Sequence[Any] | None = None
        self.failure: BaseException | None = None
        self.cancelled = False
        self.handles: list[Any] = []
        self.own: Any = None
        """What the driver keeps with it."""
