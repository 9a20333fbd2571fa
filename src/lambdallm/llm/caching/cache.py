"""What every cache of answers is to the flows that use it: finding, keeping, and the calls under way.

The kinds differ in where answers are kept. An object of somebody's own becomes one of these by `as_cache`.
"""

from __future__ import annotations

from ..backends.adapt import as_flows, called
from ..errors import ConfigurationError
from .answers import Answers, FailOpen
from .entry import CacheEntry
from .flights import Flights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..flow import Flow
    from ..types import Completion
    from .flights import Source
    from .key import CacheQuery


class Finding:
    """What looking for an answer gave: an `entry`, or none.

    `source` and `similarity` are as in `Flight`. `surcharge_usd` is what looking cost, `None` where that is unknown;
    `vector` is what a semantic cache made of the question.
    """

    __slots__ = ("entry", "similarity", "source", "surcharge_usd", "vector")

    def __init__(self, entry: CacheEntry | None = None) -> None:
        self.entry = entry
        self.source: Source = "hit"
        self.similarity: float | None = None
        self.surcharge_usd: float | None = 0.0
        self.vector: Any = None


class AnswerCache:
    """A cache over `answers`, whose flows are `load`, `save` and `remove` of entries."""

    follows_streams = False
    """Whether who asks for a stream that is under way gets its chunks as they come, not at its end. Set it where the
    first chunk's time matters more than that a stream may break off because its first reader left."""

    def __init__(self, answers: Any) -> None:
        self.answers = answers
        self.flights = Flights()
        self.kept = FailOpen(answers)

    def found(self, query: CacheQuery) -> Flow[Finding]:
        """The answer to a query, where there is one. A store that is down has none, and says so in the log."""
        return Finding((yield from self.kept.load(query.key)))

    def keep(
        self, query: CacheQuery, entry: CacheEntry, ttl_seconds: float | None, _finding: Finding | None = None
    ) -> Flow[None]:
        """Keep the answer to a query, for so many seconds or the cache's own time."""
        yield from self.kept.save(query.key, entry, ttl_seconds)


class ForeignAnswers:
    """Answers in an object of somebody's own, with `lookup` and `store` of `LLMCacheProtocol`, blocking or not."""

    def __init__(self, cache: Any, timeout_seconds: float = 1.0) -> None:
        self._cache, self._seconds = cache, timeout_seconds

    def load(self, key: str) -> Flow[CacheEntry | None]:
        """The answer of a key."""
        from ..types import Completion

        answer: Any = yield from called(self._cache.lookup, key, seconds=self._seconds)
        if answer is None or isinstance(answer, Completion):
            return None if answer is None else CacheEntry(answer)
        fix = "Return a Completion, or None."
        raise ConfigurationError(f"{self._cache!r} has {answer!r} for {key!r}.", fix=fix)

    def save(self, key: str, entry: CacheEntry, ttl_seconds: float | None = None) -> Flow[None]:
        """Keep an answer; how it was streamed is not kept."""
        yield from called(self._cache.store, key, entry.completion, ttl_seconds, seconds=self._seconds)


def as_cache(given: Any) -> AnswerCache:
    """A cache for the flows: one of ours, an `LLMCacheProtocol` or a `CacheBackendProtocol` of somebody's own.

    Raises `ConfigurationError` for an object that is none of them.
    """
    if isinstance(given, AnswerCache):
        return given
    if callable(getattr(given, "lookup", None)) and callable(getattr(given, "store", None)):
        return AnswerCache(ForeignAnswers(given))
    try:
        return AnswerCache(Answers(as_flows(given)))
    except ConfigurationError:
        fix = "Give it lookup(key) and store(key, completion, ttl_seconds), or get, set and delete for bytes."
        raise ConfigurationError(f"{given!r} is no cache.", fix=fix) from None


def entry_of(completion: Completion) -> CacheEntry:
    """An answer as it is stored: without what belongs to the call that made it alone."""
    return CacheEntry(
        completion.replace(latency_ms=None, time_to_first_token_ms=None, attempts=1, cache=None, routing=None)
    )
