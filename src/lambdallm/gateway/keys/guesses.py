"""How many different wrong keys came from an address lately; bounded, and forgotten after a minute.

Knows no keys and no clock.
"""

from __future__ import annotations

from _thread import allocate_lock

from ...llm.forks import renewed_in_children

MOST_ADDRESSES = 10_000


class Guesses:
    """Wrong keys by address: more than `most` in `seconds` are too many. Safe to share between threads."""

    def __init__(self, most: int = 30, seconds: float = 60.0) -> None:
        self.most, self.seconds = most, seconds
        self._lock = allocate_lock()
        self._counts: dict[str, tuple[int, float]] = {}
        renewed_in_children(self)

    def renew(self) -> None:
        """Take a new lock."""
        self._lock = allocate_lock()

    def wait_seconds(self, address: str, now: float) -> float:
        """How long an address has to wait until it may show another unknown key; 0 where it may now."""
        count, until = self._counts.get(address, (0, now))
        return max(0.0, until - now) if count >= self.most else 0.0

    def add(self, address: str, now: float) -> None:
        """Count a wrong key. The oldest address is forgotten where there are too many."""
        if not address:
            return
        with self._lock:
            count, until = self._counts.pop(address, (0, 0.0))
            self._counts[address] = (count + 1, until) if now < until else (1, now + self.seconds)
            if len(self._counts) > MOST_ADDRESSES:
                del self._counts[next(iter(self._counts))]
