"""Large entries in a bucket, and only their names in the store: cheaper than many items, and no limit that matters.

    OffloadedStore(DynamoDBStateStore("state"), S3Bucket("conversations", prefix="state/"))

An object is written before the entry that names it, and deleted after the entry is gone; whoever reads in between looks
again. What belongs to journals that have passed their time nobody deletes: give the bucket a lifecycle rule of twice
the time that sessions are kept.
"""

from __future__ import annotations

from ..llm.backends.errors import BackendError, ConditionFailed
from .store import Entry, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, Protocol

    from ..llm.flow import Flow
    from .store import StateStore

    class Objects(Protocol):
        """A store of bytes by key, as flows: a bucket."""

        def get(self, key: str, /) -> Flow[bytes | None]:
            """The bytes; `None` where there are none."""
            ...

        def put(self, key: str, data: bytes, /) -> Flow[object]:
            """Keep bytes."""
            ...

        def delete(self, key: str, /) -> Flow[None]:
            """Forget them; a key that is not there is fine."""
            ...


_NAMED = b"object "
"""What an entry begins with that names an object. One that happens to begin so is put into an object too."""
_LOOKS = 3


class OffloadedStore:
    """A store of journals whose entries of more than `over` bytes are in `objects`. Raises as both of them do."""

    gives_flows: Literal[True] = True

    def __init__(self, store: StateStore, objects: Objects, *, over: int = 100_000) -> None:
        self._store, self._objects, self._over = store, objects, over

    def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
        """The entries numbered above `after`, wherever they are."""
        for _ in range(_LOOKS):
            entries = yield from self._whole((yield from self._store.read(key, after)))
            if entries is not None:
                return entries
        said = f"The journal {shown(key)!r} names an object that is not there."
        raise BackendError(said, fix="Check who deletes objects, and the bucket's lifecycle rules.", retryable=False)

    def append(self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None) -> Flow[None]:
        """Add entries; large ones are put into objects first."""
        small = yield from self._put(key, entries)
        try:
            yield from self._store.append(key, after, small, ttl_seconds)
        except ConditionFailed:
            yield from self._delete_unnamed(key, small)
            raise

    def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Put one entry in the place of all up to it, and delete their objects."""
        gone = [one.data for one in (yield from self._store.read(key)) if one.number <= through]
        small = yield from self._put(key, [entry])
        try:
            yield from self._store.compact(key, through, small[0], ttl_seconds)
        except ConditionFailed:
            yield from self._delete_unnamed(key, small)
            raise
        yield from self._delete(gone)

    def remove(self, key: str) -> Flow[None]:
        """Forget a journal and its objects."""
        gone = [one.data for one in (yield from self._store.read(key))]
        yield from self._store.remove(key)
        yield from self._delete(gone)

    def _whole(self, entries: Sequence[Entry]) -> Flow[list[Entry] | None]:
        found: list[Entry] = []
        for entry in entries:
            name = _name(entry.data)
            data = entry.data if name is None else (yield from self._objects.get(name))
            if data is None:
                return None
            found.append(Entry(entry.number, data))
        return found

    def _put(self, key: str, entries: Sequence[bytes]) -> Flow[list[bytes]]:
        """The entries as the store gets them."""
        small: list[bytes] = []
        for data in entries:
            if len(data) > self._over or data.startswith(_NAMED):
                name = _fresh_name(key)
                yield from self._objects.put(name, data)
                data = _NAMED + name.encode()
            small.append(data)
        return small

    def _delete_unnamed(self, key: str, entries: Sequence[bytes]) -> Flow[None]:
        """Delete the objects of entries that are not in the journal. They may be: an append whose answer was lost, and
        that was sent again, is done and fails."""
        if any(map(_name, entries)):
            there = {one.data for one in (yield from self._store.read(key))}
            yield from self._delete([data for data in entries if data not in there])

    def _delete(self, entries: Sequence[bytes]) -> Flow[None]:
        """Delete the objects that entries name. What stays because the bucket fails now is harmless."""
        for name in filter(None, map(_name, entries)):
            try:
                yield from self._objects.delete(name)
            except BackendError as error:
                from logging import getLogger

                getLogger("lambdallm.state").info("The object %r was left behind: %s", name, error)

    def __repr__(self) -> str:
        return f"OffloadedStore({self._store!r}, {self._objects!r})"


def _name(data: bytes) -> str | None:
    """The object that an entry names."""
    return data.removeprefix(_NAMED).decode("ascii") if data.startswith(_NAMED) else None


def _fresh_name(key: str) -> str:
    """A name that nobody has: objects of one journal stand together, and say nothing of whose they are."""
    from hashlib import sha256
    from os import urandom

    return f"{sha256(key.encode()).hexdigest()[:32]}/{urandom(12).hex()}"
