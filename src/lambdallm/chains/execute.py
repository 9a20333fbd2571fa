"""One step's effect as a flow, and what came of it as a value: nothing that goes wrong in a step is raised here."""

from __future__ import annotations

from .._value import Value
from ..llm.backends.adapt import is_asynchronous
from ..llm.backends.aside import aside, loop_runs_here
from ..llm.errors import ConfigurationError, DeadlineExceededError, LLMError, ProviderTimeoutError
from ..llm.flow import NOW, Perform, Sleep
from ..llm.result import Err, Ok
from ..llm.retry import backoff_seconds
from .calling import call, function_name
from .outputs import KEPT, shaped
from .references import as_text
from .result import StepResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..core.answer import Answer
    from ..llm.flow import Flow
    from ..llm.result import Result
    from .plan import Work
    from .references import Scope
    from .step import Step


class Outcome(Value):
    """What came of a step: its result, and the error where it failed. `late` says that the run's time ended it; then
    without an error the output is what had come by then."""

    result: StepResult
    error: Exception | None = None
    late: bool = False


def executed(work: Work, context: Any, key: Callable[[], str], deadline: float | None) -> Flow[Outcome]:
    """The effect of a step. `deadline` is the run's, a reading of the monotonic clock."""
    step: Step = work.node
    start = (yield NOW).monotonic
    told = getattr(context, "on_step", None)  # local tools look on, AWS has none
    if told is not None:
        told(work.path, ended=False)
    limit = _earlier(deadline, None if step.timeout is None else start + step.timeout)
    asks = _asked if step.prompt is not None else _called
    try:
        outcome = yield from asks(step, work, context, key, limit)
    except Exception as error:  # noqa: BLE001  # it is raised at the end of the run, with what was done
        outcome = Outcome(StepResult("failed", cost_usd=0.0, attempts=1), error)
    end = (yield NOW).monotonic
    if told is not None:
        told(work.path, ended=True)
    result = outcome.result.replace(duration_ms=(end - start) * 1000.0)
    if outcome.error is None:
        return outcome.replace(result=result)
    late = limit == deadline and _is_about_time(outcome.error, end, deadline)
    return outcome.replace(result=result.replace(error=_said(outcome.error)), late=late)


def _asked(step: Step, work: Work, context: Any, _key: Callable[[], str], limit: float | None) -> Flow[Outcome]:
    """What a model says to the step's prompt."""
    asked: Result[Answer, LLMError] = yield from context.asked(
        prompt_of(step, context), values_of(step, work.scope), model=step.model, max_retries=step.max_retries,
        deadline=limit, schema=step.output_schema, cache=step.cache, session=False,
    )  # fmt: skip
    if isinstance(asked, Err):
        error = asked.error
        cost = error.cost_usd if error.attempts else 0.0
        return Outcome(StepResult("failed", None, error.usage, cost, error.attempts), error)
    answer, said = asked.value, asked.value.completion
    status: Any = "cached" if said.cache else "done"
    replayed = getattr(answer, "replayed", False)
    cost = 0.0 if replayed else said.cost_usd
    result = StepResult(status, answer.value, said.usage, cost, said.attempts, said.model)
    return Outcome(result, late=getattr(answer, "truncated", False))


def prompt_of(step: Step, context: Any) -> Any:
    """The step's prompt, with the project's settings where a text has none of its own."""
    settings = getattr(context, "settings", None)
    project = {name: getattr(settings, name, None) for name in step.untuned}
    given = {name: value for name, value in project.items() if value is not None}
    assert step.prompt is not None
    return step.prompt.with_options(given) if given else step.prompt


def values_of(step: Step, scope: Scope) -> dict[str, Any]:
    """The variables of the step's prompt: in a text as text, in a `Prompt` with types as they are."""
    typed = getattr(step.prompt, "input_schema", None) or {}
    asked = {name: one for name, one in step.references.items() if one.name in scope or name not in step.optional}
    found = {name: scope.resolve(reference) for name, reference in asked.items()}
    return {name: value if name in typed or _is_content(value) else as_text(value) for name, value in found.items()}


