"""Quotas in DynamoDB: one item a key, in the common case one conditional write and no read.

A bucket's state is a sum, so a write adds to it under a condition, and no update of another is lost. Two forms are
needed, since a bucket that is full must not grow fuller: `full_at += …` while it is being refilled, `full_at = now + …`
where it has been full. Which one applies is guessed from what this process saw last; where the guess is wrong, the
refusal holds the item as it is, and the next write is made for that. Several limits are one write: all or nothing.

DynamoDB has no clock to ask: buckets are reckoned by the callers' own, which Lambda keeps within milliseconds of one
another. One that is ahead by `s` seconds gets `rate · s` more, once, since the others count from what it wrote. An item
takes about 1,000 writes a second, which bounds the calls that can share a key; a refusal is a write too.

Source: "UpdateItem" in the Amazon DynamoDB API Reference; "Condition expressions" in its Developer Guide.
"""

from __future__ import annotations

from ..backends.errors import BackendError, ConditionFailed
from ..flow import NOW, Clock
from .bucket import SLACK_SECONDS, Bucket
from .quota import NEW, Receipt, Short, Taken, decide, settled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, Literal

    from ..backends.dynamodb import DynamoDBBackend
    from ..flow import Flow
    from .quota import Charge, State

_TRIES = 16
_REMEMBERED = 1024
_ROUNDING = SLACK_SECONDS
"""DynamoDB reckons in decimals and `decide` in binary: a condition must not refuse for ever what `decide` allows."""

_KEPT_SECONDS = 40 * 86400
"""How long an idle item is kept: longer than any month, so that no limit shortens what another needs."""


class DynamoDBQuotas:
    """Quotas by key in a DynamoDB table. Raises `BackendError` where it fails."""

    gives_flows: Literal[True] = True

    def __init__(self, backend: DynamoDBBackend) -> None:
        self._table, self._prefix = backend.table, f"{backend.prefix}quota:"
        self._seen: dict[str, dict[str, State]] = {}

    def take(self, key: str, charges: Sequence[Charge], wait_seconds: float = 0.0) -> Flow[Taken | Short]:
        """Take all charges or none; those that need no longer wait than `wait_seconds` are taken ahead of time."""
        clock = shared_clock((yield NOW))
        states = self._seen.get(key, {})
        for _ in range(_TRIES):
            write = QuotaWrite(self._table.ttl_name, clock)
            for charge in charges:
                take_form(write, charge, states.get(charge.limit.name, NEW), clock, wait_seconds)
            try:
                item = yield from self._update(key, write)
            except ConditionFailed as refusal:
                clock = shared_clock((yield NOW))
                states = self._see(key, refusal.item)
                guess = decide(key, charges, states, clock, wait_seconds)
                if isinstance(guess, Short):
                    return guess
                continue
            return taken_by(key, charges, self._see(key, item), clock)
        raise BackendError(f"The quota {key!r} changed {_TRIES} times while it was being taken from.")

    def settle(self, taken: Taken, used: Sequence[float]) -> Flow[None]:
        """Say how much was used of each charge. A write that may have been done is not done again."""
        states = {one.charge.limit.name: one.state for one in taken.receipts}
        for _ in range(_TRIES):
            clock = shared_clock((yield NOW))
            write = QuotaWrite(self._table.ttl_name, clock)
            for receipt, amount in zip(taken.receipts, used, strict=True):
                settle_form(write, receipt, amount, states.get(receipt.charge.limit.name, NEW), clock)
            if not write.requirements:
                return
            try:
                item = yield from self._update(taken.key, write, again=False)
            except ConditionFailed as refusal:
                states = self._see(taken.key, refusal.item)
                continue
            self._see(taken.key, item)
            return
        raise BackendError(f"The quota {taken.key!r} changed {_TRIES} times while it was being settled.")

    def _update(self, key: str, write: QuotaWrite, again: bool = True) -> Flow[dict[str, Any]]:
        item: dict[str, Any] = yield from self._table.update(
            self._prefix + key, write.expression, condition=write.condition, names=write.names, values=write.values,
            again=again,
        )  # fmt: skip
        return item

    def _see(self, key: str, item: Mapping[str, Any]) -> dict[str, State]:
        """What an item says of each limit, remembered for the next guess."""
        names = {name[:-2] for name in item if name.endswith((":0", ":1"))}
        states = {name: (float(item.get(f"{name}:0", 0)), float(item.get(f"{name}:1", 0))) for name in names}
        if len(self._seen) >= _REMEMBERED:
            self._seen = {}
        self._seen[key] = states
        return states

    def __repr__(self) -> str:
        return f"DynamoDBQuotas({self._table!r})"


