"""A flow within another, effect by effect; and functions that are not ours within a flow."""

from __future__ import annotations

import sys

from ..llm.errors import ConfigurationError, LambdaLLMError
from ..llm.flow import NOW, Emit, Perform, ReaderLeft
from ..llm.result import Err, Ok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any, TypeVar

    from ..llm.errors import LLMError
    from ..llm.flow import Effect, Flow
    from ..llm.result import Result

    T = TypeVar("T")


def through(flow: Flow[T], perform: Callable[[Effect], Flow[Any]]) -> Flow[T]:
    """The value of a flow whose effects `perform` performs; what that raises is raised in the flow."""
    step: Any = flow.send
    outcome: Any = None
    while True:
        try:
            effect = step(outcome)
        except StopIteration as end:
            value: T = end.value
            return value
        try:
            outcome, step = (yield from perform(effect)), flow.send
        except BaseException as reason:  # noqa: BLE001  # it is the flow's, as with `yield from`
            outcome, step = reason, flow.throw


def cut_at(
    stream: Flow[Result[None, LLMError]], deadline: float, *, emits: bool
) -> Flow[Result[None, LLMError] | None]:
    """How a stream ended; `None` where it gave something after the deadline, and was left for that.

    With `emits` its chunks are emitted, else its record alone has them.
    """
    late = ReaderLeft()

    def perform(effect: Effect) -> Flow[Any]:
        if type(effect) is not Emit:
            return (yield effect)
        if emits:
            yield effect
        if (yield NOW).monotonic >= deadline:
            raise late
        return None

    try:
        return (yield from through(stream, perform))
    except ReaderLeft as left:
        if left is not late:
            raise
        return None


def attempted(function: Callable[[], Any], *, awaits: bool) -> Flow[Result[Any, Exception]]:
    """What a function that is not ours gives or raises, as a result; where the driver `awaits`, it may be awaitable."""

    def call() -> Any:
        try:
            outcome = function()
        except BaseException as reason:  # noqa: BLE001  # it is the result, or raised again
            return Err(as_error(reason))
        if not hasattr(outcome, "__await__"):
            return Ok(outcome)
        return _awaited(outcome) if awaits else _refused(outcome)

    result: Result[Any, Exception] = yield Perform(call)
    return result


async def _awaited(outcome: Awaitable[Any]) -> Result[Any, Exception]:
    try:
        return Ok(await outcome)
    except BaseException as reason:  # noqa: BLE001  # it is the result, or raised again
        return Err(as_error(reason))


def paused_at(reason: BaseException) -> str | None:
    """The id of the checkpoint at which something pauses, also where a group of tasks does."""
    if isinstance(reason, BaseExceptionGroup):
        return next((id for each in reason.exceptions if (id := paused_at(each)) is not None), None)
    return getattr(reason, "checkpoint_id", None)


def as_error(reason: BaseException) -> Exception:
    """What was raised, as an error: a pause, and a cancellation that nobody outside asked for. Raises anything else."""
    if isinstance(reason, Exception):
        return reason
    if (id := paused_at(reason)) is not None:
        from .journal import OutOfTime

        return OutOfTime("The function had no time left for the rest.", checkpoint_id=id)
    if not _cancelled_itself(reason):
        raise reason
    error = LambdaLLMError("The function was cancelled.", fix="Catch CancelledError where it cancels what it awaits.")
    error.__cause__ = reason
    return error


def _cancelled_itself(reason: BaseException) -> bool:
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not isinstance(reason, asyncio.CancelledError):
        return False
    task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
    return task is None or not task.cancelling()


def _refused(outcome: Any) -> Err[ConfigurationError]:
    getattr(outcome, "close", lambda: None)()
    fix = "Write the handler's function with async def; or with def what it calls, its middleware and its sinks."
    return Err(ConfigurationError(f"{outcome!r} has to be awaited, and nobody awaits here.", fix=fix))
