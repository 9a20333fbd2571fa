"""Bytes in this process's memory, bounded in number and in size; the least recently used make room.

Safe to share between threads. A forked process has what had been stored by then, and from then on its own.

Entries expire by the wall clock: the monotonic one may stand still while a Lambda environment is frozen, and an answer
that was to live for a minute would be found the next day.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..errors import ConfigurationError
from ..flow import NOW
from ..forks import renewed_in_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..flow import Flow


class MemoryStore:
    """At most `max_entries` values of together at most `max_bytes`, keys included; `None` sets no bound.

    `size_bytes` is what is held now, `evictions` counts what had to make room.
    """

    def __init__(self, max_entries: int | None = 1000, max_bytes: int | None = 64 * 2**20) -> None:
        for name, bound in (("max_entries", max_entries), ("max_bytes", max_bytes)):
            if bound is not None and bound < 1:
                raise ConfigurationError(f"{name} is {bound!r}.", fix="Use a whole number of at least 1, or None.")
        self.max_entries, self.max_bytes = max_entries, max_bytes
        self.size_bytes = self.evictions = 0
        self._held: dict[str, tuple[bytes, float | None]] = {}
        self._lock = allocate_lock()
        renewed_in_children(self)

    def renew(self) -> None:
        """Take a new lock and weigh again: a thread of the parent may have been half-way through a change."""
        self._lock = allocate_lock()
        self.size_bytes = sum(len(key) + len(value) for key, (value, _) in self._held.items())

    def get(self, key: str, now: float) -> bytes | None:
        """The value of a key at `now`, in seconds since the epoch; `None` where it expires by then."""
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            value, expires = held
            self._drop(key)
            if expires is not None and now >= expires:
                return None
            self._hold(key, held)
            return value

    def set(self, key: str, value: bytes, ttl_seconds: float | None, now: float) -> bool:
        """Hold a value for so many seconds; whether it is held: one larger than `max_bytes` is not."""
        with self._lock:
            self._drop(key)
            if self.max_bytes is not None and len(key) + len(value) > self.max_bytes:
                return False
            self._hold(key, (value, None if ttl_seconds is None else now + ttl_seconds))
            while self._too_much():
                self._drop(next(iter(self._held)))
                self.evictions += 1
            return True

    def delete(self, key: str) -> None:
        """Forget a key."""
        with self._lock:
            self._drop(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._held.clear()
            self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def load(self, key: str) -> Flow[bytes | None]:
        """The value of a key."""
        return self.get(key, (yield NOW).wall)

    def save(self, key: str, value: bytes, ttl_seconds: float | None) -> Flow[bool]:
        """Hold a value for so many seconds; whether it is held."""
        return self.set(key, value, ttl_seconds, (yield NOW).wall)

    def remove(self, key: str) -> Flow[None]:
        """Forget a key."""
        self.delete(key)
        yield from ()

    def _drop(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self.size_bytes -= len(key) + len(held[0])

    def _hold(self, key: str, held: tuple[bytes, float | None]) -> None:
        self._held[key] = held
        self.size_bytes += len(key) + len(held[0])

    def _too_much(self) -> bool:
        many = self.max_entries is not None and len(self._held) > self.max_entries
        return many or (self.max_bytes is not None and self.size_bytes > self.max_bytes)
