"""What this process remembers of keys: those it has recognised, and those it has refused; both bounded.

Keys are remembered by their SHA-256 digest, never as they are. A wrong key of a user that is known and one of a user
that is not cost the same: one read when they are first seen, none after. So neither answers nor their time tell whether
there is a user.
"""

from __future__ import annotations

from _thread import allocate_lock

from ..._hooks import kept_out_of_snapshots
from ..._value import Value
from ...llm.forks import renewed_in_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...llm.task import Signal
    from ..caller import Caller


class Known(Value):
    """A key that was recognised. `read_at` is by the monotonic clock.

    `until` ends it, in seconds since the epoch, as `until_means` says. `problem` is why it lets nobody in although it
    is the right one, `None` where it does.
    """

    caller: Caller
    read_at: float
    until: float | None = None
    until_means: str = ""
    problem: str | None = None


class KnownKeys:
    """Recognised and refused keys by digest, `most` of each. Safe to share between threads; empty after a snapshot."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._lock = allocate_lock()
        self.forget()
        renewed_in_children(self)
        kept_out_of_snapshots(self)

    def forget(self) -> None:
        """Remember nothing."""
        self.good: dict[bytes, Known] = {}
        self.wrong: dict[bytes, float] = {}
        self.flights: dict[bytes, Signal] = {}

    def renew(self) -> None:
        """After a fork: take a new lock; what is being read, the parent reads."""
        self._lock = allocate_lock()
        self.flights = {}

    def recognised(self, digest: bytes, known: Known) -> None:
        """Remember a key."""
        with self._lock:
            self.good.pop(digest, None)
            self.good[digest] = known
            if len(self.good) > self._most:
                del self.good[next(iter(self.good))]

    def refused(self, digest: bytes, until: float) -> None:
        """Remember a wrong key until a time of the monotonic clock, and that it is no right one."""
        with self._lock:
            self.good.pop(digest, None)
            self.wrong.pop(digest, None)
            self.wrong[digest] = until
            if len(self.wrong) > self._most:
                del self.wrong[next(iter(self.wrong))]
