"""Answers kept and given again: in memory, in Redis, in DynamoDB, also for questions that only mean the same.

    cache = LLMCache(max_entries=1000, max_bytes=64 * 2**20, ttl_seconds=3600)
    query = yield from queried(request, target, namespace="tenant-1")
    result = yield from cached(cache, query, lambda: chat(request, target, settings))
    result.value.cache, result.value.cost_usd           # "hit" and 0.0, the second time

`lambdallm.llm.caching.sync` has the shared caches with methods that block. A cache of one's own has `lookup` and
`store` (`LLMCacheProtocol`), or keeps bytes with `get`, `set` and `delete` (`CacheBackendProtocol`), blocking or not.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "CacheEntry": "entry",
    "CacheQuery": "key",
    "DynamoDBLLMCache": "caches",
    "LLMCache": "caches",
    "RedisLLMCache": "caches",
    "SemanticCache": "semantic",
    "SharedCache": "caches",
    "as_cache": "cache",
    "cache_key": "key",
    "cached": "flow",
    "cached_stream": "stream",
    "queried": "key",
}

__all__ = [
    "CacheEntry",
    "CacheQuery",
    "DynamoDBLLMCache",
    "LLMCache",
    "RedisLLMCache",
    "SemanticCache",
    "SharedCache",
    "as_cache",
    "cache_key",
    "cached",
    "cached_stream",
    "queried",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .cache import as_cache
    from .caches import DynamoDBLLMCache, LLMCache, RedisLLMCache, SharedCache
    from .entry import CacheEntry
    from .flow import cached
    from .key import CacheQuery, cache_key, queried
    from .semantic import SemanticCache
    from .stream import cached_stream

__getattr__, __dir__ = door(__name__, _HOMES)
