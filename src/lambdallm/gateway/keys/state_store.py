"""Keys in a store of state: SQLite on a laptop, memory in tests, DynamoDB or Redis where there is no Cognito.

    StateKeyStore(FileStateStore(".lambdallm/keys.db"))

A user is a journal whose entries are versions: what makes appending safe makes changing safe. Only the last is kept.
A further journal has the names of all users.
"""

from __future__ import annotations

import json

from ...llm.backends.errors import BackendError, ConditionFailed
from .store import MOST_PAGE, Owner, Page

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ...llm.flow import Flow
    from ...state.store import StateStore

_TRIES = 100


class StateKeyStore:
    """Users' keys in a store of journals, whose keys begin with `prefix`; see `store.KeyStore`."""

    gives_flows: Literal[True] = True

    def __init__(self, state: StateStore, *, prefix: str = "gateway-keys") -> None:
        self.state, self._prefix = state, prefix

    def load(self, user: str) -> Flow[Owner | None]:
        """A user as the last `save` left it."""
        entries = yield from self.state.read(self._key(user))
        if not entries:
            return None
        last = entries[-1]
        try:
            kept = json.loads(last.data)
            return Owner(user, tuple(kept["keys"]), last.number - 1, bool(kept.get("enabled", True)))
        except (ValueError, LookupError, TypeError) as reason:
            said = f"What the store has for the user {user!r} is no list of keys: {reason!r}."
            raise BackendError(said, fix="Restore it from a backup.", retryable=False) from reason

    def enrol(self, user: str) -> Flow[Owner]:
        """A user, made where there is none: first among the names, so that nobody has keys that are not listed."""
        owner = yield from self.load(user)
        if owner is not None:
            return owner
        yield from self._named(user)
        try:
            yield from self.state.append(self._key(user), 0, [_data(Owner(user))])
        except ConditionFailed:
            found = yield from self.load(user)
            return found or Owner(user)
        return Owner(user)

    def save(self, owner: Owner) -> Flow[None]:
        """Keep a user's texts in place of the version before."""
        key, number = self._key(owner.user), owner.version + 1
        yield from self.state.append(key, owner.version, [_data(owner)])
        try:
            yield from self.state.compact(key, number, _data(owner))
        except BackendError:  # it is kept, with an older one before it that the next change takes away
            return

    def page(self, after: str = "", limit: int = 50) -> Flow[Page]:
        """Some users, in the order in which they were enrolled."""
        names = yield from self.state.read(f"{self._prefix}:users", _number(after))
        asked = names[: min(limit, MOST_PAGE)]
        owners = []
        for entry in asked:
            owner = yield from self.load(entry.data.decode())
            owners += [owner] if owner is not None and owner.version else []
        return Page(tuple(owners), str(asked[-1].number) if len(names) > len(asked) else "")

    def _named(self, user: str) -> Flow[None]:
        """Add a name to those of all users, once."""
        journal, data, last = f"{self._prefix}:users", user.encode(), 0
        for _ in range(_TRIES):
            entries = yield from self.state.read(journal, last)
            if any(entry.data == data for entry in entries):
                return
            last = entries[-1].number if entries else last
            try:
                yield from self.state.append(journal, last, [data])
                return
            except ConditionFailed:
                continue
        raise BackendError(f"Others enrolled users each of {_TRIES} times that {user!r} was to be.")

    def _key(self, user: str) -> str:
        return f"{self._prefix}:user:{user}"

    def __repr__(self) -> str:
        return f"StateKeyStore({self.state!r})"


def _data(owner: Owner) -> bytes:
    kept = {"keys": list(owner.keys), **({} if owner.enabled else {"enabled": False})}
    return json.dumps(kept, separators=(",", ":")).encode()


def _number(after: str) -> int:
    """Where a page begins. Raises `ValueError` for what no page has given."""
    if after and not (after.isascii() and after.isdigit() and len(after) < 16):
        raise ValueError(after)
    return int(after or 0)