class QuotaWrite:
    """A conditional write in the making. `set` and `require` take templates: `{0}`, `{1}` are a limit's attributes."""

    def __init__(self, ttl_name: str, clock: Clock) -> None:
        self.sets = ["#ttl = :ttl"]
        self.requirements: list[str] = []
        self.names = {"#ttl": ttl_name}
        self.values: dict[str, float] = {":ttl": int(clock.wall) + _KEPT_SECONDS}

    @property
    def expression(self) -> str:
        """The update."""
        return "SET " + ", ".join(self.sets)

    @property
    def condition(self) -> str:
        """Everything that is required."""
        return " AND ".join(f"({one})" for one in self.requirements)

    def set(self, name: str, template: str, *values: float) -> None:
        """Change an attribute: `set("a", "{0} = {0} + {v0}", 3)`."""
        self.sets.append(self._filled(name, template, values))

    def require(self, name: str, template: str, *values: float) -> None:
        """Let the write hold only if this does."""
        self.requirements.append(self._filled(name, template, values))

    def _filled(self, name: str, template: str, values: Sequence[float]) -> str:
        attributes = [self._name(f"{name}:{i}") if f"{{{i}}}" in template else "" for i in (0, 1)]
        return template.format(*attributes, **{f"v{i}": self._value(value) for i, value in enumerate(values)})

    def _name(self, attribute: str) -> str:
        for mark, known in self.names.items():
            if known == attribute:
                return mark
        mark = f"#n{len(self.names)}"
        self.names[mark] = attribute
        return mark

    def _value(self, value: float) -> str:
        mark = f":v{len(self.values)}"
        self.values[mark] = value
        return mark


def take_form(write: QuotaWrite, charge: Charge, state: State, clock: Clock, wait_seconds: float) -> None:
    """One charge's part of a write, in the form that fits the state."""
    limit, now = charge.limit, clock.monotonic
    if isinstance(limit, Bucket):
        more = charge.amount * limit.spacing
        if state[0] >= now:
            latest = now + limit.depth + wait_seconds - more
            write.require(limit.name, "{0} >= {v0} AND {0} <= {v1}", now - _ROUNDING, latest + 2 * _ROUNDING)
            write.set(limit.name, "{0} = {0} + {v0}", more)
        else:
            write.require(limit.name, "attribute_not_exists({0}) OR {0} < {v0}", now)
            write.set(limit.name, "{0} = {v0}", now + more)
        write.set(limit.name, "{1} = if_not_exists({1}, {v0})", 0)
        return
    number = limit.number(clock.wall)
    if state[0] >= number:
        write.require(limit.name, "{0} >= {v0} AND {1} <= {v1}", number, limit.most - charge.amount + _ROUNDING)
        write.set(limit.name, "{1} = {1} + {v0}", charge.amount)
    else:
        write.require(limit.name, "attribute_not_exists({0}) OR {0} < {v0}", number)
        write.set(limit.name, "{0} = {v0}", number)
        write.set(limit.name, "{1} = {v0}", charge.amount)


def settle_form(write: QuotaWrite, receipt: Receipt, used: float, state: State, clock: Clock) -> None:
    """One receipt's part of a write, left out where it changes nothing."""
    limit, now = receipt.charge.limit, clock.monotonic
    after = settled(receipt, used, state, clock)
    if after == state or used == receipt.charge.amount:
        return
    if not isinstance(limit, Bucket):
        write.require(limit.name, "{0} = {v0} AND {1} >= {v1}", state[0], state[1] - after[1] - _ROUNDING)
        write.set(limit.name, "{1} = {1} + {v0}", after[1] - state[1])
    elif used < receipt.charge.amount:
        back = after[1] - state[1]
        write.require(limit.name, "{1} <= {v0}", receipt.state[1] + receipt.state[0] - now - back + _ROUNDING)
        write.set(limit.name, "{0} = {0} - {v0}", back)
        write.set(limit.name, "{1} = {1} + {v0}", back)
    elif state[0] >= now:
        write.require(limit.name, "{0} >= {v0}", now - _ROUNDING)
        write.set(limit.name, "{0} = {0} + {v0}", after[0] - state[0])
    else:
        write.require(limit.name, "attribute_not_exists({0}) OR {0} < {v0}", now)
        write.set(limit.name, "{0} = {v0}", after[0])
        write.set(limit.name, "{1} = if_not_exists({1}, {v0})", 0)


def taken_by(key: str, charges: Sequence[Charge], states: Mapping[str, State], clock: Clock) -> Taken:
    """The receipts for a write that held, and the longest wait among them."""
    receipts = tuple(Receipt(charge, states[charge.limit.name]) for charge in charges)
    waits = (
        one.charge.limit.wait(one.state[0], clock.monotonic) for one in receipts if isinstance(one.charge.limit, Bucket)
    )
    return Taken(key, receipts, max(0.0, *waits, 0.0))


def shared_clock(clock: Clock) -> Clock:
    """The clock that several machines can compare: that of the wall, for buckets too."""
    return Clock(clock.wall, clock.wall)
