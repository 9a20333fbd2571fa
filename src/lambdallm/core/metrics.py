"""What an invocation counted and measured, in memory. Whoever exports it reads `records`."""

from __future__ import annotations

from .._value import Value


class Metric(Value):
    """One measurement; `unit` is CloudWatch's word for it, such as `Count` or `Milliseconds`."""

    name: str
    value: float
    unit: str = "Count"


class Metrics:
    """Collects the measurements of one invocation, in order."""

    def __init__(self) -> None:
        self.records: list[Metric] = []

    def record(self, name: str, value: float, unit: str = "Count") -> None:
        """Add a measurement."""
        self.records.append(Metric(name, value, unit))

    def total(self, name: str) -> float:
        """The sum of the measurements of that name; 0 when there is none."""
        return sum(metric.value for metric in self.records if metric.name == name)
