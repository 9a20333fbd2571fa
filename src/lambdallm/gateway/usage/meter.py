"""What keys may still use, and have used: reserved before a call and settled after it, in a store that all share.

A call that costs more than was reserved for it may take its key over the budget by the difference; so the error of a
budget is the sum of those differences over the calls under way, and none where the reserved amount is the most a call
can cost. What a call costs whose process died is not known: its reservation is given back after `reservation_seconds`,
and it is counted as `lost`.
"""

from __future__ import annotations

import os

from ..._hooks import kept_out_of_snapshots
from ...llm.backends.errors import BackendError
from ...llm.backends.outage import Outage
from ...llm.flow import NOW
from ...llm.forks import renewed_in_children
from ...llm.rate_limiting.quota import Short
from .dates import day_of
from .hold import Hold, Settlement, lost, read, written
from .refusals import short_of, too_large, unavailable, without_price
from .reservation import Reservation, allows_nothing, cancelled, charges_of, has_budget, limit_states, settlement_of
from .rows import Row
from .stores import usage_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from ...llm.flow import Flow
    from ...llm.rate_limiting.quota import Charge, Taken
    from ...llm.types import Usage
    from ..caller import Caller
    from .report import Report, UsageQuery
    from .store import Account, UsageStore

_CONSEQUENCE = {"open": "calls go on without limits", "closed": "calls of keys with limits are refused"}
_MOST_OWED = 1000
_LOOK_AGAIN_SECONDS = 60.0


class _LeftAlone(BackendError):
    """The store was not asked, since it failed a moment ago."""


