"""The process that runs the user's code under `lambdallm dev`: one import, then one event after the other.

It talks to its parent in lines of JSON over the standard streams it was started with; what the user's code prints goes
to the terminal. It says `ready` or `failed` once, then answers each request with `piece`s and one `result` or `error`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

from .faults import FunctionError, as_json, explained
from .target import TargetError, find_target, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TextIO

    from .target import Target

    Send = Callable[[dict[str, Any]], None]


def main(options: dict[str, Any]) -> int:
    """Load the target and serve until the parent closes the line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    inbox, send = _channel()
    target = find_target(options["target"])
    begun = time.perf_counter()
    try:
        function = load(target)
    except Exception as error:  # noqa: BLE001  # told to the parent
        send(
            {"kind": "failed", "error": _told(error, target), "shown": str(error), "fatal": type(error) is TargetError}
        )
        return 1
    name = getattr(function, "__name__", target.module)
    send({"kind": "ready", "init_ms": (time.perf_counter() - begun) * 1000, "name": name})
    os.chdir(target.root)
    for line in inbox:
        _serve(function, json.loads(line), send, target, options)
    return 0


def _channel() -> tuple[TextIO, Send]:
    """The parent's line, taken away from the user's code: its own output joins standard error, its input is empty."""
    inbox = os.fdopen(os.dup(0), encoding="utf-8")
    outbox = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1, closefd=False)

    def send(frame: dict[str, Any]) -> None:
        outbox.write(json.dumps(frame) + "\n")
        outbox.flush()

    return inbox, send


def _serve(
    function: Callable[[Any, Any], Any], request: dict[str, Any], send: Send, target: Target, options: dict[str, Any]
) -> None:
    from .invocation import LocalContext, invoke

    name = getattr(function, "__name__", target.module)
    context = LocalContext(name, options["timeout"], options["model"], request["id"])
    context.accepts_stream = request["streams"]
    try:
        result, report = invoke(function, request["event"], context, lambda text: send({"kind": "piece", "text": text}))
        send({"kind": "result", "result": result, "report": report.to_dict()})
    except (Exception, SystemExit) as error:  # noqa: BLE001  # told to the parent
        send({"kind": "error", "error": _told(error, target)})


def _told(error: BaseException, target: Target) -> dict[str, Any]:
    """The error for the client; the terminal is told on the way, with the author's frames where it is a bug."""
    said = explained(error, target.root)
    if isinstance(said, FunctionError):
        print(said.frames, file=sys.stderr)
    print(f"error: {' '.join(str(said).split())}", file=sys.stderr, flush=True)
    cause = said.__cause__ if isinstance(said.__cause__, BaseException) else error
    facts = as_json(cause, target.root)
    return facts if isinstance(said, FunctionError) else {**facts, "errorMessage": str(said)}


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
