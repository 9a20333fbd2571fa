"""The items of a journal in DynamoDB: what a head says, how long each is kept, and what entries they make. Pure."""

from __future__ import annotations

from .._value import Value
from ..llm.backends.writes import Update
from .store import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, TypeAlias

    Item: TypeAlias = Mapping[str, Any]

HEAD_KEY = "head"
"""The head's sort key: after all entries', so that a query gives it last."""


class Head(Value):
    """Which entries of a journal count."""

    gen: str
    begins: int
    ends: int
    lives_until: float | None

    @classmethod
    def of(cls, item: Item) -> Head:
        """The head that an item is."""
        return cls(item["gen"], item["begins"], item["ends"], item.get("lives_until"))

    def lives(self, now: float) -> bool:
        """Whether its time has not passed."""
        return self.lives_until is None or self.lives_until > now


class Life(Value):
    """How long what is written now is kept: seconds since the epoch, and the journal's time in seconds."""

    now: float
    ttl_seconds: float | None

    @property
    def of_entry(self) -> dict[str, Any]:
        """What an entry says of it, to DynamoDB."""
        return {} if self.ttl_seconds is None else {"expires_at": int(self.now + 2 * self.ttl_seconds) + 1}

    @property
    def of_head(self) -> dict[str, Any]:
        """What the head says of it: `None` takes away what it said."""
        if self.ttl_seconds is None:
            return {"lives_until": None, "expires_at": None}
        until = self.now + self.ttl_seconds
        return {"lives_until": until, "expires_at": int(until) + 1}

    @property
    def of_all(self) -> dict[str, Any]:
        """What the head says of all its entries: until when the first of them stays, and for how long they are kept."""
        if self.ttl_seconds is None:
            return {"entries_until": None, "kept_for": None}
        return {"entries_until": self.now + 2 * self.ttl_seconds, "kept_for": self.ttl_seconds}

    @property
    def lasting(self) -> tuple[str, dict[str, Any]]:
        """The condition that all entries last as long as the head will."""
        if self.ttl_seconds is None:
            return "attribute_not_exists(kept_for)", {}
        values = {":kept_for": self.ttl_seconds, ":until": self.now + self.ttl_seconds}
        return "kept_for = :kept_for AND entries_until >= :until", values

    def covers(self, head: Item) -> bool:
        """Whether that condition holds of a head."""
        if self.ttl_seconds is None:
            return "kept_for" not in head
        return bool(
            head.get("kept_for") == self.ttl_seconds and head.get("entries_until", 0) >= self.now + self.ttl_seconds
        )


def update_of(key: tuple[str, str], sets: Item, condition: str, values: Item) -> Update:
    """An update that sets attributes, and removes those that are `None`."""
    kept = {name: value for name, value in sets.items() if value is not None}
    parts = [f"SET {', '.join(f'{name} = :set_{name}' for name in kept)}"] if kept else []
    gone = [name for name, value in sets.items() if value is None]
    parts += [f"REMOVE {', '.join(gone)}"] if gone else []
    given = {**values, **{f":set_{name}": value for name, value in kept.items()}}
    return Update(key, " ".join(parts), condition, values=given)


def assembled(items: Sequence[Item], head: Head, after: int) -> list[Entry] | None:
    """The entries that count, in order; `None` where one of them is not there (yet), or not yet what the head says.

    A query is no single moment: it may have seen an entry before that was put in the place of others, the head after.
    """
    by_sk = {item["sk"]: item for item in items}
    numbered = {
        item["number"]: item for item in items if "number" in item and item["sk"] == sort_key(head.gen, item["number"])
    }
    wholes = [number for number, item in numbered.items() if item.get("whole") and number <= head.ends]
    first = max([head.begins, after + 1, *wholes])
    if first == head.begins > 1 and first not in wholes:
        return None
    entries: list[Entry] = []
    for number in range(first, head.ends + 1):
        data = _data(numbered.get(number), by_sk)
        if data is None:
            return None
        entries.append(Entry(number, data))
    return entries


def _data(item: Item | None, by_sk: Mapping[str, Item]) -> bytes | None:
    if item is None or "entry" in item:
        return None if item is None else item["entry"]
    pieces = [by_sk.get(f"{item['sk']}#{item['mark']}#{at:04d}") for at in range(item["pieces"])]
    found = [piece["piece"] for piece in pieces if piece is not None]
    return b"".join(found) if len(found) == len(pieces) else None


def sort_key(gen: str, number: int) -> str:
    """The sort key of an entry."""
    return f"{gen}#{number:012d}"


def fresh_mark() -> str:
    """Eight bytes of chance as text."""
    from os import urandom

    return urandom(8).hex()
