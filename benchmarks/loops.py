"""Warm loops inside a measured process: for each line on standard input, one round and its CPU time on a line.

    python -I -c "from loops import main; main('client_openai', 'call', URL, 200)"

CPU time is the process's own (user and system), so neither the stub nor waiting counts.
"""

from __future__ import annotations

import sys
import time


def main(client: str, function: str, url: str, count: int) -> None:
    """Rounds of `count` calls of a client's function, as microseconds a call."""
    module = __import__(client)
    if function.startswith("a"):
        import asyncio

        asyncio.run(_asynchronous(module.async_client(url), getattr(module, function), count))
    else:
        _synchronous(module.client(url), getattr(module, function), count)


def _synchronous(client: object, call, count: int) -> None:
    for _ in sys.stdin:
        begun = time.process_time()
        for _ in range(count):
            answer = call(client)
        _tell(time.process_time() - begun, count, answer)


async def _asynchronous(client: object, call, count: int) -> None:
    for _ in sys.stdin:
        begun = time.process_time()
        for _ in range(count):
            answer = await call(client)
        _tell(time.process_time() - begun, count, answer)


def _tell(seconds: float, count: int, answer: str) -> None:
    """`answer` is checked so that no round of failures passes for a fast one."""
    if len(answer) < 1000:
        sys.exit(f"The answer is too short: {answer!r}")
    print(seconds / count * 1e6, flush=True)
