"""A stream behind a cache: replayed from it, followed while somebody else reads the same, or made and then stored.

A replay has the chunks as they once came, without the waits between them; an answer that was never streamed is cut
into one chunk a part. Who follows a stream gets its chunks as its leader's reader does, at a pace of its own. A
follower that has handed something on can't start over: where the leader fails or leaves, its stream breaks off too.
"""

from __future__ import annotations

from ..errors import LLMError, StreamError
from ..flow import NOW, Emit, ReaderLeft
from ..pipeline import broken_off
from ..result import Err, Ok
from ..streaming.accumulator import as_chunks
from .cache import entry_of
from .entry import CacheEntry
from .flights import Flight
from .flow import (
    PATIENCE_SECONDS,
    flight_key,
    is_storable,
    landed_at_end,
    moved,
    next_step,
    reused,
    shared_error,
    surcharged_error,
    tell_finding,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..flow import Flow
    from ..result import Result
    from ..streaming.record import StreamRecord
    from ..types import StreamChunk
    from .cache import AnswerCache
    from .key import CacheQuery

    Begin = Callable[[], Flow[Result[None, LLMError]]]

_LONGEST_STALL_SECONDS = 60.0
"""How long to wait for a stream one is in the middle of, while the reader it belongs to does not ask for more."""


def cached_stream(
    cache: AnswerCache,
    query: CacheQuery,
    begin: Begin,
    record: StreamRecord,
    *,
    refresh: bool = False,
    ttl_seconds: float | None = None,
    deadline: float | None = None,
) -> Flow[Result[None, LLMError]]:
    """The answer piece by piece from the cache, or that of `begin`, whose flow emits chunks and keeps them in `record`.

    The other arguments are as in `flow.cached`; what came without a call of its own says so in the record's completion.
    """
    record.begun = (yield NOW).monotonic
    key = flight_key(query, refresh)
    failures = 0
    while True:
        flight, leads = cache.flights.join(key)
        if leads:
            break
        wait = _followed(flight, record, deadline) if cache.follows_streams else landed_at_end(flight, deadline)
        landed = yield from wait
        if landed and isinstance(flight.outcome, CacheEntry):
            return (yield from _replayed(flight.outcome, flight, record))
        failures += isinstance(flight.outcome, LLMError)
        step = next_step(flight, landed, failures)
        if record.first_chunk is not None or isinstance(step, LLMError):
            return Err(_broken(flight, landed, record))
        if step == "alone":
            key, flight = "", Flight()
            break
    try:
        return (yield from _led(cache, flight, query, begin, record, refresh, ttl_seconds))
    finally:
        cache.flights.leave(key, flight)


def _led(
    cache: AnswerCache,
    flight: Flight,
    query: CacheQuery,
    begin: Begin,
    record: StreamRecord,
    refresh: bool,
    ttl_seconds: float | None,
) -> Flow[Result[None, LLMError]]:
    """The stream for oneself and whoever follows."""
    finding = None if refresh else (yield from cache.found(query))
    if finding is not None and finding.entry is not None:
        tell_finding(flight, finding)
        return (yield from _replayed(finding.entry, flight, record, finding.surcharge_usd))
    if finding is not None:
        record.surcharge_usd = finding.surcharge_usd
    result = yield from _told(begin(), flight)
    if isinstance(result, Err):
        flight.end(result.error)
        return Err(surcharged_error(result.error, finding))
    answer = record.completion()
    entry = entry_of(answer).replace(chunks=tuple(flight.chunks))
    flight.end(entry)
    if is_storable(answer):
        yield from cache.keep(query, entry, ttl_seconds, finding)
    return result


def _told(flow: Flow[Result[None, LLMError]], flight: Flight) -> Flow[Result[None, LLMError]]:
    """A stream's flow as it is, its chunks told to those who follow; that its reader left, the flow hears too."""
    outcome: Any = None
    try:
        while True:
            effect = flow.throw(outcome) if type(outcome) is ReaderLeft else flow.send(outcome)
            if told := type(effect) is Emit:
                flight.put(effect.items)
            try:
                outcome = yield effect
            except ReaderLeft as left:
                outcome = left
            if told:
                flight.held = False
    except StopIteration as stop:
        result: Result[None, LLMError] = stop.value
        return result
    finally:
        flow.close()


def _followed(flight: Flight, record: StreamRecord, deadline: float | None) -> Flow[bool]:
    """Hand on what a leader hands on; false where its end would take too long.

    Nothing is begun while the leader's reader stands still: it may be one that reads this stream too, in turns.
    """
    seen = 0
    if flight.held and not (yield from moved(flight, len(flight.chunks), deadline)):
        return False
    while True:
        patience = _LONGEST_STALL_SECONDS if seen else PATIENCE_SECONDS
        if not (yield from moved(flight, seen, deadline, patience)):
            return False
        fresh = flight.chunks[seen:]
        if not fresh:
            return True
        seen += len(fresh)
        record.cache = "shared"
        yield from _handed_on(fresh, record)


def _handed_on(chunks: Sequence[StreamChunk], record: StreamRecord) -> Flow[None]:
    if record.first_chunk is None:
        record.first_chunk = (yield NOW).monotonic
    record.add(chunks)
    yield Emit(chunks)


def _replayed(
    entry: CacheEntry, flight: Flight, record: StreamRecord, cost_usd: float | None = 0.0
) -> Flow[Result[None, LLMError]]:
    """What is left of an answer, and the answer itself for the record."""
    record.ended = (yield NOW).monotonic
    answer = reused(entry, flight.source, record.begun, record.ended, flight.similarity, cost_usd)
    if record.first_chunk is None:
        answer = answer.replace(time_to_first_token_ms=answer.latency_ms)
        record.ready = answer
        yield from _handed_on(as_chunks(entry.completion) if entry.chunks is None else entry.chunks, record)
    record.ready = answer
    return Ok(None)


def _broken(flight: Flight, landed: bool, record: StreamRecord) -> LLMError:
    """What a follower's stream ends with where its leader's did not end well."""
    if landed and isinstance(flight.outcome, LLMError):
        return record.explained(broken_off(shared_error(flight.outcome), record))
    why = "was left by its first reader" if landed else "stands still"
    return record.explained(StreamError(f"The stream that is shared with other readers {why}.", attempts=0))
