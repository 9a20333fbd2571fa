"""The walk of a routed call, for whole answers and streams: choose, ask, judge, go on. Written once for both drivers.

    decide ──▶ whose turn ──▶ ask one, or several beside one another ──▶ an answer, or the first chunk: done
                   ▲                                                 └─▶ a failure, judged by its class
                   └────────────────────────────────────────────────────────┘

No candidate is asked twice, none after the deadline, and none after a reader has been given anything. What a client
does inside its call (retries, breaker, limits) is its own business.
"""

from __future__ import annotations

from ..._value import Value
from ..concurrent import first_of
from ..errors import ConfigurationError, DeadlineExceededError, LLMError, ProviderTimeoutError
from ..flow import NOW, Emit, Perform, Tell
from ..result import Err, Ok
from ..types import ChatRequest
from .decide import decided
from .fallback import Judgement
from .plan import RoutedCall
from .queue import Queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal, Protocol

    from ..errors import LambdaLLMError
    from ..flow import Flow
    from ..protocols import RoutingStrategyProtocol
    from ..result import Result
    from ..types import StreamChunk
    from .capable import Field
    from .fallback import Fallback
    from .leg import Leg
    from .record import RoutingRecord

    class Calls(Protocol):
        """How clients are called: in one way where they block, in another where they are awaited."""

        def whole(self, client: Any, call: RoutedCall, options: Mapping[str, Any]) -> Any:
            """The result of a call; what a client of ours raises comes as `Err`."""

        def begin(self, client: Any, call: RoutedCall, options: Mapping[str, Any]) -> Any:
            """The stream of a call, or `Err`."""

        def following(self, stream: Any) -> Callable[[], Any]:
            """What gives a stream's next chunk, `None` at its end, or `Err`."""

        def drop(self, stream: Any) -> None:
            """Close a stream where that needs no waiting."""

        def close(self, stream: Any) -> Any:
            """Close a stream where that has to be awaited."""


class Routing(Value):
    """What all calls of a router share. Clients and breakers go by their candidate's name.

    `keeping` are the names of those whose calls take a `deadline`.
    """

    strategy: RoutingStrategyProtocol
    field: Field
    clients: Mapping[str, Any]
    breakers: Mapping[str, Any]
    fallback: Fallback
    calls: Calls
    keeping: frozenset[str] = frozenset()
    hedge_seconds: float | None = None


class Asked(Value):
    """A call as its caller wants it. `deadline` is a reading of the monotonic clock; `timeout` counts from now.

    `cache` is whether the router's cache may answer; `refresh` asks, and stores the answer.
    """

    call: RoutedCall
    model: str | None = None
    deadline: float | None = None
    timeout: float | None = None
    cache: bool | Literal["refresh"] = True

    def begun(self, now: float) -> Asked:
        """The call that begins now, with the earlier of its two limits as deadline."""
        latest = None if self.timeout is None else now + self.timeout
        limits = [limit for limit in (self.deadline, latest) if limit is not None]
        call = self.call
        begun = RoutedCall(call.messages, call.options, call.needs, call.input_tokens, call.stream, now)
        return Asked(begun, self.model, min(limits, default=None), cache=self.cache)

    def request(self) -> ChatRequest:
        """The call as a request; options that only a candidate of one's own knows are in `extra`."""
        options = self.call.options
        known = {name: value for name, value in options.items() if name in ChatRequest._fields}
        own = {name: value for name, value in options.items() if name not in known}
        request = ChatRequest(**{**known, "model": self.model or "", "messages": self.call.messages})
        return request.replace(extra={**request.extra, **own}) if own else request


class _Trip(Value):
    """One call under way."""

    routing: Routing
    asked: Asked
    judgement: Judgement
    record: RoutingRecord


def routed(routing: Routing, asked: Asked, record: RoutingRecord) -> Flow[Result[Any, LLMError]]:
    """An answer of the first candidate that gives one; a stream is emitted and kept in `record`.

    Raises `DeadlineExceededError` where no time is left to ask anybody, `ConfigurationError` where that alone is why
    nobody was asked.
    """
    now = (yield NOW).monotonic
    asked = asked.begun(now)
    if asked.deadline is not None and now >= asked.deadline:
        raise DeadlineExceededError("No time is left for a call to a model.")
    trip = _Trip(routing, asked, Judgement(routing.fallback), record)
    record.decided = plan = decided(routing.strategy, routing.field, asked.call, asked.model)
    record.queue = queue = Queue(plan, trip.judgement, routing.breakers)
    at_once, stagger = _together(trip)
    while record.winner is None and (asked.deadline is None or now < asked.deadline):
        legs = record.begin(queue.next(at_once, now))
        if not legs:
            break
        yield from _asked_one(trip, legs[0]) if len(legs) == 1 else _raced(trip, legs, stagger)
        now = (yield NOW).monotonic
    return record.result()


def _together(trip: _Trip) -> tuple[int, float]:
    """How many are asked beside one another, and how far apart: the plan's, or two of them hedged."""
    plan, hedge = None if trip.record.decided is None else trip.record.decided.plan, trip.routing.hedge_seconds
    if plan is None:
        return 1, 0.0
    if plan.at_once == 1 and hedge is not None:
        return 2, hedge
    return plan.at_once, plan.stagger_seconds


def _asked_one(trip: _Trip, leg: Leg) -> Flow[None]:
    result = yield from _tried(trip, leg)
    if isinstance(result, Ok):
        trip.record.won(leg)


