"""What a run of a chain gave: `ChainResult`, and a `StepResult` for every step, also of those inside others."""

from __future__ import annotations

from .._value import Value
from ..llm.types import EMPTY, Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Literal

    Status = Literal["done", "cached", "resumed", "skipped", "failed"]
    Ending = Literal["completed", "truncated", "checkpointed", "requeued", "failed"]


class StepResult(Value):
    """What a step gave, and at what cost.

    `status` is `done`, `cached` (a cache had the answer), `resumed` (an earlier invocation did it), `skipped` or
    `failed`. `cost_usd` is in US dollars, `None` when unknown, never zero for that; a function's step costs 0, whatever
    it spends itself. `attempts` counts the tries of all invocations that told of their end, and `usage` and `cost_usd`
    are of all of them; `interrupted` counts those that never did: somebody may have been paid for them too.
    """

    status: Status
    output: Any = None
    usage: Usage | None = None
    cost_usd: float | None = 0.0
    attempts: int = 0
    model: str | None = None
    duration_ms: float = 0.0
    interrupted: int = 0
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything, fit for JSON."""
        from .outputs import readable

        found = {name: getattr(self, name) for name in self._fields}
        return {**found, "output": readable(self.output), "usage": _counts(self.usage)}


class ChainResult(Value):
    """What a chain gave.

    `outputs` are those of its steps and groups by name, `output` is that of the last step that was not skipped. `steps`
    has every step by its path: `facts`, `review/grade` inside the step `review`, `summaries/3` of a map.

    `status` is `completed`, or what has ended it early: `truncated`, `checkpointed`, `requeued`, and in an error's
    `chain_result` also `failed`. `checkpoint_id` is what `Chain.resume` takes, where the chain has a store.

    `usage`, `cost_usd` and `attempts` add up the steps', those of earlier invocations too; `cost_usd` is `None` where
    one of them is. `duration_ms` is this invocation's alone.
    """

    chain: str
    status: Ending
    output: Any = None
    outputs: Mapping[str, Any] = EMPTY
    steps: Mapping[str, StepResult] = EMPTY
    duration_ms: float = 0.0
    checkpoint_id: str | None = None

    @property
    def complete(self) -> bool:
        """Whether all of it is done."""
        return self.status == "completed"

    @property
    def usage(self) -> Usage:
        """The tokens of all steps."""
        return sum((step.usage for step in self.steps.values() if step.usage is not None), Usage())

    @property
    def cost_usd(self) -> float | None:
        """US dollars; `None` where a step's cost is unknown."""
        return total_cost(step.cost_usd for step in self.steps.values())

    @property
    def attempts(self) -> int:
        """The tries of all steps."""
        return sum(step.attempts for step in self.steps.values())

    def to_dict(self) -> dict[str, Any]:
        """Everything, fit for JSON."""
        from .outputs import readable

        return {
            "chain": self.chain, "status": self.status, "complete": self.complete, "output": readable(self.output),
            "outputs": readable(self.outputs), "steps": {path: step.to_dict() for path, step in self.steps.items()},
            "usage": _counts(self.usage), "cost_usd": self.cost_usd, "attempts": self.attempts,
            "duration_ms": self.duration_ms, "checkpoint_id": self.checkpoint_id,
        }  # fmt: skip


def total_cost(costs: Iterable[float | None]) -> float | None:
    """The sum; `None` where one is unknown."""
    found = list(costs)
    return None if any(cost is None for cost in found) else sum(cost for cost in found if cost is not None)


def _counts(usage: Usage | None) -> dict[str, int] | None:
    return None if usage is None else {name: getattr(usage, name) for name in Usage.COUNTS}
