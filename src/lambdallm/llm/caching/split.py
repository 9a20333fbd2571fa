"""Values larger than a store's items, in pieces: the first item says which pieces belong to it.

Pieces are named after what they hold, so that two writers of one key never mix theirs. A value of which a piece is
missing is not there.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ..flow import Flow

_MARK = b"\x00pieces "


class SplitStore:
    """The flows of a backend whose items hold at most `most_bytes`, for values of any size."""

    gives_flows: Literal[True] = True

    def __init__(self, backend: Any, *, most_bytes: int) -> None:
        self._backend, self._most = backend, most_bytes

    def load(self, key: str) -> Flow[bytes | None]:
        """What is kept under a key."""
        head: bytes | None = yield from self._backend.load(key)
        if head is None or not head.startswith(_MARK):
            return head
        pieces = []
        for name in _names(key, head):
            piece = yield from self._backend.load(name)
            if piece is None:
                return None
            pieces.append(piece)
        return b"".join(pieces)

    def save(self, key: str, value: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Keep a value, its pieces before what points to them."""
        if len(value) <= self._most and not value.startswith(_MARK):
            yield from self._backend.save(key, value, ttl_seconds)
            return
        from hashlib import sha256

        pieces = [value[start : start + self._most] for start in range(0, len(value), self._most)]
        head = b"%b%d %b" % (_MARK, len(pieces), sha256(value).hexdigest().encode())
        for name, piece in zip(_names(key, head), pieces, strict=True):
            yield from self._backend.save(name, piece, ttl_seconds)
        yield from self._backend.save(key, head, ttl_seconds)

    def remove(self, key: str) -> Flow[None]:
        """Forget a key and its pieces."""
        head: bytes | None = yield from self._backend.load(key)
        yield from self._backend.remove(key)
        if head is not None and head.startswith(_MARK):
            for name in _names(key, head):
                yield from self._backend.remove(name)

    def ensure_table(self) -> Flow[None]:
        """Create the table of a backend that has one."""
        yield from self._backend.ensure_table()


def _names(key: str, head: bytes) -> list[str]:
    """The keys of the pieces; none where the first item is damaged."""
    count, _, digest = head.removeprefix(_MARK).decode("ascii", "replace").partition(" ")
    return [f"{key}#{digest[:16]}#{number}" for number in range(int(count))] if count.isdigit() else []
