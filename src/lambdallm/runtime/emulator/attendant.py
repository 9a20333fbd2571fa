"""One thread that hears all of a process: what it prints, what it asks its Runtime API, and its end.

It takes things in the order in which they happen, which is what attributes a line to an invocation. What they mean it
leaves to its `Site`.
"""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import suppress

from .connection import Connection

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import Protocol

    from . import http1
    from .bodies import Body
    from .process import Process

    class Site(Protocol):
        """The environment whose process it is. All but `cleared` is told within a `step`."""

        over: bool
        """Whether there is nothing to hear any more."""

        def step(self) -> AbstractContextManager[None]:
            """Decide something; it takes effect at the end."""

        def then(self, effect: Callable[[], object]) -> None:
            """Have something take effect at the end of the step."""

        def launched(self, address: str) -> Process | None:
            """Start the process, whose Runtime API is at this address; `None` where that can't be."""

        def begins(self) -> None:
            """The function's own command runs."""

        def ask(self, connection: Connection, head: http1.Head) -> Body:
            """What reads the body of a request."""

        def hung_up(self, connection: Connection) -> None:
            """The process has closed a connection."""

        def printed(self, data: bytes) -> None:
            """The process has printed."""

        def exited(self) -> None:
            """The process has ended, and all that it sent and printed has been told."""

        def cleared(self) -> None:
            """The thread ends."""


_MOST_READS = 4096


class Attendant:
    """Attends to one process from its start to its end."""

    def __init__(self, site: Site, name: str) -> None:
        self._site = site
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._process: Process | None = None
        self._thread = threading.Thread(target=self._run, daemon=True, name=name)

    def start(self) -> None:
        """Start the process, in the thread."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the thread."""
        if self._thread.ident is not None:
            self._thread.join()

    def read_output(self) -> None:
        """Tell all that the process has printed until now, in a step."""
        assert self._process is not None
        for _ in range(_MOST_READS):
            data = self._process.read()
            if not data:
                break
            self._site.printed(data)

    def _run(self) -> None:
        try:
            with self._selector, socket.create_server(("127.0.0.1", 0)) as listener:
                listener.setblocking(False)
                with self._site.step():
                    self._launch(listener)
                while not self._site.over:
                    self._hear()
        finally:
            if self._process is not None:
                self._process.kill()
            for connection in self._connections:
                connection.close()
            self._site.cleared()

    def _launch(self, listener: socket.socket) -> None:
        self._process = process = self._site.launched("{}:{}".format(*listener.getsockname()))
        if process is not None:
            self._register(listener, lambda: self._accept(listener))
            self._register(process.begun, lambda: self._begins(process))
            self._register(process.output, lambda: self._read_some_output(process))
            self._register(process.exit, lambda: self._exited(listener))

    def _register(self, source: socket.socket | int, act: Callable[[], object]) -> None:
        self._selector.register(source, selectors.EVENT_READ, act)

    def _hear(self) -> None:
        for key, _ in self._selector.select():
            with self._site.step():
                if not self._site.over:
                    key.data()

    def _begins(self, process: Process) -> None:
        self._selector.unregister(process.begun)
        self._site.begins()

    def _read_some_output(self, process: Process) -> None:
        data = process.read()
        self._site.printed(data)
        if not data:
            self._selector.unregister(process.output)

    def _exited(self, listener: socket.socket) -> None:
        self._accept(listener)
        for connection in self._connections:
            while connection.read(lambda data: None, block=False):
                pass
        self.read_output()
        self._site.exited()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(BlockingIOError):
            while True:
                self._add(Connection(listener.accept()[0], self._site.ask))

    def _add(self, connection: Connection) -> None:
        connection.socket.setblocking(True)
        self._connections.add(connection)
        self._register(connection.socket, lambda: self._heard(connection))

    def _heard(self, connection: Connection) -> None:
        if connection.read(lambda data: self._site.then(lambda: connection.send(data))):
            return
        self._selector.unregister(connection.socket)
        self._connections.discard(connection)
        self._site.hung_up(connection)
        connection.close()
