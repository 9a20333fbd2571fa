"""Measure whether a warm environment stays as it is: `python benchmarks/run_warm.py [invocations]`.

Runs 10,000 invocations of one handler of each kind through one process, over the echo model, and prints the slopes:
how much memory (resident, and Python's own blocks, counted without tracing) and time an invocation adds to the next.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "src"))

from lambdallm import Middleware, handler
from lambdallm.state.memory import MemoryStateStore
from lambdallm.testing import MockLambdaContext

WARM_UP = 1_000
SAMPLES = 40
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
URL_EVENT = {"version": "2.0", "requestContext": {"http": {"method": "POST"}}, "headers": {}, "body": '{"text": "Hi"}'}


@handler(model="echo", middleware=[Middleware()])
def blocking(event: Any, context: Any) -> Any:
    return {"said": context.invoke("Say {text}", text=context.body["text"])}


@handler(model="echo", middleware=[Middleware()])
async def awaiting(event: Any, context: Any) -> Any:
    said = await asyncio.gather(*(context.ainvoke("Say {text}", text=context.body["text"]) for _ in range(2)))
    return {"said": said}


@handler(model="echo")
def structured(event: Any, context: Any) -> Any:
    return context.invoke_structured("Rate {text}", {"score": float}, text="it")


@handler(model="echo")
async def streamed(event: Any, context: Any) -> Any:
    return context.astream("Say {text}", text="one two three")


@handler(model="echo")
def failing(event: Any, context: Any) -> Any:
    raise ValueError("no")


STORE = MemoryStateStore()


@handler(model="echo", timeout_strategy="checkpoint", checkpoint_store=STORE)
def checkpointed(event: Any, context: Any) -> Any:
    return context.invoke("Say it")


class _Emptied(MockLambdaContext):
    """The store in memory grows with every invocation by design: here it forgets the ones before."""

    def on_context(self, _context: Any) -> None:
        STORE._journals.clear()


KINDS: dict[str, Callable[[Any, Any], Any]] = {
    "def": blocking, "async def, two calls": awaiting, "structured": structured, "async stream": streamed,
    "checkpoint": checkpointed, "an error, over HTTP": failing,
}  # fmt: skip


def measured(kind: str, invocations: int) -> dict[str, float]:
    """The slopes of one kind: bytes, blocks and microseconds, each per invocation, and the time of one."""
    function, context = KINDS[kind], _Emptied(10**9)
    for _ in range(WARM_UP):
        function(URL_EVENT, context)
    size = max(invocations // SAMPLES, 1)
    resident, blocks, times = [], [], []
    for _ in range(SAMPLES):
        begun = time.perf_counter()
        for _ in range(size):
            function(URL_EVENT, context)
        times.append((time.perf_counter() - begun) / size * 1e6)
        gc.collect()
        resident.append(float(_resident_bytes()))
        blocks.append(float(sys.getallocatedblocks()))
    return {
        "bytes": slope(resident) / size, "blocks": slope(blocks) / size, "us": slope(times) / size,
        "each_us": sorted(times)[len(times) // 2], "resident": resident[-1],
    }  # fmt: skip


def slope(values: list[float]) -> float:
    """How much a value grows from one sample to the next: the middle of the slopes between all pairs (Theil and Sen),
    which a garbage collection or a busy machine does not move."""
    pairs = sorted(
        (values[b] - values[a]) / (b - a) for a in range(len(values)) for b in range(a + 1, len(values))
    )  # fmt: skip
    return pairs[len(pairs) // 2]


def _resident_bytes() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(arguments: list[str]) -> None:
    if len(arguments) == 2:
        import logging

        logging.disable(logging.CRITICAL)  # a traceback for each failure is not what is measured
        print(json.dumps(measured(arguments[0], int(arguments[1]))))
        return
    invocations = int(arguments[0]) if arguments else 10_000
    print(f"| {invocations:,} warm invocations | resident | bytes each | blocks each | time each | drift |")
    print("|---|--:|--:|--:|--:|--:|")
    for kind in KINDS:
        command = [sys.executable, __file__, kind, str(invocations)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(
            f"| {kind} | {found['resident'] / 2**20:.1f} MB | {found['bytes']:+.2f} | {found['blocks']:+.4f} "
            f"| {found['each_us']:.0f} µs | {found['us'] * 1000:+.2f} µs per 1,000 |"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
