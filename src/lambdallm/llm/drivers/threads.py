"""Flows in threads of their own, for the driver that has no event loop; and waiting for signals in a thread.

A task's thread ends with its flow, or where the flow pauses at its first `Emit`. Being stopped from another thread it
leaves the wait it is in; a name lookup or a function that is not ours ends by itself, and what it gives is let go.
"""

from __future__ import annotations

from _thread import TIMEOUT_MAX, allocate_lock, start_new_thread

from ...transport.interrupt import Interrupt, Interrupted, here
from ..flow import Emit, Open, Start
from ..task import Task
from .blocking import Held, dismiss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _thread import LockType
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from ..flow import Flow
    from ..task import Signal

    Performers = Mapping[type, Callable[[Any], Any]]


def begun(perform: Performers, flow: Flow[Any]) -> Task:
    """The flow as a task that runs in a thread of its own."""
    task = Task(flow)
    task.own = _Runner(task, perform)
    start_new_thread(task.own.run, ())
    return task


class _Runner:
    """Runs a task in its thread; `stop` comes from another. Whichever is later lets go of what the flow holds."""

    __slots__ = ("_ended", "_held", "_interrupt", "_lock", "_perform", "_task")

    def __init__(self, task: Task, perform: Performers) -> None:
        self._task, self._perform = task, perform
        self._held, self._interrupt = Held(), Interrupt()
        self._lock = allocate_lock()
        self._ended = False

    def run(self) -> None:
        """Perform the flow, and tell who waits for it."""
        task = self._task
        here.interrupt = self._interrupt
        try:
            self._advance()
        except StopIteration as end:
            task.value = end.value
        except Interrupted:
            task.cancelled = True
        except BaseException as bug:  # noqa: BLE001  # it is raised where the task's outcome is taken
            task.failure = bug
        with self._lock:
            self._ended = True
            task.cancelled = self._interrupt.requested
        if task.cancelled or task.emitted is None:
            self._let_go()
        task.signal.fire()

    def _advance(self) -> None:
        """Perform effects up to the first `Emit`. Raises `StopIteration` with what the flow returned."""
        task, perform, outcome = self._task, self._perform, None
        while not self._interrupt.requested:
            effect = task.flow.send(outcome)
            kind = type(effect)
            if kind is Emit:
                task.emitted = effect.items  # type: ignore[union-attr]  # an Emit, by the line above
                return
            outcome = perform[kind](effect)
            if kind is Open or kind is Start:
                self._held.keep(outcome)

    def stop(self) -> None:
        """End the task; where its thread has ended already, let go of what it holds here."""
        self._interrupt.request()
        with self._lock:
            ended = self._ended
        if ended:
            self._let_go()

    def _let_go(self) -> None:
        dismiss(self._task.flow)
        self._held.close()


def wait_for(signals: Sequence[Signal], seconds: float | None) -> None:
    """Wait in this thread for any of the signals, for at most `seconds`."""
    gate = allocate_lock()
    gate.acquire()

    def wake() -> None:
        try:
            gate.release()
        except RuntimeError:
            return  # another signal was quicker

    for signal in signals:
        signal.listen(wake)
    try:
        _wait_at(gate, wake, -1.0 if seconds is None else min(max(seconds, 0.0), TIMEOUT_MAX))
    finally:
        for signal in signals:
            signal.forget(wake)


def _wait_at(gate: LockType, wake: Callable[[], None], limit: float) -> None:
    if here.interrupt is None:
        gate.acquire(timeout=limit)
    else:
        with here.interrupt.while_waiting(wake):
            gate.acquire(timeout=limit)
