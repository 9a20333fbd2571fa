"""What a router decided for one call, and why: kept on the answer and on the error."""

from __future__ import annotations

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from ..types import Usage

    Outcome = Literal["chosen", "failed", "cancelled", "skipped", "unused"]


class RoutedAttempt(Value):
    """What became of one candidate of a call.

    `chosen` gave the answer; `failed` was called and gave none; `cancelled` was called and another was quicker, or the
    reader left; `skipped` was not called, or refused before anything was sent (no key, an open circuit); `unused` was
    not needed. `reason` says why it stood where it stood, or why it was left out; `error` is the name and message of
    what it failed with. `usage` and `cost_usd` are `None` where unknown; `estimated` marks those of a call that was
    paid for, or may have been, and could not say what it had used.
    """

    candidate: str
    outcome: Outcome
    reason: str = ""
    error: str = ""
    latency_ms: float | None = None
    usage: Usage | None = None
    cost_usd: float | None = None
    estimated: bool = False


class RoutingDecision(Value):
    """Which strategy chose which candidate, and what became of every other one.

    `attempts` has each candidate once: those in the strategy's order first, then those left out. `chosen` is `None`
    where none has answered.
    """

    strategy: str
    chosen: str | None
    attempts: tuple[RoutedAttempt, ...] = ()
