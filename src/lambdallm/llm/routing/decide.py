"""The decision before the first call: which candidates are capable, and in which order to ask them."""

from __future__ import annotations

from ..._value import Value
from .capable import doubt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..protocols import RoutingStrategyProtocol
    from .candidate import CandidateFacts
    from .capable import Field
    from .plan import Plan, RoutedCall


class Decided(Value):
    """A strategy's plan for a call, and why others were left out before it was asked; no plan where nobody is able."""

    call: RoutedCall
    plan: Plan | None
    left_out: Mapping[str, str]

    @property
    def order(self) -> Sequence[CandidateFacts]:
        """Everyone to be asked, the first one first."""
        return () if self.plan is None else self.plan.order

    def reason(self, candidate: CandidateFacts) -> str:
        """Why a candidate stands where it stands."""
        said = "" if self.plan is None else self.plan.reason(candidate)
        return f"{said} {doubt(candidate, self.call.needs)}".strip() if self.call.needs else said

    def exclusion(self, candidate: CandidateFacts) -> str:
        """Why a candidate is not in the order."""
        by_strategy = None if self.plan is None else self.plan.left_out.get(candidate.name)
        return self.left_out.get(candidate.name) or by_strategy or "The strategy left it out."


def decided(strategy: RoutingStrategyProtocol, field: Field, call: RoutedCall, model: str | None = None) -> Decided:
    """Who is to be asked, and in which order. Raises `ConfigurationError` for a model that no candidate has."""
    capable = field.capable(call, model)
    plan = strategy.plan(call, capable.candidates) if capable.candidates else None
    return Decided(call, plan, capable.left_out)


def is_resting(breaker: Any, now: float) -> bool:
    """Whether a circuit breaker would refuse a call now; asking takes no probe.

    A breaker of somebody else's that has no `refusal` says so by its state alone.
    """
    if breaker is None or breaker.state == "closed":
        return False
    refusal = getattr(breaker, "refusal", None)
    if refusal is None:
        return bool(breaker.state == "open")
    wait: float | None = refusal(now).retry_after
    return wait is None or wait > 0
