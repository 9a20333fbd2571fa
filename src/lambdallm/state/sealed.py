"""Entries encrypted by somebody's own means before they reach a store: KMS, a library, a service.

The store sees how many entries there are and how long; not what they say. Losing the key loses the sessions.
"""

from __future__ import annotations

from ..llm.backends.adapt import called
from ..llm.backends.errors import BackendError
from .store import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from typing import Literal, Protocol

    from ..llm.flow import Flow
    from .store import StateStore

    class Encryption(Protocol):
        """Somebody's means: blocking or asynchronous. `decrypt` should raise for what it can't make sense of."""

        def encrypt(self, data: bytes, /) -> bytes | Awaitable[bytes]:
            """The data, unreadable."""
            ...

        def decrypt(self, data: bytes, /) -> bytes | Awaitable[bytes]:
            """What `encrypt` was given."""
            ...


_SECONDS = 10.0


class SealedStore:
    """A store of journals whose entries are encrypted. Raises as the store and `called` do."""

    gives_flows: Literal[True] = True

    def __init__(self, store: StateStore, encryption: Encryption) -> None:
        self._store, self._encryption = store, encryption

    def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
        """The entries numbered above `after`, readable."""
        entries: list[Entry] = []
        for entry in (yield from self._store.read(key, after)):
            data = yield from called(self._encryption.decrypt, entry.data, seconds=_SECONDS)
            entries.append(Entry(entry.number, _checked(data, "decrypt")))
        return entries

    def append(self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None) -> Flow[None]:
        """Add entries, encrypted."""
        sealed = []
        for data in entries:
            sealed.append((yield from self._sealed(data)))
        yield from self._store.append(key, after, sealed, ttl_seconds)

    def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Put one entry, encrypted, in the place of all up to it."""
        yield from self._store.compact(key, through, (yield from self._sealed(entry)), ttl_seconds)

    def remove(self, key: str) -> Flow[None]:
        """Forget a journal."""
        yield from self._store.remove(key)

    def _sealed(self, data: bytes) -> Flow[bytes]:
        return _checked((yield from called(self._encryption.encrypt, data, seconds=_SECONDS)), "encrypt")

    def __repr__(self) -> str:
        return f"SealedStore({self._store!r})"


def _checked(data: object, name: str) -> bytes:
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    kind = type(data).__name__
    raise BackendError(f"{name} gave a {kind}.", fix=f"Have {name} take bytes and give bytes.", retryable=False)
