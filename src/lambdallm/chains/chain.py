"""`Chain`: named steps in order, checked when it is made, and the doors to running it."""

from __future__ import annotations

from ..llm.errors import ConfigurationError, PromptError
from .check import checked, names
from .references import suggestion
from .step import RESERVED, Map, Parallel, Step, is_number, named, nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, Literal

    from ..state.store import StateStore
    from .requeue import Requeue
    from .result import ChainResult
    from .runner import ChainContext, ChainRunner
    from .step import Node

    TimeoutStrategy = Literal["fail-fast", "truncate", "checkpoint"]

__all__ = ["Chain", "Map", "Parallel", "Step"]

_STRATEGIES = ("fail-fast", "truncate", "checkpoint")


class Chain:
    """A pipeline of steps.

        chain = Chain("report", [
            Step("facts", "List the facts in: {text}", output_schema={"facts": [str]}),
            Map(Step("checks", "Is this true? {item}"), over="{facts.facts}", concurrency=4),
            Step("summary", "Summarise: {checks.output}"),
        ])
        result = chain.run(context, text="…")
        result.output, result.cost_usd, result.steps["checks/0"].duration_ms

    When the function's time runs out (its limit less `timeout_buffer`), `timeout_strategy` decides: `fail-fast` raises
    `DeadlineExceededError`, `truncate` gives what is done so far, `checkpoint` too, and the rest is done by `resume`,
    by the next `run` of the same invocation (which Lambda repeats where it failed), or with `on_timeout="requeue"` by
    this function itself, which then is invoked anew with the same event.

    `max_total_cost` is in US dollars, for all invocations of a run together. It is looked at before each step (with the
    most the step can cost, where its model has a price) and after it, and what would go beyond raises
    `BudgetExceededError`. What a call cost can be unknown; a chain with a limit does not go on from there, unless
    `allow_unknown_cost`. Calls to models that a function makes by itself are not counted in it.

    `store` keeps what is done after each step: a `StateStore`, or the name of one (`dynamodb`, `redis`, `file`,
    `memory`; see `state.stores`). Without one only `checkpoint` has it: `dynamodb` on Lambda, else `memory`.
    Checkpoints are kept for `ttl_hours` after their last record, with `None` for ever. `inputs` names what a run may be
    given: misspelt variables are found when the chain is made, and references may name fields of them.

    As a step of another chain only its steps count: store, strategy and limits are the outer chain's.

    An error of a run that has begun has `chain_result`, what was done until then. Raises `ConfigurationError` and
    `PromptError` for steps that do not fit together.
    """

    def __init__(
        self,
        name: str,
        steps: Sequence[Step | Parallel | Map | Chain],
        timeout_strategy: TimeoutStrategy = "fail-fast",
        max_total_cost: float | None = None,
        *,
        store: StateStore | str | None = None,
        on_timeout: Literal["requeue"] | None = None,
        requeue: Requeue | None = None,
        inputs: Iterable[str] | None = None,
        ttl_hours: float | None = 24,
        allow_unknown_cost: bool = False,
    ) -> None:
        self.name = named(name, "chain")
        self.steps: tuple[Node, ...] = nodes(steps, f"Chain {name!r}")
        self.names = tuple(names(self.steps))
        self.inputs = None if inputs is None else tuple(inputs)
        self.needs = checked(name, self.steps, self.inputs)
        self.timeout_strategy = "checkpoint" if on_timeout is not None else timeout_strategy
        self.max_total_cost, self.allow_unknown_cost = max_total_cost, allow_unknown_cost
        self.store, self.on_timeout, self.requeue, self.ttl_hours = store, on_timeout, requeue, ttl_hours
        self._check_options(timeout_strategy)

    @property
    def variables(self) -> tuple[str, ...]:
        """The inputs that a run has to be given."""
        return self.needs.variables

    if TYPE_CHECKING:

        def run(self, /, context: ChainContext, **inputs: Any) -> ChainResult:
            """Run it, and wait."""

        async def arun(self, /, context: ChainContext, **inputs: Any) -> ChainResult:
            """The twin of `run` for async handlers."""

    else:

        def run(self, /, context=None, **inputs):
            """Run the chain with its inputs, and wait for it.

                chain.run(context, text="…").output

            A run is known by the invocation, the chain and its inputs: where the chain has a store and Lambda repeats
            the invocation, with the same request id, it goes on where it was.

            Raises what a step fails with, `DeadlineExceededError`, `BudgetExceededError`, `CheckpointError`,
            `CheckpointBusy`, and `ConfigurationError` where an event loop runs: await `arun` there.
            """
            return _runner(self).run(context, **inputs)

        async def arun(self, /, context=None, **inputs):
            """The twin of `run` for async handlers, whose functions and conditions may be asynchronous."""
            return await _runner(self).arun(context, **inputs)

    def resume(self, context: ChainContext, checkpoint_id: str, *, take_over: bool = False) -> ChainResult:
        """Go on with a run, in whatever process. What is finished is neither done nor paid for again.

        A run that was killed holds its checkpoint until its function would have been stopped (for 15 minutes where
        there is no limit); with `take_over` it is not waited for, and should it live, it is stopped at its next record.

        Raises as `run`, `CheckpointError` for an unknown id, `ChainChanged` where the chain is not what it was, and
        `CheckpointBusy` while another run goes on with it.
        """
        return _runner(self).resume(context, checkpoint_id, take_over=take_over)

    async def aresume(self, context: ChainContext, checkpoint_id: str, *, take_over: bool = False) -> ChainResult:
        """The twin of `resume` for async handlers."""
        return await _runner(self).aresume(context, checkpoint_id, take_over=take_over)

    def get_step(self, name: str) -> Step:
        """The step of that name, those in groups and maps included. Raises `ConfigurationError` for an unknown one."""
        found = {step.name: step for step in _steps(self.steps)}
        if name not in found:
            raise ConfigurationError(f"Chain {self.name!r} has no step {name!r}.", fix=suggestion(str(name), found))
        return found[name]

    def to_mermaid(self) -> str:
        """A picture of the chain, as Mermaid's text: conditions are dashed, groups are boxes."""
        from .mermaid import picture

        return picture(self)

    def check_inputs(self, inputs: Mapping[str, Any]) -> None:
        """Raise `PromptError` for an input that is missing, that nothing asks for, or that has the name of a step."""
        missing = [name for name in self.variables if name not in inputs]
        if missing:
            near = suggestion(missing[0], inputs) if inputs else f"Pass {missing[0]}=…."
            raise PromptError(f"Chain {self.name!r} needs {', '.join(map(repr, missing))}.", fix=near)
        taken = [name for name in inputs if name in self.names or name in RESERVED]
        if taken:
            fix = "Give the input another name."
            raise PromptError(f"Chain {self.name!r} has a step or a word of its own named {taken[0]!r}.", fix=fix)
        asked = None if self.needs.open else (*self.variables, *self.needs.optional)
        known = asked if self.inputs is None else self.inputs
        surplus = [name for name in inputs if known is not None and name not in known]
        if surplus:
            fix = suggestion(surplus[0], known) if known else "It takes none."
            raise PromptError(f"Chain {self.name!r} has no input {surplus[0]!r}.", fix=fix)

    def _check_options(self, strategy: Any) -> None:
        if strategy not in _STRATEGIES:
            fix = f"Use one of {', '.join(_STRATEGIES)}."
            raise ConfigurationError(f"timeout_strategy of chain {self.name!r} is {strategy!r}.", fix=fix)
        if self.on_timeout not in (None, "requeue"):
            raise ConfigurationError(f"on_timeout is {self.on_timeout!r}.", fix="Use 'requeue', or leave it out.")
        if self.requeue is not None and not hasattr(self.requeue, "requeue"):
            raise ConfigurationError(f"requeue is {self.requeue!r}.", fix="Give LambdaRequeue(), SqsRequeue(url).")
        if self.store is not None:
            from ..state.stores import check_store

            check_store(self.store)
        for word in ("max_total_cost", "ttl_hours"):
            value = getattr(self, word)
            if value is not None and not is_number(value):
                raise ConfigurationError(f"{word} of chain {self.name!r} is {value!r}.", fix="Use a number from 0.")
        if self.ttl_hours == 0:
            fix = "Give hours above 0, or None to keep checkpoints."
            raise ConfigurationError(f"ttl_hours of chain {self.name!r} is 0.", fix=fix)

    def __repr__(self) -> str:
        return f"Chain({self.name!r}, {list(self.steps)!r})"


def _steps(found: Iterable[Node]) -> Iterator[Step]:
    for node in found:
        if isinstance(node, Parallel):
            yield from _steps(node.steps)
        elif isinstance(node, Map):
            yield node.step
        else:
            yield node


def _runner(chain: Chain) -> ChainRunner:
    from .runner import ChainRunner

    return ChainRunner(chain)
