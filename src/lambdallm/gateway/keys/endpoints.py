"""The keys over REST, for administrators: make, list, show, change, rotate, revoke, and read what was done.

Their paths are in `routes`. Nothing here knows how keys are stored or hashed.
"""

from __future__ import annotations

import json

from ...llm.backends.errors import BackendError
from ...llm.errors import ConfigurationError
from ...llm.flow import NOW
from ..http import GatewayError, Reply
from . import refusals
from .audit import Actor
from .fields import CHANGEABLE, bad, read_fields
from .ledger import OVERLAP_SECONDS
from .store import MOST_PAGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    from ...llm.flow import Flow
    from ..app import Gateway
    from ..caller import Caller
    from ..http import GatewayRequest
    from .ledger import KeyLedger, Minted

    T = TypeVar("T")

_MOST_OVERLAP = 30 * 86_400
_ABOUT_PAGES = {"month", "before", "limit"}


def create(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """Make a key. 201 with the key, which is shown nowhere else."""
    ledger, who = _administered(gateway, request, caller)
    fields = read_fields(_object(request), ("user", *CHANGEABLE), (yield NOW).wall)
    if "user" not in fields:
        raise bad("user", "A key has a user. Give its name.", "missing_field")
    user = fields.pop("user")
    return (yield from _minted((yield from _told(ledger.create(who, user, fields))), 201))


def listed(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """The keys of a page of users, or those of one."""
    ledger, _ = _administered(gateway, request, caller)
    query = _query(request, {"user", "after", "limit"})
    if "user" in query:
        found = yield from _told(ledger.of_user(query["user"]))
    else:
        found = yield from _told(ledger.page(query.get("after", ""), _limit(query, MOST_PAGE)))
    now = (yield NOW).wall
    data = [record.told(now) for record in found.records]
    told = {"object": "list", "data": data, "unreadable": list(found.unreadable), "next": found.next or None}
    return _reply(told)


def shown(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """A key, without its secret."""
    ledger, _ = _administered(gateway, request, caller)
    record = yield from _told(ledger.get(request.params["id"]))
    return _reply(record.told((yield NOW).wall))


def update(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """Change what a key may do; fields that are not given stay."""
    ledger, who = _administered(gateway, request, caller)
    fields = read_fields(_object(request), CHANGEABLE, (yield NOW).wall)
    if not fields:
        raise GatewayError(400, f"There is nothing to change. Give one of {', '.join(CHANGEABLE)}.")
    record = yield from _told(ledger.update(who, request.params["id"], fields))
    return _reply(record.told((yield NOW).wall))


def rotate(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """Give a key a new secret."""
    ledger, who = _administered(gateway, request, caller)
    given = _object(request) if request.body.strip() else {}
    unknown = next((name for name in given if name != "overlap_seconds"), None)
    if unknown is not None:
        raise bad(unknown, f"There is no field {unknown!r} here. Give overlap_seconds.", "unknown_field")
    overlap = given.get("overlap_seconds", OVERLAP_SECONDS)
    if type(overlap) is not int or not 0 <= overlap <= _MOST_OVERLAP:
        raise bad("overlap_seconds", f"overlap_seconds is {overlap!r:.80}. Give 0 to {_MOST_OVERLAP} seconds.")
    return (yield from _minted((yield from _told(ledger.rotate(who, request.params["id"], overlap))), 200))


def revoke(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """End a key."""
    ledger, who = _administered(gateway, request, caller)
    record = yield from _told(ledger.revoke(who, request.params["id"]))
    return _reply(record.told((yield NOW).wall))


def audit(gateway: Gateway, request: GatewayRequest, caller: Caller) -> Flow[Reply]:
    """What was done, the latest first: to all keys, to those of a user, or to one."""
    ledger, _ = _administered(gateway, request, caller)
    query = _query(request, _ABOUT_PAGES | (set() if "id" in request.params else {"user", "key_id"}))
    of = {name: query[name] for name in ("user", "key_id") if name in query}
    of |= {"key_id": request.params["id"]} if "id" in request.params else {}
    where = {name: query[name] for name in ("month", "before") if name in query}
    try:
        page = yield from _told(ledger.audit.page(**where, limit=_limit(query, 200), **of))
    except ValueError as error:
        raise bad(
            "month" if "month" in str(error) else "before", f"{error}. Give one from an earlier answer."
        ) from None
    return _reply({"object": "list", "data": list(page.records), "next": page.next or None})


def _administered(gateway: Gateway, request: GatewayRequest, caller: Caller) -> tuple[KeyLedger, Actor]:
    """The ledger, for an administrator. Raises `GatewayError` 403; 404 where this gateway has no keys."""
    ledger = getattr(gateway.keys, "ledger", None)
    if ledger is None:
        raise GatewayError(404, "This gateway has no keys to manage. Configure a store of keys.", code="no_keys")
    if not caller.admin:
        raise refusals.forbidden()
    return ledger(), Actor(caller.user, request.client_ip, request.request_id)


def _told(flow: Flow[T]) -> Flow[T]:
    """What a flow of the ledger gives; where the store fails, an administrator may read why. Raises `GatewayError`."""
    try:
        return (yield from flow)
    except (BackendError, ConfigurationError) as error:
        raise GatewayError(503, str(error), type="server_error", code="key_store_unavailable") from error


def _object(request: GatewayRequest) -> dict[str, Any]:
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise GatewayError(400, "The body is no JSON object. Send one.", code="invalid_json")
    return given


def _query(request: GatewayRequest, allowed: set[str]) -> dict[str, str]:
    for name in request.query:
        if name not in allowed:
            raise bad(name[:80], f"There is no parameter {name!r:.80} here. Use {', '.join(sorted(allowed))}.")
    return request.query


def _limit(query: dict[str, str], most: int) -> int:
    text = query.get("limit", "50")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= most):
        raise bad("limit", f"limit is {text!r:.80}. Give 1 to {most}.")
    return int(text)


def _minted(minted: Minted, status: int) -> Flow[Reply]:
    told = {**minted.record.told((yield NOW).wall), "key": minted.key}
    return _reply(told, status)


def _reply(told: dict[str, Any], status: int = 200) -> Reply:
    return Reply(
        status,
        (("content-type", "application/json"),),
        json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode(),
    )
