"""The synchronous transport: blocking calls, no event loop, no thread. This is what a Lambda handler uses."""

from __future__ import annotations

import socket
from time import monotonic

from .errors import TransportError
from .exchange import Client
from .interrupt import here
from .wire import Expired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Self, TypeVar

    from .exchange import Exchange
    from .tls import TlsConfig
    from .types import Headers, HttpRequest, HttpResponse, Timeouts
    from .wire import Wire

    T = TypeVar("T")

_LONGEST_WAIT_SECONDS = 86400.0
"""poll counts milliseconds in 32 bits; a longer wait is made of several."""


class SyncTransport:
    """Sends requests over a pool of kept-alive connections. Safe to share between threads and to carry over a fork.

    `tls` names private authorities or a client certificate. `proxies` maps `http`, `https`, `all` to proxy URLs and
    `no` to exceptions; `None` reads `HTTPS_PROXY` and its kin at the first request, `{}` uses none. `max_idle`
    bounds the idle connections kept for one origin. Looking up a name is the operating system's and is not
    interrupted by a timeout.
    """

    __slots__ = ("_client",)

    def __init__(
        self, tls: TlsConfig | None = None, proxies: Mapping[str, str] | None = None, max_idle: int = 8
    ) -> None:
        self._client = Client(_BlockingDriver(), tls, proxies, max_idle)

    def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """Send and read the whole response. Raises `TransportError`, and `ValueError` for a bad request."""
        return _run(self._client.send(request, timeouts))

    def open(self, request: HttpRequest, timeouts: Timeouts) -> SyncStream:
        """Send and return as soon as the headers are in. Raises as `send` does, also while iterating."""
        return SyncStream(_run(self._client.open(request, timeouts)))

    def close(self) -> None:
        """Close idle connections. The transport still works afterwards, but keeps none."""
        self._client.pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class SyncStream:
    """A response whose body is read by iterating, each piece as it arrives. Use it in a `with`, or close it."""

    __slots__ = ("_exchange", "headers", "status")

    def __init__(self, exchange: Exchange) -> None:
        self.status: int = exchange.status
        self.headers: Headers = exchange.headers
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        read = self._exchange.next
        while piece := _run(read()):
            yield piece

    def read(self) -> bytes:
        """The rest of the body, whole."""
        return _run(self._exchange.read_all())

    def close(self) -> None:
        """Stop reading. A connection with an unread rest is closed, a drained one is already back in the pool."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class _BlockingDriver:
    """Waits in the calling thread."""

    __slots__ = ()

    async def wait(self, wire: Wire, writing: bool, until: float | None) -> None:
        if here.interrupt is not None:
            with here.interrupt.while_waiting(lambda: _shut(wire)):
                self._wait(wire, writing, until)
        else:
            self._wait(wire, writing, until)

    def _wait(self, wire: Wire, writing: bool, until: float | None) -> None:
        ready = wire.writable if writing else wire.readable
        if until is None:
            ready(None)
            return
        while not ready(min(max(until - monotonic(), 0.0), _LONGEST_WAIT_SECONDS)):
            if monotonic() >= until:
                raise Expired

    async def resolve(self, host: str, port: int, until: float | None) -> Sequence[Any]:
        # Bytes, because getaddrinfo loads the IDNA tables (2 ms) for text.
        return socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)


def _shut(wire: Wire) -> None:
    """Wake a thread that waits for a socket, by ending the connection."""
    try:
        wire.sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it has ended


def _run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, which is any coroutine over the blocking driver."""
    try:
        coroutine.send(None)
    except StopIteration as finished:
        value: T = finished.value
        return value
    raise TransportError("A blocking exchange tried to suspend. Please report this as a bug in LambdaLLM.")
