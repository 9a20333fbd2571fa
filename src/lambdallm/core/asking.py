"""Asking a model within an invocation, as one flow whoever drives it; its twin for streams is in `streams`.

    models in their order ──▶ a shape is asked for again while it is wrong ──▶ checkpoint ──▶ guards ──▶ cache ──▶ route

An answer is the first model's that gives one. What the function's time ends is ended in the way that the handler's
`timeout_strategy` says: by `DeadlineExceededError`, by what had come, or by a pause that a later invocation goes on
from.
"""

from __future__ import annotations

from .._value import Value
from ..llm.call import CallSettings
from ..llm.errors import DeadlineExceededError, LambdaLLMError, LLMError
from ..llm.flow import NOW, ReaderLeft
from ..llm.result import Err, Ok
from ..llm.tally import Tally
from ..llm.types import EMPTY, ChatMessage, ChatRequest, Choice, Completion
from .answer import Answer
from .calls import Route, with_last, worth_another_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.streaming.record import StreamRecord
    from .context import LambdaLLMContext
    from .guards import CallGuard

CUT = "deadline"
"""The raw finish reason of an answer that the function's time has cut off; its finish reason is `length`."""


class Question(Value):
    """What is asked, and of whom.

    `models` are asked in their order until one answers: names, or routes. `options` are fields of `ChatRequest`.
    `deadline` is a reading of the monotonic clock.
    """

    messages: tuple[ChatMessage, ...]
    models: tuple[str | Route, ...]
    options: Mapping[str, Any] = EMPTY
    shape: object = None
    max_retries: int = 3
    deadline: float | None = None
    cache: bool = True

    def settings(self) -> CallSettings:
        """What a call needs to know apart from its request."""
        return CallSettings(deadline=self.deadline, max_retries=self.max_retries)

    def names(self, number: int) -> tuple[str, ...]:
        """The names of the model at a place and of those behind it."""
        return tuple(each if isinstance(each, str) else each.model for each in self.models[number:])


class Asking:
    """A question under way: whose turn it is, and what the tries came to."""

    def __init__(self, context: LambdaLLMContext, question: Question) -> None:
        self.context, self.question = context, question
        self.tally = Tally()
        self.turn = 0
        self.replayed = False

    def routes(self) -> Any:
        """Each model's route, told whether it is the last."""
        for last, (turn, model) in with_last(list(enumerate(self.question.models))):
            self.turn = turn
            yield last, _route(model)

    def request(self, route: Route, messages: tuple[ChatMessage, ...], more: Mapping[str, Any] = EMPTY) -> ChatRequest:
        """The request to one model."""
        return ChatRequest(route.model, messages, **{**self.question.options, **more})

    @property
    def cuts(self) -> bool:
        """Whether what has come by the deadline is the answer."""
        question, context = self.question, self.context
        return (
            context.settings.timeout_strategy == "truncate"
            and question.shape is None
            and question.deadline is not None
            and question.deadline == context.deadline
        )


def _route(model: str | Route) -> Route:
    return Route(model) if isinstance(model, str) else model


def asked(context: LambdaLLMContext, question: Question) -> Flow[Result[Answer, LLMError]]:
    """The answer of the first model that gives one.

    Raises `DeadlineExceededError` where the function's time ended it, what a guard refused with, and
    `ConfigurationError` and its kin for what is wrong before anything is sent.
    """
    asking = Asking(context, question)
    begun = (yield NOW).monotonic
    try:
        result = yield from _first_answer(asking)
    except DeadlineExceededError as error:
        if (yield from _is_late(context, error, 0)):
            return Ok(ended(asking, error))
        raise
    if isinstance(result, Err):
        if (yield from _is_late(context, result.error, question.max_retries)):
            return Ok(ended(asking, result.error))
        return Err(asking.tally.on(result.error))
    value, completion = result.value
    latency, tally = ((yield NOW).monotonic - begun) * 1000, asking.tally
    completion = completion.replace(
        usage=tally.usage, cost_usd=tally.cost_usd, attempts=tally.attempts, latency_ms=latency
    )
    return Ok(Answer(value, completion, completion.raw_finish_reason == CUT, asking.replayed))


def _is_late(context: LambdaLLMContext, error: LLMError | DeadlineExceededError, max_retries: int) -> Flow[bool]:
    from .late import is_late

    return (yield from is_late(context, error, max_retries))


def _first_answer(asking: Asking) -> Flow[Result[tuple[Any, Completion], LLMError]]:
    result: Result[tuple[Any, Completion], LLMError]
    for last, route in asking.routes():
        result = yield from _of_model(asking, route)
        if isinstance(result, Ok) or last or not worth_another_model(result.error):
            return result
    raise AssertionError("no model was named")


def _of_model(asking: Asking, route: Route) -> Flow[Result[tuple[Any, Completion], LLMError]]:
    """One model's answer: its value, and the completion it was read from."""
    question = asking.question
    if question.shape is None:
        done = yield from _called(asking, route, asking.request(route, question.messages))
        return Ok((done.value.text, done.value)) if isinstance(done, Ok) else done
    from .structured import shaped

    def call(messages: tuple[ChatMessage, ...], ask: Any) -> Flow[Result[Completion, LLMError]]:
        more = ask.options if ask.tool is None else {**ask.options, "tools": (ask.tool,)}
        return _called(asking, route, asking.request(route, messages, more))

    found = yield from shaped(route, question.messages, question.shape, question.deadline, call)
    if isinstance(found, Err):
        return found
    extraction = found.value
    return Ok((extraction.value, extraction.completion.replace(warnings=extraction.warnings)))


