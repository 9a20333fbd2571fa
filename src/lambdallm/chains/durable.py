"""Chains on AWS Lambda durable functions: each step is a `context.step`, which AWS records and never repeats.

    from aws_durable_execution_sdk_python import durable_execution
    from lambdallm.chains.durable import durable_chain

    @durable_execution
    def lambda_handler(event, durable_context):
        return durable_chain(chain, durable_context, text=event["text"]).to_dict()

The plan is the same as everywhere; AWS keeps what `store` keeps elsewhere, so the chain's own `store`,
`timeout_strategy` and `on_timeout` say nothing here. Steps that may run side by side run as branches of one
`context.parallel`, and the next ones begin when all of them have ended. A step's retries are its own (`max_retries`);
with `at_most_once` a step that was begun and never ended fails, where else it is done again.

Source: `aws-durable-execution-sdk-python` 3. A checkpoint holds 256 KB, an execution 3,000 operations.
"""

from __future__ import annotations

from ..llm.errors import DeadlineExceededError, LambdaLLMError, MissingExtraError
from .budget import Budget, estimate
from .errors import CheckpointError
from .execute import decided, executed, prompt_of, values_of
from .outputs import shaped, storable
from .plan import Plan
from .records import FORM
from .result import ChainResult, StepResult
from .run import noted, shape_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .chain import Chain
    from .plan import Work


class OutOfTime(DeadlineExceededError):
    """A step ran out of its invocation's time; AWS tries it again in another one."""


_MOST_OUT_OF_TIME = 3


class StepFailed(LambdaLLMError):
    """A step failed in an earlier invocation: only its words are left. `kind` is the name of its error's class."""

    fix = "Correct what it says, and start a new execution."

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


def durable_chain(
    chain: Chain, durable_context: Any, /, context: Any = None, *, at_most_once: bool = False, **inputs: Any
) -> ChainResult:
    """Run a chain as a part of a durable execution; it is replayed like any other operation of it.

    `context` asks the models: the handler's `LambdaLLMContext`, or one with the project's settings where none is given.
    Raises what a step failed with, or `StepFailed`, `BudgetExceededError`, `PromptError`, and `MissingExtraError`
    without the SDK.
    """
    return _DurableRun(chain, durable_context, context or _context(durable_context), at_most_once).result(inputs)


def _context(durable_context: Any) -> Any:
    from ..core.context import LambdaLLMContext
    from ..core.handler import HandlerSettings

    return LambdaLLMContext(HandlerSettings(), getattr(durable_context, "lambda_context", None))


