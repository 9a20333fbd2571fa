"""`GET /usage`: what was used, by day, key, user and model. An admin sees all, any other key its own.

start, end       days (2026-11-21, UTC, both included); the last 30 if left out, 366 at most
group_by         some of day, key, user, model, with commas; day if left out
key, user, model only what is of these
limit, page      groups a page (1 to 1000; 100 if left out), and the `next_page` of the page before
live             true: also the calls under way; with a key of one's own, also what is left of its limits
"""

from __future__ import annotations

import json

from ...llm.backends.errors import BackendError
from ...llm.flow import NOW
from ...llm.rate_limiting.bucket import Bucket
from ...llm.rate_limiting.quota import NEW, counted
from ..http import GatewayError, Reply
from .dates import DAY_SECONDS, day_of, number_of, timestamp
from .report import DIMENSIONS, UsageQuery
from .reservation import charges_of, limit_state
from .rows import MICRO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...llm.flow import Flow
    from ..caller import Caller
    from ..http import GatewayRequest
    from .hold import Hold
    from .meter import Meter
    from .store import Account

_MOST_DAYS = 366
_USUAL_DAYS = 30
_MOST_GROUPS = 1000
_KNOWN = ("start", "end", "group_by", "key", "user", "model", "limit", "page", "live")


def usage(gateway: Any, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """Answer a request for usage from the gateway's meter. Raises `GatewayError`."""
    meter: Meter | None = gateway.meter
    if meter is None:
        raise GatewayError(404, "This gateway counts no usage. Set usage.store in its configuration.")
    asked = asked_of(request.query, caller, (yield NOW).wall)
    try:
        yield from meter.flush()
        report = yield from meter.report(asked)
        body: dict[str, Any] = {
            "object": "list",
            "start": asked.first,
            "end": asked.last,
            "group_by": list(asked.group_by),
            "data": list(report.groups),
            "total": dict(report.total),
            "has_more": report.next_after is not None,
            "next_page": None if report.next_after is None else json.dumps(report.next_after).encode().hex(),
        }
        if request.query.get("live", "false") == "true":
            body |= yield from _live(meter, asked.key, caller)
    except BackendError as error:
        message = "The usage can't be read now. Try again in a moment."
        headers = (("retry-after", "5"),)
        raise GatewayError(503, message, type="server_error", code="usage_unavailable", headers=headers) from error
    headers = (("content-type", "application/json"),)
    return Reply(200, headers, json.dumps(body).encode())


def asked_of(query: Mapping[str, str], caller: Caller, wall: float) -> UsageQuery:
    """What a request's parameters ask for, as far as the caller may know it. Raises `GatewayError` 400 and 403."""
    for name in query:
        if name not in _KNOWN:
            raise _bad(name, f"There is no parameter {name[:100]!r}. Use {', '.join(_KNOWN)}.")
    last = query.get("end") or day_of(wall)
    first = query.get("start") or day_of((_day("end", last) - _USUAL_DAYS + 1) * DAY_SECONDS)
    days = _day("end", last) - _day("start", first) + 1
    if not 0 < days <= _MOST_DAYS:
        raise _bad("start", f"From {first} to {last} are {days} days. Ask for 1 to {_MOST_DAYS}.")
    groups = _groups(query.get("group_by", "day"))
    asked = UsageQuery(first, last, groups, limit=_limit(query), after=_after(query.get("page", ""), groups))
    asked = asked.replace(key=_own(query.get("key"), caller), user=query.get("user"), model=query.get("model"))
    if query.get("live", "false") not in ("true", "false"):
        raise _bad("live", f"live is {query['live'][:100]!r}. Use true or false.")
    return asked


def _own(key: str | None, caller: Caller) -> str | None:
    """Whose usage is asked for: an admin's choice, else the caller's own."""
    if caller.admin or key == caller.key_id:
        return key
    if key is not None:
        raise GatewayError(403, "This key may see its own usage only. Leave out 'key', or use an admin's.", param="key")
    return caller.key_id


def _day(name: str, text: str) -> int:
    try:
        return number_of(text)
    except ValueError:
        raise _bad(name, f"{name} is {text[:100]!r}. Write a day like 2026-11-21.") from None


def _groups(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if len(set(names)) < len(names) or not set(names) <= set(DIMENSIONS):
        raise _bad("group_by", f"group_by is {text[:100]!r}. Use some of {','.join(DIMENSIONS)}, each once.")
    return names


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", "100")
    limit = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    if not 1 <= limit <= _MOST_GROUPS:
        raise _bad("limit", f"limit is {text[:100]!r}. Use a number from 1 to {_MOST_GROUPS}.")
    return limit


def _after(page: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    if not page:
        return ()
    try:
        after = json.loads(bytes.fromhex(page))
    except (ValueError, RecursionError):
        after = None
    if not isinstance(after, list) or len(after) != len(groups) or not all(isinstance(one, str) for one in after):
        raise _bad("page", f"page is {page[:100]!r}. Use the next_page of the page before, with the same group_by.")
    return tuple(after)


def _bad(param: str, message: str) -> GatewayError:
    return GatewayError(400, message, param=param)


def _live(meter: Meter, key: str | None, caller: Caller) -> Flow[dict[str, Any]]:
    """The calls under way, and what is left of the caller's own limits."""
    wall = (yield NOW).wall
    holds = yield from meter.live(key)
    body: dict[str, Any] = {"live": [_shown(hold, wall) for hold in holds]}
    if key is not None and key == caller.key_id:
        body["limits"] = limits_left(caller, (yield from meter.store.account(key)), wall)
    return body


def _shown(hold: Hold, wall: float) -> dict[str, Any]:
    place = {"key": hold.key, "user": hold.user, "model": hold.model}
    return {**place, "started": timestamp(hold.started), "seconds": round(max(0.0, wall - hold.started), 3)}


def limits_left(caller: Caller, account: Account, wall: float) -> list[dict[str, Any]]:
    """A key's limits and what is used of them; of a budget, `used` includes what is `reserved` by calls under way."""
    found: list[dict[str, Any]] = []
    for charge in charges_of(caller, 0, None):
        limit, state = charge.limit, account.states.get(charge.limit.name, NEW)
        if isinstance(limit, Bucket):
            left = limit_state(limit, state, wall)
            found.append({"name": limit.name, "limit": left.limit, "used": left.limit - left.remaining})
            continue
        number, used = counted(limit, state, wall)
        receipts = [one for hold in account.holds for one in hold.receipts if one.charge.limit.name == limit.name]
        reserved = sum(one.charge.amount for one in receipts if one.state[0] == number)
        money = {"limit": limit.most, "used": used, "reserved": reserved}
        shown = {name: round(micro / MICRO, 10) for name, micro in money.items()}
        found.append({"name": f"usd/{limit.period}", **shown})
    return found
