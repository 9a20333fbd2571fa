"""A call's reservation, from what its key may do to what it is settled with. Pure."""

from __future__ import annotations

from ..._value import Value
from ...llm.rate_limiting.bucket import Bucket, Window
from ...llm.rate_limiting.quota import Charge
from ...llm.types import Usage
from .dates import day_of
from .hold import Settlement
from .rows import MICRO, Row, counts_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ...llm.rate_limiting.bucket import Limit
    from ...llm.rate_limiting.quota import Receipt, State
    from ..caller import Caller
    from .hold import Hold

_MAY_HAVE_COST = frozenset((408, 499, 504))
"""Failures after which a provider may have worked, and charge for it."""


class LimitState(Value):
    """A limit a minute and what is left of it; `reset_seconds` until all of it is there again."""

    unit: Literal["requests", "tokens"]
    limit: int
    remaining: int
    reset_seconds: float


class Reservation(Value):
    """Leave to make one call. `hold` is `None` where nothing was taken, `started` in seconds since the epoch."""

    caller: Caller
    model: str
    started: float
    hold: Hold | None = None
    limits: tuple[LimitState, ...] = ()

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What the client is told of its limits, as OpenAI and as Anthropic spell it."""
        from .headers import limit_headers

        return limit_headers(self.limits)


def charges_of(caller: Caller, tokens: float, cost_usd: float | None) -> tuple[Charge, ...]:
    """What one call takes from its key's limits; a cost that is unknown takes no money.

    A bucket holds a minute's worth, so that at most `limit · (1 + t / 60)` is let through in any `t` seconds.
    """
    charges: list[Charge] = []
    for unit, per_minute, amount in (
        ("requests", caller.requests_per_minute, 1.0),
        ("tokens", caller.tokens_per_minute, float(tokens)),
    ):
        if per_minute is not None:
            charges.append(Charge(Bucket(unit, per_minute, per_minute), amount))  # type: ignore[arg-type]  # a Unit
    for period, budget in (("day", caller.daily_budget_usd), ("month", caller.monthly_budget_usd)):
        if budget is not None:
            charges.append(Charge(Window("micro_usd", budget * MICRO, period), (cost_usd or 0.0) * MICRO))  # type: ignore[arg-type]  # a period
    return tuple(charges)


def allows_nothing(limit: Limit) -> bool:
    """Whether a limit a minute is 0: no waiting helps."""
    return isinstance(limit, Bucket) and limit.most <= 0


def has_budget(caller: Caller) -> bool:
    """Whether it is limited what the caller may spend."""
    return caller.daily_budget_usd is not None or caller.monthly_budget_usd is not None


def limit_states(receipts: tuple[Receipt, ...], wall: float) -> tuple[LimitState, ...]:
    """What is left of the limits a minute, right after taking from them."""
    return tuple(
        limit_state(one.charge.limit, one.state, wall) for one in receipts if isinstance(one.charge.limit, Bucket)
    )


def limit_state(limit: Bucket, state: State, wall: float) -> LimitState:
    """What is left of a limit a minute. Clocks that differ can't make it more than there is."""
    owed = min(limit.depth, max(0.0, state[0] - wall)) if limit.per_minute > 0 else 0.0
    left = limit.burst - (owed / limit.spacing if owed else 0.0)
    return LimitState(limit.unit, int(limit.burst), int(left + 1e-6), owed)  # type: ignore[arg-type]  # no money a minute


def settlement_of(
    reservation: Reservation, usage: Usage | None, cost_usd: float | None, *, model: str, ok: bool, latency_ms: float,
    status: int, cached: bool,
) -> Settlement | Row:  # fmt: skip
    """How a call is settled; only counted where nothing was taken for it.

    What is unknown of a call that may have cost something counts as it was reserved. A call that was refused used
    nothing.
    """
    if usage is None and cost_usd is None and not ok and status >= 400 and status not in _MAY_HAVE_COST:
        usage, cost_usd = Usage(), 0.0
    caller = reservation.caller
    counts = counts_of(usage, cost_usd, ok=ok, latency_ms=latency_ms, status=status, cached=cached)
    row = Row(day_of(reservation.started), caller.key_id, caller.user, model or reservation.model, counts)
    if reservation.hold is None:
        return row
    money = None if cost_usd is None else cost_usd * MICRO
    tokens = None if usage is None else float(usage.total_tokens)
    known = {"tokens": tokens, "micro_usd": money}
    used = (_known(known.get(one.charge.limit.unit), one.charge) for one in reservation.hold.receipts)
    return Settlement(reservation.hold, tuple(used), row)


def cancelled(reservation: Reservation) -> Settlement | None:
    """How a reservation ends whose call was never made: everything is given back, and nothing counted."""
    hold = reservation.hold
    if hold is None:
        return None
    row = Row(day_of(reservation.started), hold.key, hold.user, hold.model, {})
    return Settlement(hold, (0.0,) * len(hold.receipts), row, late=False)


def _known(amount: float | None, charge: Charge) -> float:
    return charge.amount if amount is None else max(0.0, amount)
