"""Streams within an invocation: the first model that gives anything, told to the guards, ended as time allows.

What holds for a whole answer holds here, see `asking`; but that nobody is asked again once the reader has something.
"""

from __future__ import annotations

from ..llm.errors import DeadlineExceededError, LambdaLLMError, LLMError
from ..llm.flow import NOW, Emit, ReaderLeft
from ..llm.result import Err, Ok
from .asking import Asking, check_time, ended, partial, settled
from .calls import worth_another_model
from .flows import cut_at
from .guards import as_failure, ask_guards
from .late import has_passed, is_late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.streaming.record import StreamRecord
    from ..llm.types import ChatRequest, Completion
    from .asking import Question
    from .calls import Route
    from .context import LambdaLLMContext
    from .guards import CallGuard


def streamed(context: LambdaLLMContext, question: Question, record: StreamRecord) -> Flow[Result[None, LLMError]]:
    """The answer piece by piece, of the first model that gives any; `record` has what has come. Raises as `asked`."""
    asking = Asking(context, question)
    result: Result[None, LLMError] = Ok(None)
    try:
        for last, route in asking.routes():
            record.turn_to(route.target)
            result = yield from _streamed(asking, route, record)
            if isinstance(result, Ok) or last or record.has_begun() or not worth_another_model(result.error):
                break
    except DeadlineExceededError as error:
        if not (yield from is_late(context, error, 0)):
            raise
        return _ended_stream(asking, error, record)
    if isinstance(result, Err) and (yield from is_late(context, result.error, question.max_retries)):
        return _ended_stream(asking, result.error, record)
    return result


def _ended_stream(asking: Asking, error: LambdaLLMError, record: StreamRecord) -> Result[None, LLMError]:
    """What is made of a stream that the function's time has ended; one that has begun is an error with what came."""
    if record.has_begun() and asking.context.journal is None and isinstance(error, LLMError):
        return Err(error)
    record.ready = ended(asking, error).completion
    return Ok(None)


def _streamed(asking: Asking, route: Route, record: StreamRecord) -> Flow[Result[None, LLMError]]:
    """One model's stream, unless a checkpoint has its answer."""
    request = asking.request(route, asking.question.messages).replace(stream=True)
    journal = asking.context.journal
    if journal is None:
        return (yield from _emitted(asking, route, request, record))
    place = yield from journal.next(request)
    if place.answer is not None:
        return (yield from _replayed(place.answer, record))
    result = yield from _emitted(asking, route, request, record)
    if isinstance(result, Ok):
        yield from journal.keep(place, record.completion())
    return result


def _replayed(completion: Completion, record: StreamRecord) -> Flow[Result[None, LLMError]]:
    from ..llm.streaming.accumulator import as_chunks

    record.ready, record.first_chunk = completion, (yield NOW).monotonic
    yield Emit(as_chunks(completion))
    return Ok(None)


def _emitted(asking: Asking, route: Route, request: ChatRequest, record: StreamRecord) -> Flow[Result[None, LLMError]]:
    """One stream, told to the guards: at its end, and where its reader leaves."""
    context, question = asking.context, asking.question
    told: list[CallGuard] = []
    yield from check_time(question)
    try:
        yield from ask_guards(context.guards, request, question.names(asking.turn), told)
        stream = route.stream(request, question.settings(), record)
        if asking.cuts and question.deadline is not None:
            result = yield from _cut(context, stream, record, question.deadline)
        else:
            result = yield from stream
    except (Exception, ReaderLeft) as reason:
        yield from settled(context, request, told, as_failure(reason, lambda: partial(record)))
        raise
    outcome = partial(record) or (result.error if isinstance(result, Err) else record.completion())
    yield from settled(context, request, told, outcome)
    return result


def _cut(
    context: LambdaLLMContext, stream: Flow[Result[None, LLMError]], record: StreamRecord, deadline: float
) -> Flow[Result[None, LLMError]]:
    """A stream that ends, marked, at the deadline."""
    ended = yield from cut_at(stream, deadline, emits=True)
    now = (yield NOW).monotonic
    if isinstance(ended, Ok) or (ended is not None and not (record.has_begun() and has_passed(deadline, now))):
        return ended
    record.ended = now
    record.ready = context.cut(record.completion())
    return Ok(None)