class _DurableRun:
    """One execution of the chain, from its beginning: what is done comes back from AWS."""

    def __init__(self, chain: Chain, durable_context: Any, context: Any, at_most_once: bool) -> None:
        self.chain, self.durable, self.context = chain, durable_context, context
        self.config = _config(at_most_once)
        self.budget = Budget(chain)
        self.steps: dict[str, StepResult] = {}

    def result(self, inputs: dict[str, Any]) -> ChainResult:
        self.chain.check_inputs(inputs)
        plan = self.plan = Plan(self.chain.steps, inputs)
        plan.begin()
        while wave := self._wave():
            for work in wave:
                self._admit(work)
            taken = [self._take(work, record) for work, record in zip(wave, self._run(wave), strict=True)]
            if (error := next(filter(None, taken), None)) is not None:
                raise self._telling(error)
        ended = plan.ended
        assert ended is not None
        return ChainResult(self.chain.name, "completed", ended.output, dict(plan.outputs), self.steps)

    def _wave(self) -> list[Work]:
        """All that may run now; conditions are steps too, so that a replay decides as the first run did."""
        wave = []
        while (work := self.plan.take()) is not None:
            if work.kind == "run":
                wave.append(work)
            elif self.durable.step(lambda _, work=work: self._decide(work), name=f"{work.path}?", config=self.config):
                self.plan.decided(work, True)
            else:
                self.steps[work.path] = StepResult("skipped", work.node.default)
                self.plan.decided(work, False)
        return wave

    def _decide(self, work: Work) -> bool:
        holds: bool = self._driver().run(decided(work.node, work.scope, self.context, work.path, None))
        return holds

    def _admit(self, work: Work) -> None:
        asks = None if self.chain.max_total_cost is None and work.node.max_cost is None else _most(work, self.context)
        refusal = self.budget.begin(work.path, work.node, asks)
        if refusal is not None:
            raise self._telling(refusal)

    def _run(self, wave: list[Work]) -> list[dict[str, Any]]:
        """The records of the steps of a wave, in its order."""
        if len(wave) == 1:
            return [self._step(self.durable, wave[0])]
        branches = [lambda child, work=work: self._step(child, work) for work in wave]
        batch = self.durable.parallel(branches, name="+".join(work.path for work in wave)[:100])
        batch.throw_if_error()
        found: list[dict[str, Any]] = batch.get_results()
        return found

    def _step(self, durable: Any, work: Work) -> dict[str, Any]:
        """A step as AWS records it. A failure is data too, so that its error can be told again by a replay."""
        found: dict[str, Any] = durable.step(lambda _: self._effect(work), name=work.path, config=self.config)
        return found

    def _effect(self, work: Work) -> dict[str, Any]:
        flow = executed(work, self.context, lambda: self._key(work), getattr(self.context, "deadline", None))
        outcome = self._driver().run(flow)
        if outcome.late:
            raise OutOfTime(f"Step {work.path!r} ran out of this invocation's time.") from outcome.error
        failed = None if outcome.error is None else [type(outcome.error).__name__, str(outcome.error)]
        result = outcome.result.replace(output=storable(outcome.result.output, work.path))
        return {"result": FORM.encode(result).decode("utf-8", "surrogatepass"), "failed": failed}

    def _key(self, work: Work) -> str:
        """The same in every invocation of an execution."""
        return f"{getattr(self.durable.execution_context, 'durable_execution_arn', '')}:{self.chain.name}:{work.path}"

    def _take(self, work: Work, record: dict[str, Any]) -> Exception | None:
        """Take over what a step gave; or why nothing may follow it."""
        kept = FORM.decode(record["result"].encode("utf-8", "surrogatepass"))
        if not isinstance(kept, StepResult):
            fix = "Finish the execution with the version of LambdaLLM that began it, or start a new one."
            return CheckpointError(f"What step {work.path!r} gave can't be read.", fix=fix)
        self.steps[work.path] = result = kept.replace(output=shaped(kept.output, shape_of(work.node)))
        refusal = self.budget.end(work.path, work.node, result.cost_usd)
        if record["failed"] is not None:
            kind, said = record["failed"]
            return noted(StepFailed(f"{kind}: {said}", kind=kind), self.chain.name, work.path)
        try:
            self.plan.finished(work, result.output)
        except LambdaLLMError as error:
            return noted(error, self.chain.name, work.path)
        return refusal

    def _telling(self, error: Exception) -> Exception:
        done = ChainResult(self.chain.name, "failed", self.plan.output_so_far, dict(self.plan.outputs), self.steps)
        error.chain_result = done  # type: ignore[attr-defined]  # an attribute of its own
        return error

    def _driver(self) -> Any:
        from ..llm.drivers.blocking import shared_driver

        return shared_driver()


def _config(at_most_once: bool) -> Any:
    """How AWS does a step: again in a new invocation where time ended it, else not; ours know which failures pass."""
    try:
        from aws_durable_execution_sdk_python.config import Duration, StepConfig, StepSemantics
        from aws_durable_execution_sdk_python.retries import RetryDecision
    except ImportError as error:
        raise MissingExtraError("A chain on durable functions", "durable") from error

    def decide(error: Exception, attempt: int) -> RetryDecision:
        again = isinstance(error, OutOfTime) and attempt <= _MOST_OUT_OF_TIME
        return RetryDecision.retry(Duration.from_seconds(1)) if again else RetryDecision.no_retry()

    semantics = StepSemantics.AT_MOST_ONCE_PER_RETRY if at_most_once else StepSemantics.AT_LEAST_ONCE_PER_RETRY
    return StepConfig(retry_strategy=decide, step_semantics=semantics)


def _most(work: Work, context: Any) -> float | None:
    from ..llm.pricing import PricingManager

    if work.node.prompt is None:
        return 0.0
    prompt = prompt_of(work.node, context)
    return estimate(work.node, prompt, values_of(work.node, work.scope), context, PricingManager())
