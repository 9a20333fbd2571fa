"""Quotas in Redis: `quota.decide` and `quota.settled` in Lua, one script each, one round trip each.

Buckets are reckoned by the server's clock, which all environments share: one whose clock is wrong can't refill a bucket
early. A script runs alone on the server, so taking several limits is all or nothing. Each key is one hash with two
fields a limit, and goes when nothing in it matters any more.

Source: EVAL, TIME and "Scripts as atomic operations" in the Redis documentation; needs Redis 5 or later.
"""

from __future__ import annotations

from ..backends.errors import BackendError
from ..flow import NOW
from .bucket import SLACK_SECONDS, Bucket
from .quota import Receipt, Short, Taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal

    from ..backends.redis import RedisBackend
    from ..flow import Clock, Flow
    from .quota import Charge

_READ = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local function number(i) return tonumber(ARGV[i]) end
local function text(x) return string.format('%.17g', x) end
local function read(name)
  local kept = redis.call('HMGET', KEYS[1], name .. ':0', name .. ':1')
  return tonumber(kept[1] or 0), tonumber(kept[2] or 0)
end
local function keep(fields, seconds)
  redis.call('HSET', KEYS[1], unpack(fields))
  local left = redis.call('PTTL', KEYS[1])
  if left < seconds * 1000 then redis.call('PEXPIRE', KEYS[1], math.ceil(seconds * 1000)) end
end
"""

TAKE = (
    _READ
    + """
local allowed = number(1)
local fields, answer = {}, {}
local longest, short, lifetime = 0, nil, 1
for i = 2, #ARGV, 6 do
  local name, kind, amount = ARGV[i], ARGV[i + 1], number(i + 2)
  local first, second = read(name)
  local wait, fits
  if kind == 'bucket' then
    local spacing, depth = number(i + 3), number(i + 4)
    first = math.max(first, now) + amount * spacing
    wait = math.max(0, first - depth - now)
    fits = wait <= allowed
    lifetime = math.max(lifetime, depth + allowed + 1)
  else
    local window, most = number(i + 3), number(i + 4)
    if first < window then first, second = window, 0 end
    fits = second + amount <= most
    if fits then second = second + amount end
    wait = fits and 0 or number(i + 5)
    lifetime = math.max(lifetime, number(i + 5) + 1)
  end
  if not fits and (short == nil or wait > short[2]) then short = {(i - 2) / 6, wait} end
  longest = math.max(longest, wait)
  for _, field in ipairs({name .. ':0', text(first), name .. ':1', text(second)}) do table.insert(fields, field) end
  table.insert(answer, text(first))
  table.insert(answer, text(second))
end
if short then return {'short', tostring(short[1]), text(short[2])} end
keep(fields, lifetime)
return {'taken', text(longest), unpack(answer)}
"""
)
"""Arguments: the wait allowed, then for each charge its name, kind, amount and two facts of the limit, and for a window
the seconds left of it."""

SETTLE = (
    _READ
    + """
local fields, lifetime = {}, 1
for i = 1, #ARGV, 6 do
  local name, kind, more = ARGV[i], ARGV[i + 1], number(i + 2)
  local then_first, then_second = number(i + 4), number(i + 5)
  local first, second = read(name)
  if kind == 'window' then
    if first == then_first then second = math.max(0, second + more) end
  elseif more > 0 then
    first = math.max(first, now) + more * number(i + 3)
    lifetime = math.max(lifetime, first - now + 1)
  else
    local owed = math.max(0, then_first - now - math.max(0, second - then_second))
    local back = math.min(-more * number(i + 3), owed)
    first, second = first - back, second + back
  end
  for _, field in ipairs({name .. ':0', text(first), name .. ':1', text(second)}) do table.insert(fields, field) end
end
keep(fields, lifetime)
return 1
"""
)
"""Arguments: for each receipt its limit's name, kind, what was used beyond what was taken, seconds a unit, and its
state."""


class RedisQuotas:
    """Quotas by key in a Redis server. Raises `BackendError` where it fails."""

    gives_flows: Literal[True] = True

    def __init__(self, backend: RedisBackend) -> None:
        self._backend = backend

    def take(self, key: str, charges: Sequence[Charge], wait_seconds: float = 0.0) -> Flow[Taken | Short]:
        """Take all charges or none; those that need no longer wait than `wait_seconds` are taken ahead of time."""
        clock = yield NOW
        arguments: list[str | float] = [wait_seconds + SLACK_SECONDS]
        for charge in charges:
            arguments += arguments_of(charge, clock)
        answer = yield from self._backend.script(TAKE, [_hash(key)], arguments)
        return taken_or_short(key, charges, answer)

    def settle(self, taken: Taken, used: Sequence[float]) -> Flow[None]:
        """Say how much was used of each charge. It is asked once: done twice, it would give back twice."""
        arguments: list[str | float] = []
        for receipt, amount in zip(taken.receipts, used, strict=True):
            limit = receipt.charge.limit
            spacing = limit.spacing if isinstance(limit, Bucket) else 0.0
            arguments += (limit.name, limit.kind, amount - receipt.charge.amount, spacing, *receipt.state)
        if arguments:
            yield from self._backend.script(SETTLE, [_hash(taken.key)], arguments, again=False)

    def __repr__(self) -> str:
        return f"RedisQuotas({self._backend!r})"


def _hash(key: str) -> str:
    return f"quota:{key}"


def arguments_of(charge: Charge, clock: Clock) -> tuple[str | float, ...]:
    """A charge as `TAKE` is given it."""
    limit = charge.limit
    if isinstance(limit, Bucket):
        return (limit.name, limit.kind, charge.amount, limit.spacing, limit.depth, 0)
    return (limit.name, limit.kind, charge.amount, limit.number(clock.wall), limit.most, limit.left(clock.wall))


def taken_or_short(key: str, charges: Sequence[Charge], answer: list[Any]) -> Taken | Short:
    """What `TAKE` answers. Raises `BackendError` for what can't be read."""
    try:
        if answer[0] == b"short":
            return Short(charges[int(float(answer[1]))], float(answer[2]))
        numbers = [float(text) for text in answer[2:]]
        states = zip(numbers[::2], numbers[1::2], strict=True)
        receipts = (Receipt(charge, state) for charge, state in zip(charges, states, strict=True))
        return Taken(key, tuple(receipts), float(answer[1]))
    except (LookupError, ValueError, TypeError) as error:
        raise BackendError(f"Redis gave {answer!r} for a quota.", retryable=False) from error
