"""A loopback server that says exactly what a test tells it to, and both transports behind one face."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from lambdallm.transport import (
    AsyncioStream,
    AsyncioTransport,
    HttpRequest,
    HttpResponse,
    SyncStream,
    SyncTransport,
    Timeouts,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number

    def request(self) -> bytes:
        """One whole request; empty when the client has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self._recv()
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(body) < length:
            body += self._recv()
        return head + b"\r\n\r\n" + body

    def say(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def wait_for_close(self) -> None:
        while self._recv():
            pass

    def _recv(self) -> bytes:
        try:
            return self.sock.recv(65536)
        except OSError:
            return b""


class Stub:
    """Runs `behave(peer)` in a thread for each connection, and remembers what was asked."""

    def __init__(self, behave: Callable[[Peer], None], tls: Any = None) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.connections = 0
        self.peers: list[Peer] = []
        self.threads: list[threading.Thread] = []
        self._behave = behave
        self._tls = tls
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http{'s' if self._tls else ''}://{host}:{self.port}{path}"

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock:
            try:
                if self._tls:
                    sock = self._tls.wrap_socket(sock, server_side=True)
            except OSError:
                return
            with sock:
                peer = Peer(sock, number)
                self.peers.append(peer)
                self._behave(peer)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._acceptor.join(5)
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.sock.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(5)


@pytest.fixture
def serve() -> Iterator[Callable[..., Stub]]:
    """Start servers that stop with the test."""
    stubs: list[Stub] = []

    def start(behave: Callable[[Peer], None], tls: Any = None) -> Stub:
        stubs.append(Stub(behave, tls))
        return stubs[-1]

    yield start
    for stub in stubs:
        stub.close()


def repeat(answer: bytes = OK) -> Callable[[Peer], None]:
    """Give every request the same answer."""

    def behave(peer: Peer) -> None:
        while peer.request():
            peer.say(answer)

    return behave


class Stream:
    """A response being read, under either driver."""

    def __init__(self, inner: SyncStream | AsyncioStream, run: Callable[[Any], Any]) -> None:
        self.status = inner.status
        self.headers = inner.headers
        self._inner = inner
        self._run = run
        self._pieces: Any = inner.__iter__() if isinstance(inner, SyncStream) else inner.__aiter__()

    def next(self) -> bytes:
        """The next piece; empty at the end."""
        if isinstance(self._inner, SyncStream):
            return next(self._pieces, b"")
        return self._run(anext(self._pieces, b""))

    def rest(self) -> list[bytes]:
        return list(iter(self.next, b""))

    def close(self) -> None:
        if isinstance(self._inner, SyncStream):
            self._inner.close()
        else:
            self._run(self._pieces.aclose())
            self._run(self._inner.aclose())


class Caller:
    """The transport under test. `options` are the transport's own."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.transports: list[SyncTransport | AsyncioTransport] = []
        self.runner = asyncio.Runner() if kind == "asyncio" else None

    def run(self, coroutine: Any) -> Any:
        async def awaited() -> Any:
            return await coroutine

        assert self.runner is not None
        return self.runner.run(awaited())

    def transport(self, **options: Any) -> SyncTransport | AsyncioTransport:
        options.setdefault("proxies", {})
        made = SyncTransport(**options) if self.kind == "sync" else AsyncioTransport(**options)
        self.transports.append(made)
        return made

    def send(self, request: HttpRequest | str, timeouts: Timeouts | None = None, transport: Any = None) -> HttpResponse:
        request = HttpRequest("GET", request) if isinstance(request, str) else request
        transport = transport or self._default()
        made = transport.send(request, timeouts or Timeouts(connect=5, read=5))
        response: HttpResponse = made if self.kind == "sync" else self.run(made)
        return response

    def open(self, request: HttpRequest | str, timeouts: Timeouts | None = None, transport: Any = None) -> Stream:
        request = HttpRequest("GET", request) if isinstance(request, str) else request
        transport = transport or self._default()
        made = transport.open(request, timeouts or Timeouts(connect=5, read=5))
        return Stream(made if self.kind == "sync" else self.run(made), self.run)

    def _default(self) -> SyncTransport | AsyncioTransport:
        return self.transports[0] if self.transports else self.transport()

    def close(self) -> None:
        for transport in self.transports:
            if isinstance(transport, SyncTransport):
                transport.close()
            else:
                self.run(transport.aclose())
        if self.runner:
            self.runner.close()


@pytest.fixture(params=["sync", "asyncio"])
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Every test that takes this runs once under each driver."""
    made = Caller(request.param)
    yield made
    made.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()
