"""Usage in this process's memory: for tests, and for one process that may forget."""

from __future__ import annotations

from _thread import allocate_lock

from ..._hooks import kept_out_of_snapshots
from ...llm.flow import NOW
from ...llm.forks import renewed_in_children
from ...llm.rate_limiting.dynamodb import shared_clock
from ...llm.rate_limiting.quota import NEW, Taken, decide, settled
from .dates import DAY_SECONDS, day_of
from .hold import due
from .rows import Row, added
from .store import Account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from ...llm.flow import Flow
    from ...llm.rate_limiting.quota import Charge, Short, State
    from .hold import Hold, Settlement


class MemoryUsage:
    """A store of usage, safe to share between threads and event loops; see `store.UsageStore`.

    A fork goes on with a copy of its own. Days are kept for `keep_days`.
    """

    gives_flows: Literal[True] = True

    def __init__(self, *, keep_days: int = 400) -> None:
        self.keep_days = keep_days
        self._tidied = ""
        self._states: dict[str, dict[str, State]] = {}
        self._holds: dict[str, dict[str, Hold]] = {}
        self._rows: dict[tuple[str, str, str, str], dict[str, float]] = {}
        self._lock = allocate_lock()
        renewed_in_children(self)
        kept_out_of_snapshots(self)

    def renew(self) -> None:
        """Take a new lock."""
        self._lock = allocate_lock()

    def forget(self) -> None:
        """Have nothing taken and nothing counted: what was used before a snapshot was another environment's."""
        with self._lock:
            self._states, self._holds, self._rows = {}, {}, {}

    def take(self, hold: Hold, charges: Sequence[Charge]) -> Flow[Taken | Short]:
        """Take all charges and keep the hold, or do nothing."""
        clock = shared_clock((yield NOW))
        with self._lock:
            states, holds = self._states.setdefault(hold.key, {}), self._holds.setdefault(hold.key, {})
            if hold.id in holds:
                return Taken(hold.key, holds[hold.id].receipts)
            taken = decide(hold.key, charges, states, clock, 0.0)
            if isinstance(taken, Taken):
                states.update((one.charge.limit.name, one.state) for one in taken.receipts)
                holds[hold.id] = hold.replace(receipts=taken.receipts)
        return taken

    def settle(self, settlement: Settlement) -> Flow[bool]:
        """Let a hold go, charge what was used and count it."""
        clock = shared_clock((yield NOW))
        hold = settlement.hold
        with self._lock:
            present = self._holds.get(hold.key, {}).pop(hold.id, None)
            todo = due(settlement, present is not None, clock.wall)
            if todo is None:
                return False
            states = self._states.setdefault(hold.key, {})
            for receipt, used in zip(todo.receipts, todo.used, strict=True):
                name = receipt.charge.limit.name
                states[name] = settled(receipt, used, states.get(name, NEW), clock)
            self._count(todo.rows)
            self._tidy(clock.wall)
        return True

    def count(self, rows: Sequence[Row]) -> Flow[None]:
        """Add counts to rows."""
        yield NOW
        with self._lock:
            self._count(rows)

    def account(self, key: str) -> Flow[Account]:
        """A key's states and holds."""
        yield NOW
        with self._lock:
            holds = sorted(self._holds.get(key, {}).values(), key=lambda hold: (hold.started, hold.id))
            return Account(dict(self._states.get(key, {})), tuple(holds))

    def keys(self) -> Flow[list[str]]:
        """The keys that have accounts."""
        yield NOW
        with self._lock:
            return sorted(self._states)

    def rows(self, first: str, last: str, key: str | None = None) -> Flow[list[Row]]:
        """The rows from one day to another."""
        yield NOW
        with self._lock:
            found = sorted(self._rows.items())
            return [Row(*place, dict(counts)) for place, counts in found if _is_asked(place, first, last, key)]

    def close(self) -> None:
        """Nothing is open."""

    def _tidy(self, wall: float) -> None:
        """Forget days that are too old: once a day."""
        if self._tidied != (today := day_of(wall)):
            oldest = day_of(wall - self.keep_days * DAY_SECONDS)
            self._rows = {place: counts for place, counts in self._rows.items() if place[0] >= oldest}
            self._tidied = today

    def _count(self, rows: Sequence[Row]) -> None:
        for row in rows:
            place = (row.day, row.key, row.user, row.model)
            self._rows[place] = added((self._rows.get(place, {}), row.counts))

    def __repr__(self) -> str:
        return "MemoryUsage()"


def _is_asked(place: tuple[str, str, str, str], first: str, last: str, key: str | None) -> bool:
    return first <= place[0] <= last and key in (None, place[1])
