"""Latencies as a histogram that can be added to another: counts of classes, each a tenth wider than the one before.

A percentile is told as the middle of its class, which is within 5 % of the true one; what is faster than a millisecond
counts as one. Class `n` holds what is from 1.1ⁿ to below 1.1ⁿ⁺¹ ms. Pure.

Source: the idea is DDSketch's (Masson, Rim, Lee: VLDB 2019), without its bound on the number of classes: 15 minutes,
the longest a function runs, are class 143.
"""

from __future__ import annotations

from math import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

GROWTH = 1.1
PREFIX = "ms:"
"""What the names of counts begin with that are classes."""

PERCENTILES = (50, 95, 99)


def class_of(milliseconds: float) -> str:
    """The name of the count that a latency belongs to."""
    return f"{PREFIX}{int(log(max(1.0, milliseconds)) / log(GROWTH) + 1e-9)}"


def percentiles(counts: Mapping[str, float]) -> dict[str, float] | None:
    """`p50`, `p95` and `p99` in milliseconds; `None` where nothing was measured."""
    prefix = len(PREFIX)
    classes = sorted(
        (int(name[prefix:]), count) for name, count in counts.items() if name.startswith(PREFIX) and count > 0
    )
    total = sum(count for _, count in classes)
    if total <= 0:
        return None
    return {f"p{share}": round(_middle(classes, total * share / 100), 1) for share in PERCENTILES}


def _middle(classes: list[tuple[int, float]], rank: float) -> float:
    """The middle of the class in which that many have been counted."""
    seen = 0.0
    for number, count in classes:
        seen += count
        if seen >= rank - 1e-9:
            return float(GROWTH ** (number + 0.5))
    return float(GROWTH ** (classes[-1][0] + 0.5))
