"""The process of a function under `lambdallm dev`: our own runtime's loop around the user's code, watched.

What a function did (calls, steps, failures) is posted to the emulator as notes on its invocation before its answer is
complete. The same process answers the playground when it is started with `play`: it then describes the project, and
runs its prompts and chains.
"""

from __future__ import annotations

import json
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .dev_describe import Found

    Function = Callable[[Any, Any], Any]
    Options = dict[str, Any]


def main(options: Options) -> int:
    """Load what `options` name, and serve until the emulator ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    root = os.environ["LAMBDA_TASK_ROOT"]
    from ..runtime import logs
    from ..runtime.client import RuntimeClient
    from ..runtime.errors import RuntimeApiError
    from ..runtime.loading import set_search_path
    from ..runtime.loop import run
    from .dev_watched import watched, watched_context

    def load() -> Function:
        return watched(
            _explaining(lambda: _player(options, root) if options.get("play") else _loaded(options, root), root), root
        )

    set_search_path()
    logs.start()
    client = RuntimeClient(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        run(client, load, context_type=watched_context(options.get("model")))
    except RuntimeApiError as error:
        sys.exit(f"error: {error}")
    return 0


def _loaded(entry: Options, root: str) -> Function:
    """The function to run. Raises `TargetError`, or what is wrong in its code as its author can read it."""
    from .target import Target, load

    return load(Target(os.path.join(root, entry["file"]), root, entry["module"], entry["function"]))


def _explaining(load: Callable[[], Function], root: str) -> Function:
    """The function; where it can't be loaded, one that says why to every event."""
    try:
        return load()
    except Exception as error:  # noqa: BLE001  # told to whoever sends an event
        return _Unloaded(error, root)


class _Unloaded:
    """Stands for a function that can't be loaded. `failure` is what is wrong, for people."""

    def __init__(self, reason: Exception, root: str) -> None:
        from .dev_watched import failure

        self._reason = reason
        self.failure = failure(reason, root)

    def __call__(self, _event: Any, _context: Any) -> Any:
        raise self._reason


def _player(options: Options, root: str) -> Function:
    """The playground's function: the project described, and its prompts and chains run."""
    found, reasons = _found(options["entries"], root)

    def play(event: Any, context: Any) -> Any:
        from .dev_ask import asker
        from .dev_describe import described
        from .dev_watched import failure

        if "describe" in event:
            return described(found) | {"failure": failure(reasons[0], root) if reasons else None}
        if reasons and not found.has(event.get("kind"), event.get("id")):
            raise reasons[0]
        return asker(found, event)({}, context)

    return play


def _found(entries: list[Options], root: str) -> tuple[Found, list[Exception]]:
    """The project's modules that can be imported, and why others can't."""
    whole, reasons = [], []
    for entry in entries:
        try:
            _loaded(entry, root)
            whole.append(entry)
        except Exception as error:  # noqa: BLE001  # told with the rest
            reasons.append(error)
    from .dev_describe import Found

    return Found(root, whole), reasons


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
