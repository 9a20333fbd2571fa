"""A store of one's own with `get(session_id)` and `put(session_id, data, ttl_seconds)`, made a store of journals.

    class MyStore:
        def get(self, session_id: str) -> dict: ...
        def put(self, session_id: str, data: dict, ttl_seconds: int): ...

Both may be blocking or asynchronous. `session_id` is the session's id, with a mark before it where ids have colons or
owners, and where other things than sessions are kept. `data` is a dictionary of text, whole numbers and lists, which
JSON and DynamoDB hold as it is. For a session that is not there, `get` gives `None` or `{}`, or raises `KeyError`;
`json.loads(None)`, which raises `TypeError`, is understood too. `ttl_seconds` is a whole number: ten years where
sessions are kept for ever. A method `delete(session_id)` is used where there is one; else an empty document is put for
a second.

Such a store reads and writes a whole session at once, and can't say that somebody else was there in between: of two
turns at the same time one may be lost. Where that matters, write a store of journals (`store.StateStore`).
"""

from __future__ import annotations

from ..llm.backends.adapt import called
from ..llm.backends.errors import BackendError, ConditionFailed
from ..llm.flow import NOW
from .store import Entry, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from ..llm.flow import Flow

_FORMAT = 1
_SECONDS = 10.0
_TEN_YEARS = 315_360_000


class DocumentStateStore:
    """Journals as documents in somebody's object. Each call of it is waited for at most `timeout_seconds`."""

    gives_flows: Literal[True] = True

    def __init__(self, documents: Any, *, timeout_seconds: float = _SECONDS) -> None:
        self._documents, self._seconds = documents, timeout_seconds

    def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
        """The entries numbered above `after`."""
        return [entry for entry in (yield from self._get(key)) if entry.number > after]

    def append(self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None) -> Flow[None]:
        """Add entries after the one numbered `after`."""
        known = yield from self._get(key)
        if after != (known[-1].number if known else 0):
            raise ConditionFailed(f"The journal {shown(key)!r} does not end with entry {after}.", {})
        added = [Entry(after + at, data) for at, data in enumerate(entries, 1)]
        yield from self._put(key, [*known, *added], ttl_seconds)

    def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Put one entry in the place of all up to `through`."""
        known = yield from self._get(key)
        if all(one.number != through for one in known):
            raise ConditionFailed(f"The journal {shown(key)!r} has no entry {through}.", {})
        later = [one for one in known if one.number > through]
        yield from self._put(key, [Entry(through, entry), *later], ttl_seconds)

    def remove(self, key: str) -> Flow[None]:
        """Forget a journal."""
        delete = getattr(self._documents, "delete", None)
        if delete is None:
            yield from self._put(key, [], 1)
            return
        try:
            yield from called(delete, name_of(key), seconds=self._seconds)
        except BackendError as error:
            if not says_missing(error.__cause__):
                raise

    def _get(self, key: str) -> Flow[list[Entry]]:
        try:
            document = yield from called(self._documents.get, name_of(key), seconds=self._seconds)
        except BackendError as error:
            if not says_missing(error.__cause__):
                raise
            return []
        until = document.get("until") if hasattr(document, "get") else None
        if not document or (until is not None and int(until) <= (yield NOW).wall * 1000):
            return []
        return _entries(document, key)

    def _put(self, key: str, entries: Sequence[Entry], ttl_seconds: float | None) -> Flow[None]:
        document: dict[str, Any] = {
            "format": _FORMAT,
            "last": entries[-1].number if entries else 0,
            "entries": [_plain(entry.data) for entry in entries],
        }
        if ttl_seconds is not None:
            document["until"] = int(((yield NOW).wall + ttl_seconds) * 1000)
        ttl = _TEN_YEARS if ttl_seconds is None else -int(-ttl_seconds // 1)
        yield from called(self._documents.put, name_of(key), document, ttl, seconds=self._seconds)

    def __repr__(self) -> str:
        return repr(self._documents)


def name_of(key: str) -> str:
    """What a journal's key is called in such a store: a session by its id, where that is like no other key."""
    id = key.removeprefix("session:")
    return key if ":" in id or "/" in id else id


def says_missing(reason: BaseException | None) -> bool:
    """Whether that is how a store says that it has nothing under a key."""
    return isinstance(reason, KeyError) or (isinstance(reason, TypeError) and "NoneType" in str(reason))


def _plain(data: bytes) -> Any:
    """An entry as text, in base64 where it is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        from binascii import b2a_base64

        return {"base64": b2a_base64(data, newline=False).decode("ascii")}


def _entries(document: Mapping[str, Any], key: str) -> list[Entry]:
    from binascii import a2b_base64

    try:
        texts = [one.encode() if isinstance(one, str) else a2b_base64(one["base64"]) for one in document["entries"]]
        first = int(document["last"]) - len(texts) + 1
        if document["format"] != _FORMAT:
            raise ValueError(f"format {document['format']!r}")
    except (LookupError, TypeError, ValueError, AttributeError) as reason:
        said = f"What the store has under {shown(key)!r} is no session: {reason!r}."
        raise BackendError(said, fix="Keep what `put` was given, and nothing else.", retryable=False) from reason
    return [Entry(number, data) for number, data in enumerate(texts, first)]
