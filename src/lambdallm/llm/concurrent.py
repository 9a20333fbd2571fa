"""Flows beside one another: the first that succeeds of several, started together or one after another.

What is started is a flow that gives a `Result`; one that emits has succeeded by that, and the starter's own flow goes
on with it.
"""

from __future__ import annotations

from .._value import Value
from .flow import NOW, Await, Cancel, Emit, Start
from .result import Ok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .errors import LLMError
    from .flow import Flow
    from .result import Result
    from .task import Task

    Attempt = Callable[[], Flow[Result[Any, LLMError]]]


class Raced(Value):
    """How a race ended: who won (`None` where nobody did), and each starter's result in their order.

    `results` has `None` for those that were cancelled; those that were never started are not in it. A winner that had
    emitted (a stream) has `None` too: `rest` is its flow, which the caller goes on with by `yield from`.
    """

    winner: int | None
    results: tuple[Result[Any, LLMError] | None, ...]
    rest: Flow[Result[Any, LLMError]] | None = None


def first_of(
    attempts: Sequence[Attempt], *, stagger_seconds: float | None = 0.0, replace_failed: bool = True
) -> Flow[Raced]:
    """The first success among the attempts; all others are cancelled by the time it is known.

    The next attempt is started `stagger_seconds` after the one before it, and with `replace_failed` as soon as none is
    left running; with 0 all start at once, with `None` each only after the failure of the one before.
    """
    race = _Race(attempts, stagger_seconds, replace_failed)
    while race.winner is None:
        now = (yield NOW).monotonic
        while race.is_next_due(now):
            race.started((yield Start(race.next_attempt())), now)
        if not race.running:
            break
        yield Await(race.signals(), race.seconds_to_next(now))
        race.take_ended()
    for task in race.running.values():
        yield Cancel(task)
    rest = None if race.won_by is None else taken(race.won_by)
    return Raced(race.winner, tuple(race.results), rest)


class _Race:
    """Who runs, who is next, who has won."""

    def __init__(self, attempts: Sequence[Attempt], stagger_seconds: float | None, replace_failed: bool) -> None:
        self._attempts, self._stagger, self._replace_failed = attempts, stagger_seconds, replace_failed
        self._next_start: float | None = None
        self.running: dict[int, Task] = {}
        self.results: list[Result[Any, LLMError] | None] = []
        self.winner: int | None = None
        self.won_by: Task | None = None

    def is_next_due(self, now: float) -> bool:
        if len(self.results) == len(self._attempts):
            return False
        if not self.running and (self._replace_failed or not self.results):
            return True
        return bool(self.running) and self._next_start is not None and now >= self._next_start

    def next_attempt(self) -> Flow[Result[Any, LLMError]]:
        return self._attempts[len(self.results)]()

    def started(self, task: Task, now: float) -> None:
        self.running[len(self.results)] = task
        self.results.append(None)
        self._next_start = None if self._stagger is None else now + self._stagger

    def signals(self) -> tuple[Any, ...]:
        return tuple(task.signal for task in self.running.values())

    def seconds_to_next(self, now: float) -> float | None:
        if self._next_start is None or len(self.results) == len(self._attempts):
            return None
        return max(self._next_start - now, 0.0)

    def take_ended(self) -> None:
        """Note what has ended; of several that succeeded at once, the one begun first wins, and all are noted."""
        for number, task in [(n, task) for n, task in self.running.items() if task.signal.fired]:
            if task.emitted is not None:
                if self.winner is None:
                    self.winner, self.won_by = number, self.running.pop(number)
                continue
            self.results[number] = result = value_of(self.running.pop(number))
            if self.winner is None and isinstance(result, Ok):
                self.winner = number


def value_of(task: Task) -> Any:
    """What a task that has ended returned. Raises the bug that ended it."""
    if task.failure is not None:
        raise task.failure
    return task.value


def taken(task: Task) -> Flow[Any]:
    """What a task that has ended returned; one that paused at what it emitted goes on here."""
    if task.emitted is not None:
        yield Emit(task.emitted)
        return (yield from task.flow)
    return value_of(task)
