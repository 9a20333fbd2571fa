"""The process of our own runtime: `python -m lambdallm.runtime [module.function]`, or what a start script calls."""

from __future__ import annotations

import os
import sys

from . import collector, logs
from .client import RuntimeClient
from .errors import RuntimeApiError
from .loading import load_handler, set_search_path
from .loop import run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

ADDRESS = "AWS_LAMBDA_RUNTIME_API"


def main(handler: str | None = None) -> None:
    """Serve the function that `handler` or `_HANDLER` names until the environment ends.

    Raises `SystemExit`: 1 where the function can't be loaded or the Runtime API refuses.
    """
    address = os.environ.get(ADDRESS)
    if not address:
        sys.exit(f"{ADDRESS} is not set: this runs in AWS Lambda. On your own machine use `lambdallm dev`.")
    collector.hold_back()
    name = os.environ.get("_HANDLER", "") if handler is None else handler
    set_search_path()
    if "AWS_LAMBDA_MAX_CONCURRENCY" in os.environ:
        _serve_in_workers(address, name)
    _serve(RuntimeClient(address), name)


def _serve(client: RuntimeClient, name: str) -> None:
    logs.start()
    try:
        run(client, lambda: load_handler(name), ready=lambda: _ready(client))
    except RuntimeApiError as error:
        from .faults import fault_of

        logs.error(fault_of(error).replace(type="Runtime.ApiError", stack=()))
        sys.exit(1)
    finally:
        from .._hooks import run_shutdown

        run_shutdown()


def _serve_in_workers(address: str, name: str) -> NoReturn:
    from .instances import run_workers, workers_wanted
    from .worker import WorkerClient

    count = workers_wanted(os.environ) or 1
    run_workers(count, lambda had_one: _serve(WorkerClient(address, had_one), name))


def _ready(client: RuntimeClient) -> None:
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        from .snapstart import pass_snapshot

        pass_snapshot(client)
