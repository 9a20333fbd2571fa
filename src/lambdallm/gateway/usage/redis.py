"""Usage in Redis: a key's account is one hash, a day's counts another; each operation one script, which runs alone.

The scripts are those of `llm.rate_limiting.redis` with a hold around them: buckets are reckoned by the server's clock.
A call's end is two scripts, its account's and its day's, since in a cluster they may be on different servers.
"""

from __future__ import annotations

import json

from ...llm.backends.errors import BackendError
from ...llm.flow import NOW
from ...llm.rate_limiting.bucket import SLACK_SECONDS, Bucket
from ...llm.rate_limiting.redis import SETTLE, TAKE, arguments_of, taken_or_short
from .dates import days_between
from .hold import HOLD, due, holds_in, states_in, written
from .rows import Row
from .store import Account

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, Literal

    from ...llm.backends.redis import RedisBackend
    from ...llm.flow import Flow
    from ...llm.rate_limiting.quota import Charge, Short, Taken
    from .hold import Due, Hold, Settlement

_RESERVE = (
    f"local function take(ARGV)\n{TAKE}\nend\n"
    + """
local hold = ARGV[1]
if redis.call('HEXISTS', KEYS[1], hold) == 1 then
  local answer = {'taken', '0'}
  for i = 5, #ARGV, 6 do
    for _, part in ipairs({':0', ':1'}) do
      table.insert(answer, redis.call('HGET', KEYS[1], ARGV[i] .. part) or '0')
    end
  end
  return answer
end
local answer = {'taken', '0'}
if #ARGV > 4 then answer = take({unpack(ARGV, 4)}) end
if answer[1] == 'taken' then
  redis.call('HSET', KEYS[1], hold, ARGV[2])
  if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
end
return answer
"""
)
"""Arguments: the hold's field, its text and milliseconds to keep it; then what taking from limits needs."""

_RELEASE = (
    f"local function settle(ARGV)\n{SETTLE}\nend\n"
    + """
local present = redis.call('HDEL', KEYS[1], ARGV[1])
if present == 0 and ARGV[2] == '0' then return 0 end
local first, last = 4, 3 + tonumber(ARGV[3])
if present == 0 then first, last = last + 1, #ARGV end
if last >= first then settle({unpack(ARGV, first, last)}) end
return 2 - present
"""
)
"""Arguments: the hold's field; whether to go on without it; how many arguments follow for settling with it; those, and
those for settling without. Gives 0 for nothing done, 1 for a hold let go, 2 for one that was gone."""

_COUNT = """
for i = 2, #ARGV, 2 do redis.call('HINCRBYFLOAT', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return 1
"""
"""Arguments: seconds to keep the day, then fields and numbers."""

_LOST_SECONDS = 86400
"""How long a hold is kept beyond its time, for somebody to find that its call was lost."""


class RedisUsage:
    """A store of usage in a Redis server or cluster; see `store.UsageStore`. Days are kept for `keep_days`.

    RedisUsage(RedisBackend("redis://cache.internal:6379/0"))
    """

    gives_flows: Literal[True] = True

    def __init__(self, backend: RedisBackend, *, keep_days: int = 400) -> None:
        self._backend, self.keep_days = backend, keep_days
        self._enrolled: set[str] = set()

    def take(self, hold: Hold, charges: Sequence[Charge]) -> Flow[Taken | Short]:
        """Take all charges and keep the hold, or do nothing."""
        clock = yield NOW
        yield from self._enrol(hold.key)
        kept = int(hold.expires - hold.started + _LOST_SECONDS) * 1000
        arguments: list[Any] = [HOLD + hold.id, written(hold, charges), kept, SLACK_SECONDS]
        for charge in charges:
            arguments += arguments_of(charge, clock)
        answer = yield from self._backend.script(_RESERVE, [_account(hold.key)], arguments)
        return taken_or_short(hold.key, charges, answer)

    def settle(self, settlement: Settlement) -> Flow[bool]:
        """Let a hold go, charge what was used and count it."""
        wall, hold = (yield NOW).wall, settlement.hold
        present, gone = due(settlement, True, wall), due(settlement, False, wall)
        settling = _settling(present)
        arguments = [HOLD + hold.id, int(gone is not None), len(settling), *settling, *_settling(gone)]
        done = yield from self._backend.script(_RELEASE, [_account(hold.key)], arguments)
        todo = {1: present, 2: gone}.get(done)
        if todo is None:
            return False
        yield from self.count(todo.rows)
        return True

    def count(self, rows: Sequence[Row]) -> Flow[None]:
        """Add counts to rows."""
        for row in rows:
            fields: list[Any] = []
            for name, number in row.counts.items():
                fields += (json.dumps([row.key, row.user, row.model, name]), number)
            lifetime = self.keep_days * 86400
            yield from self._backend.script(_COUNT, [_day(row.day)], [lifetime, *fields], again=False)

    def account(self, key: str) -> Flow[Account]:
        """A key's states and holds."""
        fields = yield from self._hash(_account(key))
        return Account(states_in(fields), holds_in(key, fields))

    def keys(self) -> Flow[list[str]]:
        """The keys that have accounts, or had."""
        answer = yield from self._backend.command("SMEMBERS", f"{self._backend.prefix}usage:keys")
        return sorted(key.decode() for key in answer)

    def rows(self, first: str, last: str, key: str | None = None) -> Flow[list[Row]]:
        """The rows from one day to another."""
        found: list[Row] = []
        for day in days_between(first, last):
            found += _rows(day, (yield from self._hash(_day(day))), key)
        return found

    def close(self) -> None:
        """Close the connections made from a URL."""
        self._backend.close()

    def _enrol(self, key: str) -> Flow[None]:
        """Add a key to those that have accounts: once in a process."""
        if key not in self._enrolled:
            yield from self._backend.command("SADD", f"{self._backend.prefix}usage:keys", key)
            self._enrolled.add(key)

    def _hash(self, name: str) -> Flow[dict[str, str]]:
        answer = yield from self._backend.command("HGETALL", self._backend.prefix + name)
        pairs: Iterable[tuple[bytes, bytes]]
        pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
        try:
            return {field.decode(): value.decode() for field, value in pairs}
        except (AttributeError, ValueError) as error:
            raise BackendError(f"Redis gave {answer!r:.80} for {name!r}.", retryable=False) from error

    def __repr__(self) -> str:
        return f"RedisUsage({self._backend!r})"


def _account(key: str) -> str:
    return f"account:{key}"


def _day(day: str) -> str:
    return f"usage:{day}"


def _settling(todo: Due | None) -> list[Any]:
    """The script's arguments for settling."""
    arguments: list[Any] = []
    if todo is None:
        return arguments
    for receipt, used in zip(todo.receipts, todo.used, strict=True):
        limit = receipt.charge.limit
        spacing = limit.spacing if isinstance(limit, Bucket) else 0.0
        arguments += (limit.name, limit.kind, used - receipt.charge.amount, spacing, *receipt.state)
    return arguments


def _rows(day: str, fields: dict[str, str], key: str | None) -> list[Row]:
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for field, number in fields.items():
        of, user, model, name = json.loads(field)
        if key in (None, of):
            found.setdefault((of, user, model), {})[name] = float(number)
    return [Row(day, *place, counts) for place, counts in sorted(found.items())]
