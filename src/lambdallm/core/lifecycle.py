"""The life of an invocation, in the documented order: one flow, for functions that block and those that are awaited.

    middleware before ──▶ session loaded ──▶ the function ──▶ session saved ──▶ middleware after ──▶ response
                      ──▶ metrics flushed

A session is loaded before an async function, and by the first use of `context.session` in one that blocks. A result
that comes in pieces is joined where nobody can read it piece by piece, inside the middleware; where somebody can, what
comes after the function comes after its last piece, in the same order (see `following`). What the middleware leaves
unanswered is the response's to say: a status for whoever waits for one, the error itself for Lambda, which then tries
the event again.
"""

from __future__ import annotations

from ..llm.errors import LambdaLLMError
from .flows import attempted, paused_at
from .responses import comes_in_pieces, lambda_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..llm.flow import Flow
    from .context import LambdaLLMContext
    from .journal import Journal

    Function = Callable[[Any, LambdaLLMContext], Any]


class Following:
    """A result whose pieces are still to come, and go out as they do."""

    def __init__(self, result: Any) -> None:
        self.result = result


class _Inner:
    """Stands for the function among the calls of the layers: it is performed as a flow."""

    def __init__(self, event: Any) -> None:
        self.event = event


def answered(function: Function, event: Any, context: LambdaLLMContext, lacks: tuple[str, ...] = ()) -> Any:
    """The response to an event, or a `ResponseStream`. Raises as `invocation`."""
    try:
        response = _performed(invocation(function, event, context, lacks), context)
    except SystemExit:
        cut_off(context)
        raise
    if type(response) is Following:
        from .following import streamed

        response = streamed(response.result, context)
    if context.settings.response_streaming is not None and isinstance(response, dict):
        from .streaming import as_its_source_reads

        return as_its_source_reads(response, context)
    return response


def _performed(flow: Flow[Any], context: LambdaLLMContext) -> Any:
    if not context.awaits:
        return context.driver.run(flow)
    from .loop import environment_loop

    return environment_loop.run(context.driver.run(flow))


def cut_off(context: LambdaLLMContext) -> None:
    """Do what is done at the end of every invocation in the middle of one: the environment ends."""
    _performed(ended(context), context)


def invocation(function: Function, event: Any, context: LambdaLLMContext, lacks: tuple[str, ...] = ()) -> Flow[Any]:
    """The response to an event, or `Following`. Raises what nobody answered, where nobody waits for a response.

    `lacks` are the settings that the project's configuration has to give.
    """
    try:
        if lacks:
            from .config.parts import project_parts

            parts = yield from project_parts()
            context.settings = context.settings.replace(**{name: getattr(parts, name) for name in lacks})
        result = yield from _layered(function, event, context)
        if comes_in_pieces(result):
            result = yield from _followed(result, context)
            if type(result) is Following:
                return result
        response = lambda_response(context.event, result, context)
    except Exception as error:  # noqa: BLE001  # it is answered, or raised again
        return (yield from failed(error, context))
    yield from ended(context)
    return response


def failed(error: Exception, context: LambdaLLMContext) -> Flow[Any]:
    """The response to an error, which ends the invocation. Raises the error where nobody waits for a response."""
    from .failures import response_to

    try:
        response = response_to(error, context)
        if response is None:
            raise error
    except Exception:
        yield from ended(context)
        raise
    yield from ended(context)
    return response


def _followed(result: Any, context: LambdaLLMContext) -> Flow[Any]:
    """What becomes of pieces that have been through the middleware: `Following`, or one piece."""
    from .following import joined
    from .streaming import may_stream

    return Following(result) if may_stream(context) else (yield from joined(result, context))


def _layered(function: Function, event: Any, context: LambdaLLMContext) -> Flow[Any]:
    """The result of the function within its middleware."""
    if not context.settings.middleware:
        return (yield from _inner(function, event, context))
    from ..middleware.layers import around

    calls: Any = around(context.settings.middleware, lambda event, _: _Inner(event), event, context)
    step, outcome = calls.send, None
    while True:
        try:
            call = step(outcome)
        except StopIteration as end:
            return end.value.unwrap()
        try:
            outcome = (yield from attempted(call, awaits=context.awaits)).unwrap()
            if type(outcome) is _Inner:
                outcome = yield from _inner(function, outcome.event, context)
            step = calls.send
        except Exception as error:  # noqa: BLE001  # the layers outside hear of it
            step, outcome = calls.throw, error


def _inner(function: Function, event: Any, context: LambdaLLMContext) -> Flow[Any]:
    """The function's result, with what stands between it and the middleware."""
    context.turn_to(event)
    if context.settings.timeout_strategy == "checkpoint":
        from .journal import journal_of

        context.journal = journal_of(context)
    if context.settings.session is not None and context.awaits:
        yield from context.opened_session()
    result = (yield from attempted(_called(function, event, context), awaits=context.awaits)).unwrap()
    if comes_in_pieces(result):
        from .following import joined, opened
        from .streaming import may_stream

        if may_stream(context):
            return opened(result, context)
        result = yield from joined(result, context)
    if hasattr(result, "raised_for"):
        result.raised_for(event)
        return result  # whoever goes on says the same to the session as it was, and saves it
    yield from context.saving_session()
    return result


def _called(function: Function, event: Any, context: LambdaLLMContext) -> Callable[[], Any]:
    """The call of the function, which a pause ends with a result."""

    def call() -> Any:
        try:
            result = function(event, context)
            return _awaited(result) if context.awaits and hasattr(result, "__await__") else result
        except BaseException as reason:  # noqa: BLE001  # it is raised again, but for a pause
            return _paused(reason)

    return call


async def _awaited(result: Any) -> Any:
    try:
        return await result
    except BaseException as reason:  # noqa: BLE001  # it is raised again, but for a pause
        return _paused(reason)


def _paused(reason: BaseException) -> Any:
    """The result that a pause is; any other reason is raised."""
    id = paused_at(reason)
    if id is None:
        raise reason
    from .journal import PausedResult

    return PausedResult(id)


def ended(context: LambdaLLMContext) -> Flow[None]:
    """What is done whatever became of the invocation."""
    for stream in (context.answer, *context.streams):  # what left them does not close them in time
        if stream is not None:
            from .pieces import closed

            yield from closed(stream, context)
    if context.journal is not None:
        yield from _released(context.journal)
    if context.metrics.sinks:
        yield from context.metrics.flushing(awaits=context.awaits)


def _released(journal: Journal) -> Flow[None]:
    """Give the checkpoint free. Where that fails, it is free when its time has passed, and the result is what it is."""
    try:
        yield from journal.releasing()
    except LambdaLLMError as error:
        from logging import getLogger

        getLogger("lambdallm").warning("The checkpoint %s is not given free: %s", journal.id, error)
