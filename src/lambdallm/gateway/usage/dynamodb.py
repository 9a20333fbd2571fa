"""Usage in a DynamoDB table: nothing to run, nothing to pay while idle.

    pk              sk                    what
    account:k7      account               key k7's limits and holds: a call's start and its end are one write each
    accounts        key:k7                that k7 has an account: written by whose call is the first in it
    usage:2026-11   2026-11-21#k7#…       the counts of a day, key, user and model: one write at a call's end

An account's writes are those of `llm.rate_limiting.dynamodb`, which commute, with a hold added or removed in the same
write. An item takes about 1,000 writes a second, a partition too: that bounds the calls that can share a key, and those
of a month. Buckets are reckoned by the callers' clocks.

Source: "UpdateItem" in the Amazon DynamoDB API Reference; "Update expressions" in its Developer Guide.
"""

from __future__ import annotations

from ...llm.backends.errors import BackendError, ConditionFailed
from ...llm.backends.table import DynamoDBTable
from ...llm.flow import NOW
from ...llm.rate_limiting.dynamodb import QuotaWrite, settle_form, shared_clock, take_form, taken_by
from ...llm.rate_limiting.quota import NEW, Short, Taken, decide
from .hold import HOLD, due, holds_in, states_in, written
from .rows import Row
from .store import Account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal

    from ...llm.flow import Clock, Flow
    from ...llm.rate_limiting.quota import Charge, State
    from .hold import Due, Hold, Settlement

_TRIES = 32
_REMEMBERED = 1024
_DIMENSIONS = ("day", "key", "user", "model")
_COUNTED = "c:"
_KEY = "key:"
"""Before a key's name where that is a sort key, which may not be empty as the name of a gateway's only key is."""


