"""`KeyLedger`: keys are made, changed, rotated and revoked, each change once, under its audit record.

A change reads a user's keys, decides, and saves them on the condition that nobody else has saved meanwhile; where
somebody has, it decides anew. It knows no HTTP but the errors that an administrator is told.
"""

from __future__ import annotations

from ..._value import Value
from ...llm.backends.errors import BackendError, ConditionFailed
from ...llm.errors import LambdaLLMError
from ...llm.flow import NOW, Sleep
from ..http import GatewayError
from .audit import Change
from .fields import bad
from .key import NUMBER_BYTES, SECRET_BYTES, hashed, key_id, user_of, written
from .record import MOST_CHARACTERS, KeyRecord, decode, encode
from .store import MOST_KEYS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...llm.flow import Flow
    from .audit import Actor, Audit
    from .key import Peppers
    from .store import KeyStore, Owner

    Decision = tuple[KeyRecord, dict[str, Any]]
    Decide = Callable[[KeyRecord, int], Decision]

OVERLAP_SECONDS = 86_400
"""How long the secret before goes on working after a rotation."""
_TRIES = 12
_LONGEST_WAIT = 1.0


class Minted(Value):
    """A new key, as its holder gets it: this once. Its `repr` does not show the key."""

    record: KeyRecord
    key: str

    def __repr__(self) -> str:
        return f"Minted({self.record.id!r})"


class Listed(Value):
    """Some of the keys; `unreadable` are users with records that are not ours or were changed. `next` as in `Page`."""

    records: tuple[KeyRecord, ...]
    unreadable: tuple[str, ...] = ()
    next: str = ""


