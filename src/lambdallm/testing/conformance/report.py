"""Run a corpus, count by provider and API, and print the counts as a table or as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from lambdallm._value import Value

from .compare import compare
from .decode import Unsupported, decode_exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .decode import Split

SPLITS: tuple[Split, ...] = ("whole", "bytes", 1, 2, 3)
_NEEDED = ("id", "provider", "api", "response")
_COLUMNS = ("passed", "failed", "unsupported")


class Outcome(Value):
    """What became of one exchange: `passed`, `failed` with its differences, or `unsupported`."""

    provider: str
    api: str
    id: str
    verdict: str
    differences: tuple[str, ...] = ()


def files(corpus: Path, provider: str | None = None) -> list[Path]:
    """The exchanges of a corpus, or of one provider in it, in order."""
    return sorted(corpus.glob(f"{provider or '*'}/*/*.json"))


def check(exchange: dict[str, Any]) -> Outcome:
    """Decode one exchange in every split and compare each with what is expected."""
    place = (exchange["provider"], exchange["api"], exchange["id"])
    try:
        differences = tuple(differences_of(exchange))
    except Unsupported:
        return Outcome(*place, "unsupported")
    except Exception as reason:  # noqa: BLE001 - a decoder that raises has failed, and the others go on
        differences = (f"decoding raised {reason!r}",)
    return Outcome(*place, "failed" if differences else "passed", differences)


def differences_of(exchange: dict[str, Any]) -> Iterator[str]:
    """The differences in the first split that has any. Without `expected`, all splits must agree with the whole."""
    expected = exchange.get("expected")
    for split in SPLITS if exchange.get("stream") else SPLITS[:1]:
        got = decode_exchange(exchange, split=split)
        expected = got if expected is None else expected
        if differences := compare(expected, got):
            yield from (f"{difference} (split: {split})" for difference in differences)
            return


def run(corpus: Path, provider: str | None = None) -> list[Outcome]:
    """The outcome of every exchange."""
    return [check(load(path)) for path in files(corpus, provider)]


def load(path: Path) -> dict[str, Any]:
    """One exchange. Raises `ValueError` naming the file that is none."""
    try:
        exchange = json.loads(path.read_bytes())
    except ValueError as reason:
        raise ValueError(f"{str(path)!r} is no JSON ({reason})") from None
    missing = [name for name in _NEEDED if not isinstance(exchange, dict) or name not in exchange]
    if missing:
        raise ValueError(f"{str(path)!r} is no recorded exchange: {', '.join(missing)} missing")
    found: dict[str, Any] = exchange
    return found


def counts(outcomes: Sequence[Outcome]) -> dict[str, dict[str, int]]:
    """How many of each verdict, by `provider/api`."""
    table: dict[str, dict[str, int]] = {}
    for outcome in outcomes:
        row = table.setdefault(f"{outcome.provider}/{outcome.api}", dict.fromkeys(_COLUMNS, 0))
        row[outcome.verdict] += 1
    return table


def as_table(outcomes: Sequence[Outcome]) -> str:
    """The counts, aligned, with a last line for all."""
    table = counts(outcomes)
    table["total"] = {column: sum(row[column] for row in table.values()) for column in _COLUMNS}
    width = max(len(name) for name in table)
    lines = [f"{'':{width}}  " + "  ".join(f"{column:>11}" for column in _COLUMNS)]
    for name, row in table.items():
        lines.append(f"{name:{width}}  " + "  ".join(f"{row[column]:>11}" for column in _COLUMNS))
    return "\n".join(lines)


def as_json(outcomes: Sequence[Outcome]) -> str:
    """The counts and every failure."""
    failures = [
        {"provider": o.provider, "api": o.api, "id": o.id, "differences": list(o.differences)}
        for o in outcomes
        if o.verdict == "failed"
    ]
    return json.dumps({"counts": counts(outcomes), "failures": failures}, indent=2)