def _called(asking: Asking, route: Route, request: ChatRequest) -> Flow[Result[Completion, LLMError]]:
    """One call to one model, unless a checkpoint has its answer."""
    journal = asking.context.journal
    if journal is None:
        result = yield from _made(asking, route, request)
    else:
        place = yield from journal.next(request)
        if place.answer is not None:
            asking.replayed = True
            asking.tally.answered(place.answer)
            return Ok(place.answer)
        result = yield from _made(asking, route, request)
        if isinstance(result, Ok):
            yield from journal.keep(place, result.value)
    asking.tally.answered(result.value) if isinstance(result, Ok) else asking.tally.failed(result.error)
    return result


def _made(asking: Asking, route: Route, request: ChatRequest) -> Flow[Result[Completion, LLMError]]:
    """One call, told to the guards."""
    record = _record(route) if asking.cuts else None
    told: list[CallGuard] = []
    yield from check_time(asking.question)
    try:
        if asking.context.guards:
            from .guards import ask_guards

            yield from ask_guards(asking.context.guards, request, asking.question.names(asking.turn), told)
        result = yield from _answered(asking, route, request, record)
    except (Exception, ReaderLeft) as reason:
        from .guards import as_failure

        yield from settled(asking.context, request, told, as_failure(reason, lambda: partial(record)))
        raise
    yield from settled(asking.context, request, told, result.value if isinstance(result, Ok) else result.error)
    return result


def check_time(question: Question) -> Flow[None]:
    """Raises `DeadlineExceededError` where a call could not even begin, whoever would make it."""
    if question.deadline is not None and (yield NOW).monotonic >= question.deadline:
        raise DeadlineExceededError("No time is left for a call to a model.")


def settled(
    context: LambdaLLMContext, request: ChatRequest, told: list[CallGuard], outcome: Completion | LLMError
) -> Flow[None]:
    """Count how a call ended, and tell the guards."""
    context.note(outcome)
    if told:
        from .guards import tell_guards

        yield from tell_guards(told, request, outcome)


def _answered(
    asking: Asking, route: Route, request: ChatRequest, record: StreamRecord | None
) -> Flow[Result[Completion, LLMError]]:
    """An answer from the cache, or by the route."""
    question, cache = asking.question, asking.context.cache
    make: Callable[[], Any] = lambda: _sent(asking, route, request, record)  # noqa: E731
    if cache is None or not question.cache or not route.target or route.plugin:
        made: Result[Completion, LLMError] = yield from make()
        return made
    from ..llm.caching.flow import cached
    from ..llm.caching.key import queried

    query = yield from queried(request, route.target)
    answer = yield from cached(cache, query, lambda: _whole(make()), deadline=question.deadline)
    cut = getattr(answer.error, "cut", None) if isinstance(answer, Err) else None
    return answer if cut is None else Ok(cut)


class _Cut(LLMError):
    """An answer that time has cut off, which no cache keeps."""

    retryable = True

    def __init__(self, cut: Completion) -> None:
        super().__init__("The answer was cut off.")
        self.cut = cut


def _whole(flow: Flow[Result[Completion, LLMError]]) -> Flow[Result[Completion, LLMError]]:
    result = yield from flow
    if isinstance(result, Ok) and result.value.raw_finish_reason == CUT:
        return Err(_Cut(result.value))
    return result


def _sent(
    asking: Asking, route: Route, request: ChatRequest, record: StreamRecord | None
) -> Flow[Result[Completion, LLMError]]:
    """An answer by the route: whole, or streamed into `record` where what has come by the deadline counts."""
    question = asking.question
    if record is None or question.deadline is None:
        return (yield from route.chat(request, question.settings()))
    from .flows import cut_at
    from .late import has_passed

    stream = route.stream(request.replace(stream=True), question.settings(), record)
    result = yield from cut_at(stream, question.deadline, emits=False)
    now = (yield NOW).monotonic
    if isinstance(result, Ok):
        return Ok(record.completion())
    if result is None or (record.has_begun() and has_passed(question.deadline, now)):
        record.ended = now
        return Ok(asking.context.cut(record.completion()))
    return result


def partial(record: StreamRecord | None) -> Completion | None:
    """What has come of a stream, if anything has."""
    return record.completion() if record is not None and record.has_begun() else None


def _record(route: Route) -> StreamRecord:
    from ..llm.streaming.record import StreamRecord

    return StreamRecord(route.target)


def ended(asking: Asking, error: LambdaLLMError) -> Answer:
    """What is made of a call that the function's time has ended: what had come, which is nothing, or an error."""
    context = asking.context
    if not asking.cuts:
        from .late import out_of_time

        raise out_of_time(context, error)
    return Answer("", context.cut(Completion(())), truncated=True)


def cut_short(completion: Completion) -> Completion:
    """A completion that the function's time has cut off, marked as such."""
    choices = completion.choices or (Choice(ChatMessage("assistant", "")),)
    first = choices[0].replace(finish_reason="length", raw_finish_reason=CUT)
    return completion.replace(choices=(first, *choices[1:]))
