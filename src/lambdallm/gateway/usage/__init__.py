"""What keys use: limits and budgets reserved before a call and settled after it, and the account of it all.

meter = Meter("sqlite:usage.db")                        # or "redis://…", "dynamodb:my-table", "memory"
reservation = yield from meter.reserve(caller, "openai/gpt-4o", tokens=1_200, cost_usd=0.02)
...
yield from meter.settle(reservation, usage, 0.013, model="openai/gpt-4o", ok=True, latency_ms=840.0, status=200)
page = yield from meter.report(UsageQuery("2026-11-01", "2026-11-30", group_by=("day", "model")))
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "Hold": "hold",
    "Meter": "meter",
    "Reservation": "reservation",
    "Row": "rows",
    "UsageQuery": "report",
    "UsageStore": "store",
    "answer_headers": "headers",
    "limit_headers": "headers",
    "usage": "endpoint",
    "usage_store": "stores",
}

__all__ = [
    "Hold",
    "Meter",
    "Reservation",
    "Row",
    "UsageQuery",
    "UsageStore",
    "answer_headers",
    "limit_headers",
    "usage",
    "usage_store",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .endpoint import usage
    from .headers import answer_headers, limit_headers
    from .hold import Hold
    from .meter import Meter
    from .report import UsageQuery
    from .reservation import Reservation
    from .rows import Row
    from .store import UsageStore
    from .stores import usage_store

__getattr__, __dir__ = door(__name__, _HOMES)
