"""Providers that live in the process: HTTP requests in OpenAI's protocol, answered by Python instead of a socket.

A subclass of `InProcessTransport` answers one parsed request; this module speaks HTTP's shapes for it: JSON bodies,
server-sent events, statuses. So codec, pipeline, streaming and errors above are those of a remote provider.
`ThreadedTransport` lends any blocking transport to an event loop.

Rule for an editor: whoever gives up early (closes a stream, is cancelled, runs out of time) sets `Ask.stop`; whoever
works looks at it between two pieces. Nothing else crosses from one thread to the other.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod

from ..._value import Value
from ...transport.clock import Clock
from ...transport.types import HttpResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any, NoReturn

    from ...transport.types import Headers, HttpRequest, ResponseStream, Timeouts, Transport

_JSON_HEADERS: Headers = (("content-type", "application/json"),)
_SSE_HEADERS: Headers = (("content-type", "text/event-stream"),)


class Refusal(Exception):
    """An answer with an error status, raised wherever it is noticed; `body` is the provider's JSON."""

    def __init__(self, status: int, body: dict[str, Any], headers: Headers = ()) -> None:
        super().__init__(f"HTTP {status}")
        self.status, self.body, self.headers = status, body, headers


def refuse(
    status: int,
    message: str,
    *,
    kind: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: Headers = (),
) -> NoReturn:
    """Refuse the request with an error body in OpenAI's shape."""
    raise Refusal(status, {"error": {"message": message, "type": kind, "param": param, "code": code}}, headers)


class Stop:
    """A flag that says nobody waits for the answer any more. Setting it is safe from any thread."""

    __slots__ = ("requested",)

    def __init__(self) -> None:
        self.requested = False


class Ask(Value):
    """One request, parsed: `path` follows the version (`/chat/completions`), `clock` says how long it may take."""

    method: str
    url: str
    path: str
    headers: Headers
    body: dict[str, Any]
    clock: Clock
    stop: Stop


class InProcessTransport(ABC):
    """The base: a subclass writes `answer` and `stream`, and gets the `Transport` protocol."""

    blocks = True
    """Whether answering takes long enough to keep it off an event loop's thread."""

    @abstractmethod
    def answer(self, ask: Ask) -> dict[str, Any]:
        """The JSON of a whole answer. Raises `Refusal`."""

    @abstractmethod
    def stream(self, ask: Ask) -> Iterator[dict[str, Any]]:
        """The JSON of each event. Raises `Refusal`; before the first event it becomes the answer's status."""

    def send(self, request: HttpRequest, timeouts: Timeouts, stop: Stop | None = None) -> HttpResponse:
        """Answer a request whole. Raises `WaitTimeout`."""
        stream = self.open(request, timeouts, stop)
        return HttpResponse(stream.status, stream.headers, b"".join(stream))

    def open(self, request: HttpRequest, timeouts: Timeouts, stop: Stop | None = None) -> InProcessStream:
        """Answer a request piece by piece. Raises `WaitTimeout`, also while iterating."""
        stop = stop or Stop()
        try:
            path, body = _path(request.url), _parsed(request.body)
            ask = Ask(request.method, request.url, path, request.headers, body, Clock(timeouts), stop)
            if ask.body.get("stream"):
                return _streamed(self.stream(ask), stop)
            return InProcessStream(200, _JSON_HEADERS, iter((_dumped(self.answer(ask)),)), stop)
        except Refusal as refused:
            headers = _JSON_HEADERS + refused.headers
            return InProcessStream(refused.status, headers, iter((_dumped(refused.body),)), stop)

    def close(self) -> None:  # noqa: B027  # most subclasses have nothing to add
        """Nothing to release: what a subclass loads belongs to the environment."""


