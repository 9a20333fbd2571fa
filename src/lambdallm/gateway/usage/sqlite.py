"""Usage in a SQLite file, by the standard library: for a laptop or one machine. Several processes may share it."""

from __future__ import annotations

from ...llm.flow import NOW
from ...llm.rate_limiting.dynamodb import shared_clock
from ...llm.rate_limiting.quota import NEW, Receipt, Taken, decide, settled
from .dates import DAY_SECONDS, day_of
from .hold import due, read, written
from .rows import Row
from .sqlite_file import SqliteFile
from .store import Account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from sqlite3 import Connection
    from typing import Literal

    from ...llm.flow import Clock, Flow
    from ...llm.rate_limiting.quota import Charge, Short, State
    from .hold import Hold, Settlement

_SCHEMA = """
CREATE TABLE IF NOT EXISTS limits (
  key TEXT NOT NULL, name TEXT NOT NULL, first REAL NOT NULL, second REAL NOT NULL, PRIMARY KEY (key, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (
  key TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (key, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS usage (
  day TEXT NOT NULL, key TEXT NOT NULL, user TEXT NOT NULL, model TEXT NOT NULL, name TEXT NOT NULL,
  number REAL NOT NULL, PRIMARY KEY (day, key, user, model, name)
) WITHOUT ROWID;
"""
_KEEP = (
    "INSERT INTO limits VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET first = excluded.first, second = excluded.second"
)
_COUNT = "INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET number = number + excluded.number"
_ROWS = "SELECT * FROM usage WHERE day BETWEEN ? AND ? AND (? IS NULL OR key = ?) ORDER BY day, key, user, model"


class SqliteUsage:
    """A store of usage in a file; see `store.UsageStore`. Safe to share between threads, event loops and forks.

    Days are kept for `keep_days`.

    SqliteUsage("usage.db")
    """

    gives_flows: Literal[True] = True

    def __init__(self, path: str, *, keep_days: int = 400, timeout_seconds: float = 5.0) -> None:
        self.keep_days = keep_days
        self._tidied = ""
        self._file = SqliteFile(path, _SCHEMA, timeout_seconds)

    def take(self, hold: Hold, charges: Sequence[Charge]) -> Flow[Taken | Short]:
        """Take all charges and keep the hold, or do nothing."""
        clock = shared_clock((yield NOW))

        def work(file: Connection) -> Taken | Short:
            states = _states(file, hold.key)
            if _holds(file, hold.key, hold.id):
                return Taken(hold.key, tuple(Receipt(one, states.get(one.limit.name, NEW)) for one in charges))
            taken = decide(hold.key, charges, states, clock, 0.0)
            if isinstance(taken, Taken):
                _keep(file, hold.key, ((one.charge.limit.name, one.state) for one in taken.receipts))
                file.execute("INSERT INTO holds VALUES (?, ?, ?)", (hold.key, hold.id, written(hold, charges)))
            return taken

        return (yield from self._file.done(work))

    def settle(self, settlement: Settlement) -> Flow[bool]:
        """Let a hold go, charge what was used and count it."""
        clock = shared_clock((yield NOW))
        yield from self._tidy(clock.wall)
        return (yield from self._file.done(lambda file: _settle(file, settlement, clock)))

    def count(self, rows: Sequence[Row]) -> Flow[None]:
        """Add counts to rows."""
        yield from self._file.done(lambda file: _count(file, rows))

    def account(self, key: str) -> Flow[Account]:
        """A key's states and holds."""
        return (
            yield from self._file.done(lambda file: Account(_states(file, key), tuple(_holds(file, key))), writes=False)
        )

    def keys(self) -> Flow[list[str]]:
        """The keys that have accounts."""
        query = "SELECT key FROM limits UNION SELECT key FROM holds ORDER BY key"
        return (yield from self._file.done(lambda file: [key for (key,) in file.execute(query)], writes=False))

    def rows(self, first: str, last: str, key: str | None = None) -> Flow[list[Row]]:
        """The rows from one day to another."""

        def work(file: Connection) -> list[Row]:
            found: dict[tuple[str, str, str, str], dict[str, float]] = {}
            for *place, name, number in file.execute(_ROWS, (first, last, key, key)):
                found.setdefault((place[0], place[1], place[2], place[3]), {})[name] = number
            return [Row(*where, counts) for where, counts in found.items()]

        return (yield from self._file.done(work, writes=False))

    def _tidy(self, wall: float) -> Flow[None]:
        """Forget days that are too old: once a day in a process."""
        if self._tidied != (today := day_of(wall)):
            oldest = day_of(wall - self.keep_days * DAY_SECONDS)
            yield from self._file.done(lambda file: file.execute("DELETE FROM usage WHERE day < ?", (oldest,)))
            self._tidied = today

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __repr__(self) -> str:
        return f"SqliteUsage({self._file.path!r})"


def _states(file: Connection, key: str) -> dict[str, State]:
    rows = file.execute("SELECT name, first, second FROM limits WHERE key = ?", (key,))
    return {name: (first, second) for name, first, second in rows}


def _holds(file: Connection, key: str, id: str | None = None) -> list[Hold]:
    rows = file.execute("SELECT id, data FROM holds WHERE key = ? AND (? IS NULL OR id = ?)", (key, id, id))
    return sorted((read(found, key, data) for found, data in rows), key=lambda hold: (hold.started, hold.id))


def _keep(file: Connection, key: str, states: Iterable[tuple[str, State]]) -> None:
    file.executemany(_KEEP, [(key, name, *state) for name, state in states])


def _settle(file: Connection, settlement: Settlement, clock: Clock) -> bool:
    hold = settlement.hold
    deleted = file.execute("DELETE FROM holds WHERE key = ? AND id = ?", (hold.key, hold.id)).rowcount
    todo = due(settlement, bool(deleted), clock.wall)
    if todo is None:
        return False
    states = _states(file, hold.key)

    def after(receipt: Receipt, used: float) -> tuple[str, State]:
        name = receipt.charge.limit.name
        return name, settled(receipt, used, states.get(name, NEW), clock)

    _keep(file, hold.key, [after(*pair) for pair in zip(todo.receipts, todo.used, strict=True)])
    _count(file, todo.rows)
    return True


def _count(file: Connection, rows: Sequence[Row]) -> None:
    for row in rows:
        place = (row.day, row.key, row.user, row.model)
        file.executemany(_COUNT, [(*place, name, number) for name, number in row.counts.items()])
