"""Usage added up as somebody asks for it: by day, key, user or model, a page at a time. Pure."""

from __future__ import annotations

from ..._value import Value
from ...llm.types import Usage
from .latency import percentiles
from .rows import ERROR, MICRO, added

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .rows import Row

DIMENSIONS = ("day", "key", "user", "model")


class UsageQuery(Value):
    """What is asked for: the days from `first` to `last` (UTC, both included), added up by some of the dimensions.

    `key`, `user` and `model` leave out what is of others. A page has at most `limit` groups, and begins after the group
    whose values are `after`.
    """

    first: str
    last: str
    group_by: tuple[str, ...] = ("day",)
    key: str | None = None
    user: str | None = None
    model: str | None = None
    limit: int = 100
    after: tuple[str, ...] = ()


class Report(Value):
    """A page of groups, each with the values of its dimensions and its sums, and the sums of all pages together.

    `next_after` is where the next page begins, `None` after the last.
    """

    groups: tuple[Mapping[str, Any], ...]
    total: Mapping[str, Any]
    next_after: tuple[str, ...] | None = None


def report_of(rows: Sequence[Row], query: UsageQuery) -> Report:
    """The page that a query asks for, of the rows of its days."""
    by_group: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    for row in rows:
        if _is_asked(row, query):
            by_group.setdefault(tuple(getattr(row, name) for name in query.group_by), []).append(row.counts)
    sums = {place: added(many) for place, many in by_group.items()}
    places = sorted(place for place, counts in sums.items() if place > query.after and _is_any(counts))
    page = places[: query.limit]
    groups = ({**dict(zip(query.group_by, place, strict=True)), **summary(sums[place])} for place in page)
    total = summary(added(sums.values()))
    return Report(tuple(groups), total, page[-1] if page and len(places) > len(page) else None)


def summary(counts: Mapping[str, float]) -> dict[str, Any]:
    """Counts in the words of the answer.

    `cost_usd` is that of the calls whose cost is known, `None` where there is none; `unpriced_requests` are the others.
    """
    found = {name: round(counts.get(name, 0)) for name in ("requests", "failed", "lost", "refused", "cache_hits")}
    unpriced = round(counts.get("unpriced", 0))
    tokens = {name: round(counts.get(name, 0)) for name in Usage.COUNTS}
    prefix = len(ERROR)
    return {
        **found,
        **tokens,
        "total_tokens": tokens["input_tokens"] + tokens["output_tokens"],
        "cost_usd": None if unpriced >= found["requests"] > 0 else round(counts.get("cost_micro_usd", 0) / MICRO, 10),
        "unpriced_requests": unpriced,
        "latency_ms": percentiles(counts),
        "errors": {n[prefix:]: round(v) for n, v in sorted(counts.items()) if n.startswith(ERROR) and round(v)},
    }


def _is_any(counts: Mapping[str, float]) -> bool:
    """Whether anything happened: what was counted as lost and turned up elsewhere leaves nothing."""
    return any(round(counts.get(name, 0)) for name in ("requests", "refused"))


def _is_asked(row: Row, query: UsageQuery) -> bool:
    wanted = (getattr(query, name) for name in DIMENSIONS[1:])
    return all(value is None or value == getattr(row, name) for name, value in zip(DIMENSIONS[1:], wanted, strict=True))
