"""State in Redis: a journal is one hash, and each operation one Lua script, which runs alone on the server.

The hash has `first` and `last`, and each entry under its number. Its time is kept by the server's clock. One key holds
a whole journal, so a cluster may be used.

Source: EVAL and "Scripts as atomic operations" in the Redis documentation; needs Redis 5 or later.
"""

from __future__ import annotations

from ..llm.backends.errors import BackendError, ConditionFailed
from .store import Entry, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from ..llm.backends.redis import RedisBackend
    from ..llm.flow import Flow

_SHARED = """
local bounds = redis.call('HMGET', KEYS[1], 'first', 'last')
local first, last = tonumber(bounds[1] or 1), tonumber(bounds[2] or 0)
local function lives(milliseconds)
  if milliseconds == '' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], milliseconds) end
end
"""

_READ = (
    _SHARED
    + """
local from = math.max(first, tonumber(ARGV[1]) + 1)
local answer = {from}
for number = from, last do answer[#answer + 1] = redis.call('HGET', KEYS[1], number) end
return answer
"""
)
"""Arguments: the number after which to begin. Gives the first number and the entries."""

_APPEND = (
    _SHARED
    + """
if last ~= tonumber(ARGV[1]) then return 0 end
for i = 3, #ARGV do redis.call('HSET', KEYS[1], last + i - 2, ARGV[i]) end
redis.call('HSET', KEYS[1], 'first', first, 'last', last + #ARGV - 2)
lives(ARGV[2])
return 1
"""
)
"""Arguments: the number after which to add, the milliseconds it lives or nothing, the entries."""

_COMPACT = (
    _SHARED
    + """
local through = tonumber(ARGV[1])
if through < first or through > last then return 0 end
for number = first, through - 1 do redis.call('HDEL', KEYS[1], number) end
redis.call('HSET', KEYS[1], through, ARGV[3], 'first', through)
lives(ARGV[2])
return 1
"""
)
"""Arguments: the number, the milliseconds it lives or nothing, the entry."""


class RedisStateStore:
    """Journals in a Redis server, cluster or compatible store, at a URL or in a backend; see `store.StateStore`.

        RedisStateStore("rediss://:password@cache.internal:6379/0", prefix="orders:")

    Raises `BackendError` where it fails.
    """

    gives_flows: Literal[True] = True

    def __init__(
        self,
        server: str | Redis | AsyncRedis | RedisBackend,
        *,
        prefix: str = "lambdallm:",
        timeout_seconds: float = 2.0,
    ) -> None:
        from ..llm.backends.redis import RedisBackend

        if not isinstance(server, RedisBackend):
            server = RedisBackend(server, prefix=prefix, timeout_seconds=timeout_seconds)
        self._backend = server

    def read(self, key: str, after: int = 0) -> Flow[list[Entry]]:
        """The entries numbered above `after`."""
        answer = yield from self._backend.script(_READ, [key], [after])
        if not isinstance(answer, list) or not all(isinstance(data, bytes) for data in answer[1:]):
            raise BackendError(f"Redis gave {answer!r:.80} for the journal {shown(key)!r}.", retryable=False)
        return [Entry(number, data) for number, data in enumerate(answer[1:], int(answer[0]))]

    def append(self, key: str, after: int, entries: Sequence[bytes], ttl_seconds: float | None = None) -> Flow[None]:
        """Add entries after the one numbered `after`."""
        done = yield from self._backend.script(_APPEND, [key], [after, _milliseconds(ttl_seconds), *entries])
        if not done:
            raise ConditionFailed(f"The journal {shown(key)!r} does not end with entry {after}.", {})

    def compact(self, key: str, through: int, entry: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Put one entry in the place of all up to `through`."""
        done = yield from self._backend.script(_COMPACT, [key], [through, _milliseconds(ttl_seconds), entry])
        if not done:
            raise ConditionFailed(f"The journal {shown(key)!r} has no entry {through}.", {})

    def remove(self, key: str) -> Flow[None]:
        """Forget a journal."""
        yield from self._backend.remove(key)

    def close(self) -> None:
        """Close the connections made from a URL."""
        self._backend.close()

    def __repr__(self) -> str:
        return f"RedisStateStore({self._backend!r})"


def _milliseconds(seconds: float | None) -> int | str:
    return "" if seconds is None else max(1, int(seconds * 1000))
