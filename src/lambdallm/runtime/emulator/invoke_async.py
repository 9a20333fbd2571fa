"""Events that nobody waits for: a queue for each function, tried until they are through, told of in the end.

What follows from a try `retries` decides; this runs the tries, each in a thread, when their time has come.
"""

from __future__ import annotations

import threading
from heapq import heappop, heappush
from itertools import count

from .clock import Clock
from .retries import AsyncSettings, Outcome, TryAgain, next_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .retries import AsyncEvent, Over

    Attempt = Callable[[AsyncEvent], Outcome]
    Settings = Callable[[AsyncEvent], AsyncSettings]
    Told = Callable[[Over, Outcome], None]


class AsyncInvoker:
    """Tries events. `attempt` runs a function to its end, `settings` knows its settings, `told` hears of what is over.

    `log` is told of events that are lost: a destination is gone, or `close` came first.
    """

    def __init__(
        self,
        attempt: Attempt,
        settings: Settings,
        told: Told,
        *,
        clock: Clock | None = None,
        log: Callable[[str], None] = print,
    ) -> None:
        self._attempt, self._settings, self._told, self._log = attempt, settings, told, log
        self.clock = clock or Clock()
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, AsyncEvent]] = []
        self._order = count()
        self._running = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, event: AsyncEvent, at: float | None = None) -> None:
        """Take an event, to be tried at once or at a time. After `close` it is lost, which `log` is told."""
        with self._changed:
            if self._closed:
                self._lose(event)
                return
            heappush(self._due, (self.clock.now() if at is None else at, next(self._order), event))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """The events that are not through: due, or being tried."""
        with self._changed:
            return len(self._due) + self._running

    def drain(self, seconds: float) -> bool:
        """Wait until every event is through, for so many real seconds at most; whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._running, seconds)

    def close(self) -> None:
        """Try nothing any more; what is being tried is left to itself. `log` is told of each event that waited."""
        with self._changed:
            self._closed = True
            left, self._due = sorted(self._due), []
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        for _, _, event in left:
            self._lose(event)

    def _lose(self, event: AsyncEvent) -> None:
        said = f"The asynchronous invocation {event.request_id} of {event.name!r} is lost"
        self._log(f"{said}: it was closed before it was through. Wait with drain().")

    def _run(self) -> None:
        with self._changed:
            while not self._closed:
                wait = self._due[0][0] - self.clock.now() if self._due else None
                if wait is not None and wait <= 0:
                    self._running += 1
                    threading.Thread(target=self._try, args=(heappop(self._due)[2],), daemon=True).start()
                else:
                    self.clock.wait(self._changed, wait)

    def _try(self, event: AsyncEvent) -> None:
        try:
            outcome = self._attempt(event)
            step = next_step(event, outcome, self._settings(event), self.clock.now())
            if isinstance(step, TryAgain):
                self.put(step.event, step.at)
            else:
                self._told(step, outcome)
        except Exception as error:  # noqa: BLE001 - the next event must be tried whatever this one did
            self._log(f"The asynchronous invocation {event.request_id} of {event.name!r} is lost: {error!r}.")
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()
