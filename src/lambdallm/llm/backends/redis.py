"""Redis behind flows. The one module that names redis; the package is imported by the first call.

Made from a URL, its connections belong to no event loop: they are redis-py's blocking ones, in worker threads where a
loop runs, so that warm invocations with a loop each share them. A client of one's own is used as it is; an asynchronous
one gets a pool for every further loop, since its connections die with the loop that opened them.

Every command is bounded by `timeout_seconds`, redis-py's own retries are off, and a connection that the server has
closed meanwhile is opened again once. Raises `BackendError`.
"""

from __future__ import annotations

from ..._hooks import kept_out_of_snapshots
from ..errors import ConfigurationError, LambdaLLMError, MissingExtraError
from ..flow import Perform
from ..result import Err, Ok
from .aside import aside, loop_runs_here
from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis

    from ..flow import Flow
    from ..rate_limiting.redis import RedisQuotas
    from ..result import Result


class RedisBackend:
    """A Redis server, cluster or compatible store (Valkey, ElastiCache, MemoryDB), at a URL or behind a client.

        RedisBackend("rediss://:password@cache.internal:6379/0", prefix="orders:")

    Keys begin with `prefix`. A client must give bytes (`decode_responses=False`, redis-py's default) and brings its own
    time limits. Safe to share between threads, event loops and forks.
    """

    gives_flows: Literal[True] = True

    def __init__(
        self, server: str | Redis | AsyncRedis, *, prefix: str = "lambdallm:", timeout_seconds: float = 0.5
    ) -> None:
        self.prefix, self.timeout_seconds = prefix, timeout_seconds
        self._url = server if isinstance(server, str) else None
        self._client: Any = None if isinstance(server, str) else _checked(server)
        self._awaits = hasattr(self._client, "__aenter__")
        self._by_loop: dict[AbstractEventLoop, Any] = {}
        self._first_loop_seen = False
        kept_out_of_snapshots(self)

    def load(self, key: str) -> Flow[bytes | None]:
        """What is kept under a key; `None` where nothing is, or its time has passed."""
        value: bytes | None = yield from self.command("GET", self.prefix + key)
        return value

    def save(self, key: str, value: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Keep a value, for `ttl_seconds` where given, in steps of a millisecond."""
        expiry = () if ttl_seconds is None else ("PX", max(1, int(ttl_seconds * 1000)))
        yield from self.command("SET", self.prefix + key, value, *expiry)

    def remove(self, key: str) -> Flow[None]:
        """Forget a key; one that is not there is fine."""
        yield from self.command("DEL", self.prefix + key)

    def command(self, *words: str | bytes | float, again: bool = True) -> Flow[Any]:
        """One command's answer. Where the connection was lost it is sent once more, unless `again` is false."""
        outcome = yield from self._sent(words)
        if again and isinstance(outcome, Err) and _is_lost(outcome.error):
            outcome = yield from self._sent(words)
        if isinstance(outcome, Err):
            raise self._as_backend_error(outcome.error) from outcome.error
        return outcome.value

    def script(
        self, source: str, keys: Sequence[str], arguments: Sequence[str | bytes | float], again: bool = True
    ) -> Flow[Any]:
        """What a Lua script answers: one round trip once the server knows the script. Keys are given without prefix."""
        from hashlib import sha1

        rest = (len(keys), *(self.prefix + key for key in keys), *arguments)
        try:
            digest = sha1(source.encode(), usedforsecurity=False).hexdigest()
            return (yield from self.command("EVALSHA", digest, *rest, again=again))
        except BackendError as error:
            if error.code != "NOSCRIPT":
                raise
        return (yield from self.command("EVAL", source, *rest, again=again))

    def quotas(self) -> RedisQuotas:
        """The quotas kept in it, for `RateLimiter`."""
        from ..rate_limiting.redis import RedisQuotas

        return RedisQuotas(self)

    def close(self) -> None:
        """Close the connections made from the URL; a client of one's own is its owner's to close."""
        if self._url is not None and self._client is not None:
            self._client.close()

    def forget(self) -> None:
        """Close the connections; the client opens others. Those of an asynchronous client belong to its loop."""
        pool = None if self._awaits else getattr(self._client, "connection_pool", None)
        if pool is not None:
            pool.disconnect()

    def _sent(self, words: Sequence[str | bytes | float]) -> Flow[Result[Any, Exception]]:
        if not self._awaits:
            return (yield from aside(lambda: self._blocking().execute_command(*words), self.timeout_seconds * 2))
        if not loop_runs_here():
            fix = "Give RedisBackend a URL or a redis.Redis, or use the asynchronous client."
            raise ConfigurationError("A redis.asyncio client needs an event loop, and none runs here.", fix=fix)
        outcome: Result[Any, Exception] = yield Perform(
            lambda: _settled(self._of_loop, words), self.timeout_seconds * 2
        )
        return outcome

    def _blocking(self) -> Any:
        if self._client is None:
            self._client = _connected(str(self._url), self.timeout_seconds)
        return self._client

    def _of_loop(self) -> Any:
        """The client of one's own for the first event loop, one like it for each further loop that is running."""
        from asyncio import get_running_loop

        loop = get_running_loop()
        if loop not in self._by_loop:
            client = _like(self._client) if self._first_loop_seen else self._client
            self._first_loop_seen = True
            self._by_loop = {other: kept for other, kept in self._by_loop.items() if not other.is_closed()}
            self._by_loop[loop] = client
        return self._by_loop[loop]

    def _as_backend_error(self, error: Exception) -> LambdaLLMError:
        if isinstance(error, LambdaLLMError):
            return error
        words = str(error).rstrip(".")
        code = words.partition(" ")[0]
        code = code if code.isupper() else type(error).__name__
        if type(error).__name__ == "NoScriptError":
            code = "NOSCRIPT"
        return BackendError(f"Redis{_at(self._url)} failed: {words} ({type(error).__name__}).", code=code)


def _connected(url: str, seconds: float) -> Redis:
    """A blocking client that waits no longer than it was told, and leaves trying again to this module."""
    try:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as error:
        raise MissingExtraError("A Redis backend", "redis") from error
    try:
        return Redis.from_url(
            url, socket_timeout=seconds, socket_connect_timeout=seconds, socket_keepalive=True,
            retry=Retry(NoBackoff(), 0), decode_responses=False,
        )  # fmt: skip
    except ValueError as error:
        fix = "Write it like redis://host:6379/0, rediss:// for TLS."
        raise ConfigurationError(f"The Redis URL{_at(url)} can't be read: {error}", fix=fix) from error


def _checked(client: Any) -> Any:
    """The client, if it gives bytes. Raises `ConfigurationError`."""
    if not callable(getattr(client, "execute_command", None)):
        fix = "Give a URL, a redis.Redis or a redis.asyncio.Redis."
        raise ConfigurationError(f"{client!r} is no Redis client.", fix=fix)
    pool = getattr(client, "connection_pool", None)
    if getattr(pool, "connection_kwargs", {}).get("decode_responses"):
        raise ConfigurationError("The Redis client gives text.", fix="Make it without decode_responses=True.")
    return client


def _like(client: Any) -> Any:
    """An asynchronous client with the same settings and connections of its own."""
    pool = client.connection_pool
    return type(client)(connection_pool=type(pool)(connection_class=pool.connection_class, **pool.connection_kwargs))


async def _settled(client: Callable[[], Any], words: Sequence[str | bytes | float]) -> Result[Any, Exception]:
    try:
        return Ok(await client().execute_command(*words))
    except Exception as error:  # noqa: BLE001  # redis-py's own tree, mapped in one place
        return Err(error)


def _is_lost(error: Exception) -> bool:
    """Whether the connection broke, as one does that a frozen environment kept; a wait that ran out is none."""
    lost = isinstance(error, OSError) and not isinstance(error, TimeoutError)
    return lost or type(error).__name__ == "ConnectionError"


def _at(url: str | None) -> str:
    """Where the server is, without its password."""
    from ...transport.types import redact_url

    if not url:
        return ""
    shown = redact_url(url) if "://" in url else url.rpartition("@")[2]
    return f" at {shown.partition('?')[0]}"