class Meter:
    """Limits, budgets and the account of usage by key.

        meter = Meter("dynamodb:lambdallm-usage", when_down="closed")

    `store` is a store or its name (see `stores`). Where it does not answer, calls of keys that have limits are refused
    (`when_down="closed"`) or all go on without limits (`"open"`); keys without limits are never refused. What is to be
    counted meanwhile waits in this process. A key with a budget may not use a model whose price is unknown, unless
    `unpriced="allow"`: then only what turns out to have a cost counts. Without `track_live` a call of a key without
    limits costs no write before it, and is not seen while it is under way. Safe to share between threads and loops.
    """

    def __init__(
        self,
        store: UsageStore | str = "memory",
        *,
        when_down: Literal["open", "closed"] = "closed",
        unpriced: Literal["refuse", "allow"] = "refuse",
        track_live: bool = True,
        reservation_seconds: float = 900.0,
        keep_days: int = 400,
    ) -> None:
        self.store: UsageStore = usage_store(store, keep_days=keep_days) if isinstance(store, str) else store
        self.when_down, self.unpriced, self.track_live = when_down, unpriced, track_live
        self.reservation_seconds = reservation_seconds
        self.outage = Outage("usage", _CONSEQUENCE[when_down])
        self._owed: list[Settlement | Row] = []
        self._refusals: dict[tuple[str, str, str, str], int] = {}
        self._looked: dict[str, float] = {}
        renewed_in_children(self)
        kept_out_of_snapshots(self)

    def renew(self) -> None:
        """After a fork: what is owed is the parent's to tell."""
        self._owed, self._refusals = [], {}

    def forget(self) -> None:
        """Owe nothing: what was used before a snapshot is told by whoever made it."""
        self.renew()

    def reserve(self, caller: Caller, model: str, tokens: int, cost_usd: float | None) -> Flow[Reservation]:
        """Leave for one call of at most that many tokens, at most that cost; `None` where its cost is unknown.

        Raises `GatewayError`: 429 where a limit or a budget leaves too little, 403 for a model without a price, 503
        while the store is down.
        """
        if cost_usd is None and self.unpriced == "refuse" and has_budget(caller):
            raise without_price(model)
        charges = charges_of(caller, tokens, cost_usd)
        for charge in charges:
            if charge.amount > charge.limit.most or allows_nothing(charge.limit):
                raise too_large(charge)
        wall = (yield NOW).wall
        reservation = Reservation(caller, model, wall)
        if not charges and not self.track_live:
            return reservation
        hold = Hold(_fresh_id(), caller.key_id, caller.user, model, wall, wall + self.reservation_seconds)
        try:
            taken = yield from self._taken(hold, charges)
        except BackendError as error:
            if not isinstance(error, _LeftAlone):
                self._give_back(reservation, hold, charges)
            return self._without(reservation, charges)
        except BaseException:  # cancelled: nobody will make the call
            self._give_back(reservation, hold, charges)
            raise
        if isinstance(taken, Short):
            self._refused(reservation)
            raise short_of(taken, (yield NOW).wall)
        hold = hold.replace(receipts=taken.receipts)
        return reservation.replace(hold=hold, limits=limit_states(taken.receipts, (yield NOW).wall))

    def settle(
        self,
        reservation: Reservation,
        usage: Usage | None,
        cost_usd: float | None,
        *,
        model: str,
        ok: bool,
        latency_ms: float,
        status: int,
        cached: bool = False,
    ) -> Flow[None]:
        """Say how a call ended, once: what it used and cost, `None` where that is unknown, and which model answered.

        `status` is that of the answer: a stream that began well and broke off is 200 and not `ok`. Of what is unknown
        the reserved amount counts, but nothing of a call that was refused.
        """
        self.owe(reservation, usage, cost_usd, model=model, ok=ok, latency_ms=latency_ms, status=status, cached=cached)
        yield from self.flush()

    def owe(
        self,
        reservation: Reservation,
        usage: Usage | None,
        cost_usd: float | None,
        *,
        model: str,
        ok: bool,
        latency_ms: float,
        status: int,
        cached: bool = False,
    ) -> None:
        """As `settle`, where a flow is being closed and can do no more: told with the next call, or by `flush`."""
        self._remember(
            settlement_of(
                reservation, usage, cost_usd, model=model, ok=ok, latency_ms=latency_ms, status=status, cached=cached
            )
        )

    def cancel(self, reservation: Reservation) -> Flow[None]:
        """Say that the call was not made: all that was reserved is given back, and nothing is counted."""
        ending = cancelled(reservation)
        if ending is not None:
            self._remember(ending)
            yield from self.flush()

    def flush(self) -> Flow[None]:
        """Tell the store what it has not been told; what it can't be told now stays for later."""
        refusals, self._refusals = self._refusals, {}
        for place, number in refusals.items():
            self._remember(Row(*place, {"refused": number}))
        while self._owed:
            try:
                owed = self._owed.pop(0)
            except IndexError:
                return  # another thread was quicker
            try:
                yield from self._tried(lambda owed=owed: self._told(owed))  # type: ignore[misc]  # bound now
            except BackendError:
                self._owed.insert(0, owed)
                return
            except BaseException:
                if isinstance(owed, Settlement):  # it can be told twice, a count can't
                    self._owed.insert(0, owed)
                raise

    def live(self, key: str | None = None) -> Flow[list[Hold]]:
        """The calls under way, of one key or of all, the oldest first. Those that were lost are let go and counted."""
        keys = [key] if key is not None else (yield from self.store.keys())
        found: list[Hold] = []
        for each in keys:
            account = yield from self.store.account(each)
            yield from self._swept(account)
            now = (yield NOW).wall
            found += [hold for hold in account.holds if not hold.has_expired(now)]
        return sorted(found, key=lambda hold: (hold.started, hold.id))

    def report(self, query: UsageQuery) -> Flow[Report]:
        """The account of usage that a query asks for. Raises `BackendError`."""
        from .report import report_of

        rows = yield from self.store.rows(query.first, query.last, query.key)
        return report_of(rows, query)

    def _taken(self, hold: Hold, charges: Sequence[Charge]) -> Flow[Taken | Short]:
        """Take from the store; where money is short, what lost calls hold of it is given back first."""
        taken: Taken | Short = yield from self._tried(lambda: self.store.take(hold, charges))
        if not isinstance(taken, Short) or taken.charge.limit.unit != "micro_usd":
            return taken
        now = (yield NOW).wall
        if now < self._looked.get(hold.key, 0.0):
            return taken
        account = yield from self._tried(lambda: self.store.account(hold.key))
        ends = [one.expires for one in account.holds if not one.has_expired(now)]
        if len(self._looked) >= _MOST_OWED:
            self._looked = {}
        self._looked[hold.key] = min([now + _LOOK_AGAIN_SECONDS, *ends])
        if (yield from self._tried(lambda: self._swept(account))):
            return (yield from self._tried(lambda: self.store.take(hold, charges)))  # type: ignore[no-any-return]
        return taken

    def _swept(self, account: Account) -> Flow[bool]:
        """Let go of holds whose calls were lost; whether there were any."""
        now, found = (yield NOW).wall, False
        for hold in account.holds:
            if hold.has_expired(now):
                found = (yield from self.store.settle(lost(hold))) or found
        return found

    def _told(self, ending: Settlement | Row) -> Flow[None]:
        if isinstance(ending, Row):
            yield from self.store.count((ending,))
        else:
            yield from self.store.settle(ending)

    def _remember(self, ending: Settlement | Row) -> None:
        """Of very many endings that can't be told, the oldest are left to time."""
        self._owed.append(ending)
        if len(self._owed) > _MOST_OWED:
            del self._owed[0]

    def _refused(self, reservation: Reservation) -> None:
        """Count a refusal, told with what is told next: a storm of them must not become one of writes."""
        caller = reservation.caller
        place = (day_of(reservation.started), caller.key_id, caller.user, reservation.model)
        if place in self._refusals or len(self._refusals) < _MOST_OWED:
            self._refusals[place] = self._refusals.get(place, 0) + 1

    def _give_back(self, reservation: Reservation, hold: Hold, charges: Sequence[Charge]) -> None:
        """Have what the store may have taken, without anybody having heard of it, given back later."""
        taken = read(hold.id, hold.key, written(hold, charges))
        ending = cancelled(reservation.replace(hold=taken))
        if ending is not None:
            self._remember(ending)

    def _without(self, reservation: Reservation, charges: Sequence[Charge]) -> Reservation:
        """Go on while the store is down, or don't."""
        if charges and self.when_down == "closed":
            raise unavailable(self.outage.rest_seconds)
        return reservation

    def _tried(self, operation: Callable[[], Flow[Any]]) -> Flow[Any]:
        """What the store answers. Raises `BackendError` for its failure, and at once while it is left alone."""
        if (error := self.outage.error) is not None and self.outage.resting((yield NOW).monotonic):
            raise _LeftAlone(error.message, fix=error.fix) from error
        try:
            answer = yield from operation()
        except BackendError as error:
            self.outage.failed(error, (yield NOW).monotonic)
            raise
        self.outage.answered()
        return answer

    def __repr__(self) -> str:
        return f"Meter({self.store!r})"


def _fresh_id() -> str:
    return os.urandom(9).hex()
