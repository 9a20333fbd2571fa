"""Where several writers leave items for one reader, who is told when there is something and makes room by taking it.

Writers and reader may be flows of one event loop or threads of their own. Nothing here waits: it hands out signals.
"""

from __future__ import annotations

from _thread import allocate_lock
from collections import deque

from ..task import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ENDED: Any = object()
"""A writer's last item: it writes no more."""


class Inbox:
    """Items of some `writers`, each with `room` for as many. Each writer's items come out in the order they went in.

    Between writers the order is that of arrival; `in_turn`, it is all of the first writer's, then the second's.
    """

    def __init__(self, writers: int, room: int, *, in_turn: bool = False) -> None:
        self._lock = allocate_lock()
        self._room = room
        self._turn: int | None = 0 if in_turn else None
        self._queues: list[deque[tuple[int, Any]]] = [deque() for _ in range(writers)]
        self._full: list[Signal | None] = [None] * writers
        self._arrived = 0
        self._more = Signal()

    def put(self, writer: int, item: Any) -> Signal | None:
        """Leave an item; where that was the last there is room for, the signal to wait for before the next one."""
        with self._lock:
            queue, more = self._queues[writer], self._more
            self._arrived += 1
            queue.append((self._arrived, item))
            if len(queue) >= self._room:
                self._full[writer] = Signal()
            full = self._full[writer]
        more.fire()
        return full

    def take(self) -> tuple[int, Any] | Signal:
        """The next item and its writer, or the signal to wait for before asking again."""
        with self._lock:
            writer = self._due()
            if writer is None:
                if self._more.fired:
                    self._more = Signal()
                return self._more
            _, item = self._queues[writer].popleft()
            room, self._full[writer] = self._full[writer], None
        if room is not None:
            room.fire()
        return writer, item

    def _due(self) -> int | None:
        """Whose item is next."""
        if self._turn is None:
            waiting = [(queue[0][0], writer) for writer, queue in enumerate(self._queues) if queue]
            return min(waiting)[1] if waiting else None
        if not self._queues[self._turn]:
            return None
        if self._queues[self._turn][0][1] is ENDED:
            self._turn += 1
            return self._turn - 1
        return self._turn
