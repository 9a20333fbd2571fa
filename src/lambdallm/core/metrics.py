"""What an invocation counted and measured, in memory; at its end the sinks get all of it.

def to_log(metrics):
    for metric in metrics:
        print(metric.name, metric.value, metric.unit)

@handler(metrics_sinks=[to_log])
"""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    from ..llm.flow import Flow

    Sink: TypeAlias = Callable[[Sequence["Metric"]], Any]


class Metric(Value):
    """One measurement; `unit` is CloudWatch's word for it, such as `Count` or `Milliseconds`."""

    name: str
    value: float
    unit: str = "Count"


class Metrics:
    """Collects the measurements of one invocation, in order.

    `sinks` are functions of the measurements, called when the invocation ends, before its response is out of the
    environment's hands; one may return a flow, or in async handlers what can be awaited. What a sink raises is logged,
    and harms nothing.
    """

    def __init__(self, sinks: Iterable[Sink] = ()) -> None:
        self.records: list[Metric] = []
        self.sinks: list[Sink] = list(sinks)
        self._flushed = 0

    def record(self, name: str, value: float, unit: str = "Count") -> None:
        """Add a measurement."""
        self.records.append(Metric(name, value, unit))

    def total(self, name: str) -> float:
        """The sum of the measurements of that name; 0 when there is none."""
        return sum(metric.value for metric in self.records if metric.name == name)

    def flushing(self, *, awaits: bool = False) -> Flow[None]:
        """Give the sinks what they have not been given yet."""
        from functools import partial

        from .flows import attempted
        from .guards import performed

        fresh, self._flushed = tuple(self.records[self._flushed :]), len(self.records)
        for sink in self.sinks if fresh else ():
            try:
                yield from performed((yield from attempted(partial(sink, fresh), awaits=awaits)).unwrap())
            except Exception:  # whatever it is, the invocation has its result
                from logging import getLogger

                getLogger("lambdallm").exception("The metrics sink %r failed.", sink)
