"""The caches by where they keep answers, for those who await; `caching.sync` has those that block.

A client takes either: it uses the flows, which are the same. The methods are for looking in and cleaning up by hand;
where the store fails, they raise `BackendError`, while a client's call goes on without its cache.
"""

from __future__ import annotations

from ..backends.adapt import as_flows
from .answers import Answers, checked_ttl
from .cache import AnswerCache, entry_of
from .memory import MemoryStore
from .split import SplitStore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from ..drivers import AsyncDriver, Driver
    from ..types import Completion

HOUR = 3600.0
"""How long an answer lives where nothing else is said."""
COMPRESS_OVER = 2048
"""Bytes of JSON. Below that, compressing saves less than a packet or a write unit."""


class LLMCache(AnswerCache):
    """Answers in this process's memory; the least recently used make room.

        cache = LLMCache(max_entries=1000, max_bytes=64 * 2**20, ttl_seconds=3600)

    At most `max_entries` of together at most `max_bytes`, keys included; each for `ttl_seconds`, `None` being for ever.
    In Lambda it lives as long as its environment. Safe to share between threads and event loops; its methods never
    wait. Raises `ConfigurationError` for a bound below 1.
    """

    def __init__(
        self,
        max_entries: int | None = 1000,
        max_bytes: int | None = 64 * 2**20,
        ttl_seconds: float | None = HOUR,
    ) -> None:
        self.memory = MemoryStore(max_entries, max_bytes)
        super().__init__(Answers(self.memory, ttl_seconds=ttl_seconds))

    def lookup(self, key: str) -> Completion | None:
        """The answer of a key."""
        entry = _driver().run(self.answers.load(key))
        return None if entry is None else entry.completion

    def store(self, key: str, completion: Completion, ttl_seconds: float | None = None) -> None:
        """Keep an answer."""
        _driver().run(self.answers.save(key, entry_of(completion), checked_ttl(ttl_seconds)))

    def forget(self, key: str) -> None:
        """Forget a key; one that is not there is fine."""
        self.memory.delete(key)

    def clear(self) -> None:
        """Forget everything."""
        self.memory.clear()

    def __len__(self) -> int:
        return len(self.memory)

    @property
    def size_bytes(self) -> int:
        """What is held, with its keys."""
        return self.memory.size_bytes

    @property
    def evictions(self) -> int:
        """How many answers have made room for others."""
        return self.memory.evictions


class SharedCache(AnswerCache):
    """A cache over a store that several processes share. Its own methods await.

    `backend` is a backend of ours or an object with `get(key)`, `set(key, value, ttl_seconds)` and `delete(key)` for
    bytes, blocking or asynchronous.
    """

    def __init__(self, backend: Any, *, ttl_seconds: float | None = HOUR, driver: AsyncDriver | None = None) -> None:
        self.backend = as_flows(backend)
        super().__init__(Answers(self.backend, ttl_seconds=ttl_seconds, compress_over=COMPRESS_OVER))
        self._driver = driver or _async_driver()

    async def lookup(self, key: str) -> Completion | None:
        """The answer of a key."""
        entry = await self._driver.run(self.answers.load(key))
        return None if entry is None else entry.completion

    async def store(self, key: str, completion: Completion, ttl_seconds: float | None = None) -> None:
        """Keep an answer."""
        await self._driver.run(self.answers.save(key, entry_of(completion), checked_ttl(ttl_seconds)))

    async def forget(self, key: str) -> None:
        """Forget a key; one that is not there is fine."""
        await self._driver.run(self.answers.remove(key))

    async def get(self, key: str) -> bytes | None:
        """The bytes of a key, whatever they are."""
        return await self._driver.run(self.backend.load(key))

    async def set(self, key: str, value: bytes, ttl_seconds: float | None = None) -> None:
        """Keep bytes."""
        await self._driver.run(self.backend.save(key, value, ttl_seconds))

    async def delete(self, key: str) -> None:
        """Forget a key's bytes."""
        await self._driver.run(self.backend.remove(key))

    async def close(self) -> None:
        """Close the connections that the cache has opened; it can be used again."""
        closed(self.backend)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


class RedisLLMCache(SharedCache):
    """Answers in Redis (extra `redis`), shared by all functions that reach it.

        cache = RedisLLMCache("rediss://cache.internal:6379/0", ttl_seconds=86_400)

    `server` is a URL or a client, keys begin with `prefix`. A server that does not answer within `timeout_seconds` is
    done without for a while. It evicts by the server's `maxmemory-policy`; `allkeys-lru` suits a cache.
    """

    def __init__(
        self,
        server: Any,
        *,
        ttl_seconds: float | None = HOUR,
        prefix: str = "lambdallm:cache:",
        timeout_seconds: float = 0.5,
        driver: AsyncDriver | None = None,
    ) -> None:
        super().__init__(redis_backend(server, prefix, timeout_seconds), ttl_seconds=ttl_seconds, driver=driver)


class DynamoDBLLMCache(SharedCache):
    """Answers in a DynamoDB table with the partition key `pk` and TTL on `expires_at`: nothing to run, no VPC.

        cache = DynamoDBLLMCache("lambdallm")

    Answers larger than an item are compressed, then split over several. `await cache.ensure_table()` creates the table,
    for development.
    """

    def __init__(
        self,
        table: str,
        *,
        ttl_seconds: float | None = HOUR,
        prefix: str = "cache:",
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 1.0,
        driver: AsyncDriver | None = None,
    ) -> None:
        store = dynamodb_store(table, prefix, region, endpoint, timeout_seconds)
        super().__init__(store, ttl_seconds=ttl_seconds, driver=driver)

    async def ensure_table(self) -> Self:
        """Create the table where it is missing."""
        await self._driver.run(self.backend.ensure_table())  # type: ignore[attr-defined]  # a `SplitStore`
        return self


def closed(backend: Any) -> None:
    """Close a backend's connections, where it has any of its own."""
    close = getattr(backend, "close", None)
    if close is not None:
        close()


def redis_backend(server: Any, prefix: str, timeout_seconds: float) -> Any:
    """The Redis backend of a cache."""
    from ..backends.redis import RedisBackend

    if isinstance(server, RedisBackend):
        return server
    return RedisBackend(server, prefix=prefix, timeout_seconds=timeout_seconds)


def dynamodb_store(
    table: str, prefix: str, region: str | None, endpoint: str | None, timeout_seconds: float
) -> SplitStore:
    """The DynamoDB backend of a cache, for values of any size."""
    from ..backends.dynamodb import MOST_ITEM_BYTES, DynamoDBBackend

    backend = DynamoDBBackend(table, region=region, endpoint=endpoint, prefix=prefix, timeout_seconds=timeout_seconds)
    return SplitStore(backend, most_bytes=MOST_ITEM_BYTES - _ITEM_OVERHEAD)


_ITEM_OVERHEAD = 4096
"""Room for an item's key (at most 2 KB), times and attribute names."""


def _driver() -> Driver:
    from ..drivers import shared_driver

    return shared_driver()


def _async_driver() -> AsyncDriver:
    from ..drivers import shared_async_driver

    return shared_async_driver()
