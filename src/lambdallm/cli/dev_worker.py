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

    Send = Callable[[dict[str, Any]], None]


def main(options: dict[str, Any]) -> int:
    """Load the target and serve until the parent closes the line."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    inbox, outbox = _channel()

    def send(frame: dict[str, Any]) -> None:
        outbox.write(json.dumps(frame) + "\n")
        outbox.flush()

    with inbox, outbox:
        return _work(options, inbox, send)


def _work(options: dict[str, Any], inbox: TextIO, send: Send) -> int:
    begun = time.perf_counter()
    try:
        function = load(find_target(options["target"]))
    except Exception as error:  # noqa: BLE001  # told to the parent
        send(_failed(error, options["root"]))
        return 1
    name = getattr(function, "__name__", "function")
    send({"kind": "ready", "init_ms": (time.perf_counter() - begun) * 1000, "name": name})
    os.chdir(options["root"])
    for line in inbox:
        send(_answer(function, name, json.loads(line), send, options))
    return 0


def _channel() -> tuple[TextIO, TextIO]:
    """The parent's line, taken away from the user's code: its own output joins standard error, its input is empty."""
    inbox = os.fdopen(os.dup(0), encoding="utf-8")
    outbox = os.fdopen(os.dup(1), "w", encoding="utf-8")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", buffering=1, closefd=False)
    return inbox, outbox


def _answer(
    function: Callable[[Any, Any], Any], name: str, request: dict[str, Any], send: Send, options: dict[str, Any]
) -> dict[str, Any]:
    """The last frame for a request; pieces of a stream are sent on the way."""
    from .invocation import LocalContext, invoke

    context = LocalContext(name, options["timeout"], options["model"], request["id"])
    context.accepts_stream = request["streams"]

    def piece(text: str) -> None:
        send({"kind": "piece", "text": text, "headers": context.response_headers})

    try:
        result, report = invoke(function, request["event"], context, piece)
        frame = {"kind": "result", "result": result, "report": report.to_dict()}
        json.dumps(frame)
        return frame
    except (Exception, SystemExit) as error:  # noqa: BLE001  # told to the parent
        return {"kind": "error", "error": _told(error, options["root"]), "status": context.failure_status}


def _failed(error: Exception, root: str) -> dict[str, Any]:
    """`unclear` says that no function was found to load, which the parent tells in its own words."""
    unclear = isinstance(error, TargetError)
    facts = as_json(error, root) if unclear else _told(error, root)
    return {"kind": "failed", "error": facts, "message": str(error), "unclear": unclear}


def _told(error: BaseException, root: str) -> dict[str, Any]:
    """The error for the client; the terminal is told on the way, with the author's frames where it is a bug."""
    said = explained(error, root)
    if isinstance(said, FunctionError):
        print(said.frames, file=sys.stderr)
    print(f"error: {' '.join(str(said).split())}", file=sys.stderr, flush=True)
    cause = said.__cause__ if isinstance(said.__cause__, BaseException) else error
    facts = as_json(cause, root)
    return facts if isinstance(said, FunctionError) else {**facts, "errorMessage": str(said)}


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
