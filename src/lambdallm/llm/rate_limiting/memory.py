"""Quotas in this process's memory: for one environment, or where each may have its own share."""

from __future__ import annotations

from _thread import allocate_lock

from ..._hooks import kept_out_of_snapshots
from ..flow import NOW
from ..forks import renewed_in_children
from .bucket import Bucket
from .quota import NEW, Taken, decide, lifetime, settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from ..flow import Clock, Flow
    from .quota import Charge, Short, State

_SWEEP_SECONDS = 10.0
"""Looking through all keys for idle ones costs; where that frees none, it is not done again at once."""


class MemoryQuotas:
    """Quotas by key. Safe to share between threads and event loops; a fork goes on with a copy of its own.

    Of more than `max_keys` keys those fall out that have nothing taken, and after them those not used for longest.
    """

    gives_flows: Literal[True] = True

    def __init__(self, max_keys: int = 10_000) -> None:
        self.max_keys = max_keys
        self._kept: dict[str, tuple[float, dict[str, State]]] = {}
        self._lock = allocate_lock()
        renewed_in_children(self)
        kept_out_of_snapshots(self)
        self._swept = float("-inf")

    def take(self, key: str, charges: Sequence[Charge], wait_seconds: float = 0.0) -> Flow[Taken | Short]:
        """Take all charges or none; those that need no longer wait than `wait_seconds` are taken ahead of time."""
        clock = yield NOW
        with self._lock:
            end, states = self._kept.get(key, (0.0, {}))
            taken = decide(key, charges, states, clock, wait_seconds)
            if isinstance(taken, Taken):
                changed = states | {one.charge.limit.name: one.state for one in taken.receipts}
                self._keep(key, max(end, clock.monotonic + lifetime(charges, clock, wait_seconds)), changed, clock)
        return taken

    def settle(self, taken: Taken, used: Sequence[float]) -> Flow[None]:
        """Say how much was used of each charge."""
        clock = yield NOW
        with self._lock:
            end, states = self._kept.get(taken.key, (clock.monotonic, {}))
            changed = {
                one.charge.limit.name: settled(one, amount, states.get(one.charge.limit.name, NEW), clock)
                for one, amount in zip(taken.receipts, used, strict=True)
            }
            owed = (changed[one.charge.limit.name][0] for one in taken.receipts if isinstance(one.charge.limit, Bucket))
            self._keep(taken.key, max(end, *owed, 0.0), states | changed, clock)

    def _keep(self, key: str, end: float, states: dict[str, State], clock: Clock) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= self.max_keys and clock.monotonic >= self._swept + _SWEEP_SECONDS:
            self._swept = clock.monotonic
            self._kept = {k: kept for k, kept in self._kept.items() if kept[0] > clock.monotonic}
        while len(self._kept) >= self.max_keys:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (end, states)

    def renew(self) -> None:
        """Take a new lock; what was taken stays taken."""
        self._lock = allocate_lock()

    def forget(self) -> None:
        """Have nothing taken: what was used before a snapshot was another environment's share."""
        with self._lock:
            self._kept = {}

    def __len__(self) -> int:
        return len(self._kept)
