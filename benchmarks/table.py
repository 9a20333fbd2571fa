"""The results as a table: ours with its target, and each peer with how many times ours it takes."""

from __future__ import annotations

from typing import Any, TypeAlias

from measure import Figure
from peers import BARE, OURS, Row

Results: TypeAlias = list[tuple[Row, dict[str, Figure]]]


def table(results: Results, peers: list[str]) -> str:
    """A line for each row, a column for each peer."""
    others = [name for name in peers if name != OURS]
    head = ["measure", "unit", "target", OURS, "", *others]
    return markdown([head, *(_cells(row, figures, others) for row, figures in results)])


def markdown(cells: list[list[str]]) -> str:
    """Lines of cells, the head first, as a Markdown table that also reads well as plain text."""
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    lines = [" | ".join(_aligned(line, widths)) for line in cells]
    lines.insert(1, "-|-".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" if "-|-" not in line else f"|-{line}-|" for line in lines)


def verdict(row: Row, figures: dict[str, Figure]) -> str:
    """Whether ours meets the row's target; empty without a target."""
    if row.target is None or OURS not in figures:
        return ""
    return "met" if figures[OURS].value <= row.target else "MISSED"


def record(results: Results) -> list[dict[str, Any]]:
    """The results as JSON values, with the quartiles and the processes' CPU time."""
    return [
        {
            "group": row.group,
            "measure": row.label,
            "unit": row.unit,
            "target": row.target,
            "verdict": verdict(row, figures),
            "figures": {name: recorded(figure) for name, figure in figures.items()},
        }
        for row, figures in results
    ]


def _cells(row: Row, figures: dict[str, Figure], others: list[str]) -> list[str]:
    ours = figures.get(OURS)
    target = "" if row.target is None else f"≤ {row.target:g}"
    first = [row.label, row.unit, target, number(ours), verdict(row, figures)]
    return first + [beside(figures.get(name), ours) for name in others]


def beside(figure: Figure | None, ours: Figure | None) -> str:
    """A peer's figure, and how many times ours it is."""
    if figure is None:
        return "–"
    if ours is None or ours.value <= 0:
        return number(figure)
    times = figure.value / ours.value
    return f"{number(figure)} (×{times:.0f})" if times >= 10 else f"{number(figure)} (×{times:.1f})"


def number(figure: Figure | None) -> str:
    """A figure as it is shown."""
    if figure is None:
        return "–"
    return f"{figure.value:,.0f}" if abs(figure.value) >= 100 else f"{figure.value:.1f}"


def _aligned(line: list[str], widths: list[int]) -> list[str]:
    return [
        cell.ljust(width) if at == 0 else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]


def recorded(figure: Figure) -> dict[str, Any]:
    """A figure with its spread, as JSON values."""
    low, high = figure.spread
    found: dict[str, Any] = {"median": figure.value, "quartiles": [low, high], "samples": len(figure.samples)}
    if figure.cpu:
        found["cpu_ms"] = Figure(figure.cpu).value
    return {key: _rounded(value) for key, value in found.items()}


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 3) if isinstance(value, float) else value


def bare_line(results: Results) -> str:
    """What bare Python itself takes here, which tells how fast the machine is."""
    figures = [found[BARE] for row, found in results if BARE in found and row.unit == "ms"]
    return f"Bare Python itself: {min(figure.value for figure in figures):.1f} ms." if figures else ""
