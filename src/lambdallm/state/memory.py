"""State in this process's memory: for tests, for development, and for what may be lost with its environment."""

from __future__ import annotations

from _thread import allocate_lock

from .._hooks import kept_out_of_snapshots
from .._value import Value
from ..llm.backends.errors import ConditionFailed
from ..llm.flow import NOW
from ..llm.forks import renewed_in_children
from .store import Entry, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from ..llm.flow import Flow


class _Journal(Value):
    """The entries, and when they are gone: a reading of the monotonic clock."""

    entries: tuple[Entry, ...] = ()
    until: float | None = None


_NONE = _Journal()
_SWEEP_EVERY = 256


class MemoryStateStore:
    """Journals in memory. Safe to share between threads and event loops; see `store.StateStore`."""

    gives_flows: Literal[True] = True

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._journals: dict[str, _Journal] = {}
        self._until_sweep = _SWEEP_EVERY
        renewed_in_children(self)
        kept_out_of_snapshots(self)

    def renew(self) -> None:
        """Take a new lock; a fork goes on with a copy of its own."""
        self._lock = allocate_lock()

    def forget(self) -> None:
        """Forget what has a time: the monotonic clock does not count the time that a snapshot lies in store."""
        with self._lock:
            self._journals = {key: kept for key, kept in self._journals.items() if kept.until is None}

    def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
        """The entries numbered above `after`."""
        now = (yield NOW).monotonic
        return [entry for entry in self._found(key, now).entries if entry.number > after]

    def append(self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None) -> Flow[None]:
        """Add entries after the one numbered `after`."""
        now = (yield NOW).monotonic
        with self._lock:
            self._sweep(now)
            known = self._found(key, now).entries
            if after != (known[-1].number if known else 0):
                raise ConditionFailed(f"The journal {shown(key)!r} does not end with entry {after}.", {})
            added = tuple(Entry(after + at, data) for at, data in enumerate(entries, 1))
            self._journals[key] = _Journal(known + added, _until(now, ttl_seconds))

    def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Put one entry in the place of all up to `through`."""
        now = (yield NOW).monotonic
        with self._lock:
            known = self._found(key, now).entries
            if all(one.number != through for one in known):
                raise ConditionFailed(f"The journal {shown(key)!r} has no entry {through}.", {})
            rest = tuple(one for one in known if one.number > through)
            self._journals[key] = _Journal((Entry(through, entry), *rest), _until(now, ttl_seconds))

    def remove(self, key: str) -> Flow[None]:
        """Forget a journal."""
        yield NOW
        with self._lock:
            self._journals.pop(key, None)

    def _sweep(self, now: float) -> None:
        """Let go of what has passed its time, now and then: nobody may ask for it again."""
        self._until_sweep -= 1
        if self._until_sweep <= 0:
            self._journals = {
                key: kept for key, kept in self._journals.items() if kept.until is None or kept.until > now
            }
            self._until_sweep = max(_SWEEP_EVERY, len(self._journals))

    def _found(self, key: str, now: float) -> _Journal:
        journal = self._journals.get(key, _NONE)
        return _NONE if journal.until is not None and journal.until <= now else journal


def _until(now: float, ttl_seconds: float | None) -> float | None:
    return None if ttl_seconds is None else now + ttl_seconds
