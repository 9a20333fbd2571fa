"""Blocking functions of others inside flows: called in place, or in a worker thread where an event loop must go on.

Both ways are right under either driver; which one is taken is only a matter of not holding up others.
"""

from __future__ import annotations

import os
import sys

from ..flow import Await, Perform
from ..result import Err, Ok
from ..task import Signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import ThreadPoolExecutor
    from typing import Any

    from ..flow import Flow
    from ..result import Result

_WORKERS = 16
_executors: dict[int, ThreadPoolExecutor] = {}


def aside(function: Callable[[], Any], seconds: float | None = None) -> Flow[Result[Any, Exception]]:
    """What a blocking function gives; what it raises is the `Err`, whatever it is.

    In a worker thread it is waited for at most `seconds`, in place as long as it takes: bound its own waits too.
    """
    if not loop_runs_here():
        inline: Result[Any, Exception] = yield Perform(lambda: _caught(function))
        return inline
    outcome: list[Result[Any, Exception]] = []
    done = Signal()

    def work() -> None:
        outcome.append(_caught(function))
        done.fire()

    _executor().submit(work)
    yield Await((done,), seconds)
    return outcome[0] if outcome else Err(TimeoutError(f"Nothing came within {seconds} s."))


def loop_runs_here() -> bool:
    """Whether an event loop runs in this thread; none does where nobody has imported asyncio, or still loads it."""
    running = getattr(sys.modules.get("asyncio"), "_get_running_loop", None)
    return running is not None and running() is not None


def _caught(function: Callable[[], Any]) -> Result[Any, Exception]:
    try:
        return Ok(function())
    except Exception as error:  # noqa: BLE001  # foreign functions raise trees of their own; the caller maps them
        return Err(error)


def _executor() -> ThreadPoolExecutor:
    """The workers of this process: a fork has none of its parent's threads."""
    executor = _executors.get(os.getpid())
    if executor is None:
        from concurrent.futures import ThreadPoolExecutor

        executor = _executors.setdefault(os.getpid(), ThreadPoolExecutor(_WORKERS, "lambdallm-backend"))
    return executor
