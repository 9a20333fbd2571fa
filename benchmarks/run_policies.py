"""Measure what policies cost around a call, in this process and without a network: `python benchmarks/run_policies.py`.

Clients answer at once from memory, so that only deciding is measured. To add a policy, write a function that gives its
measures and name it in `GROUPS`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from environments import shown_python
from measure import Figure, turns
from table import markdown, number, recorded

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from lambdallm.llm.caching import LLMCache
from lambdallm.llm.caching.key import cache_key
from lambdallm.llm.call import codec_named
from lambdallm.llm.catalog.definition import Price
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.clients.sync import OpenAIClient
from lambdallm.llm.clients.wire import WireClient
from lambdallm.llm.drivers import Driver
from lambdallm.llm.result import Ok
from lambdallm.llm.routing import Candidate, CandidateFacts, LLMRouter, Observation, RoutedCall, strategy_named, sync
from lambdallm.llm.routing.capable import Field
from lambdallm.llm.routing.decide import decided
from lambdallm.llm.streaming.stream import AsyncStream, Stream
from lambdallm.llm.types import ChatMessage, ChatRequest, Choice, Completion, StreamChunk, Usage
from lambdallm.transport.types import HttpResponse

ASKED = (ChatMessage("user", "Which of these two letters should I answer first, and what should I say?"),)
ANSWER = Completion((Choice(ChatMessage("assistant", "The second."), "stop"),), Usage(20, 5), cost_usd=0.001)
CHUNKS = (StreamChunk("word "),) * 200
LONG = (ChatMessage("user", "Tell me more."),)
BODY = json.dumps(
    {
        "id": "c1",
        "model": "gpt-4o-mini",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 200}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 200, "total_tokens": 220},
    }
).encode()
EVENTS = (
    *[b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'] * 202,
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
)


@dataclass(frozen=True)
class Measure:
    """One operation. `run` does it `per` times; what it returns is looked at after the clock has stopped."""

    label: str
    run: Callable[[], Any]
    target: float | None = None
    per: int = 1


def router() -> Iterator[Measure]:
    """Deciding among many candidates, and a routed call around a client that answers at once."""
    for name in ("sequential", "race", "cost", "latency", "weighted"):
        for count in (3, 200):
            for needs in (frozenset(), frozenset({"image"})):
                label = f"decide: {name}, {count} candidates{', one need' if needs else ''}"
                yield Measure(label, _decision(name, count, needs), 50.0 if count == 200 else None)
    for count in (1, 3, 200):
        routed = sync.LLMRouter([Candidate(_Blocking(), f"c{at}") for at in range(count)])
        yield Measure(f"routed call, {count} candidates", lambda routed=routed: routed.complete(ASKED).unwrap())
    routed = sync.LLMRouter([Candidate(_Blocking(), "c")])
    yield Measure("routed chunk", lambda: sum(1 for _ in routed.stream_chat(ASKED)), per=len(CHUNKS))
    awaited = LLMRouter([Candidate(_Awaiting(), "c")])
    loop = asyncio.new_event_loop()
    yield Measure("routed chunk, asynchronous", lambda: loop.run_until_complete(_read(awaited)), per=len(CHUNKS))


def _decision(name: str, count: int, needs: frozenset[str]) -> Callable[[], Any]:
    strategy, random = strategy_named(name), Random(count)
    field = Field(tuple(_facts(at, random) for at in range(count)))
    for one in field.candidates:
        strategy.observe(Observation(one, "ok", False, random.uniform(100, 5000), now=1.0))
    call = RoutedCall(ASKED, {}, needs, 20, False, 2.0)
    return lambda: decided(strategy, field, call).order[0]


def _facts(at: int, random: Random) -> CandidateFacts:
    """A candidate of which half take images, and all have a price."""
    sees = frozenset({"image"})
    can, cannot = (sees, frozenset()) if at % 2 else (frozenset(), sees)
    price = Price(random.uniform(0.1, 10), random.uniform(0.4, 50))
    return CandidateFacts(
        f"p{at % 9}/m{at}", f"p{at % 9}", f"m{at}", at % 5, 1.0 + at % 3, 8000 * (1 + at % 20), 4096, can, cannot, price
    )


class _Blocking:
    def complete(self, messages: Any, **options: Any) -> Any:
        return Ok(ANSWER)

    chat = complete

    def stream_chat(self, messages: Any, **options: Any) -> Any:
        return Stream(chunk for chunk in CHUNKS)


class _Awaiting:
    async def complete(self, messages: Any, **options: Any) -> Any:
        return Ok(ANSWER)

    chat = complete

    def stream_chat(self, messages: Any, **options: Any) -> Any:
        return AsyncStream(_chunks())


async def _chunks() -> Any:
    for chunk in CHUNKS:
        yield chunk


async def _read(awaited: LLMRouter) -> int:
    count = 0
    async for _ in awaited.stream_chat(ASKED):
        count += 1
    return count


def pipeline() -> Iterator[Measure]:
    """What everything around a codec costs: the same answer from memory, read by more and more of the library."""
    target = resolve("openai/gpt-4o-mini")
    request = ChatRequest(target.model.id, ASKED)
    codec = codec_named(target.wire)

    def bare() -> Any:
        codec.encode_request(request, target.facts)
        return codec.decode_response(200, (), BODY).value

    yield Measure("codec alone: encode and decode", bare)
    wire = WireClient("openai/gpt-4o-mini", api_key="k", driver=Driver(_Canned()))
    yield Measure("WireClient: + auth, URL, retry, price", lambda: wire.send(request).unwrap())
    plain = OpenAIClient(model="gpt-4o-mini", api_key="k", driver=Driver(_Canned()))
    yield Measure("OpenAIClient: + breakers, token limit", lambda: plain.complete(ASKED).unwrap())
    full = OpenAIClient(model="gpt-4o-mini", api_key="k", driver=Driver(_Canned()), **_everything())
    yield Measure("OpenAIClient, every policy on", lambda: full.complete(ASKED, user="u", cache="refresh").unwrap())
    routed = sync.LLMRouter([full, plain], "cost")
    yield Measure("router over two of them", lambda: routed.complete(ASKED, cache="refresh").unwrap())


def _everything() -> dict[str, Any]:
    """Every policy of a client, with limits that are never reached."""
    heard: Callable[[Any], object] = lambda notice: None  # noqa: E731
    limits = {"requests_per_minute": 1e9, "tokens_per_minute": 1e12, "max_concurrency": 8}
    return {"cache": LLMCache(), "listeners": [heard], "total_timeout": 60.0, **limits}


def cache() -> Iterator[Measure]:
    """An answer that was given before."""
    target = resolve("openai/gpt-4o-mini")
    request = ChatRequest(target.model.id, ASKED)
    yield Measure("cache key", lambda: cache_key(request, provider="openai"))
    client = OpenAIClient(model="gpt-4o-mini", api_key="k", driver=Driver(_Canned()), cache=LLMCache())
    yield Measure("cache hit, in memory", lambda: client.complete(ASKED).unwrap())
    yield Measure("cache hit, a stream's chunk", lambda: sum(1 for _ in client.stream_chat(LONG)), per=203)


class _Canned:
    """A transport whose answer is there at once."""

    def send(self, request: Any, timeouts: Any) -> HttpResponse:
        return HttpResponse(200, (("Content-Type", "application/json"),), BODY)

    def open(self, request: Any, timeouts: Any) -> Any:
        return _Opened()

    def close(self) -> None:
        return


class _Opened:
    status, headers = 200, (("Content-Type", "text/event-stream"),)

    def __iter__(self) -> Iterator[bytes]:
        return iter(EVENTS)

    def close(self) -> None:
        return


GROUPS: dict[str, Callable[[], Iterator[Measure]]] = {"pipeline": pipeline, "cache": cache, "router": router}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    measures = {measure.label: measure for group in options.only for measure in GROUPS[group]()}
    figures = _figures(measures, *((5, 0.005) if options.quick else (31, 0.02)))
    print(f"{_table(measures, figures)}\n\n{_footer()}")
    if options.json:
        content = {label: {"target": measures[label].target, **recorded(figure)} for label, figure in figures.items()}
        options.json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run_policies.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a glance, not a result")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), help="some of the policies")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure with its spread")
    return parser


def _figures(measures: dict[str, Measure], rounds: int, seconds: float) -> dict[str, Figure]:
    """Microseconds of CPU time, taken in turns so that a busy moment hits all of them."""
    counts = {label: _count(measure, seconds) for label, measure in measures.items()}
    samples: dict[str, list[float]] = {label: [] for label in measures}
    for label in turns(measures, rounds):
        samples[label].append(_microseconds(measures[label], counts[label]))
    return {label: Figure(taken) for label, taken in samples.items()}


def _count(measure: Measure, seconds: float) -> int:
    """How many runs fill a round; finding out warms it up."""
    _microseconds(measure, 10)
    each = _microseconds(measure, 10) * measure.per / 1e6
    return max(1, int(seconds / max(each, 1e-7)))


def _microseconds(measure: Measure, count: int) -> float:
    begun = time.process_time()
    for _ in range(count):
        done = measure.run()
    taken = time.process_time() - begun
    if not done:
        raise SystemExit(f"{measure.label} gave {done!r}.")
    return taken / count / measure.per * 1e6


def _table(measures: dict[str, Measure], figures: dict[str, Figure]) -> str:
    lines = [["µs of CPU time", "target", "LambdaLLM", ""]]
    for label, measure in measures.items():
        value = figures[label].value
        verdict = "" if measure.target is None else "met" if value <= measure.target else "MISSED"
        target = "" if measure.target is None else f"≤ {measure.target:g}"
        lines.append([label, target, number(figures[label]), verdict])
    return markdown(lines)


def _footer() -> str:
    return (
        f"{time.strftime('%Y-%m-%d')}, {shown_python()}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors."
    )


if __name__ == "__main__":
    sys.exit(main())
