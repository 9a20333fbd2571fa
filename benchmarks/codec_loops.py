"""Rounds of one protocol's operations inside a measured process: for each name on standard input, a CPU time.

    python -I -c "from codec_loops import main; main('codec_openai', 'openai_chat', 'requests.json', 199, 20)"

Time is the process's own CPU time. A round makes as many calls as fill its milliseconds, found out beforehand.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codec_answers import SAID, TEXTS, Answer, answer
from codec_cases import Protocol, protocol_named

if TYPE_CHECKING:
    from collections.abc import Callable

_WARM_UP_SECONDS = 0.05


@dataclass(frozen=True)
class Operation:
    """One thing to measure.

    `says` finds the text in what `run` returned, after the clock has stopped; `holds` must be in it, so that no round
    of failures passes for a fast one. A figure is one call's time divided by `per`.
    """

    run: Callable[[], Any]
    says: Callable[[Any], str]
    holds: str
    per: int = 1


@dataclass(frozen=True)
class Case:
    """What the operations of a protocol are made of. `asked` are the JSON bodies that ours sends, by operation."""

    protocol: Protocol
    answer: Answer
    words: list[str]
    asked: dict[str, dict[str, Any]]


def sdk_operations(case: Case, call: Callable[[], str], stream: Callable[[], str] | None) -> dict[str, Operation]:
    """The operations of an SDK whose `call` and `stream` return the text they read."""
    holds = str(TEXTS) if case.protocol.embeds else SAID
    made = {"call": Operation(call, str, holds)}
    if stream is not None:
        made["stream_chunk"] = Operation(stream, str, "".join(case.words), len(case.answer.events))
    return made


def main(client: str, protocol: str, requests: str, words: int, milliseconds: float) -> None:
    """Answer each operation's name on standard input with microseconds."""
    operations = __import__(client).operations(_case(protocol, Path(requests), words))
    counts: dict[str, int] = {}
    for line in sys.stdin:
        name = line.strip()
        operation = operations[name]
        if name not in counts:
            counts[name] = _calls_in(operation, milliseconds / 1000)
        print(_round(operation, counts[name]) * 1e6, flush=True)


def _case(protocol: str, requests: Path, words: int) -> Case:
    named = protocol_named(protocol)
    said = [f" word{number}" for number in range(words)]
    asked = json.loads(requests.read_text())[protocol]
    return Case(named, answer(named.answers, said), said, asked)


def _calls_in(operation: Operation, seconds: float) -> int:
    """How many calls fill a round; finding out warms the interpreter up."""
    calls, begun = 0, time.process_time()
    while time.process_time() - begun < _WARM_UP_SECONDS or calls < 3:
        operation.run()
        calls += 1
    taken = (time.process_time() - begun) / calls
    return max(1, round(seconds / taken))


def _round(operation: Operation, count: int) -> float:
    run = operation.run
    begun = time.process_time()
    for _ in range(count):
        found = run()
    taken = time.process_time() - begun
    said = operation.says(found)
    if operation.holds not in said:
        sys.exit(f"The answer is not what was sent: {said[:200]!r}")
    return taken / count / operation.per