class KeyLedger:
    """Makes and changes the keys of a store. `changed` is called after every change.

    All raise `BackendError` where the store or the audit does not answer, and `GatewayError`: 400, 404 for no such key,
    409 for one that can't be changed so.
    """

    def __init__(
        self, store: KeyStore, audit: Audit, *, prefix: str, peppers: Peppers, changed: Callable[[], object]
    ) -> None:
        self.audit = audit
        self._store, self._prefix, self._peppers, self._changed = store, prefix, peppers, changed

    def create(self, who: Actor, user: str, fields: Mapping[str, Any]) -> Flow[Minted]:
        """A new key for a user, who is made where there is none."""
        secret, number = _random(SECRET_BYTES), _random(NUMBER_BYTES)

        def decide(owner: Owner, now: int) -> tuple[Owner, KeyRecord, Change]:
            id = key_id(owner.user, number)
            record = KeyRecord(id, owner.user, self._hash(id, secret), now, **fields)
            texts = (*self._with_room(owner, now), self._text(record))
            return owner.with_keys(texts), record, Change("create", id, owner.user, _news(fields))

        record = yield from self._changing(who, user, decide, enrols=True)
        return Minted(record, written(self._prefix, record.id, secret, self._peppers))

    def get(self, id: str) -> Flow[KeyRecord]:
        """A key."""
        owner = yield from self._store.load(self._user(id))
        return self._found(owner, id)[1]

    def page(self, after: str = "", limit: int = 50) -> Flow[Listed]:
        """The keys of at most `limit` users. Raises `GatewayError` 400 for a place that no page has given."""
        try:
            page = yield from self._store.page(after, limit)
        except ValueError:
            raise bad("after", f"{after!r:.80} is no place in this list. Give the `next` of a page.") from None
        return self._listed(page.owners, page.next)

    def of_user(self, user: str) -> Flow[Listed]:
        """The keys of one user; none where there is no such user."""
        owner = yield from self._store.load(user)
        return self._listed(() if owner is None else (owner,), "")

    def update(self, who: Actor, id: str, fields: Mapping[str, Any]) -> Flow[KeyRecord]:
        """Change what a key may do."""

        def decide(record: KeyRecord, _now: int) -> Decision:
            _check_alive(record)
            return record.replace(**fields), _changes(record, fields)

        return (yield from self._on(who, "update", id, decide))

    def rotate(self, who: Actor, id: str, overlap_seconds: int = OVERLAP_SECONDS) -> Flow[Minted]:
        """A new secret for a key; the one before works for `overlap_seconds` more, any older one no longer."""
        secret = _random(SECRET_BYTES)

        def decide(record: KeyRecord, now: int) -> Decision:
            _check_alive(record)
            if record.status(now) == "expired":
                raise _conflict(f"The key {id!r} has expired. Give it a later expires_at first.")
            until = now + overlap_seconds
            new = record.replace(hash=self._hash(id, secret), old_hash=record.hash, old_until=until)
            return new, {"old_secret_until": [record.old_until, until]}

        record = yield from self._on(who, "rotate", id, decide)
        return Minted(record, written(self._prefix, id, secret, self._peppers))

    def revoke(self, who: Actor, id: str) -> Flow[KeyRecord]:
        """End a key for good. One that has been revoked stays as it is, and nothing is written down."""
        record = yield from self.get(id)
        if record.revoked_at is not None:
            return record

        def decide(record: KeyRecord, now: int) -> Decision:
            at = now if record.revoked_at is None else record.revoked_at
            return record.replace(revoked_at=at), {"revoked_at": [record.revoked_at, at]}

        return (yield from self._on(who, "revoke", id, decide))

    def _on(self, who: Actor, action: str, id: str, decide: Decide) -> Flow[KeyRecord]:
        """Change one key."""

        def decide_all(owner: Owner, now: int) -> tuple[Owner, KeyRecord, Change]:
            place, record = self._found(owner, id)
            record, changed = decide(record, now)
            texts = [*owner.keys[:place], self._text(record), *owner.keys[place + 1 :]]
            return owner.with_keys(texts), record, Change(action, id, owner.user, changed)

        return (yield from self._changing(who, self._user(id), decide_all))

    def _changing(
        self,
        who: Actor,
        user: str,
        decide: Callable[[Owner, int], tuple[Owner, KeyRecord, Change]],
        *,
        enrols: bool = False,
    ) -> Flow[KeyRecord]:
        """Decide and save, again where somebody else was faster. Each try has an audit record of its own."""
        for attempt in range(_TRIES):
            owner = yield from self._store.enrol(user) if enrols else self._store.load(user)
            if owner is None:
                raise _missing()
            after, record, change = decide(owner, int((yield NOW).wall))
            id = yield from self.audit.begin(who, change)
            try:
                yield from self._store.save(after)
            except ConditionFailed as error:
                yield from self.audit.end(id, "failed", error.message)
                yield Sleep(_wait(attempt))
                continue
            except LambdaLLMError as error:
                if _was_refused(error):
                    yield from self.audit.end(id, "failed", error.message)
                raise
            self._changed()
            yield from self.audit.end(id, "done")
            return record
        raise _conflict(f"Others are changing the keys of {user!r}. Try again.")

    def _with_room(self, owner: Owner, now: int) -> list[str]:
        """A user's texts, one fewer than it may have: of keys that have ended, the oldest goes. 409 where none has."""
        texts = [*owner.keys]
        if len(texts) < MOST_KEYS:
            return texts
        for text in texts:
            record = decode(text, owner.user, self._peppers)
            if record is not None and record.status(now) != "active":
                texts.remove(text)
                return texts
        raise _conflict(f"{owner.user!r} has {MOST_KEYS} keys, the most a user may have. Revoke one.")

    def _text(self, record: KeyRecord) -> str:
        text = encode(record, self._peppers)
        if len(text) > MOST_CHARACTERS:
            said = f"The key's record has {len(text)} characters, and {MOST_CHARACTERS} can be stored."
            raise GatewayError(
                400, f"{said} Give fewer labels, or shorter ones, or patterns of models.", code="too_long"
            )
        return text

    def _found(self, owner: Owner | None, id: str) -> tuple[int, KeyRecord]:
        for place, text in enumerate(() if owner is None else owner.keys):
            record = decode(text, owner.user, self._peppers) if owner is not None else None
            if record is not None and record.id == id:
                return place, record
        raise _missing()

    def _listed(self, owners: tuple[Owner, ...], next: str) -> Listed:
        records: list[KeyRecord] = []
        unreadable = []
        for owner in owners:
            found = [decode(text, owner.user, self._peppers) for text in owner.keys]
            records += [record for record in found if record is not None]
            unreadable += [owner.user] if None in found else []
        return Listed(tuple(records), tuple(unreadable), next)

    def _hash(self, id: str, secret: bytes) -> str:
        key = written(self._prefix, id, secret, self._peppers)
        return hashed(id, key.rpartition(".")[2], self._peppers[0])

    def _user(self, id: str) -> str:
        user = user_of(id)
        if user is None:
            raise _missing()
        return user


def _random(size: int) -> bytes:
    from os import urandom

    return urandom(size)


def _news(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [None, _plain(value)] for name, value in fields.items()}


def _changes(record: KeyRecord, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: [_plain(getattr(record, name)), _plain(value)] for name, value in fields.items()}


def _plain(value: Any) -> Any:
    """A field's value as JSON has it."""
    if hasattr(value, "items"):
        return dict(value)
    return list(value) if isinstance(value, tuple) else value


def _was_refused(error: LambdaLLMError) -> bool:
    """Whether nothing was done for certain."""
    return not isinstance(error, BackendError) or bool(getattr(error, "refused", False))


def _check_alive(record: KeyRecord) -> None:
    if record.revoked_at is not None:
        raise _conflict(f"The key {record.id!r} was revoked. Make another one.")


def _wait(attempt: int) -> float:
    """Seconds until the next try, spread."""
    from random import random

    return min(0.02 * 2.0**attempt, _LONGEST_WAIT) * (0.5 + random() / 2)


def _missing() -> GatewayError:
    return GatewayError(404, "There is no such key. Check its id in the list of keys.", code="key_not_found")


def _conflict(said: str) -> GatewayError:
    return GatewayError(409, said, type="conflict_error", code="conflict")
