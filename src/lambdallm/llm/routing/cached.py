"""A router behind a cache: the candidates give answers to the same question, so one answer does for all of them.

The question is the request and the names of the candidates; which of them answered is not part of it.
"""

from __future__ import annotations

from ..caching.flow import cached
from ..caching.key import CacheQuery
from ..caching.stream import cached_stream
from ..flow import NOW, Emit, ReaderLeft
from ..result import Ok
from ..streaming.record import StreamRecord

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..caching.cache import AnswerCache
    from ..errors import LLMError
    from ..flow import Flow
    from ..result import Result
    from .flow import Asked
    from .record import RoutingRecord

    Route = Callable[[], Flow[Result[Any, LLMError]]]


def cached_route(
    cache: AnswerCache, names: str, asked: Asked, route: Route, record: RoutingRecord
) -> Flow[Result[Any, LLMError]]:
    """The answer from the cache, or that of `route`, kept in `record` either way."""
    query = CacheQuery(asked.request(), "router", names)
    refresh = asked.cache == "refresh"
    if not asked.call.stream:
        return (yield from cached(cache, query, route, refresh=refresh, deadline=asked.deadline))
    record.kept = kept = StreamRecord(None)
    begin = lambda: _told(route(), kept, record)  # noqa: E731
    return (yield from cached_stream(cache, query, begin, kept, refresh=refresh, deadline=asked.deadline))


def _told(flow: Flow[Result[Any, LLMError]], kept: StreamRecord, record: RoutingRecord) -> Flow[Result[None, LLMError]]:
    """A routed stream, its chunks told to the record that the cache reads."""
    outcome: Any = None
    try:
        while True:
            effect = flow.throw(outcome) if type(outcome) is ReaderLeft else flow.send(outcome)
            if type(effect) is Emit:
                if kept.first_chunk is None:
                    kept.first_chunk = (yield NOW).monotonic
                kept.add(effect.items)
            try:
                outcome = yield effect
            except ReaderLeft as left:
                outcome = left
    except StopIteration as end:
        if isinstance(end.value, Ok):
            kept.ready = record.routed_completion()
        result: Result[None, LLMError] = end.value
        return result
    finally:
        flow.close()
