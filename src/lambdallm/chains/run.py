"""One run under way: what the plan wants next is begun, recorded and told back, until nothing is left or it must stop.

Whatever stops it (a failed step, time, money), no other step is begun. Steps under way are waited for, because what is
paid for is kept, until the run's time has passed: then they are cancelled.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import DeadlineExceededError, LambdaLLMError
from ..llm.flow import NOW, Await, Cancel, Start
from .budget import Budget, estimate
from .execute import Outcome, decided, executed, prompt_of, values_of
from .journalled import beside, journal_of
from .outputs import shaped, storable
from .plan import Plan
from .records import Tried, Trying, added
from .result import ChainResult, StepResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..llm.flow import Flow
    from ..llm.task import Task
    from .chain import Chain
    from .ledger import Ledger
    from .naming import RunName
    from .plan import Work
    from .result import Ending


_UNLIMITED_SECONDS = 900.0
"""How long a lease lasts where the function has no limit of time; it is renewed while the run goes on."""


class Limits(Value):
    """A run's time in seconds of this invocation: `soft` until no step begins any more, `hard` until it is stopped.

    `None` where there is no limit.
    """

    soft: float | None
    hard: float | None

    @classmethod
    def of(cls, context: Any) -> Limits:
        """The limits of an invocation."""
        left = context.remaining_time_ms
        if left >= 2**31 - 1:
            return cls(None, None)
        buffer = getattr(getattr(context, "settings", None), "timeout_buffer", 5)
        return cls(left / 1000.0 - buffer, left / 1000.0)

    @property
    def lease_seconds(self) -> float:
        """For how long a run may hold a checkpoint."""
        return _UNLIMITED_SECONDS if self.hard is None else self.hard + 1.0


class Stop(Value):
    """Why no further step is begun: `failed`, `money`, or `time`; the first reason counts."""

    why: str
    error: Exception


class Run:
    """One run of a chain in one invocation. `ledger` is `None` where nothing is recorded."""

    def __init__(self, chain: Chain, context: Any, ledger: Ledger | None, limits: Limits, name: RunName) -> None:
        self.chain, self.context, self.ledger, self.limits, self.name = chain, context, ledger, limits, name
        self.asking = context if journal_of(context) is None else beside(context)
        self.budget = Budget(chain)
        self.steps: dict[str, StepResult] = {}
        self.stop: Stop | None = None
        self.finished = 0
        """Steps that this invocation has finished."""
        self._order: dict[str, None] = {}
        self._running: dict[str, tuple[Work, Task]] = {}
        self._waiting: list[Work] = []
        self._prices: Any = None

    def result(self, inputs: Mapping[str, Any] | None) -> Flow[ChainResult]:
        """Run it to its end. Raises what has ended it early, with `chain_result`, where the strategy says so."""
        self.began = (yield NOW).monotonic
        self.deadline = getattr(self.context, "deadline", None)
        if self.deadline is None and self.limits.soft is not None:
            self.deadline = self.began + self.limits.soft
        if self.ledger is not None:
            inputs = yield from self.ledger.open(inputs, self.limits.lease_seconds)
            self.lease_ends = self.began + self.limits.lease_seconds
            self._count_history()
        assert inputs is not None
        self.plan = Plan(self.chain.steps, inputs)
        yield from self._work()
        yield from self._complete()
        if self.stop is None:
            return (yield from self.told("completed"))
        from .ending import ended

        return (yield from ended(self, self.stop))

    def _count_history(self) -> None:
        """What earlier invocations have spent is spent; what was begun there and never ended is told."""
        assert self.ledger is not None
        history = self.ledger.history
        for path, result in (*history.failed.items(), *history.done.items()):
            self.budget.count(path, result.cost_usd)
        for path, failed in history.failed.items():
            if path not in history.done:
                self.steps[path] = failed.replace(interrupted=history.open.get(path, 0))

    def _work(self) -> Flow[None]:
        try:
            self.plan.begin()
        except LambdaLLMError as error:
            self._end(Stop("failed", noted(error, self.chain.name, self.chain.steps[0].name)))
        while True:
            yield from self._take_all()
            if self.stop is None and self._waiting:
                yield from self._check_time()
            begun = self._admitted() if self.stop is None else []
            if not begun and not self._running:
                return
            if not (yield from self._recorded(begun)):
                begun = []
            if len(begun) == 1 and not self._running:
                yield from self._run_alone(begun[0])
                continue
            for work in begun:
                self._running[work.path] = (work, (yield Start(self._effect(work))))
            if self._running:
                yield from self._collect()

    def _take_all(self) -> Flow[None]:
        """Ask the plan for all that may begin; what an earlier invocation did is told back at once."""
        while (work := self.plan.take()) is not None:
            self._order.setdefault(work.path)
            try:
                if work.kind == "decide":
                    yield from self._decide(work)
                elif (known := self._known(work.path)) is not None:
                    self._tell_known(work, known)
                else:
                    self._waiting.append(work)
            except Exception as error:  # noqa: BLE001  # a condition's, or of a value that is not there
                self.steps[work.path] = StepResult("failed", error=f"{type(error).__name__}: {error}")
                self._end(Stop("failed", noted(error, self.chain.name, work.path)))

    def _known(self, path: str) -> StepResult | None:
        return None if self.ledger is None else self.ledger.history.done.get(path)

    def _decide(self, work: Work) -> Flow[None]:
        known = self._known(work.path)
        if known is not None and known.status == "skipped":
            self._tell_known(work, known)
            return
        history = None if self.ledger is None else self.ledger.history
        chosen = history is not None and history.has_begun(work.path, work.node)
        if chosen or (yield from decided(work.node, work.scope, self.asking, work.path, self.deadline)):
            self.plan.decided(work, True)
            return
        self.steps[work.path] = skipped = StepResult("skipped", work.node.default)
        if self.ledger is not None:
            self.ledger.add(Tried(self.ledger.by, work.path, skipped))
        self.plan.decided(work, False)

    def _tell_known(self, work: Work, known: StepResult) -> None:
        assert self.ledger is not None
        history = self.ledger.history
        if work.path in history.failed and known.status != "skipped":
            known = added(history.failed[work.path], known)
        interrupted = history.open.get(work.path, 0)
        if known.status == "skipped":
            self.steps[work.path] = known
            self.plan.skipped(work)
            return
        output = shaped(known.output, shape_of(work.node))
        self.steps[work.path] = known.replace(status="resumed", output=output, interrupted=interrupted)
        self.plan.finished(work, output)

    def _check_time(self) -> Flow[None]:
        """Stop where the time has passed, by the clock or by what the context says of it now."""
        passed = self.deadline is not None and (yield NOW).monotonic >= self.deadline
        if passed or getattr(self.context, "should_checkpoint", False) is True:
            self._end(Stop("time", self._out_of_time(self._waiting[0].path)))

    def _out_of_time(self, path: str) -> DeadlineExceededError:
        seconds = self.context.remaining_time_ms / 1000.0
        done = sum(step.status != "failed" for step in self.steps.values())
        return DeadlineExceededError(
            f"Chain {self.chain.name!r} ran out of time at step {path!r}: {done} steps done, "
            f"{seconds:.1f} s left before the function is stopped.",
            fix="Raise the function's timeout, or use timeout_strategy='checkpoint'.",
        )

    def _admitted(self) -> list[Work]:
        """What waits and may begin, counted with what it may cost."""
        begun: list[Work] = []
        for work in self._waiting:
            try:
                refusal = self.budget.begin(work.path, work.node, self._estimate(work))
            except LambdaLLMError as error:
                self._end(Stop("failed", noted(error, self.chain.name, work.path)))
                break
            if refusal is not None:
                self._end(Stop("money", refusal))
                break
            begun.append(work)
        self._waiting = self._waiting[len(begun) :]
        return begun

    def _estimate(self, work: Work) -> float | None:
        if self.chain.max_total_cost is None and work.node.max_cost is None:
            return None
        if work.node.prompt is None:
            return 0.0
        if self._prices is None:
            from ..llm.pricing import PricingManager

            self._prices = PricingManager()
        prompt = prompt_of(work.node, self.context)
        return estimate(work.node, prompt, values_of(work.node, work.scope), self.context, self._prices)

    def _recorded(self, begun: list[Work]) -> Flow[bool]:
        """Write what has ended and what begins, before it does; whether that was done. Else the run ends here."""
        if self.ledger is None:
            return True
        if begun and self.limits.hard is None:
            yield from self._renew_lease(self.ledger)
        self.ledger.add(*(Trying(self.ledger.by, work.path, self.key(work.path)) for work in begun))
        try:
            yield from self.ledger.flush()
        except LambdaLLMError as error:
            self._end(Stop("failed", error))
            return False
        return True

    def _renew_lease(self, ledger: Ledger) -> Flow[None]:
        """Ask for more time where no limit is known and half of it has passed."""
        now, seconds = (yield NOW).monotonic, self.limits.lease_seconds
        if now > self.lease_ends - seconds / 2:
            yield from ledger.renew(seconds)
            self.lease_ends = now + seconds

    def key(self, path: str) -> str:
        """The idempotency key of a step: the same each time it is tried in this run."""
        return f"{self.name.id}:{path}"

    def _effect(self, work: Work) -> Flow[Outcome]:
        return executed(work, self.asking, lambda: self.key(work.path), self.deadline)

    def _run_alone(self, work: Work) -> Flow[None]:
        self._take(work, (yield from self._effect(work)))

    def _collect(self) -> Flow[None]:
        """Wait until a step has ended, or the time has passed, and take what has."""
        left = None if self.deadline is None else self.deadline - (yield NOW).monotonic
        signals = tuple(task.signal for _, task in self._running.values())
        if left is None or left > -_GRACE_SECONDS:
            yield Await(signals, None if left is None else left + _GRACE_SECONDS)
        from ..llm.concurrent import value_of

        ended = [path for path, (_, task) in self._running.items() if task.signal.fired]
        for path in ended:
            work, task = self._running.pop(path)
            self._take(work, value_of(task))
        if not ended:
            yield from self._cancel_all()

    def _cancel_all(self) -> Flow[None]:
        """The run's time has passed, and steps did not end by themselves: they are left without an end."""
        first = next(iter(self._running))
        for _, task in self._running.values():
            yield Cancel(task)
        self._running.clear()
        self._end(Stop("time", self._out_of_time(first)))

    def _take(self, work: Work, outcome: Outcome) -> None:
        """What a step came to."""
        if outcome.late and outcome.error is None and self.chain.timeout_strategy != "truncate":
            outcome = _not_done(outcome, self._out_of_time(work.path))
        if outcome.error is None and self.ledger is not None:
            outcome = _storable(work.path, outcome)
        self._note(work, outcome)
        refusal = self.budget.end(work.path, work.node, outcome.result.cost_usd)
        if outcome.late:
            self._end(Stop("time", self._out_of_time(work.path)))
        elif outcome.error is not None:
            self._end(Stop("failed", noted(outcome.error, self.chain.name, work.path)))
        elif refusal is not None:
            self._end(Stop("money", refusal))
        if outcome.error is None:
            self.finished += 1
            try:
                self.plan.finished(work, self.steps[work.path].output)
            except LambdaLLMError as error:
                self._end(Stop("failed", noted(error, self.chain.name, work.path)))

    def _note(self, work: Work, outcome: Outcome) -> None:
        """Remember what a step came to, with what its earlier tries cost; its output as a resumed run would have it.

        What time has cut off is no output that a later run could go on with.
        """
        path, result = work.path, outcome.result
        if self.ledger is not None:
            cut = outcome.late and outcome.error is None
            recorded = result.replace(status="failed", output=None) if cut else result
            self.ledger.add(Tried(self.ledger.by, path, recorded))
            history = self.ledger.history
            if path in history.failed:
                result = added(history.failed[path], result)
            output = shaped(result.output, shape_of(work.node))
            result = result.replace(interrupted=history.open.get(path, 0), output=output)
        self.steps[path] = result

    def _end(self, stop: Stop) -> None:
        self.stop = self.stop or stop

    def _complete(self) -> Flow[None]:
        """Record that nothing is left to do, where that is so."""
        if self.stop is not None or self.ledger is None or self.ledger.history.completed:
            return
        try:
            yield from self.ledger.end("completed")
        except LambdaLLMError as error:
            self._end(Stop("failed", error))

    def told(self, status: Ending) -> Flow[ChainResult]:
        """What is done so far."""
        ended = self.plan.ended
        outputs = dict(self.plan.outputs)
        output = ended.output if ended is not None else self.plan.output_so_far
        seconds = (yield NOW).monotonic - self.began
        id = None if self.ledger is None else self.ledger.id
        steps = {path: self.steps[path] for path in (*self._order, *self.steps) if path in self.steps}
        return ChainResult(self.chain.name, status, output, outputs, steps, seconds * 1000.0, id)


def _not_done(outcome: Outcome, error: Exception) -> Outcome:
    """A step that time cut off: what had come is no output of it."""
    failed = outcome.result.replace(status="failed", output=None, error=f"{type(error).__name__}: {error}")
    return Outcome(failed, error, late=outcome.late)


def _storable(path: str, outcome: Outcome) -> Outcome:
    """The outcome as a record can keep it."""
    try:
        return outcome.replace(result=outcome.result.replace(output=storable(outcome.result.output, path)))
    except LambdaLLMError as error:
        return _not_done(outcome, error)


_GRACE_SECONDS = 0.5
"""How long steps that know the deadline themselves are waited for after it: they have something to tell."""


def shape_of(step: Any) -> Any:
    """The type that a step's output is an instance of; data that fits a schema needs nothing done."""
    shape = step.output_schema
    if shape is None and step.prompt is not None:
        shape = getattr(step.prompt, "shape", None)
    return None if hasattr(type(shape), "keys") else shape


def noted(error: Exception, chain: str, path: str) -> Exception:
    """The error with a note of where it came from."""
    note = f"In step {path!r} of chain {chain!r}."
    if note not in getattr(error, "__notes__", ()):
        error.add_note(note)
    return error
