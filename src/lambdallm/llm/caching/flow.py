"""A call behind a cache: answered from it, or made once for everybody who asks for the same at the same time.

What is stored is a whole good answer: not an error, not what a filter stopped, not a stream that was left or broke.
A leader that fails for a passing reason, or is given up, is followed by another one: one, not all who waited. An error
that says the request is wrong is everybody's; one that says something of the leader's account is its own. Who would
wait beyond its deadline, or for a stream whose reader stands still, makes a call of its own.
"""

from __future__ import annotations

from ..errors import InvalidRequestError, LLMContentFilterError, LLMError, TokenLimitError
from ..flow import NOW, Await
from ..pricing.cost import total
from ..result import Err, Ok
from .cache import entry_of
from .entry import CacheEntry
from .flights import Flight

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ..flow import Flow
    from ..result import Result
    from ..types import Completion
    from .cache import AnswerCache, Finding
    from .flights import Source
    from .key import CacheQuery

    Call = Callable[[], Flow[Result[Completion, LLMError]]]

_MOST_FAILURES = 2
"""Who has seen so many leaders fail takes their error: those who wait would else fail one after another for hours."""
PATIENCE_SECONDS = 0.25
"""How long to wait for the reader of a stream to ask for more, before a call of one's own is the better way."""
_OF_THE_REQUEST = (InvalidRequestError, LLMContentFilterError, TokenLimitError)
_GOOD = (None, "stop", "length", "tool_calls")


def cached(
    cache: AnswerCache,
    query: CacheQuery,
    call: Call,
    *,
    refresh: bool = False,
    ttl_seconds: float | None = None,
    deadline: float | None = None,
) -> Flow[Result[Completion, LLMError]]:
    """The answer from the cache, or that of `call`, which is then stored for `ttl_seconds` or the cache's own time.

    With `refresh` nothing is looked up, and what was stored is replaced. `deadline` is a reading of the monotonic clock
    up to which somebody else's call is waited for. An answer without a call of its own says so in `cache`, and costs
    nothing; its usage is that of the call that was made.
    """
    begun = (yield NOW).monotonic
    key = flight_key(query, refresh)
    failures = 0
    while True:
        flight, leads = cache.flights.join(key)
        if leads:
            break
        landed = yield from landed_at_end(flight, deadline)
        if landed and isinstance(flight.outcome, CacheEntry):
            return Ok(reused(flight.outcome, flight.source, begun, (yield NOW).monotonic, flight.similarity))
        failures += isinstance(flight.outcome, LLMError)
        step = next_step(flight, landed, failures)
        if isinstance(step, LLMError):
            return Err(shared_error(step))
        if step == "alone":
            key, flight = "", Flight()
            break
    try:
        return (yield from _led(cache, flight, query, call, begun, refresh, ttl_seconds))
    finally:
        cache.flights.leave(key, flight)


def _led(
    cache: AnswerCache,
    flight: Flight,
    query: CacheQuery,
    call: Call,
    begun: float,
    refresh: bool,
    ttl_seconds: float | None,
) -> Flow[Result[Completion, LLMError]]:
    """The answer for oneself and whoever follows."""
    finding = None if refresh else (yield from cache.found(query))
    if finding is not None and finding.entry is not None:
        tell_finding(flight, finding)
        now = (yield NOW).monotonic
        return Ok(reused(finding.entry, finding.source, begun, now, finding.similarity, finding.surcharge_usd))
    result = yield from call()
    if isinstance(result, Err):
        flight.end(result.error)
        return Err(surcharged_error(result.error, finding))
    entry = entry_of(result.value)
    flight.end(entry)
    if is_storable(result.value):
        yield from cache.keep(query, entry, ttl_seconds, finding)
    if finding is None or finding.surcharge_usd == 0.0:
        return result
    return Ok(result.value.replace(cost_usd=total((result.value.cost_usd, finding.surcharge_usd))))


def landed_at_end(flight: Flight, deadline: float | None) -> Flow[bool]:
    """Wait for the end of somebody else's call; false where that would take too long."""
    while not flight.ended:
        if not (yield from moved(flight, len(flight.chunks), deadline)):
            return False
    return True


def moved(flight: Flight, seen: int, deadline: float | None, patience: float = PATIENCE_SECONDS) -> Flow[bool]:
    """Wait for more than `seen` chunks, or the end; false at the deadline, or where its reader holds it up too long."""
    while (signal := flight.news(seen)) is not None:
        now = (yield NOW).monotonic
        held = flight.held
        limits = [patience] if held else []
        if deadline is not None:
            limits.append(max(deadline - now, 0.0))
        try:
            yield Await((signal,), min(limits, default=None))
        finally:
            flight.forget(signal)
        late = deadline is not None and now >= deadline
        if not signal.fired and (late or (held and flight.held)):
            return False
    return True


def flight_key(query: CacheQuery, refresh: bool) -> str:
    """What calls are shared by: who wants a fresh answer does not follow those who take a stored one."""
    return f"{query.key}:fresh" if refresh else query.key


def next_step(flight: Flight, landed: bool, failures: int) -> Literal["again", "alone"] | LLMError:
    """What a follower does that got no answer: ask again who leads, call alone, or take the leader's error."""
    error = flight.outcome
    if not landed:
        return "alone"
    if not isinstance(error, LLMError):
        return "again"
    if isinstance(error, _OF_THE_REQUEST) or (error.retryable and failures >= _MOST_FAILURES):
        return error
    return "again" if error.retryable else "alone"


def is_storable(answer: Completion) -> bool:
    """Whether an answer is whole and good: it says something, and ended by itself, at its limit, or for tools."""
    choices = answer.choices
    return bool(choices) and all(choice.finish_reason in _GOOD and choice.message.parts for choice in choices)


def tell_finding(flight: Flight, finding: Finding) -> None:
    """Give those who follow what was found."""
    flight.source, flight.similarity = finding.source, finding.similarity
    flight.end(finding.entry)


def reused(
    entry: CacheEntry,
    source: Source,
    begun: float,
    now: float,
    similarity: float | None = None,
    cost_usd: float | None = 0.0,
) -> Completion:
    """A stored or shared answer as the answer to this call."""
    answer = entry.completion
    metadata = answer.metadata
    if similarity is not None:
        metadata = {**metadata, "semantic_cache": {"similarity": similarity}}
    return answer.replace(
        cost_usd=cost_usd, cache=source, latency_ms=(now - begun) * 1000, attempts=0, metadata=metadata
    )


def shared_error(error: LLMError) -> LLMError:
    """A leader's error for one of its followers, who used nothing and paid nothing: a copy, as each is raised apart."""
    from copy import copy

    try:
        same = copy(error)
    except TypeError:  # an error class of somebody's own, with a constructor of its own
        return error
    same.usage, same.cost_usd, same.attempts, same.sent = None, 0.0, 0, False
    same.__cause__ = error
    return same


def surcharged_error(error: LLMError, finding: Finding | None) -> LLMError:
    """The error, with what looking for an answer cost where both are known."""
    if finding is not None and finding.surcharge_usd and error.cost_usd is not None:
        error.cost_usd += finding.surcharge_usd
    return error
