"""What an invocation took and cost, and the lines that Lambda writes about it.

Formats are those of CloudWatch's logs; durations are in milliseconds.
"""

from __future__ import annotations

import json
from functools import cache
from math import ceil
from pathlib import Path

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .function import Function


class Report(Value):
    """The facts of a REPORT line; `str()` is the line."""

    request_id: str
    duration_ms: float
    billed_ms: int
    memory_mb: int
    max_memory_mb: int | None = None
    """`None` where the system does not tell: on anything but Linux."""
    init_ms: float | None = None
    """The start of the environment, in the first invocation of one that started for it; it is billed."""
    restore_ms: float | None = None
    """What stands in the place of `init_ms` where SnapStart is on; the hooks after a restore are billed."""
    status: str = ""
    """Empty for success, else `error` or `timeout`."""
    error_type: str = ""
    cost_usd: float = 0.0

    def __str__(self) -> str:
        fields = [f"REPORT RequestId: {self.request_id}", f"Duration: {self.duration_ms:.2f} ms"]
        fields += [f"Billed Duration: {self.billed_ms} ms", f"Memory Size: {self.memory_mb} MB"]
        fields += [] if self.max_memory_mb is None else [f"Max Memory Used: {self.max_memory_mb} MB"]
        fields += [] if self.init_ms is None else [f"Init Duration: {self.init_ms:.2f} ms"]
        fields += [] if self.restore_ms is None else [f"Restore Duration: {self.restore_ms:.2f} ms"]
        fields += [f"Status: {self.status}"] if self.status else []
        fields += [f"Error Type: {self.error_type}"] if self.error_type else []
        return "\t".join([*fields, ""])


def report_of(
    function: Function,
    request_id: str,
    duration_ms: float,
    *,
    init_ms: float | None = None,
    restore_ms: float | None = None,
    max_memory_mb: int | None = None,
    status: str = "",
    error_type: str = "",
) -> Report:
    """The report of an invocation: INIT is billed since August 2025, and time is billed by the millisecond."""
    billed = ceil(duration_ms + (init_ms or 0) + (restore_ms or 0))
    return Report(
        request_id=request_id,
        duration_ms=duration_ms,
        billed_ms=billed,
        memory_mb=function.memory_mb,
        max_memory_mb=max_memory_mb,
        init_ms=init_ms,
        restore_ms=restore_ms,
        status=status,
        error_type=error_type,
        cost_usd=cost_usd(billed, function.memory_mb, function.architecture),
    )


def init_report(init_ms: float, phase: str, status: str, error_type: str = "") -> str:
    """The line about a start that failed, or about one that took an invocation's own time."""
    fields = [f"INIT_REPORT Init Duration: {init_ms:.2f} ms", f"Phase: {phase}", f"Status: {status}"]
    return "\t".join([*fields, *([f"Error Type: {error_type}"] if error_type else [])])


def cost_usd(billed_ms: int, memory_mb: int, architecture: str) -> float:
    """What an invocation costs beyond the free tier: its time by its memory, and the request itself.

    Neither a `/tmp` of more than 512 MB nor streamed bytes beyond 6 MB are counted.
    """
    second, request = _prices(architecture)
    return billed_ms / 1000 * memory_mb / 1024 * second + request


@cache
def _prices(architecture: str) -> tuple[float, float]:
    """What a GB-second and a request cost."""
    prices = json.loads((Path(__file__).parent / "prices.json").read_text())
    return prices["gb_second_usd"][architecture], prices["request_usd"]
