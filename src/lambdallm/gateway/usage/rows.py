"""What is counted: a row for each day, key, user and model, whose counts are only ever added to. Pure.

A cost that is unknown is counted as such (`unpriced`), never as 0. Counts by name:

    requests           all calls that ended
    failed             those without a whole answer; `error:…` says of what kind
    refused            those that a limit or a budget refused: they are no `requests`
    lost               those whose process ended without telling: nothing else is known of them
    unpriced           those whose cost is unknown; the others' is in `cost_micro_usd`
    cache_hits         those answered from the gateway's own cache
    input_tokens …     as in `llm.types.Usage`
    ms:…               latencies of the calls that succeeded: see `latency`
"""

from __future__ import annotations

from ..._value import Value
from ...llm.types import Usage
from .latency import class_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MICRO = 1_000_000.0
ERROR = "error:"

_ERRORS = {
    400: "invalid", 401: "refused", 402: "quota", 403: "refused", 404: "invalid", 408: "timeout", 413: "invalid",
    422: "invalid", 429: "rate_limited", 499: "client_left", 504: "timeout",
}  # fmt: skip


class Row(Value):
    """Counts of one day, key, user and model."""

    day: str
    key: str
    user: str
    model: str
    counts: Mapping[str, float]


def error_kind(status: int) -> str:
    """The kind of a failure by its HTTP status; one that began well was `cut`."""
    if status < 400:
        return "cut"
    return _ERRORS.get(status) or ("upstream" if status >= 500 else "invalid")


def counts_of(
    usage: Usage | None, cost_usd: float | None, *, ok: bool, latency_ms: float, status: int, cached: bool
) -> dict[str, float]:
    """One call's counts."""
    counts: dict[str, float] = {"requests": 1}
    if ok:
        counts[class_of(latency_ms)] = 1
    else:
        counts |= {"failed": 1, f"{ERROR}{error_kind(status)}": 1}
    if cost_usd is None:
        counts["unpriced"] = 1
    elif cost_usd:
        counts["cost_micro_usd"] = cost_usd * MICRO
    if cached:
        counts["cache_hits"] = 1
    tokens = {name: getattr(usage, name) for name in Usage.COUNTS} if usage is not None else {}
    return counts | {name: number for name, number in tokens.items() if number}


LOST: Mapping[str, float] = {"requests": 1, "lost": 1, "unpriced": 1}
"""The counts of a call nobody told the end of."""


def negated(counts: Mapping[str, float]) -> dict[str, float]:
    """The counts that take others back."""
    return {name: -number for name, number in counts.items()}


def added(many: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Counts together."""
    total: dict[str, float] = {}
    for counts in many:
        for name, number in counts.items():
            total[name] = total.get(name, 0) + number
    return total
