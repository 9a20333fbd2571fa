"""One request and its response, from the pool and back to it: written once, for every driver.

The functions are coroutines that wait only through `Wire`, and a wire waits only through its driver. Under the
synchronous driver no wait suspends, so the whole exchange is one plain call; under asyncio the same code suspends.

When a reused connection closes before a single byte of the response, the request is sent once more on a fresh
connection, whatever its method: the server had closed an idle connection, which says nothing about the request.
This is what browsers and most clients do. No other failure is retried here.
"""

from __future__ import annotations

from .clock import Clock
from .content import MAX_DECODED_BYTES, content_decoder, without_coding
from .encode import encode_head
from .errors import ConnectError, ConnectionLost, ProtocolError, ProxyError, TransportError
from .http1 import ResponseParser
from .pool import Pool
from .types import HttpRequest, HttpResponse
from .wire import Expired, connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .pool import Route
    from .proxy import Proxy
    from .tls import TlsConfig
    from .types import Headers, Timeouts
    from .wire import Driver, Wire

_JOIN_BYTES = 64 * 1024
"""Bodies up to this size are copied behind their head, to leave in one packet and one TLS record."""


class _Stale(Exception):
    """A reused connection closed without an answer."""


class _Widened(Exception):
    """A handshake failed, and more authorities are trusted since."""


class Client:
    """What both transports share: a pool, a TLS configuration and a way to wait."""

    __slots__ = ("_driver", "_tls", "pool")

    def __init__(self, driver: Driver, tls: TlsConfig | None, proxies: Mapping[str, str] | None, max_idle: int) -> None:
        self.pool = Pool(proxies, max_idle)
        self._driver = driver
        self._tls = tls

    async def open(self, request: HttpRequest, timeouts: Timeouts) -> Exchange:
        """Send, and return when the headers are in. Raises `TransportError`, and `ValueError` for a bad request."""
        route, target = self.pool.route(request.url)
        head = encode_head(request, target, route.authority, _forward_headers(route))
        clock = Clock(timeouts)
        if clock.is_over():
            raise clock.expired("total", route.url.endpoint, sent=False)
        wire = self.pool.take(route)
        if wire is None:
            wire = await self._connect(route, clock)
            return await self._exchange(wire, route, clock, request, head, reused=False)
        try:
            return await self._exchange(wire, route, clock, request, head, reused=True)
        except _Stale:
            pass
        return await self._again(wire.wrote, route, clock, request, head)

    async def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """Send, and read the whole response. Raises as `open` does."""
        exchange = await self.open(request, timeouts)
        body = await exchange.read_all()
        return HttpResponse(exchange.status, exchange.headers, body)

    async def _again(self, wrote: bool, route: Route, clock: Clock, request: HttpRequest, head: bytes) -> Exchange:
        """The second attempt; a failure remembers that the first may have reached the server."""
        try:
            wire = await self._connect(route, clock)
            return await self._exchange(wire, route, clock, request, head, reused=False)
        except TransportError as error:
            error.sent = error.sent or wrote
            raise

    async def _connect(self, route: Route, clock: Clock) -> Wire:
        """A fresh connection, tried again where more authorities were found for the server's certificate."""
        try:
            return await self._connect_once(route, clock)
        except _Widened:
            return await self._connect_once(route, clock)

    async def _connect_once(self, route: Route, clock: Clock) -> Wire:
        """A fresh connection, through the proxy and TLS where the route says so."""
        url, proxy, until = route.url, route.proxy, clock.until_connected()
        host, port = (proxy.host, proxy.port) if proxy else (url.host, url.port)
        try:
            wire = await connect(self._driver, host, port, until)
        except Expired:
            raise clock.expired("connect", f"{host}:{port}", sent=False) from None
        except (OSError, UnicodeError) as error:
            raise _unreachable(error, f"{host}:{port}", proxy) from error
        try:
            if url.scheme == "https":
                if proxy:
                    await _open_tunnel(wire, url.endpoint, proxy, until)
                await self._secure(wire, url.host, until)
        except BaseException as error:
            wire.close()
            if isinstance(error, Expired):
                raise clock.expired("connect", url.endpoint, sent=False) from None
            raise
        return wire

    async def _secure(self, wire: Wire, host: str, until: float | None) -> None:
        from .tls import handshake_error, tls_context, widened

        context = tls_context(self._tls)
        try:
            await wire.start_tls(context, host, until)
        except OSError as error:
            if widened(context, error):
                raise _Widened from None
            raise handshake_error(error, host) from error

    async def _exchange(
        self, wire: Wire, route: Route, clock: Clock, request: HttpRequest, head: bytes, *, reused: bool
    ) -> Exchange:
        """Write the request and read up to the end of the headers, closing the connection on any failure."""
        wire.wrote = False
        parser = ResponseParser(request.method)
        try:
            broken = await _write(wire, clock, head, request.body)
            first = await _read_head(wire, clock, parser, broken, reused=reused)
            return Exchange(self.pool, route, wire, clock, parser, first)
        except BaseException as error:
            wire.close()
            mapped = _map_failure(error, clock, route, sent=wire.wrote)
            if mapped is error:
                raise
            raise mapped from error


