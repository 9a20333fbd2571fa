"""The end of an execution environment: SIGTERM, which Lambda sends where an extension is registered, then SIGKILL.

The signal unwinds whatever runs, as `SystemExit(0)` does, so that what is half done lets go of what it holds; then the
functions registered with `on_shutdown` are called. All of it has some 300 ms (500 where the extension is internal).
Without an extension Lambda ends environments without a word.

Source: "Shutdown phase" in the AWS Lambda Developer Guide's "Lambda execution environment lifecycle".
"""

from __future__ import annotations

import os

from .. import _hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import TypeVar

    F = TypeVar("F", bound=Callable[[], object])

_watching: list[bool] = []
_asked: list[bool] = []


def on_shutdown(function: F) -> F:
    """Have a function called before this environment ends, those registered last first.

        @on_shutdown
        def flush():
            exporter.send(spans)

    It gets no second chance: be quick, and don't start what takes long. Under AWS's own client an environment that is
    idle hears the signal from Python 3.12 on.
    """
    if "AWS_LAMBDA_RUNTIME_API" in os.environ:
        watch()
    return _hooks.on_shutdown(function)


def watch() -> None:
    """End in order at SIGTERM, unless the function handles it itself. In another thread than the first it does nothing.

    It imports `signal`, half a millisecond that a first answer need not wait for.
    """
    if _watching:
        return
    import signal

    try:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _terminate)
    except ValueError:
        return  # only the first thread may
    _watching.append(True)


def is_asked() -> bool:
    """Whether the signal has come: for a function that swallowed `SystemExit`."""
    return bool(_asked)


def _terminate(signum: int, frame: FrameType | None) -> None:
    import signal

    signal.signal(signum, signal.SIG_IGN)  # a second one would interrupt what the first one began
    _asked.append(True)
    from .hook import waits_for_next

    if waits_for_next(frame):
        _end_now()
    if not _left_to_a_loop(frame):
        raise SystemExit(0)


def _left_to_a_loop(frame: FrameType | None) -> bool:
    """Whether an event loop raises `SystemExit`, at its next turn, as its own code is what the signal interrupted."""
    from sys import modules

    if "asyncio" not in modules:
        return False
    from .event_loop import exits_at_next_turn

    return exits_at_next_turn(frame)


def _end_now() -> None:
    """Where nothing is to be unwound, and AWS's client would wait for its polling thread for ever."""
    from . import logs

    _hooks.run_shutdown()
    logs.flush()
    os._exit(0)
