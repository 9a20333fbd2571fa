"""The money of one run: what is spent, what steps under way may cost, and whether another one may begin. Pure.

A cost that nobody knows is not zero: with a limit, a run does not go on from one unless that is allowed.
"""

from __future__ import annotations

from ..llm.errors import BudgetExceededError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..llm.pricing import PricingManager
    from .chain import Chain
    from .step import Step


class Budget:
    """What a chain's `max_total_cost` leaves."""

    def __init__(self, chain: Chain) -> None:
        self._name, self._limit, self._lenient = chain.name, chain.max_total_cost, chain.allow_unknown_cost
        self._reserved: dict[str, float] = {}
        self._unknown: str | None = None
        self.spent = 0.0

    def begin(self, path: str, step: Step, estimate: float | None) -> BudgetExceededError | None:
        """Count a step that begins with the most it may cost; or why it may not begin."""
        if step.max_cost is not None and estimate is not None and estimate > step.max_cost:
            said = f"Step {path!r} may cost {estimate:.6f} dollars, more than its max_cost of {step.max_cost}."
            return BudgetExceededError(said, fix="Lower max_tokens, choose a cheaper model, or raise max_cost.")
        if self._limit is not None and (refusal := self._refused(path, estimate or 0.0)) is not None:
            return refusal
        self._reserved[path] = estimate or 0.0
        return None

    def _refused(self, path: str, estimate: float) -> BudgetExceededError | None:
        if self._unknown is not None and not self._lenient:
            said = f"What step {self._unknown!r} cost is unknown: max_total_cost of chain {self._name!r} can't be kept."
            return BudgetExceededError(said, fix="Give its model a price, or pass allow_unknown_cost=True.")
        spent, under_way = self.spent, sum(self._reserved.values())
        if spent >= self._limit or spent + under_way + estimate > self._limit:  # type: ignore[operator]  # a limit there is
            may = f"step {path!r} may cost {estimate:.6f} more" if estimate else f"step {path!r} is still to come"
            beside = f", {under_way:.6f} are under way" if under_way else ""
            return BudgetExceededError(
                f"Chain {self._name!r} has spent {spent:.6f} of {self._limit} dollars{beside}, and {may}.", fix=_FIX
            )
        return None

    def count(self, path: str, cost: float | None) -> None:
        """Count what a step has cost."""
        if cost is None:
            self._unknown = self._unknown or path
        self.spent += cost or 0.0

    def end(self, path: str, step: Step, cost: float | None) -> BudgetExceededError | None:
        """Count what a step did cost; or why nothing may follow it."""
        self._reserved.pop(path, None)
        self.count(path, cost)
        if step.max_cost is not None and cost is not None and cost > step.max_cost:
            said = f"Step {path!r} cost {cost:.6f} dollars, more than its max_cost of {step.max_cost}."
            return BudgetExceededError(said, fix="Lower max_tokens, choose a cheaper model, or raise max_cost.")
        if self._limit is not None and self.spent > self._limit:
            said = f"Chain {self._name!r} has spent {self.spent:.6f} dollars, and its max_total_cost is {self._limit}."
            return BudgetExceededError(said, fix=_FIX)
        return None


_FIX = "Raise max_total_cost, or choose cheaper models."


def estimate(step: Step, prompt: Any, values: Mapping[str, Any], context: Any, prices: PricingManager) -> float | None:
    """The most a prompt's step will cost in US dollars, by an answer as long as it may be; `None` without a price."""
    model = step.model or prompt.model or getattr(getattr(context, "settings", None), "model", None)
    if model is None:
        return None
    return prices.estimate(prompt.messages(values), str(model), prompt.max_tokens)
