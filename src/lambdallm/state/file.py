"""State in a file, by the standard library's SQLite: for development and single machines.

Several processes may share it. A write is a transaction that takes the file's lock first, so that a condition holds
until it is acted on. SQLite's own journal is ahead of the file (WAL): readers do not wait for writers. Not for network
drives.

Source: "Write-Ahead Logging" and "Transaction" in SQLite's documentation.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from ..llm.backends.aside import aside
from ..llm.backends.errors import BackendError, ConditionFailed
from ..llm.flow import NOW
from ..llm.forks import renewed_in_children
from ..llm.result import Err
from .store import Entry, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from sqlite3 import Connection
    from typing import Any, Literal

    from ..llm.flow import Flow

_SCHEMA = """
CREATE TABLE IF NOT EXISTS journals (key TEXT PRIMARY KEY, last INTEGER NOT NULL, until REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries (
  key TEXT NOT NULL REFERENCES journals(key) ON DELETE CASCADE ON UPDATE CASCADE,
  number INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (key, number)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS passing ON journals(until) WHERE until IS NOT NULL;
"""
_FORGET = "DELETE FROM journals WHERE key IN (SELECT key FROM journals WHERE until <= ? LIMIT 100)"
_KEEP = (
    "INSERT INTO journals VALUES (?, ?, ?) ON CONFLICT(key) DO UPDATE SET last = excluded.last, until = excluded.until"
)
_OWNERS = 0o600
"""Who may read the file: its owner alone, since it holds conversations. SQLite gives its own journal the same."""
_abandoned: list[Any] = []
"""Connections of a parent process, which SQLite forbids a child to use or close, and to files that were deleted."""


class FileStateStore:
    """Journals in a SQLite file, made with its folder where it is missing; see `store.StateStore`.

        FileStateStore("/tmp/state.db")

    A lock that others hold is waited for at most `timeout_seconds`. Safe to share between threads, event loops and
    forks; a file that was deleted begins anew. Raises `BackendError` where the file can't be read or written.
    """

    gives_flows: Literal[True] = True

    def __init__(self, path: str | os.PathLike[str], *, timeout_seconds: float = 5.0) -> None:
        self.path, self.timeout_seconds = os.fspath(path), timeout_seconds
        self._lock = allocate_lock()
        self._connection: Connection | None = None
        self._inode = 0
        renewed_in_children(self)

    def renew(self) -> None:
        """After a fork: take a new lock, and leave the parent's connection alone."""
        self._lock = allocate_lock()
        if self._connection is not None:
            self._abandon()

    def _abandon(self) -> None:
        """Leave the connection as it is: closing it would act on files that are not its any more."""
        _abandoned.append(self._connection)
        self._connection = None

    def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
        """The entries numbered above `after`."""
        now = (yield NOW).wall
        query = (
            "SELECT number, data FROM entries JOIN journals USING (key) "
            "WHERE key = ? AND number > ? AND (until IS NULL OR until > ?) ORDER BY number"
        )
        rows = yield from self._done(lambda file: file.execute(query, (key, after, now)).fetchall())
        return [Entry(number, bytes(data)) for number, data in rows]

    def append(self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None) -> Flow[None]:
        """Add entries after the one numbered `after`."""
        now = (yield NOW).wall

        def work(file: Connection) -> None:
            file.execute(_FORGET, (now,))
            if _last(file, key, now) != after:
                raise ConditionFailed(f"The journal {shown(key)!r} does not end with entry {after}.", {})
            file.execute(_KEEP, (key, after + len(entries), _until(now, ttl_seconds)))
            rows = [(key, after + at, data) for at, data in enumerate(entries, 1)]
            file.executemany("INSERT INTO entries VALUES (?, ?, ?)", rows)

        yield from self._done(_writing(work))

    def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Put one entry in the place of all up to `through`."""
        now = (yield NOW).wall

        def work(file: Connection) -> None:
            last = _last(file, key, now)
            changed = file.execute("UPDATE entries SET data = ? WHERE key = ? AND number = ?", (entry, key, through))
            if not last or not changed.rowcount:
                raise ConditionFailed(f"The journal {shown(key)!r} has no entry {through}.", {})
            file.execute("DELETE FROM entries WHERE key = ? AND number < ?", (key, through))
            file.execute(_KEEP, (key, last, _until(now, ttl_seconds)))

        yield from self._done(_writing(work))

    def remove(self, key: str) -> Flow[None]:
        """Forget a journal."""
        yield from self._done(_writing(lambda file: file.execute("DELETE FROM journals WHERE key = ?", (key,))))

    def close(self) -> None:
        """Close the file. The store can be used again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _done(self, work: Callable[[Connection], Any]) -> Flow[Any]:
        outcome = yield from aside(lambda: self._locked(work), self.timeout_seconds * 2)
        if isinstance(outcome, Err):
            raise self._as_backend_error(outcome.error) from outcome.error
        return outcome.value

    def _locked(self, work: Callable[[Connection], Any]) -> Any:
        with self._lock:
            if self._connection is not None and _inode(self.path) != self._inode:
                self._abandon()
            if self._connection is None:
                self._connection = _opened(self.path, self.timeout_seconds)
                self._inode = _inode(self.path)
            return work(self._connection)

    def _as_backend_error(self, error: Exception) -> BackendError:
        if isinstance(error, BackendError):
            return error
        fix = "Check that its folder can be written (on Lambda only /tmp can), and that it is no other file."
        busy = "locked" in str(error)
        said = f"The state file {self.path!r} failed: {error} ({type(error).__name__})."
        return BackendError(said, fix="Try again." if busy else fix, retryable=busy, code=type(error).__name__)

    def __repr__(self) -> str:
        return f"FileStateStore({self.path!r})"


def _opened(path: str, seconds: float) -> Connection:
    from sqlite3 import connect

    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, _OWNERS))
    connection = connect(path, timeout=seconds, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _inode(path: str) -> int:
    """Which file is at the path; 0 where there is none."""
    try:
        return os.stat(path).st_ino
    except OSError:
        return 0


def _writing(work: Callable[[Connection], Any]) -> Callable[[Connection], None]:
    """The work in a transaction of its own, which others wait for."""

    def transaction(file: Connection) -> None:
        file.execute("BEGIN IMMEDIATE")
        try:
            work(file)
            file.execute("COMMIT")
        except BaseException:
            if file.in_transaction:  # a full disk has ended it already
                file.execute("ROLLBACK")
            raise

    return transaction


def _last(file: Connection, key: str, now: float) -> int:
    """The number of a journal's last entry; 0 where it is not there, or its time has passed: then it is forgotten."""
    row = file.execute("SELECT last, until FROM journals WHERE key = ?", (key,)).fetchone()
    if row is not None and row[1] is not None and row[1] <= now:
        file.execute("DELETE FROM journals WHERE key = ?", (key,))
        row = None
    return 0 if row is None else int(row[0])


def _until(now: float, ttl_seconds: float | None) -> float | None:
    return None if ttl_seconds is None else now + ttl_seconds
