"""The life of an invocation, in the documented order: one flow, for functions that block and those that are awaited.

    middleware before ──▶ session loaded ──▶ the function ──▶ session saved ──▶ middleware after ──▶ response
                      ──▶ metrics flushed

A session is loaded before an async function, and by the first use of `context.session` in one that blocks. A result
that comes in pieces is joined where nobody can read it piece by piece, inside the middleware; where somebody can, what
comes after the function comes after its last piece. What the middleware leaves unanswered is the response's to say: a
status for whoever waits for one, the error itself for Lambda, which then tries the event again.
"""

from __future__ import annotations

from ..llm.errors import LambdaLLMError
from ..llm.flow import Emit, ReaderLeft
from ..llm.result import Ok
from .flows import attempted, paused_at
from .responses import is_stream, joined, lambda_response, pieces

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from typing import Any

    from ..llm.flow import Flow
    from ..llm.result import Result
    from .context import LambdaLLMContext
    from .journal import Journal

    Function = Callable[[Any, LambdaLLMContext], Any]

_END: Any = object()


class Following:
    """A result whose pieces are still to come: `flow` emits them, and ends the invocation."""

    def __init__(self, result: Any, context: LambdaLLMContext) -> None:
        self.result = result
        self.flow = _following(result, context)


class Pieces:
    """The pieces of a result, one by one. What else is asked of it is the result's own, such as its `completion`."""

    def __init__(self, pieces: Generator[Any, None, None], result: Any) -> None:
        self._pieces, self._result = pieces, result
        self.close = pieces.close

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> Any:
        return next(self._pieces)

    def texts(self) -> Iterable[str]:
        """The text alone, piece by piece."""
        return pieces(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._result, name)


class _Inner:
    """Stands for the function among the calls of the layers: it is performed as a flow."""

    def __init__(self, event: Any) -> None:
        self.event = event


def answered(function: Function, event: Any, context: LambdaLLMContext, lacks: tuple[str, ...] = ()) -> Any:
    """The response to an event, or an iterator over its pieces. Raises as `invocation`."""
    flow = invocation(function, event, context, lacks)
    if not context.awaits:
        response = context.driver.run(flow)
        if type(response) is Following:
            return Pieces(context.driver.iterate(response.flow), response.result)
        return response
    from .loop import environment_loop

    response = environment_loop.run(context.driver.run(flow))
    if type(response) is Following:
        return Pieces(environment_loop.iterate(context.driver.iterate(response.flow)), response.result)
    return response


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
        if is_following(result) and _streams(context):
            return Following(result, context)
        response = lambda_response(context.event, result, context)
    except Exception as error:  # noqa: BLE001  # it is answered, or raised again
        from .failures import response_to

        try:
            response = response_to(error, context)
            if response is None:
                raise
        except Exception:
            yield from _ended(context)
            raise
    yield from _ended(context)
    return response


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
    whole = not _streams(context)
    result = (yield from attempted(_called(function, event, context, whole), awaits=context.awaits)).unwrap()
    if hasattr(result, "raised_for"):
        result.raised_for(event)
        return result  # whoever goes on says the same to the session as it was, and saves it
    if whole or not is_following(result):
        yield from context.saving_session()
    return result


def _called(function: Function, event: Any, context: LambdaLLMContext, whole: bool) -> Callable[[], Any]:
    """The call of the function, which a pause ends with a result; where the caller wants it `whole`, in one piece."""

    def call() -> Any:
        try:
            result = function(event, context)
            if hasattr(result, "__await__"):
                return _awaited(result, whole) if context.awaits else result
            if hasattr(result, "__aiter__"):
                return _awaited_pieces(result) if whole else result
            return joined(result) if whole else result
        except BaseException as reason:  # noqa: BLE001  # it is raised again, but for a pause
            return _paused(reason)

    return call


async def _awaited(result: Any, whole: bool) -> Any:
    try:
        result = await result
        if whole and hasattr(result, "__aiter__"):
            return joined(iter([piece async for piece in result]))
        return joined(result) if whole else result
    except BaseException as reason:  # noqa: BLE001  # it is raised again, but for a pause
        return _paused(reason)


async def _awaited_pieces(result: Any) -> Any:
    try:
        return joined(iter([piece async for piece in result]))
    except BaseException as reason:  # noqa: BLE001  # as above
        return _paused(reason)


def _paused(reason: BaseException) -> Any:
    """The result that a pause is; any other reason is raised."""
    id = paused_at(reason)
    if id is None:
        raise reason
    from .journal import PausedResult

    return PausedResult(id)


def is_following(result: Any) -> bool:
    """Whether a result comes in pieces."""
    return is_stream(result) or hasattr(result, "__aiter__")


def _streams(context: LambdaLLMContext) -> bool:
    return bool(getattr(context.lambda_context, "accepts_stream", False))


def _following(result: Any, context: LambdaLLMContext) -> Flow[Result[None, Any]]:
    """Emit a result's pieces as they come; then save the session and flush."""
    close = getattr(result, "aclose", None) or getattr(result, "close", None)
    following = _next_of(result)
    try:
        while (piece := (yield from attempted(following, awaits=context.awaits)).unwrap()) is not _END:
            yield Emit((piece,))
        yield from context.saving_session()
    except (Exception, ReaderLeft):
        if close is not None:
            yield from attempted(close, awaits=context.awaits)
        yield from _ended(context)
        raise
    yield from _ended(context)
    return Ok(None)


def _next_of(result: Any) -> Callable[[], Any]:
    """What gives a result's next piece."""
    if hasattr(result, "__aiter__"):
        coming = aiter(result)
        return lambda: anext(coming, _END)
    waiting = iter(result)
    return lambda: next(waiting, _END)


def _ended(context: LambdaLLMContext) -> Flow[None]:
    """What is done whatever became of the invocation."""
    for stream in context.streams[:]:
        yield from attempted(stream.aclose, awaits=True)  # what left it does not close it in time
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
