"""A result that comes in pieces, followed to its end: handed on, written in its format, and accounted for.

    the function's pieces ──▶ session saved ──▶ middleware ──▶ written in a format ──▶ the end's event ──▶ flushed

The first piece is asked for before the head is final, so that an error before it is an ordinary response. After that
every piece is asked for when the one before it has been taken: nothing is read ahead, and nothing kept back. What time
ends has the notice of its format; with `checkpoint` the notice has the id from which a later invocation goes on.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import DeadlineExceededError
from ..llm.flow import Emit, Perform, ReaderLeft
from ..llm.result import Err, Ok
from ..middleware.streamed import response_of
from .flows import paused_at, through
from .pieces import END, AwaitedPieces, Pieces, closed, driven, given, next_of
from .streaming import of_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from ..llm.flow import Effect, Flow
    from ..llm.result import Result
    from ..runtime.streams import Head
    from .context import LambdaLLMContext
    from .frames import Text
    from .streaming import StreamingResponse


class Begun(Value):
    """How a streamed response begins."""

    head: Head | None
    content_type: str


class Whole(Value):
    """The response in the place of a streamed one of which nothing came."""

    response: Any


def opened(result: Any, context: LambdaLLMContext) -> Any:
    """A function's result as pieces that end in time, and save the session at their end."""
    response = driven(of_result(result), context)
    context.answer = AwaitedPieces(response, context) if context.awaits else Pieces(response, context)
    return context.answer


def joined(result: Any, context: LambdaLLMContext) -> Flow[Any]:
    """A result in one piece, in the format in which it would have been streamed: text, or a response.

    A pause gives the result that it is. Raises what the function raises, `DeadlineExceededError`.
    """
    from ..runtime.response import Response

    response = _response_of(result, context)
    gathered: list[Any] = []

    def perform(effect: Effect) -> Flow[Any]:
        if type(effect) is not Emit:
            return (yield effect)
        gathered.extend(effect.items)
        return None

    try:
        (yield from through(given(response.pieces, context, streams=False), perform)).unwrap()
    except DeadlineExceededError as error:
        if (id := paused_at(error)) is None:
            raise
        from .journal import PausedResult

        return PausedResult(id)
    form = response.replace(notice=None).form(context, gathered[0] if gathered else None)
    content = b"".join([*map(form.piece, gathered), _last(form, response, context)])
    has_head = isinstance(result, Response) or response_of(result, context) is not None
    if not has_head and (form.by_itself or not _is_http(context)):
        return form.body(content)
    return response.in_one(form, content)


def streamed(result: Any, context: LambdaLLMContext) -> Any:
    """A result that has been through the middleware as a `ResponseStream`; a response where it failed before that."""
    from ..runtime.streams import ResponseStream

    pieces = _accounted(context.driver.iterate(sent(result, context)), context)
    first = next(pieces)
    if type(first) is Begun:
        return ResponseStream(first.head, first.content_type, pieces)
    pieces.close()
    return first.response


def _accounted(pieces: Any, context: LambdaLLMContext) -> Generator[Any, None, None]:
    """The same, whole also where the end of the process comes between."""
    if context.awaits:
        from .loop import environment_loop

        pieces = environment_loop.iterate(pieces)
    try:
        yield from pieces
    except SystemExit:
        from .lifecycle import cut_off

        cut_off(context)
        raise


def sent(result: Any, context: LambdaLLMContext) -> Flow[Result[None, Any]]:
    """Emit a `Begun` and then bytes; where nothing came, a `Whole` response. Ends the invocation."""
    from .lifecycle import ended, failed

    response = _response_of(result, context)
    pieces = response.pieces
    ask = Perform(next_of(pieces))
    try:
        first = _checked((yield ask))
        form = response.form(context, None if first is END else first)
        head = response.head(context, form) if _is_http(context) else None
        begun = Begun(head, response.content_type or form.media_type)
    except Exception as error:  # noqa: BLE001  # it is answered, or raised again
        yield from closed(pieces, context)
        yield Emit((Whole((yield from failed(error, context))),))
        return Ok(None)
    try:
        yield Emit((begun,))
        yield from _written(first, ask, form, response, context)
    except (Exception, ReaderLeft):
        yield from closed(pieces, context)
        yield from ended(context)
        raise
    yield from ended(context)
    return Ok(None)


def _response_of(result: Any, context: LambdaLLMContext) -> StreamingResponse:
    """How a stream goes out that has been through the middleware: layers that change pieces keep the function's head"""
    if hasattr(result, "for_direct"):
        return driven(of_result(result), context)
    known = response_of(result, context)
    return driven(of_result(result if known is None else known.replace(body=result)), context)


def _is_http(context: LambdaLLMContext) -> bool:
    from .responses import is_http_event

    return is_http_event(context.event)


def _checked(piece: Any) -> Any:
    if type(piece) is Err:
        raise piece.error
    return piece


def _written(
    piece: Any, ask: Perform, form: Text, response: StreamingResponse, context: LambdaLLMContext
) -> Flow[None]:
    """Emit the bytes of each piece, and those that end them. An error is told where the format can, and raised."""
    try:
        while piece is not END:
            if data := form.piece(piece):
                yield Emit((data,))
            piece = yield ask
            if type(piece) is Err:
                raise piece.error
    except Exception as error:
        from .failures import told

        if data := form.failed(told(error, context)):
            yield Emit((data,))
        raise
    if data := _last(form, response, context):
        yield Emit((data,))


def _last(form: Text, response: StreamingResponse, context: LambdaLLMContext) -> bytes:
    from .ending import facts_of

    facts = dict(response.ending or facts_of(context, accounts=response.accounts))
    if context.aws_request_id:
        facts["request_id"] = context.aws_request_id
    return form.truncated(facts) if "reason" in facts else form.done(facts)