def _is_content(value: Any) -> bool:
    """Whether it is an image, a document, or a conversation, which a prompt takes as it is."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(type(item) in KEPT for item in value)
    return type(value) in KEPT


def _called(step: Step, work: Work, context: Any, key: Callable[[], str], limit: float | None) -> Flow[Outcome]:
    """What the step's function gives, called again for each of its retries."""
    assert step.func is not None
    given = {"context": lambda: context, "idempotency_key": key}
    function = call(step.func, work.scope, given, f"Step {work.path!r}")
    number = 0
    while True:
        outcome = yield from performed(step.func, function, limit)
        number += 1
        if isinstance(outcome, Ok):
            return Outcome(StepResult("done", shaped(outcome.value, step.output_schema), attempts=number))
        wait = backoff_seconds(number - 1)
        if number > (step.max_retries or 0) or (limit is not None and (yield NOW).monotonic + wait >= limit):
            return Outcome(StepResult("failed", attempts=number), outcome.error)
        yield Sleep(wait)


def performed(
    function: Callable[..., Any], bound: Callable[[], Any], limit: float | None, *, at_once: bool = False
) -> Flow[Result[Any, Exception]]:
    """What a function of the user's gives, awaited where it is asynchronous; what it raises is the `Err`.

    Where an event loop runs, a blocking one has a worker thread, and is left alone when the time has passed; one that
    is done `at_once` has none. Raises `ConfigurationError` for an asynchronous one where no event loop runs.
    """
    seconds = None if limit is None else max(limit - (yield NOW).monotonic, 0.0)
    if is_asynchronous(function):
        _check_loop(function)
        settled: Result[Any, Exception] = yield Perform(lambda: _settled(bound), seconds)
        return settled
    outcome = yield from (_in_place(bound) if at_once else aside(bound, seconds))
    pending = outcome.value if isinstance(outcome, Ok) else None
    if hasattr(pending, "__await__"):
        _check_loop(function)
        outcome = yield Perform(lambda: _settled(lambda: pending), seconds)
    return outcome


def _check_loop(function: Callable[..., Any]) -> None:
    if not loop_runs_here():
        fix = "Use await chain.arun(…) in an async handler, or write the function with def."
        raise ConfigurationError(f"{function_name(function)} is async, and no event loop runs here.", fix=fix)


def _in_place(function: Callable[[], Any]) -> Flow[Result[Any, Exception]]:
    def caught() -> Result[Any, Exception]:
        try:
            return Ok(function())
        except Exception as error:  # noqa: BLE001  # as in `_settled`
            return Err(error)

    outcome: Result[Any, Exception] = yield Perform(caught)
    return outcome


async def _settled(begin: Callable[[], Any]) -> Result[Any, Exception]:
    try:
        return Ok(await begin())
    except Exception as error:  # noqa: BLE001  # whatever the user's function raises is the step's failure
        return Err(error)


def _earlier(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)


def _is_about_time(error: Exception, now: float, deadline: float | None) -> bool:
    """Whether the run's own time ended the step: then it is no failure of the step's."""
    if deadline is None:
        return False
    return isinstance(error, DeadlineExceededError) or (
        isinstance(error, (ProviderTimeoutError, TimeoutError)) and now >= deadline - 0.05
    )


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def decided(node: Any, scope: Scope, context: Any, path: str, limit: float | None) -> Flow[bool]:
    """Whether a node's condition holds: a quick look, for which no thread is begun. Raises what it raises."""
    given = {"context": lambda: context}
    bound = call(node.condition, scope, given, f"The condition of {path!r}")
    outcome = yield from performed(node.condition, bound, limit, at_once=True)
    return bool(outcome.unwrap())
