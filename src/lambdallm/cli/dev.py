"""`lambdallm dev`: the project's functions on a local Lambda, fresh after every change, and a playground."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import ExitStack

from ..llm.errors import ConfigurationError
from .console import paint
from .invoke import add_run_options, check_run_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any

    from ..runtime.emulator.listener import HttpReply, HttpRequest, Listener
    from ..runtime.emulator.logs import Line
    from .dev_http import DevFront
    from .dev_log import Terminal
    from .dev_workshop import Workshop

_POLL_SECONDS = 0.1


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("dev", help="serve the project on this machine, reloaded on every change")
    parser.add_argument("target", nargs="?", help="app.py:lambda_handler, or app.py; every handler if left out")
    parser.add_argument("--port", type=int, default=3000, help="where to listen (3000); 0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--memory", metavar="MB", type=int, default=1024, help="the functions' memory in MB (1024)")
    parser.add_argument("--json", action="store_true", help="print each line of the log as a JSON object")
    add_run_options(parser)


def run(args: Namespace) -> int:
    """Run the verb until Ctrl-C."""
    from .dev_log import Terminal
    from .dev_targets import find_project

    os.environ["LAMBDA_TASK_ROOT"] = find_project(args.target).root
    check_run_options(args)
    _check_memory(args.memory)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # functions print what they like
    terminal = Terminal(sys.stdout, as_json=args.json)
    stop = _asked_to_stop()
    with ExitStack() as open_things:
        entrance = _Entrance()
        listener = open_things.enter_context(_listening(entrance, args.host, args.port))
        workshop, front = _opened(args, terminal, listener, open_things)
        workshop.start(stop)
        entrance.lead_to(front)
        if not stop():
            _tell_ready(terminal, workshop, listener.address)
        _watch(workshop, terminal, stop)
    if terminal.gone:
        raise BrokenPipeError
    terminal.say("\nStopped." if not args.json else "Stopped.", event="stopped")
    return 0


class _Entrance:
    """The front end of a port that is taken before there is anything behind it: requests wait."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._front: Callable[[HttpRequest], HttpReply]

    def lead_to(self, front: Callable[[HttpRequest], HttpReply]) -> None:
        """Let requests in."""
        self._front = front
        self._open.set()

    def __call__(self, request: HttpRequest) -> HttpReply:
        self._open.wait()
        return self._front(request)


def _opened(
    args: Namespace, terminal: Terminal, listener: Listener, open_things: ExitStack
) -> tuple[Workshop, DevFront]:
    """The project's functions on an emulator, not loaded yet, and what will serve them."""
    from ..runtime.emulator.account import Account
    from ..runtime.emulator.emulator import Emulator
    from .dev_http import DevFront
    from .dev_observer import Observer
    from .dev_workshop import PLAY, Options, Workshop
    from .playground.api import Playground
    from .playground.feed import Hub
    from .playground.record import is_own
    from .playground.runs import Runs

    def log(line: Line) -> None:
        if is_own(line) and playground is not None and (line.function != PLAY or playground.runs(line.request_id)):
            terminal.line(line, line.function, line.request_id)
            playground.line(line, line.function, line.request_id)

    playground: Playground | None = None
    hub = Hub()
    emulator = open_things.enter_context(Emulator(log=log))
    open_things.callback(hub.close)
    observer = Observer(emulator, terminal)
    workshop = Workshop(Options(args.target, args.model, args.timeout, args.memory), observer, terminal)
    playground = Playground(workshop, observer, Runs(workshop.project.root), hub, listener.address)
    open_things.callback(workshop.close)
    watched: Any = observer  # an emulator to whoever invokes
    account = open_things.enter_context(Account(watched, log=lambda line: terminal.say(line, event="account")))
    return workshop, DevFront(workshop, observer, account, playground)


def _asked_to_stop() -> Callable[[], bool]:
    """Whether a signal has said so. It raises nothing: an exception could surface anywhere, in a finalizer too."""
    signals: list[int] = []
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda number, _frame: signals.append(number))
    return lambda: bool(signals)


def _watch(workshop: Workshop, terminal: Terminal, stop: Callable[[], bool]) -> None:
    while not (stop() or terminal.gone):
        time.sleep(max(_POLL_SECONDS, 5 * workshop.look_seconds))
        workshop.look()
        terminal.tick()


def _listening(entrance: _Entrance, host: str, port: int) -> Listener:
    from ..runtime.emulator.listener import Listener

    try:
        return Listener(entrance, host=host, port=port)
    except OverflowError as error:
        raise ConfigurationError(f"--port is {port}.", fix="Use a number from 0 to 65535.") from error
    except OSError as error:
        if port and (free := _next_free(host, port)):
            reason = f"Port {port} can't be used: {(error.strerror or str(error)).lower()}."
            raise ConfigurationError(reason, fix=f"Run: lambdallm dev --port {free}.") from error
        raise ConfigurationError(f"{host}:{port} can't be listened on: {error}.", fix="Correct --host.") from error


def _next_free(host: str, port: int) -> int | None:
    import socket

    for candidate in range(port + 1 if port >= 1024 else 3000, min(port + 100, 65536) if port >= 1024 else 3100):
        try:
            socket.create_server((host, candidate)).close()
        except OSError:
            continue
        return candidate
    return None


def _check_memory(megabytes: int) -> None:
    if not 128 <= megabytes <= 10_240:
        raise ConfigurationError(f"--memory is {megabytes}.", fix="Lambda takes 128 to 10240 MB.")


def _tell_ready(terminal: Terminal, workshop: Workshop, address: str) -> None:
    """Where everything is."""
    names = [entry.name for entry in workshop.project.entries]
    urls = {name: f"{address}/{name}/" if len(names) > 1 else f"{address}/" for name in names}
    if terminal.is_json:
        terminal.say("ready", event="ready", functions=urls, playground=f"{address}/_playground/", api=address)
        return
    invoke = f"aws lambda invoke --endpoint-url {address} --function-name {names[0]} out.json"
    rows = {**urls, "Playground": f"{address}/_playground/", "Lambda API": invoke}
    width = max(map(len, rows))
    lines = [f"  {name:<{width}}  {paint(place, 'bold', sys.stdout)}" for name, place in rows.items()]
    terminal.say("\n".join(["", *lines, "", "Reloads as you save. Ctrl-C stops.", ""]))
