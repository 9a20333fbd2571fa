"""The shared caches with methods that block, under the names of those that await.

from lambdallm.llm.caching.sync import RedisLLMCache
"""

from __future__ import annotations

from ..backends.adapt import as_flows
from ..drivers import shared_driver
from .answers import Answers, checked_ttl
from .cache import AnswerCache, entry_of
from .caches import COMPRESS_OVER, HOUR, closed, dynamodb_store, redis_backend
from .caches import LLMCache as LLMCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

    from ..drivers import Driver
    from ..types import Completion


class SharedCache(AnswerCache):
    """The blocking twin of `caching.SharedCache`."""

    def __init__(self, backend: Any, *, ttl_seconds: float | None = HOUR, driver: Driver | None = None) -> None:
        self.backend = as_flows(backend)
        super().__init__(Answers(self.backend, ttl_seconds=ttl_seconds, compress_over=COMPRESS_OVER))
        self._driver = driver or shared_driver()

    def lookup(self, key: str) -> Completion | None:
        """The answer of a key."""
        entry = self._driver.run(self.answers.load(key))
        return None if entry is None else entry.completion

    def store(self, key: str, completion: Completion, ttl_seconds: float | None = None) -> None:
        """Keep an answer."""
        self._driver.run(self.answers.save(key, entry_of(completion), checked_ttl(ttl_seconds)))

    def forget(self, key: str) -> None:
        """Forget a key; one that is not there is fine."""
        self._driver.run(self.answers.remove(key))

    def get(self, key: str) -> bytes | None:
        """The bytes of a key, whatever they are."""
        return self._driver.run(self.backend.load(key))

    def set(self, key: str, value: bytes, ttl_seconds: float | None = None) -> None:
        """Keep bytes."""
        self._driver.run(self.backend.save(key, value, ttl_seconds))

    def delete(self, key: str) -> None:
        """Forget a key's bytes."""
        self._driver.run(self.backend.remove(key))

    def close(self) -> None:
        """Close the connections that the cache has opened; it can be used again."""
        closed(self.backend)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class RedisLLMCache(SharedCache):
    """The blocking twin of `caching.RedisLLMCache`."""

    def __init__(
        self,
        server: Any,
        *,
        ttl_seconds: float | None = HOUR,
        prefix: str = "lambdallm:cache:",
        timeout_seconds: float = 0.5,
        driver: Driver | None = None,
    ) -> None:
        super().__init__(redis_backend(server, prefix, timeout_seconds), ttl_seconds=ttl_seconds, driver=driver)


class DynamoDBLLMCache(SharedCache):
    """The blocking twin of `caching.DynamoDBLLMCache`."""

    def __init__(
        self,
        table: str,
        *,
        ttl_seconds: float | None = HOUR,
        prefix: str = "cache:",
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 1.0,
        driver: Driver | None = None,
    ) -> None:
        store = dynamodb_store(table, prefix, region, endpoint, timeout_seconds)
        super().__init__(store, ttl_seconds=ttl_seconds, driver=driver)

    def ensure_table(self) -> Self:
        """Create the table where it is missing."""
        self._driver.run(self.backend.ensure_table())  # type: ignore[attr-defined]  # a `SplitStore`
        return self
