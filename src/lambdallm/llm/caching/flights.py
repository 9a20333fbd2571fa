"""Calls under way: who asks for what somebody else is asking for already shares it, in this process.

Whoever comes first leads and makes the call; the others follow. A leader tells its followers three things: chunks as it
hands them to its own reader, what became of the call (an answer, an error, or nothing where it was given up), and
whether its reader holds it up. It never waits for them. Threads and event loops share one table of flights.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..forks import renewed_in_children
from ..task import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, TypeAlias

    from ..errors import LLMError
    from ..types import StreamChunk
    from .entry import CacheEntry

    Source: TypeAlias = Literal["hit", "semantic", "shared"]


class Flight:
    """One call under way.

    `chunks` are those handed to the leader's reader so far; `held` says that the reader has not asked for more since.
    Once `ended`, `outcome` is the answer, the error, or `None` where the call was given up; `source` is what the answer
    is to its followers, and `similarity` how near, where it is that of another question.
    """

    __slots__ = ("_lock", "_waiting", "chunks", "ended", "held", "outcome", "similarity", "source")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._waiting: list[Signal] = []
        self.chunks: list[StreamChunk] = []
        self.held = self.ended = False
        self.outcome: CacheEntry | LLMError | None = None
        self.source: Source = "shared"
        self.similarity: float | None = None

    @property
    def failed(self) -> bool:
        """Whether it has ended without an answer."""
        return self.ended and (self.outcome is None or isinstance(self.outcome, Exception))

    def put(self, chunks: Sequence[StreamChunk]) -> None:
        """Tell the chunks that the reader is handed now."""
        with self._lock:
            self.chunks.extend(chunks)
            self.held = True
            waiting, self._waiting = self._waiting, []
        for signal in waiting:
            signal.fire()

    def end(self, outcome: CacheEntry | LLMError | None) -> None:
        """Tell what became of the call; the second time says nothing new."""
        with self._lock:
            if self.ended:
                return
            self.outcome = outcome  # before `ended`, by which others see it without the lock
            self.ended = True
            waiting, self._waiting = self._waiting, []
        for signal in waiting:
            signal.fire()

    def news(self, seen: int) -> Signal | None:
        """What fires when more is known than `seen` chunks; `None` where more is known already."""
        signal = Signal()
        with self._lock:
            if self.ended or len(self.chunks) > seen:
                return None
            self._waiting.append(signal)
        return signal

    def forget(self, signal: Signal) -> None:
        """Take back what `news` gave."""
        with self._lock:
            if signal in self._waiting:
                self._waiting.remove(signal)


class Flights:
    """The calls under way by key. Safe to share between threads and event loops; a forked process has none at first."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._by_key: dict[str, Flight] = {}
        renewed_in_children(self)

    def renew(self) -> None:
        """Forget all flights: their leaders are in another process."""
        self._lock = allocate_lock()
        self._by_key = {}

    def join(self, key: str) -> tuple[Flight, bool]:
        """The flight of a key, and whether the caller leads it; who leads must `leave`, whatever happens."""
        with self._lock:
            flight = self._by_key.get(key)
            if flight is not None and not flight.failed:
                return flight, False
            flight = self._by_key[key] = Flight()
            return flight, True

    def leave(self, key: str, flight: Flight) -> None:
        """The leader is done, or is gone: what it has not told by now, it never will."""
        with self._lock:
            if self._by_key.get(key) is flight:
                del self._by_key[key]
        flight.end(None)

    def __len__(self) -> int:
        return len(self._by_key)
