"""Which store of usage a name means.

memory                        this process's memory
sqlite, sqlite:usage.db       a file, `.lambdallm/usage.db` unless named
redis://…, rediss://…         a Redis server
dynamodb, dynamodb:my-table   a table, `lambdallm-usage` unless named
"""

from __future__ import annotations

from ...llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .store import UsageStore


def usage_store(place: str, *, keep_days: int = 400) -> UsageStore:
    """The store; what it counts is kept for `keep_days`. Raises `ConfigurationError`."""
    kind, _, rest = place.partition(":")
    if place == "memory":
        from .memory import MemoryUsage

        return MemoryUsage(keep_days=keep_days)
    if kind == "sqlite":
        from .sqlite import SqliteUsage

        return SqliteUsage(rest or ".lambdallm/usage.db", keep_days=keep_days)
    if kind in ("redis", "rediss") and rest:
        from ...llm.backends.redis import RedisBackend
        from .redis import RedisUsage

        return RedisUsage(RedisBackend(place, timeout_seconds=2.0), keep_days=keep_days)
    if kind == "dynamodb":
        from .dynamodb import DynamoDBUsage

        return DynamoDBUsage(rest or "lambdallm-usage", keep_days=keep_days)
    from ...transport.types import redact_url

    shown = redact_url(place) if "://" in place else place
    fix = "Use 'memory', 'sqlite:path', 'redis://host:6379/0' or 'dynamodb:table'."
    raise ConfigurationError(f"The store of usage is {shown!r}.", fix=fix)
