"""A SQLite file for threads, event loops and processes together: one connection a process, one transaction a piece.

A transaction takes the file's lock first (`BEGIN IMMEDIATE`), so that what was read holds until it is acted on.
SQLite's own journal is ahead of the file (WAL): readers do not wait for writers. Not for network drives.

Source: "Write-Ahead Logging", "Transaction" and "How To Corrupt An SQLite Database File" (2.6, forks) in SQLite's
documentation.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from ...llm.backends.aside import aside
from ...llm.backends.errors import BackendError
from ...llm.forks import renewed_in_children
from ...llm.result import Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from sqlite3 import Connection
    from typing import Any, TypeVar

    from ...llm.flow import Flow

    T = TypeVar("T")

_OWNERS = 0o600
_abandoned: list[Any] = []
"""Connections of a parent process, which SQLite forbids a child to use or close."""


class SqliteFile:
    """A file with a schema, made with its folder where it is missing; a lock is waited for `timeout_seconds`."""

    def __init__(self, path: str, schema: str, timeout_seconds: float) -> None:
        self.path, self.schema, self.timeout_seconds = path, schema, timeout_seconds
        self._lock = allocate_lock()
        self._connection: Connection | None = None
        renewed_in_children(self)

    def renew(self) -> None:
        """After a fork: take a new lock, and leave the parent's connection as it is."""
        self._lock = allocate_lock()
        if self._connection is not None:
            _abandoned.append(self._connection)
            self._connection = None

    def done(self, work: Callable[[Connection], T], *, writes: bool = True) -> Flow[T]:
        """What a piece of work gives, in a transaction of its own where it `writes`. Raises `BackendError`."""
        outcome = yield from aside(lambda: self._locked(work, writes), self.timeout_seconds * 2)
        if isinstance(outcome, Err):
            raise self._as_backend_error(outcome.error) from outcome.error
        value: T = outcome.value
        return value

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _locked(self, work: Callable[[Connection], T], writes: bool) -> T:
        with self._lock:
            if self._connection is None:
                self._connection = _opened(self.path, self.schema, self.timeout_seconds)
            return _transaction(self._connection, work) if writes else work(self._connection)

    def _as_backend_error(self, error: Exception) -> BackendError:
        if isinstance(error, BackendError):
            return error
        busy = "locked" in str(error)
        fix = "Check that its folder can be written (on Lambda only /tmp can), and that it is no other file."
        said = f"The usage file {self.path!r} failed: {error} ({type(error).__name__})."
        return BackendError(said, fix="Try again." if busy else fix, retryable=busy, code=type(error).__name__)


def _opened(path: str, schema: str, seconds: float) -> Connection:
    from sqlite3 import connect

    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, _OWNERS))
    connection = connect(path, timeout=seconds, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _transaction(file: Connection, work: Callable[[Connection], T]) -> T:
    file.execute("BEGIN IMMEDIATE")
    try:
        value = work(file)
        file.execute("COMMIT")
    except BaseException:
        if file.in_transaction:  # a full disk has ended it already
            file.execute("ROLLBACK")
        raise
    return value
