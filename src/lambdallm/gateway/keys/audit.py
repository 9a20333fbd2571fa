"""Who changed which key, when, and how: records that are only ever added, in a store of state.

Before a change its record says that it is meant, after it that it is done, or that it failed. So there is no change
without a record; one whose end was lost reads `unknown`. A month is a journal. Secrets and hashes are in none.
"""

from __future__ import annotations

import json

from ..._value import Value
from ...llm.backends.errors import BackendError, ConditionFailed
from ...llm.errors import ConfigurationError, LambdaLLMError
from ...llm.flow import ENVIRONMENT, NOW
from ...runtime.events import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal

    from ...llm.flow import Flow
    from ...state.store import Entry, StateStore

    Outcome = Literal["done", "failed"]

MOST_PAGE = 200
_TRIES = 100


class Actor(Value):
    """Who does something: an administrator's name or ARN, from where, in which request."""

    name: str
    address: str = ""
    request_id: str = ""


class Change(Value):
    """What is to be done to a key. `changed` has each field's old and new value."""

    action: str
    key_id: str
    user: str
    changed: Mapping[str, Any] = NOTHING


class AuditPage(Value):
    """Records, the latest first. `next` is what the following page goes on before; empty at the end."""

    records: tuple[Mapping[str, Any], ...]
    next: str = ""


class Audit:
    """The records, in a store of state: an object, or a name such as `dynamodb:my-table`.

    Unless given it is a file on this machine; a function on Lambda has none that lasts, and refuses changes.
    """

    def __init__(self, state: object = None) -> None:
        self._state = state
        self._ends: dict[str, int] = {}

    def begin(self, who: Actor, change: Change) -> Flow[str]:
        """Write down that a change is meant; gives the record's id. Raises `BackendError`: then nothing may be done."""
        from os import urandom

        id = f"{_month((yield NOW).wall)}.{urandom(8).hex()}"
        told = {"id": id, "action": change.action, "key_id": change.key_id, "user": change.user}
        told |= {"by": who.name, "address": who.address, "request_id": who.request_id}
        yield from self._add(id, {**told, "changed": dict(change.changed)})
        return id

    def end(self, id: str, outcome: Outcome, why: str = "") -> Flow[None]:
        """Write down how a change went. A record that can't be added is logged: what was done is done."""
        try:
            yield from self._add(id, {"of": id, "outcome": outcome, **({"why": why} if why else {})})
        except LambdaLLMError as error:
            from logging import getLogger

            getLogger("lambdallm.gateway").error("The audit record %s has no end (%s): %s", id, outcome, error)

    def page(self, *, month: str = "", before: str = "", limit: int = 50, **of: str) -> Flow[AuditPage]:
        """The records of a month (`2026-11`; this one unless given), those that agree with `of` (`user`, `key_id`).

        `before` is the `next` of a page. Raises `ValueError` for a month or a place that is none.
        """
        month = month or _month((yield NOW).wall)
        number = _number(month, before)
        entries = yield from (yield from self._store()).read(_journal(month))
        found = [record for record in _records(entries) if all(record[name] == value for name, value in of.items())]
        later = [record for record in reversed(found) if number is None or record["number"] < number]
        shown = later[: min(limit, MOST_PAGE)]
        return AuditPage(tuple(shown), str(shown[-1]["number"]) if len(later) > len(shown) else "")

    def _add(self, id: str, record: dict[str, Any]) -> Flow[None]:
        """Add to the journal of the month in which the change began."""
        wall = (yield NOW).wall
        journal = _journal(id.partition(".")[0])
        store = yield from self._store()
        data = json.dumps({"at": round(wall, 3), **record}, separators=(",", ":")).encode()
        for _ in range(_TRIES):
            end = self._ends.get(journal, 0)
            try:
                yield from store.append(journal, end, [data])
                self._ends[journal] = end + 1
                return
            except ConditionFailed:
                entries: list[Entry] = yield from store.read(journal, end)
                self._ends[journal] = entries[-1].number if entries else 0
        raise BackendError(f"Others wrote to the audit each of {_TRIES} times that a record was to be added.")

    def _store(self) -> Flow[StateStore]:
        from ...state.stores import store_of

        if self._state is None and "AWS_LAMBDA_FUNCTION_NAME" in (yield ENVIRONMENT):
            said = "The audit of keys has no store, and files of a function on Lambda do not last."
            raise ConfigurationError(said, fix="Name one in the settings of keys, such as audit: dynamodb:my-table.")
        return (yield from store_of("file" if self._state is None else self._state))


def _journal(month: str) -> str:
    return f"gateway-keys-audit:{month}"


def _month(wall: float) -> str:
    from time import gmtime, strftime

    return strftime("%Y-%m", gmtime(wall))


def _number(month: str, before: str) -> int | None:
    year, dash, of_year = month.partition("-")
    if len(month) != 7 or not (dash and year.isdigit() and of_year.isdigit() and month.isascii()):
        raise ValueError(f"{month!r} is no month such as '2026-11'")
    if before and not (before.isascii() and before.isdigit() and len(before) < 16):
        raise ValueError(f"{before!r} is no place in the audit")
    return int(before) if before else None


def _records(entries: list[Entry]) -> list[dict[str, Any]]:
    """The changes in order, each with how it went."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        said = json.loads(entry.data)
        of = found.get(said.get("of", ""))
        if of is not None:
            of |= {name: said[name] for name in ("outcome", "why") if name in said}
        elif "id" in said:
            found[said["id"]] = {"object": "gateway.key.change", "number": entry.number, **said, "outcome": "unknown"}
    return list(found.values())
