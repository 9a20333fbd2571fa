"""Stores of idempotency records: this process's memory, DynamoDB, Redis.

Each decides in one conditional operation, so that of several runs one is the first. DynamoDB reckons by the callers'
clocks, which Lambda keeps within milliseconds of one another; Redis by its own.
"""

from __future__ import annotations

from _thread import allocate_lock
from itertools import islice

from ..llm.backends.errors import BackendError, ConditionFailed
from ..llm.errors import ConfigurationError
from ..llm.flow import NOW
from ..llm.forks import renewed_in_children
from .idempotency_record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ..llm.backends import DynamoDBBackend, RedisBackend
    from ..llm.flow import Flow
    from .idempotency_record import IdempotencyStore

_MOST_RECORDS = 10_000


def idempotency_store(backend: Any) -> IdempotencyStore:
    """The store in a backend; of `None` one in memory. Raises `ConfigurationError` for what holds no records."""
    if backend is None:
        return MemoryRecords()
    if all(hasattr(backend, name) for name in ("begin", "finish", "release")):
        own: IdempotencyStore = backend
        return own
    if hasattr(backend, "table"):
        return DynamoDBRecords(backend)
    if hasattr(backend, "script"):
        return RedisRecords(backend)
    fix = "Give a DynamoDBBackend, a RedisBackend, or an object after IdempotencyStore."
    raise ConfigurationError(f"A {type(backend).__name__} keeps no idempotency records.", fix=fix)


class MemoryRecords:
    """Records in memory: for tests, and where one environment is all there is. Of very many the oldest go."""

    gives_flows: Literal[True] = True

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self.renew()
        renewed_in_children(self)

    def renew(self) -> None:
        """A new lock, in a fork."""
        self._lock = allocate_lock()

    def begin(self, key: str, record: Record) -> Flow[Record | None]:
        """See `IdempotencyStore`."""
        now = (yield NOW).wall
        with self._lock:
            known = self._records.get(key)
            if known is not None and known.counts(now) and known.owner != record.owner:
                return known
            self._records.pop(key, None)
            self._make_room(now)
            self._records[key] = record
        return None

    def _make_room(self, now: float) -> None:
        """Forget the oldest records: those whose time has passed, and of very many one."""
        for key in tuple(islice(self._records, 2)):
            if now >= self._records[key].until or len(self._records) >= _MOST_RECORDS:
                del self._records[key]

    def finish(self, key: str, record: Record) -> Flow[bool]:
        """See `IdempotencyStore`."""
        yield from ()
        with self._lock:
            known = self._records.get(key)
            if known is None or known.owner != record.owner:
                return False
            self._records[key] = record
        return True

    def release(self, key: str, owner: str) -> Flow[None]:
        """See `IdempotencyStore`."""
        yield from ()
        with self._lock:
            if (known := self._records.get(key)) is not None and known.owner == owner:
                del self._records[key]


class DynamoDBRecords:
    """Records in a table, one item each: a write to begin and a write to finish, no read."""

    gives_flows: Literal[True] = True

    def __init__(self, backend: DynamoDBBackend) -> None:
        self._table, self._prefix = backend.table, f"{backend.prefix}idempotency:"

    def begin(self, key: str, record: Record) -> Flow[Record | None]:
        """See `IdempotencyStore`. A write whose answer was lost is known by its owner."""
        now = (yield NOW).wall
        try:
            yield from self._table.put(
                self._prefix + key,
                self._item(record),
                condition="attribute_not_exists(#owner) OR #until <= :now OR #busy <= :now OR #owner = :owner",
                names={"#owner": "owner", "#until": "until", "#busy": "busy_until"},
                values={":now": now, ":owner": record.owner},
            )
        except ConditionFailed as refused:
            item = refused.item
            busy = item.get("busy_until")
            return Record(item["owner"], item["payload"], item["until"], busy, item.get("result", ""))
        return None

    def finish(self, key: str, record: Record) -> Flow[bool]:
        """See `IdempotencyStore`."""
        try:
            yield from self._table.put(
                self._prefix + key,
                self._item(record),
                condition="#owner = :owner",
                names={"#owner": "owner"},
                values={":owner": record.owner},
            )
        except ConditionFailed:
            return False
        return True

    def release(self, key: str, owner: str) -> Flow[None]:
        """See `IdempotencyStore`."""
        try:
            yield from self._table.delete(
                self._prefix + key, condition="#owner = :owner", names={"#owner": "owner"}, values={":owner": owner}
            )
        except ConditionFailed:
            return

    def _item(self, record: Record) -> dict[str, Any]:
        item = {name: getattr(record, name) for name in ("owner", "payload", "until", "busy_until", "result")}
        known = {name: value for name, value in item.items() if value is not None and value != ""}
        return {**known, self._table.ttl_name: int(record.until) + 1}

    def __repr__(self) -> str:
        return f"DynamoDBRecords({self._table!r})"


_BEGIN = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local kept = redis.call('HMGET', KEYS[1], 'owner', 'payload', 'busy_until', 'result')
local free = not kept[1] or kept[1] == ARGV[1] or (kept[3] and tonumber(kept[3]) <= now)
if not free then
  return {kept[1], kept[2], kept[3] and string.format('%.17g', kept[3] - now) or '', kept[4] or ''}
end
redis.call('DEL', KEYS[1])
local busy = string.format('%.17g', now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'payload', ARGV[2], 'busy_until', busy)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {}
"""
"""Arguments: owner, payload, the seconds for which it is busy, the milliseconds for which it is kept."""

_FINISH = """
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'busy_until')
redis.call('HSET', KEYS[1], 'result', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

_RELEASE = "if redis.call('HGET', KEYS[1], 'owner') == ARGV[1] then redis.call('DEL', KEYS[1]) end return 1"


class RedisRecords:
    """Records in a Redis server, one script an operation. Their time is the server's."""

    gives_flows: Literal[True] = True

    def __init__(self, backend: RedisBackend) -> None:
        self._backend = backend

    def begin(self, key: str, record: Record) -> Flow[Record | None]:
        """See `IdempotencyStore`. A write whose answer was lost is known by its owner."""
        now = (yield NOW).wall
        busy = (record.busy_until or now) - now
        arguments = (record.owner, record.payload, busy, _milliseconds(record.until - now))
        found = yield from self._backend.script(_BEGIN, [self._named(key)], arguments)
        if not found:
            return None
        try:
            owner, payload, left, result = (part.decode() for part in found)
            return Record(owner, payload, now + 1.0, now + float(left) if left else None, result)
        except (ValueError, AttributeError) as error:
            raise BackendError(f"Redis gave {found!r} for an idempotency record.", retryable=False) from error

    def finish(self, key: str, record: Record) -> Flow[bool]:
        """See `IdempotencyStore`."""
        now = (yield NOW).wall
        arguments = (record.owner, record.result, _milliseconds(record.until - now))
        return bool((yield from self._backend.script(_FINISH, [self._named(key)], arguments)))

    def release(self, key: str, owner: str) -> Flow[None]:
        """See `IdempotencyStore`."""
        yield from self._backend.script(_RELEASE, [self._named(key)], [owner])

    def _named(self, key: str) -> str:
        return f"idempotency:{key}"

    def __repr__(self) -> str:
        return f"RedisRecords({self._backend!r})"


def _milliseconds(seconds: float) -> int:
    return max(1, int(seconds * 1000))