class Exchange:
    """A response whose headers are in and whose body is still to be read."""

    __slots__ = (
        "_clock",
        "_decoder",
        "_parser",
        "_pending",
        "_pieces",
        "_pool",
        "_route",
        "_wire",
        "headers",
        "status",
    )

    def __init__(
        self, pool: Pool, route: Route, wire: Wire, clock: Clock, parser: ResponseParser, first: bytes
    ) -> None:
        self.status = parser.status
        self.headers: Headers = parser.headers
        self._pool = pool
        self._route = route
        self._wire: Wire | None = wire
        self._clock = clock
        self._parser = parser
        self._pending = first
        self._pieces: Iterator[bytes] | None = None
        self._decoder = content_decoder(self.headers)
        if self._decoder is not None:
            self.headers = without_coding(self.headers)
        if parser.done:
            self._release()

    async def next(self) -> bytes:
        """The next piece of the body, decoded; empty at its end. Raises `TransportError`."""
        if self._decoder is None and self._pieces is None:
            return await self._next_raw()
        return await self._next_decoded()

    async def read_all(self) -> bytes:
        """The whole body, at most `MAX_DECODED_BYTES` when it was compressed."""
        compressed = self._decoder is not None
        if self._parser.done and not compressed and self._pieces is None:
            body, self._pending = self._pending, b""
            return body
        pieces: list[bytes] = []
        size = 0
        while piece := await self.next():
            pieces.append(piece)
            size += len(piece)
            if size > MAX_DECODED_BYTES and compressed:
                self.close()
                raise ProtocolError(f"The response grew past {MAX_DECODED_BYTES} bytes while it was decompressed.")
        return b"".join(pieces)

    def close(self) -> None:
        """Give up the rest of the body: the connection can't be reused and is closed."""
        wire, self._wire = self._wire, None
        self._pending, self._pieces, self._decoder = b"", None, None
        if wire is not None:
            wire.close()

    async def _next_raw(self) -> bytes:
        piece, self._pending = self._pending, b""
        parser = self._parser
        while not piece and self._wire is not None:
            try:
                data = await self._wire.read(self._clock.until_read())
                if data:
                    piece = parser.receive(data)
                else:
                    parser.end_of_input()
            except BaseException as error:
                self.close()
                mapped = _map_failure(error, self._clock, self._route, sent=True)
                if mapped is error:
                    raise
                raise mapped from error
            if parser.done:
                self._release()
        return piece

    async def _next_decoded(self) -> bytes:
        while True:
            piece = self._next_piece()
            decoder = self._decoder
            if piece or decoder is None:
                return piece
            raw = await self._next_raw()
            if raw:
                self._pieces = decoder.feed(raw)
            else:
                self._pieces, self._decoder = decoder.finish(), None

    def _next_piece(self) -> bytes:
        """The next piece of what has been received already, decoded."""
        try:
            return next(self._pieces, b"") if self._pieces is not None else b""
        except TransportError:
            self.close()
            raise

    def _release(self) -> None:
        """Return the connection to the pool, or close it if it can't be used again."""
        wire, self._wire = self._wire, None
        if wire is None:
            return
        if self._parser.reusable:
            self._pool.put(self._route, wire)
        else:
            wire.close()


async def _write(wire: Wire, clock: Clock, head: bytes, body: bytes) -> OSError | None:
    """Send the request. If the connection breaks meanwhile, return the error: the server may have answered first."""
    until = clock.until_read()
    try:
        if len(body) <= _JOIN_BYTES:
            await wire.write(head + body, until)
        else:
            await wire.write(head, until)
            await wire.write(body, until)
    except OSError as error:
        return error
    return None


async def _read_head(
    wire: Wire, clock: Clock, parser: ResponseParser, broken: OSError | None, *, reused: bool
) -> bytes:
    """Read until the headers are in; return the body bytes that came with them."""
    first, silent = b"", True
    while not parser.status:
        try:
            data = await wire.read(clock.until_read())
        except OSError as error:
            if silent and reused:
                raise _Stale from error
            raise broken or error from None
        if not data and silent and reused:
            raise _Stale
        if not data and broken is not None:
            raise broken
        silent = False
        if data:
            first = parser.receive(data)
        else:
            parser.end_of_input()
    return first


async def _open_tunnel(wire: Wire, endpoint: str, proxy: Proxy, until: float | None) -> None:
    """Ask a proxy for a tunnel with CONNECT. Raises `ProxyError`."""
    parser = ResponseParser("CONNECT")
    try:
        await wire.write(encode_head(HttpRequest("CONNECT", ""), endpoint, endpoint, _credentials(proxy)), until)
        while not parser.status:
            data = await wire.read(until)
            if data:
                parser.receive(data)
            else:
                parser.end_of_input()
    except (OSError, TransportError) as error:
        raise ProxyError(f"The proxy {proxy.host}:{proxy.port} gave no tunnel to {endpoint}: {error}") from error
    if not 200 <= parser.status < 300:
        fix = (
            "Check the user and password in the proxy's URL."
            if parser.status == 407
            else "Ask who runs it to allow it."
        )
        raise ProxyError(f"The proxy {proxy.host}:{proxy.port} refused a tunnel to {endpoint}: {parser.status}. {fix}")


def _forward_headers(route: Route) -> Headers:
    return _credentials(route.proxy) if route.forward and route.proxy is not None else ()


def _credentials(proxy: Proxy) -> Headers:
    return (("Proxy-Authorization", proxy.authorization),) if proxy.authorization else ()


def _unreachable(error: Exception, peer: str, proxy: Proxy | None) -> ConnectError:
    reason = getattr(error, "strerror", None) or str(error)
    if proxy is not None:
        return ProxyError(f"No connection to the proxy {peer}: {reason}. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.")
    return ConnectError(f"No connection to {peer}: {reason}. Check the address, and that the network allows it.")


def _map_failure(error: BaseException, clock: Clock, route: Route, *, sent: bool) -> BaseException:
    """What a failure after connecting means to the caller. Errors of ours and cancellation pass unchanged."""
    if isinstance(error, Expired):
        return clock.expired("read", route.url.endpoint, sent=sent)
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return ConnectionLost(f"The connection to {route.url.endpoint} broke: {reason}. Try again.", sent=sent)
    if isinstance(error, TransportError):
        error.sent = error.sent and sent
    return error
