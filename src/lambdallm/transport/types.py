"""The values that cross the network edge: what is sent, what comes back, and how long each part may take."""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Protocol
else:
    Protocol = object

Headers = tuple[tuple[str, str], ...]
"""Header lines in order. Names keep the case they were given; look them up with `find_header`."""

_SECRET_WORDS = ("auth", "key", "token", "secret", "signature", "credential", "cookie", "password")
"""A header or query parameter whose name holds one of these is not shown: a definition may name its own."""


def find_header(headers: Headers, name: str) -> str | None:
    """The first value of a header, matched without case; `None` when absent."""
    wanted, length = name.lower(), len(name)
    for key, value in headers:
        if len(key) == length and key.lower() == wanted:
            return value
    return None


class HttpRequest(Value):
    """One request, complete: the URL is absolute and the body is bytes.

    The transport adds `Host`, `Content-Length` and `Connection`; everything else is sent as given. Its `repr` hides
    credentials, in headers and in the query.
    """

    method: str
    url: str
    headers: Headers = ()
    body: bytes = b""

    def __repr__(self) -> str:
        shown = tuple((name, "***" if _is_secret(name) else value) for name, value in self.headers)
        return f"HttpRequest({self.method} {redact_url(self.url)}, headers={shown!r}, body={len(self.body)} bytes)"


class HttpResponse(Value):
    """A whole response: the body has been read and decompressed."""

    status: int
    headers: Headers = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first value of a header, matched without case; `None` when absent."""
        return find_header(self.headers, name)


class Timeouts(Value):
    """How long each part of a request may take, in seconds; `None` waits for ever.

    `read` bounds the silence between two pieces of the response, not the whole. `total` bounds everything from the
    first packet to the last byte, and `deadline` is the same bound as a reading of `time.monotonic()`: the earlier
    of the two wins.
    """

    connect: float | None = 10.0
    read: float | None = 60.0
    total: float | None = None
    deadline: float | None = None


class ResponseStream(Protocol):
    """A response whose body is read piece by piece. Close it when done; a drained one goes back to the pool."""

    status: int
    headers: Headers

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None:
        """Give up the rest of the body."""


class AsyncResponseStream(Protocol):
    """The asynchronous twin of `ResponseStream`."""

    status: int
    headers: Headers

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None:
        """Give up the rest of the body."""


class Transport(Protocol):
    """What performs requests for the synchronous driver: sockets, an in-process model, a recording."""

    def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """Send and read the whole response. Raises `TransportError`."""

    def open(self, request: HttpRequest, timeouts: Timeouts) -> ResponseStream:
        """Send and return as soon as the headers are in. Raises `TransportError`, also while iterating."""

    def close(self) -> None:
        """Release every connection."""


class AsyncTransport(Protocol):
    """The asynchronous twin of `Transport`."""

    async def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """Send and read the whole response. Raises `TransportError`."""

    async def open(self, request: HttpRequest, timeouts: Timeouts) -> AsyncResponseStream:
        """Send and return as soon as the headers are in. Raises `TransportError`, also while iterating."""

    async def aclose(self) -> None:
        """Release every connection."""


def redact_url(url: str) -> str:
    """The URL with the values of credential-bearing query parameters replaced by `***`, user-info dropped."""
    scheme, marker, rest = url.partition("://")
    if not marker:
        return url
    authority, slash, path = rest.partition("/")
    base, question, query = (slash + path).partition("?")
    named = (pair.partition("=") for pair in query.split("&"))
    shown = "&".join(f"{name}{mark}{'***' if _is_secret(name) else value}" for name, mark, value in named)
    return f"{scheme}://{authority.rpartition('@')[2]}{base}{question}{shown}"


def _is_secret(name: str) -> bool:
    lower = name.lower()
    return any(word in lower for word in _SECRET_WORDS)