class DynamoDBUsage:
    """A store of usage in a table with the keys `pk` and `sk` (both text) and TTL on `expires_at`.

        DynamoDBUsage("lambdallm-usage")

    See `store.UsageStore`. Rows are kept for `keep_days`. `region` and `endpoint` are found where the other AWS
    settings are when not given; `timeout_seconds` bounds a request with all its tries. The function's role needs
    `dynamodb:GetItem`, `PutItem`, `UpdateItem` and `Query` on the table.
    """

    gives_flows: Literal[True] = True

    def __init__(
        self,
        table: str = "lambdallm-usage",
        *,
        region: str | None = None,
        endpoint: str | None = None,
        keep_days: int = 400,
        timeout_seconds: float = 2.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.keep_days = keep_days
        self.table = DynamoDBTable(
            table, region=region, endpoint=endpoint, sort_key_name="sk", timeout_seconds=timeout_seconds, jitter=jitter
        )
        self._seen: dict[str, dict[str, State]] = {}

    def ensure_table(self) -> Flow[None]:
        """Create the table where it is missing: for development and tests."""
        yield from self.table.ensure()

    def take(self, hold: Hold, charges: Sequence[Charge]) -> Flow[Taken | Short]:
        """Take all charges and keep the hold, or do nothing."""
        clock = shared_clock((yield NOW))
        states = self._seen.get(hold.key, {})
        for _ in range(_TRIES):
            write = _Taking(self.table.ttl_name, clock, hold, charges, states)
            try:
                item = yield from self._update(hold.key, write)
            except ConditionFailed as refusal:
                clock, states = shared_clock((yield NOW)), self._see(hold.key, refusal.item)
                if HOLD + hold.id in refusal.item:  # the answer to the first try was lost
                    yield from self._enrol(hold, refusal.item)
                    return taken_by(hold.key, charges, states, clock)
                decision = decide(hold.key, charges, states, clock, 0.0)
                if isinstance(decision, Short):
                    return decision
                continue
            yield from self._enrol(hold, item)
            return taken_by(hold.key, charges, self._see(hold.key, item), clock)
        raise BackendError(f"The account of {hold.key!r} changed {_TRIES} times while it was being taken from.")

    def settle(self, settlement: Settlement) -> Flow[bool]:
        """Let a hold go, charge what was used and count it."""
        hold, present = settlement.hold, True
        states = self._seen.get(hold.key, {})
        for _ in range(_TRIES):
            clock = shared_clock((yield NOW))
            todo = due(settlement, present, clock.wall)
            if todo is None:
                return False
            write = _Settling(self.table.ttl_name, clock, hold, todo, states, present)
            try:
                self._see(hold.key, (yield from self._update(hold.key, write, again=present)))
            except ConditionFailed as refusal:
                states, present = self._see(hold.key, refusal.item), HOLD + hold.id in refusal.item
                continue
            yield from self.count(todo.rows)
            return True
        raise BackendError(f"The account of {hold.key!r} changed {_TRIES} times while it was being settled.")

    def count(self, rows: Sequence[Row]) -> Flow[None]:
        """Add counts to rows."""
        for row in rows:
            until = int((yield NOW).wall) + self.keep_days * 86400
            yield from self._added(row, until)

    def account(self, key: str) -> Flow[Account]:
        """A key's states and holds."""
        item = (yield from self.table.get(_account(key))) or {}
        return Account(states_in(item), holds_in(key, item))

    def keys(self) -> Flow[list[str]]:
        """The keys that have accounts."""
        items = yield from self.table.query("accounts")
        return [item["sk"][len(_KEY) :] for item in items]

    def rows(self, first: str, last: str, key: str | None = None) -> Flow[list[Row]]:
        """The rows from one day to another: a query a month."""
        found: list[Row] = []
        for month in _months(first, last):
            items = yield from self.table.query(f"usage:{month}", after=first, before=f"{last}#\U0010ffff")
            found += [_row(item) for item in items if key in (None, item["key"])]
        return sorted(found, key=lambda row: (row.day, row.key, row.user, row.model))

    def close(self) -> None:
        """Nothing is open: connections are the driver's."""

    def _added(self, row: Row, until: int) -> Flow[None]:
        place = {name: getattr(row, name) for name in _DIMENSIONS}
        names = {f"#d{i}": name for i, name in enumerate(place)} | {"#ttl": self.table.ttl_name}
        values: dict[str, Any] = {f":d{i}": value for i, value in enumerate(place.values())} | {":ttl": until}
        sets = ", ".join(f"{mark} = :{mark[1:]}" for mark in names)
        adds = []
        for i, (name, number) in enumerate(row.counts.items()):
            names[f"#c{i}"], values[f":c{i}"] = _COUNTED + name, number
            adds.append(f"#c{i} :c{i}")
        sort = "#".join(_escaped(value) for value in place.values())
        expression = f"SET {sets} ADD {', '.join(adds)}"
        yield from self.table.update(
            (f"usage:{row.day[:7]}", sort), expression, names=names, values=values, again=False
        )

    def _enrol(self, hold: Hold, item: Mapping[str, Any]) -> Flow[None]:
        """Add a key to those that have accounts, if this is the first hold in its account."""
        if item.get("first") == hold.id:
            yield from self.table.put(("accounts", _KEY + hold.key), {})

    def _update(self, key: str, write: _AccountWrite, again: bool = True) -> Flow[dict[str, Any]]:
        return (
            yield from self.table.update(
                _account(key), write.expression, condition=write.condition, names=write.names, values=write.values,
                again=again,
            )
        )  # fmt: skip

    def _see(self, key: str, item: Mapping[str, Any]) -> dict[str, State]:
        """What an item says of each limit, remembered for the next guess."""
        if len(self._seen) >= _REMEMBERED:
            self._seen = {}
        self._seen[key] = states_in(item)
        return self._seen[key]

    def __repr__(self) -> str:
        return f"DynamoDBUsage({self.table.name!r})"


class _AccountWrite(QuotaWrite):
    """A write to an account."""

    def hold(self, hold: Hold) -> str:
        """The placeholder of a hold's attribute."""
        self.names["#hold"] = HOLD + hold.id
        return "#hold"


class _Taking(_AccountWrite):
    """The write that takes charges with a hold."""

    def __init__(
        self, ttl_name: str, clock: Clock, hold: Hold, charges: Sequence[Charge], states: Mapping[str, State]
    ) -> None:
        super().__init__(ttl_name, clock)
        values: dict[str, Any] = self.values
        values[":hold"] = written(hold, charges)
        values[":id"], self.names["#first"] = hold.id, "first"
        self.sets += (f"{self.hold(hold)} = :hold", "#first = if_not_exists(#first, :id)")
        self.requirements.append("attribute_not_exists(#hold)")
        for charge in charges:
            take_form(self, charge, states.get(charge.limit.name, NEW), clock, 0.0)


class _Settling(_AccountWrite):
    """The write that lets a hold go, and charges what was used; one for a hold that is gone makes sure of that."""

    def __init__(
        self, ttl_name: str, clock: Clock, hold: Hold, todo: Due, states: Mapping[str, State], present: bool
    ) -> None:
        super().__init__(ttl_name, clock)
        form = "attribute_exists({})" if present else "attribute_not_exists({})"
        self.requirements.append(form.format(self.hold(hold)))
        self.removes = present
        for receipt, used in zip(todo.receipts, todo.used, strict=True):
            settle_form(self, receipt, used, states.get(receipt.charge.limit.name, NEW), clock)

    @property
    def expression(self) -> str:
        """The update."""
        return super().expression + (" REMOVE #hold" if self.removes else "")


def _account(key: str) -> tuple[str, str]:
    return (f"account:{key}", "account")


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("#", "%23")


def _months(first: str, last: str) -> list[str]:
    (year, month), end = (int(part) for part in first[:7].split("-")), last[:7]
    months = []
    while (shown := f"{year:04}-{month:02}") <= end:
        months.append(shown)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return months


def _row(item: Mapping[str, Any]) -> Row:
    counts = {name[len(_COUNTED) :]: float(number) for name, number in item.items() if name.startswith(_COUNTED)}
    return Row(item["day"], item["key"], item["user"], item["model"], counts)
