"""The asynchronous transport: the same exchange as the synchronous one, waiting in the running event loop.

Connections belong to no loop. A wire registers with the loop only while it waits, so a client that outlives one
`asyncio.run` serves the next with its connections still warm, instead of failing with "Event loop is closed".
"""

from __future__ import annotations

import asyncio
import socket
from time import monotonic

from .exchange import Client
from .wire import Expired

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Self

    from .exchange import Exchange
    from .tls import TlsConfig
    from .types import Headers, HttpRequest, HttpResponse, Timeouts
    from .wire import Wire

_THREAD_WAIT_SECONDS = 0.2
"""How long a helper thread waits at a time on loops that can't watch sockets; it outlives a cancellation by that."""


class AsyncioTransport:
    """Sends requests over kept-alive connections. Safe to share between tasks, event loops, threads and forks.

    The arguments are those of `SyncTransport`. A cancelled request closes its connection.
    """

    __slots__ = ("_client",)

    def __init__(
        self, tls: TlsConfig | None = None, proxies: Mapping[str, str] | None = None, max_idle: int = 64
    ) -> None:
        self._client = Client(_LoopDriver(), tls, proxies, max_idle)

    async def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """Send and read the whole response. Raises `TransportError`, and `ValueError` for a bad request."""
        return await self._client.send(request, timeouts)

    async def open(self, request: HttpRequest, timeouts: Timeouts) -> AsyncioStream:
        """Send and return as soon as the headers are in. Raises as `send` does, also while iterating."""
        return AsyncioStream(await self._client.open(request, timeouts))

    async def aclose(self) -> None:
        """Close idle connections. The transport still works afterwards, but keeps none."""
        self.close_idle()

    def close_idle(self) -> None:
        """The same, where no event loop runs: connections belong to none."""
        self._client.pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()


class AsyncioStream:
    """A response whose body is read by iterating, each piece as it arrives. Use it in an `async with`, or close it."""

    __slots__ = ("_exchange", "headers", "status")

    def __init__(self, exchange: Exchange) -> None:
        self.status: int = exchange.status
        self.headers: Headers = exchange.headers
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = self._exchange.next
        while piece := await read():
            yield piece

    async def read(self) -> bytes:
        """The rest of the body, whole."""
        return await self._exchange.read_all()

    async def aclose(self) -> None:
        """Stop reading. A connection with an unread rest is closed, a drained one is already back in the pool."""
        self._exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.aclose()


class _LoopDriver:
    """Waits in whichever event loop is running."""

    __slots__ = ()

    async def wait(self, wire: Wire, writing: bool, until: float | None) -> None:
        loop = asyncio.get_running_loop()
        add, remove = (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        descriptor = wire.sock.fileno()
        ready: asyncio.Future[bool] = loop.create_future()
        try:
            add(descriptor, _settle, ready, True)
        except NotImplementedError:
            await _wait_in_thread(loop, wire.writable if writing else wire.readable, until)
            return
        timer = None if until is None else loop.call_later(max(until - monotonic(), 0.0), _settle, ready, False)
        try:
            if not await ready:
                raise Expired
        finally:
            remove(descriptor)
            if timer is not None:
                timer.cancel()

    async def resolve(self, host: str, port: int, until: float | None) -> Sequence[Any]:
        lookup = asyncio.get_running_loop().getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
        try:
            return await asyncio.wait_for(lookup, None if until is None else until - monotonic())
        except TimeoutError:
            raise Expired from None


def _settle(ready: asyncio.Future[bool], outcome: bool) -> None:
    if not ready.done():
        ready.set_result(outcome)


async def _wait_in_thread(
    loop: asyncio.AbstractEventLoop, check: Callable[[float | None], bool], until: float | None
) -> None:
    """Wait on a loop that can't watch sockets (Windows' default one), a slice of time at a time."""
    while True:
        left = _THREAD_WAIT_SECONDS if until is None else min(max(until - monotonic(), 0.0), _THREAD_WAIT_SECONDS)
        if await loop.run_in_executor(None, check, left):
            return
        if until is not None and monotonic() >= until:
            raise Expired
