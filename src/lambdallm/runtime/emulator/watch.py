"""A thread that looks at what works: is its time over, has it taken more memory than it has, is it idle for too long.

It looks fifty times a second while something works, and else sleeps until something could end by idleness.
"""

from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Watched(Protocol):
        """What is looked at; `check` says whether it works."""

        def check(self) -> bool:
            """End what may not go on; whether it works."""


_TICK_SECONDS = 0.02
_IDLE_TICK_SECONDS = 1.0


class Watch:
    """Looks at each of its members until `close`."""

    def __init__(self) -> None:
        self._members: set[Watched] = set()
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(self, member: Watched) -> None:
        """Look at one more."""
        with self._lock:
            self._members.add(member)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, daemon=True, name="emulator watch")
                self._thread.start()
        self.wake()

    def remove(self, member: Watched) -> None:
        """Look at it no longer."""
        with self._lock:
            self._members.discard(member)

    def wake(self) -> None:
        """Something begins to work."""
        if not self._work.is_set():
            self._work.set()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._work.set()
        if self._thread is not None:
            self._thread.join()

    def _look(self) -> None:
        pause = threading.Event()
        while not self._closed:
            with self._lock:
                members = list(self._members)
            self._work.clear()
            working = [member.check() for member in members]  # all of them, whatever the first says
            if any(working):
                pause.wait(_TICK_SECONDS)
            else:
                self._work.wait(_IDLE_TICK_SECONDS if members else None)
