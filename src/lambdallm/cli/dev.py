"""`lambdallm dev`: serve a function on this machine, as its URL would, with a fresh process after every change."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from ..llm.errors import ConfigurationError
from .console import milliseconds, paint
from .dev_http import DevServer
from .dev_pool import Pool, Worker
from .invoke import add_run_options, check_run_options
from .target import TargetError, find_target
from .watch import changed, snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any

    from .target import Target

_POLL_SECONDS = 0.2


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("dev", help="serve a function on this machine, reloaded on every change")
    parser.add_argument("target", nargs="?", help="app.py:lambda_handler; the only handler of app.py if left out")
    parser.add_argument("--port", type=int, default=3000, help="where to listen (3000); 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    add_run_options(parser)


def run(args: Namespace) -> int:
    """Run the verb until Ctrl-C."""
    target = find_target(args.target)
    os.environ["LAMBDA_TASK_ROOT"] = target.root
    check_run_options(args)
    server = _bound(args.host, args.port)
    stop = _asked_to_stop()
    options = {"target": args.target, "root": target.root, "model": args.model, "timeout": args.timeout}
    seen = snapshot(target.root)
    server.pool = Pool(options, _tell_start)
    try:
        _wait_for_first(server.pool.worker, stop)
        server.pool.on_start = _tell_reload
        if not stop():
            print(_banner(target, server), flush=True)
            _serve(server, lambda: _watch(target.root, seen, server.pool, stop))
    finally:
        server.server_close()
        server.pool.close()
    print("\nStopped.")
    return 0


def _asked_to_stop() -> Callable[[], bool]:
    """Whether a signal has said so. It raises nothing: an exception could surface anywhere, in a finalizer too."""
    signals: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, _frame: signals.append(number))
    return lambda: bool(signals)


def _serve(server: DevServer, meanwhile: Callable[[], None]) -> None:
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        meanwhile()
    finally:
        server.shutdown()


def _watch(root: str, seen: dict[str, tuple[int, int]], pool: Pool, stop: Callable[[], bool]) -> None:
    while not stop():
        time.sleep(_POLL_SECONDS)
        now = snapshot(root)
        if files := changed(seen, now):
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            print(paint(f"{os.path.relpath(files[0], root)}{more} changed", "cyan", sys.stdout), flush=True)
            pool.replace()
        seen = now


def _wait_for_first(worker: Worker, stop: Callable[[], bool]) -> None:
    """Until the function is loaded, or has failed to; raises where no change of its code would be the answer."""
    while not worker.started.wait(0.1) and not stop():
        pass
    if worker.started.is_set() and worker.first.get("unclear"):
        raise TargetError(worker.first["message"])


def _tell_start(worker: Worker) -> None:
    first = worker.first
    if first["kind"] == "ready":
        text = f"{first['name']} is loaded (cold start {milliseconds(first['init_ms'])})"
        print(paint(text, "green", sys.stdout), flush=True)
    elif not first["unclear"]:
        print(paint("The function can't be loaded: save a correction.", "red", sys.stdout), flush=True)


def _tell_reload(worker: Worker) -> None:
    if worker.first.get("unclear"):
        print(f"{paint('error:', 'red', sys.stdout)} {worker.first['message']}", flush=True)
    _tell_start(worker)


def _bound(host: str, port: int) -> DevServer:
    try:
        return DevServer((host, port), _log)
    except OverflowError as error:
        raise ConfigurationError(f"--port is {port}.", fix="Use a number from 0 to 65535.") from error
    except OSError as error:
        if port and (free := _next_free(host, port)):
            reason = f"Port {port} can't be used: {(error.strerror or str(error)).lower()}."
            raise ConfigurationError(reason, fix=f"Run: lambdallm dev --port {free}.") from error
        raise ConfigurationError(f"{host}:{port} can't be listened on: {error}.", fix="Correct --host.") from error


def _next_free(host: str, port: int) -> int | None:
    for candidate in range(port + 1 if port >= 1024 else 3000, min(port + 100, 65536) if port >= 1024 else 3100):
        try:
            DevServer((host, candidate), _log).server_close()
        except OSError:
            continue
        return candidate
    return None


def _banner(target: Target, server: DevServer) -> str:
    host, port = server.server_address[:2]
    shown = f"[{host!s}]" if ":" in str(host) else str(host)
    url = paint(f"http://{shown}:{port}", "bold", sys.stdout)
    return f"Serving {target.shown} at {url} (one event at a time). Reloads on change; Ctrl-C stops."


def _log(line: str, status: int) -> None:
    colour = "green" if status < 400 else "yellow" if status < 500 else "red"
    print(paint(line, colour, sys.stdout), flush=True)