class InProcessStream:
    """A response read by iterating. Closing it early stops the work behind it, from any thread."""

    __slots__ = ("_pieces", "_stop", "headers", "status")

    def __init__(self, status: int, headers: Headers, pieces: Iterator[bytes], stop: Stop) -> None:
        self.status: int = status
        self.headers: Headers = headers
        self._pieces, self._stop = pieces, stop

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Give up the rest."""
        self._stop.requested = True
        close: Callable[[], None] = getattr(self._pieces, "close", _nothing)
        try:
            close()
        except ValueError:
            return  # another thread is inside the generator; it sees `stop` and ends by itself


def _nothing() -> None:
    return


def _streamed(events: Iterator[dict[str, Any]], stop: Stop) -> InProcessStream:
    """Wait for the first event, so that a refusal can still choose the status."""
    first = next(events, None)
    return InProcessStream(200, _SSE_HEADERS, _framed(first, events), stop)


def _framed(first: dict[str, Any] | None, events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    try:
        if first is not None:
            yield b"data: %b\n\n" % _dumped(first)
        for event in events:
            yield b"data: %b\n\n" % _dumped(event)
    except Refusal as refused:
        yield b"data: %b\n\n" % _dumped(refused.body)
        return
    finally:
        close: Callable[[], None] = getattr(events, "close", _nothing)
        close()
    yield b"data: [DONE]\n\n"


def _path(url: str) -> str:
    path = url.partition("://")[2].partition("?")[0]
    return "/" + path.partition("/")[2].removeprefix("v1/").strip("/")


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError as error:
        refuse(400, f"The request's body is not JSON: {error}")
    if not isinstance(value, dict):
        refuse(400, "The request's body is not a JSON object.")
    return value


def _dumped(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class ThreadedTransport:
    """The asynchronous twin of a blocking transport: its waits happen in worker threads, never in the event loop's.

    Cancelling a wait returns at once and tells an in-process transport to stop working.
    """

    __slots__ = ("_transport",)

    def __init__(self, transport: InProcessTransport | Transport) -> None:
        self._transport = transport

    async def send(self, request: HttpRequest, timeouts: Timeouts) -> HttpResponse:
        """Send and read the whole response. Raises `TransportError`."""
        response: HttpResponse = await self._begin("send", request, timeouts, Stop())
        return response

    async def open(self, request: HttpRequest, timeouts: Timeouts) -> ThreadedStream:
        """Send and return as soon as the headers are in. Raises `TransportError`, also while iterating."""
        stream: ResponseStream = await self._begin("open", request, timeouts, stop := Stop())
        return ThreadedStream(stream, stop, self._blocks)

    async def aclose(self) -> None:
        """Release what the transport holds."""
        self._transport.close()

    @property
    def _blocks(self) -> bool:
        return not isinstance(self._transport, InProcessTransport) or self._transport.blocks

    async def _begin(self, verb: str, request: HttpRequest, timeouts: Timeouts, stop: Stop) -> Any:
        stops = (stop,) if isinstance(self._transport, InProcessTransport) else ()
        return await _elsewhere(stop, self._blocks, getattr(self._transport, verb), request, timeouts, *stops)


class ThreadedStream:
    """A response whose pieces are awaited while a worker thread waits for them."""

    __slots__ = ("_blocks", "_stop", "_stream", "headers", "status")

    def __init__(self, stream: ResponseStream, stop: Stop, blocks: bool) -> None:
        self.status: int = stream.status
        self.headers: Headers = stream.headers
        self._stream, self._stop, self._blocks = stream, stop, blocks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = iter(self._stream)
        while piece := await _elsewhere(self._stop, self._blocks, next, pieces, b""):
            yield piece

    async def aclose(self) -> None:
        """Give up the rest."""
        self._stream.close()


async def _elsewhere(stop: Stop, blocks: bool, call: Callable[..., Any], *args: Any) -> Any:
    """Make a call in a worker thread if it blocks; a cancellation sets `stop` and does not wait for the thread."""
    if not blocks:
        return call(*args)
    import asyncio

    try:
        return await asyncio.to_thread(call, *args)
    except asyncio.CancelledError:
        stop.requested = True
        raise
