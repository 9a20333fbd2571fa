"""The time that waits are measured in: real, or so many times as fast, so that two minutes pass in a test's moment."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading


class Clock:
    """`speed` is how many seconds pass in a real one."""

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self._began, self._began_monotonic = time.time(), time.monotonic()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._began + (time.monotonic() - self._began_monotonic) * self.speed

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        """Wait on a condition that is held, for so many of this clock's seconds; whether it was notified."""
        return condition.wait(None if seconds is None else max(0.0, seconds) / self.speed)
