"""One connection: a non-blocking socket, plain or TLS, whose only way to wait is the driver's.

The driver decides how to wait (poll, or an event loop); everything else about sockets is here, once. A wire belongs
to no event loop, so an idle one serves the next loop as well as it served the last.
"""

from __future__ import annotations

import errno
import os
import select
import socket
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from ssl import SSLContext
    from typing import Any, Protocol
else:
    Protocol = object

READ_BYTES = 64 * 1024

_BLOCKED: tuple[type[OSError], ...] = (BlockingIOError, InterruptedError)
_KEEPALIVE_SECONDS = 60
"""A model may think for minutes in silence; network address translators drop a silent connection after 350 s."""


class Expired(Exception):
    """A wait reached its limit. Never leaves this package."""


class Driver(Protocol):
    """How to wait for a socket and for a name."""

    async def wait(self, wire: Wire, writing: bool, until: float | None) -> None:
        """Return when the socket is ready. Raises `Expired` at the `until` reading of the monotonic clock."""

    async def resolve(self, host: str, port: int, until: float | None) -> Sequence[Any]:
        """What `socket.getaddrinfo` answers."""


class Wire:
    """A connected socket. Its methods raise `OSError` and `Expired`; their callers know what that means."""

    __slots__ = ("_blocked", "_blocked_writing", "_driver", "_reads", "_secure", "idle_since", "pid", "sock", "wrote")

    def __init__(self, sock: socket.socket, driver: Driver) -> None:
        self.sock = sock
        self.pid = os.getpid()
        self.idle_since = 0.0
        self.wrote = False
        """Whether a byte of the current request may have left."""
        self._driver = driver
        self._reads: select.poll | None = None
        self._secure: Any = None
        self._blocked: tuple[type[OSError], ...] = _BLOCKED
        self._blocked_writing: tuple[type[OSError], ...] = ()

    async def read(self, until: float | None) -> bytes:
        """The bytes that are there, waiting for some; empty when the peer has closed."""
        secure, sock = self._secure, self.sock
        if secure is None or not secure.pending():
            await self._driver.wait(self, False, until)
        while True:
            try:
                return sock.recv(READ_BYTES)
            except self._blocked:
                writing = False
            except self._blocked_writing:
                writing = True
            await self._driver.wait(self, writing, until)

    async def write(self, data: bytes, until: float | None) -> None:
        """Send everything."""
        view: bytes | memoryview = data
        while True:
            try:
                if self._secure is not None:
                    self.wrote = True
                sent = self.sock.send(view)
                self.wrote = True
                if sent == len(view):
                    return
                view = memoryview(view)[sent:]
                continue
            except self._blocked:
                writing = self._secure is None
            except self._blocked_writing:
                writing = True
            await self._driver.wait(self, writing, until)

    async def start_tls(self, context: SSLContext, host: str, until: float | None) -> None:
        """Shake hands, checking the peer's certificate and name. Raises `ssl.SSLError`, `OSError`, `Expired`."""
        import ssl

        # Bytes, because ssl loads the IDNA tables (2 ms) for text.
        secure = context.wrap_socket(
            self.sock,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
            server_hostname=host.encode("ascii"),
        )
        self.sock = self._secure = secure
        self._reads = None
        self._blocked, self._blocked_writing = (ssl.SSLWantReadError,), (ssl.SSLWantWriteError,)
        while True:
            try:
                secure.do_handshake()
                return
            except ssl.SSLWantReadError:
                writing = False
            except ssl.SSLWantWriteError:
                writing = True
            await self._driver.wait(self, writing, until)

    def readable(self, seconds: float | None) -> bool:
        """Wait, in this thread, until the socket can be read."""
        poller = self._reads
        if poller is None:
            if not hasattr(select, "poll"):
                return bool(select.select([self.sock], [], [], seconds)[0])
            poller = self._reads = select.poll()
            poller.register(self.sock, select.POLLIN)
        return bool(poller.poll(None if seconds is None else seconds * 1000))

    def writable(self, seconds: float | None) -> bool:
        """Wait, in this thread, until the socket can be written."""
        if not hasattr(select, "poll"):
            _, ready, failed = select.select([], [self.sock], [self.sock], seconds)
            return bool(ready or failed)
        poller = select.poll()
        poller.register(self.sock, select.POLLOUT)
        return bool(poller.poll(None if seconds is None else seconds * 1000))

    def is_quiet(self) -> bool:
        """Whether an idle connection is still open and has received nothing."""
        if not self.readable(0):
            return True
        if self._secure is None:
            return False
        try:
            self._secure.recv(1)
        except self._blocked:
            return True  # a TLS session ticket, not data
        except OSError:
            return False
        return False

    def close(self) -> None:
        """Close at once; nothing is flushed."""
        self._reads = None
        self.sock.close()


async def connect(driver: Driver, host: str, port: int, until: float | None) -> Wire:
    """Connect to the first address that answers. Raises the last `OSError`, or `Expired`.

    Each address gets an equal share of the time left, so that one that swallows packets does not use it all.
    """
    addresses = literal_address(host, port) or await driver.resolve(host, port, until)
    failure: OSError | Expired = OSError(errno.EADDRNOTAVAIL, "the name has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        share = _share(until, len(addresses) - position)
        try:
            return await _connect_one(driver, socket.socket(family, kind, protocol), address, share)
        except (OSError, Expired) as error:
            failure = error
    raise failure


def _share(until: float | None, candidates: int) -> float | None:
    now = monotonic()
    return None if until is None else now + (until - now) / candidates


async def _connect_one(driver: Driver, sock: socket.socket, address: Any, until: float | None) -> Wire:
    wire = Wire(sock, driver)
    try:
        _set_options(sock)
        error = sock.connect_ex(address)
        if error in (errno.EINPROGRESS, errno.EWOULDBLOCK):
            await driver.wait(wire, True, until)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
    except BaseException:
        wire.close()
        raise
    return wire


def _set_options(sock: socket.socket) -> None:
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)


def literal_address(host: str, port: int) -> list[Any]:
    """What `getaddrinfo` would answer for a numeric address; empty for a name."""
    if ":" in host:
        return [(socket.AF_INET6, socket.SOCK_STREAM, 0, "", (host, port, 0, 0))]
    try:
        socket.inet_pton(socket.AF_INET, host)
    except OSError:
        return []
    return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]
