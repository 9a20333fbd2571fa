"""A hold: what one call under way has taken from its key's limits, kept until the call's end is told. Pure.

A hold is taken and let go in the same write as the limits it is about, so that both are true together. That is what
makes settling safe to repeat: whoever finds the hold gone before its time knows that it was settled already. A process
that dies leaves its hold; after its time somebody else lets it go, and gives back the money it had reserved. (Requests
and tokens a minute need no giving back: time has done that.) Who settles later than that still pays.
"""

from __future__ import annotations

import json

from ..._value import Value
from ...llm.rate_limiting.bucket import Window
from ...llm.rate_limiting.quota import Charge, Receipt
from .dates import day_of
from .rows import LOST, Row, negated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRACE_SECONDS = 30.0
"""How long after its time a hold is let go by others: more than the clocks of machines differ."""


class Hold(Value):
    """One call under way. Times are in seconds since the epoch.

    `receipts` are what was taken; of a hold read from a store, only those of days and months.
    """

    id: str
    key: str
    user: str
    model: str
    started: float
    expires: float
    receipts: tuple[Receipt, ...] = ()

    def has_expired(self, wall: float) -> bool:
        """Whether others may let it go."""
        return wall >= self.expires + GRACE_SECONDS


class Settlement(Value):
    """The end of a call: what it used of each receipt of its hold, and its counts under the model that answered.

    Without `late`, it is for a hold that must still be there.
    """

    hold: Hold
    used: tuple[float, ...]
    row: Row
    late: bool = True


class Due(Value):
    """What a settlement changes: the receipts with what was used of each, and the rows to count."""

    receipts: tuple[Receipt, ...]
    used: tuple[float, ...]
    rows: tuple[Row, ...]


def due(settlement: Settlement, present: bool, wall: float) -> Due | None:
    """What is to be done, with the hold present or not; `None` where all was done before."""
    hold = settlement.hold
    if present:
        return Due(hold.receipts, settlement.used, (settlement.row,) if settlement.row.counts else ())
    if not settlement.late or wall < hold.expires:
        return None
    pairs = [
        (Receipt(Charge(one.charge.limit, 0.0), one.state), used)
        for one, used in zip(hold.receipts, settlement.used, strict=True)
        if isinstance(one.charge.limit, Window)
    ]
    again = lost_row(hold)
    rows = (settlement.row, again.replace(counts=negated(again.counts)))
    return Due(tuple(one for one, _ in pairs), tuple(used for _, used in pairs), rows)


def lost(hold: Hold) -> Settlement:
    """The end of a call whose process ended before it could tell."""
    return Settlement(hold, (0.0,) * len(hold.receipts), lost_row(hold), late=False)


def lost_row(hold: Hold) -> Row:
    """The counts of such a call."""
    return Row(day_of(hold.started), hold.key, hold.user, hold.model, LOST)


def written(hold: Hold, charges: Sequence[Charge]) -> str:
    """A hold as text, with what is about to be taken from days and months."""
    windows = [
        (charge.limit.unit, charge.limit.period, charge.limit.number(hold.started), charge.amount)
        for charge in charges
        if isinstance(charge.limit, Window)
    ]
    return json.dumps([hold.user, hold.model, hold.started, hold.expires, windows], separators=(",", ":"))


def read(id: str, key: str, text: str) -> Hold:
    """A hold from its text."""
    user, model, started, expires, windows = json.loads(text)
    receipts = (
        Receipt(Charge(Window(unit, float("inf"), period), amount), (number, amount))
        for unit, period, number, amount in windows
    )
    return Hold(id, key, user, model, started, expires, tuple(receipts))


HOLD = "hold:"
"""What the names begin with under which stores keep holds beside the states of limits."""


def holds_in(key: str, fields: Mapping[str, object]) -> tuple[Hold, ...]:
    """The holds among a key's fields, the oldest first."""
    found = (read(name[len(HOLD) :], key, str(text)) for name, text in fields.items() if name.startswith(HOLD))
    return tuple(sorted(found, key=lambda hold: (hold.started, hold.id)))


def states_in(fields: Mapping[str, object]) -> dict[str, tuple[float, float]]:
    """The states of limits among a key's fields."""
    names = {name[:-2] for name in fields if name.endswith((":0", ":1")) and not name.startswith(HOLD)}
    return {n: (float(str(fields.get(f"{n}:0", 0))), float(str(fields.get(f"{n}:1", 0)))) for n in names}