def _raced(trip: _Trip, legs: list[Leg], stagger_seconds: float) -> Flow[None]:
    """Ask several beside one another; those that another was quicker than are cancelled and told of."""
    attempts: list[Any] = [lambda leg=leg: _tried(trip, leg) for leg in legs]
    raced = yield from first_of(attempts, stagger_seconds=stagger_seconds)
    now = (yield NOW).monotonic
    for number, leg in enumerate(legs):
        if raced.winner is not None and number != raced.winner and leg.begun is not None and leg.error is None:
            yield from _lost(trip, leg, now)
    if raced.winner is None:
        return
    trip.record.won(legs[raced.winner])
    if raced.rest is not None:
        yield from raced.rest


def _lost(trip: _Trip, leg: Leg, now: float) -> Flow[None]:
    leg.lost = now
    calls, stream = trip.routing.calls, leg.stream
    if leg.result is None and leg.first_token is None:
        yield Tell(trip.routing.strategy.observe, leg.observation("cancelled", trip.asked.call.stream, now))
    if stream is not None:
        yield Perform(lambda: calls.close(stream))


def _tried(trip: _Trip, leg: Leg) -> Flow[Result[Any, LambdaLLMError]]:
    """Ask one candidate, judge its failure, and tell the strategy."""
    now, deadline = (yield NOW).monotonic, trip.asked.deadline
    leg.passed_over = _objection(trip, leg, now)
    if leg.passed_over:
        return Err(ConfigurationError(leg.passed_over))
    leg.begun = now
    ask = _streamed if trip.asked.call.stream else _whole
    result = yield from ask(trip, leg, None if deadline is None else deadline - now)
    now = (yield NOW).monotonic
    leg.ended, leg.result = now, result
    if isinstance(result, Err):
        trip.judgement.hear(leg.candidate, result.error)
    if isinstance(result, Err) or leg.first_token is None:
        outcome = "ok" if isinstance(result, Ok) else "failed"
        yield Tell(trip.routing.strategy.observe, leg.observation(outcome, trip.asked.call.stream, now))
    return result


def _objection(trip: _Trip, leg: Leg, now: float) -> str:
    """Why a candidate whose turn has come is not to be asked: one asked beside it has failed since, or time is up."""
    if trip.judgement.stopped:
        return "Another failed in a way that no other candidate helps against."
    if trip.asked.deadline is not None and now >= trip.asked.deadline:
        return "No time was left."
    return trip.judgement.objection(leg.candidate)


def _options(trip: _Trip, leg: Leg) -> Mapping[str, Any]:
    """What the client is given: the deadline too, where it keeps deadlines."""
    options, deadline = trip.asked.call.options, trip.asked.deadline
    told = deadline is not None and leg.candidate.name in trip.routing.keeping
    return {**options, "deadline": deadline} if told else options


def _whole(trip: _Trip, leg: Leg, seconds: float | None) -> Flow[Result[Any, LambdaLLMError]]:
    calls, call, options = trip.routing.calls, trip.asked.call, _options(trip, leg)
    client = trip.routing.clients[leg.candidate.name]
    result = yield Perform(lambda: calls.whole(client, call, options), seconds)
    if not isinstance(result, (Ok, Err)):
        fix = "A client's methods return Ok(completion) or Err(error)."
        raise ConfigurationError(f"{leg.candidate.name!r} answered {result!r}.", fix=fix)
    return result


def _streamed(trip: _Trip, leg: Leg, seconds: float | None) -> Flow[Result[Any, LambdaLLMError]]:
    calls, call, options = trip.routing.calls, trip.asked.call, _options(trip, leg)
    client = trip.routing.clients[leg.candidate.name]
    stream = yield Perform(lambda: calls.begin(client, call, options), seconds)
    if isinstance(stream, Err):
        return stream
    leg.stream, leg.chunks = stream, None if hasattr(stream, "completion") else []
    try:
        return (yield from _relayed(trip, leg, calls.following(stream)))
    finally:
        calls.drop(stream)


def _relayed(trip: _Trip, leg: Leg, following: Callable[[], Any]) -> Flow[Result[Any, LambdaLLMError]]:
    """Emit what a client streams. What says nothing yet is held back, so that until then another may be asked."""
    deadline, seconds = trip.asked.deadline, None
    held: list[StreamChunk] = []
    while True:
        if deadline is not None and (seconds := deadline - (yield NOW).monotonic) <= 0:
            return Err(ProviderTimeoutError("The deadline passed while the stream was read."))
        chunk = yield Perform(following, seconds)
        if isinstance(chunk, Err):
            return chunk
        if chunk is None:
            break
        if leg.chunks is not None:
            leg.chunks.append(chunk)
        held.append(chunk)
        if leg.first_token is None:
            if not _says_something(chunk):
                continue
            yield from _committed(trip, leg)
        yield Emit(tuple(held))
        held.clear()
    if held:
        yield Emit(tuple(held))
    return Ok(None)


def _says_something(chunk: StreamChunk) -> bool:
    return bool(chunk.delta or chunk.thinking or chunk.tool_calls or chunk.part is not None)


def _committed(trip: _Trip, leg: Leg) -> Flow[None]:
    """Note the first chunk that a reader is given, and tell the strategy how long it took."""
    leg.first_token = now = (yield NOW).monotonic
    yield Tell(trip.routing.strategy.observe, leg.observation("ok", True, now))
