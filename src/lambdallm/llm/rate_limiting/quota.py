"""What limiters and the stores of quotas say to each other, and the one decision that all stores make. Pure.

A store keeps for each key and limit two numbers, a `State`:

    Bucket   when it is full again, and how many seconds have been given back to it in all
    Window   the day's or month's number, and what was taken in it

`decide` is `take` for a store that can compute between reading and writing; `settled` is `settle`. Redis runs the same
arithmetic in Lua, DynamoDB as conditions; the tests hold all three against these functions.
"""

from __future__ import annotations

from ..._value import Value
from .bucket import SLACK_SECONDS, Bucket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

    from ..flow import Clock
    from .bucket import Limit, Window

    State: TypeAlias = tuple[float, float]

NEW: State = (0.0, 0.0)


class Charge(Value):
    """An amount to take from a limit."""

    limit: Limit
    amount: float


class Receipt(Value):
    """What was taken, with the limit's state right after: what giving back is reckoned from."""

    charge: Charge
    state: State


class Taken(Value):
    """All charges were taken. The call may begin in `wait_seconds`, for which there was leave."""

    key: str
    receipts: tuple[Receipt, ...] = ()
    wait_seconds: float = 0.0


class Short(Value):
    """Nothing was taken: the charge that has to wait longest, and for how long."""

    charge: Charge
    wait_seconds: float


def decide(
    key: str, charges: Sequence[Charge], states: Mapping[str, State], clock: Clock, wait_seconds: float
) -> Taken | Short:
    """Take all charges, or none. Buckets are reckoned in `clock.monotonic`, windows in `clock.wall`."""
    receipts, longest, shortest_of = [], 0.0, None
    for charge in charges:
        state, wait, fits = _after(charge, states.get(charge.limit.name, NEW), clock, wait_seconds)
        receipts.append(Receipt(charge, state))
        if not fits and (shortest_of is None or wait > shortest_of.wait_seconds):
            shortest_of = Short(charge, wait)
        longest = max(longest, wait)
    return shortest_of or Taken(key, tuple(receipts), longest)


def _after(charge: Charge, state: State, clock: Clock, wait_seconds: float) -> tuple[State, float, bool]:
    """The state with the charge, the seconds to wait, and whether that can be granted now."""
    limit = charge.limit
    if isinstance(limit, Bucket):
        full_at = limit.pushed(state[0], charge.amount, clock.monotonic)
        wait = limit.wait(full_at, clock.monotonic)
        return (full_at, state[1]), max(0.0, wait), wait <= wait_seconds + SLACK_SECONDS
    number, count = counted(limit, state, clock.wall)
    if count + charge.amount <= limit.most:
        return (number, count + charge.amount), 0.0, True
    return state, limit.left(clock.wall), False


def counted(limit: Window, state: State, wall: float) -> State:
    """A window's state now: a new one begins at 0. One whose number is later was begun by a clock that is ahead."""
    number = limit.number(wall)
    return state if state[0] >= number else (number, 0.0)


def settled(receipt: Receipt, used: float, state: State, clock: Clock) -> State:
    """The state once it is known how much was used: more is charged now, less is given back."""
    limit, more = receipt.charge.limit, used - receipt.charge.amount
    if not isinstance(limit, Bucket):
        same = state[0] == receipt.state[0]
        return (state[0], max(0.0, state[1] + more)) if same else state
    if more > 0:
        return limit.pushed(state[0], more, clock.monotonic), state[1]
    back = limit.refund(-more, receipt.state[0], state[1] - receipt.state[1], clock.monotonic)
    return state[0] - back, state[1] + back


def lifetime(charges: Sequence[Charge], clock: Clock, wait_seconds: float) -> float:
    """Seconds for which the state must be kept after a take: longer than anything can still be given back."""
    return 1.0 + max(
        charge.limit.depth + wait_seconds if isinstance(charge.limit, Bucket) else charge.limit.left(clock.wall)
        for charge in charges
    )
