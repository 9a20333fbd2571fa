"""The gateway as an ASGI application, for uvicorn or granian: on a laptop, in a container.

    app = application(Gateway(...))      # uvicorn module:app

A client that leaves cancels what was done for it: the provider's connection is closed, and what was used is counted.
Source: the ASGI specification, "HTTP & WebSocket ASGI Message Format" and "Lifespan Protocol".
"""

from __future__ import annotations

import asyncio
import os
import time

from ...llm.drivers import AsyncDriver
from ...runtime.request import Headers
from ..http import GatewayRequest, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    from ..app import Gateway
    from ..http import StreamedReply

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]


class Application:
    """One gateway behind an ASGI server. `seconds` bounds requests where its configuration sets no limit."""

    def __init__(self, gateway: Gateway, *, driver: AsyncDriver | None = None, seconds: float | None = 900.0) -> None:
        self.gateway = gateway
        self._seconds = gateway.seconds or seconds
        self._driver = driver or AsyncDriver()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the server's life."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1003})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await self._driver.aclose()
        await send({"type": "lifespan.shutdown.complete"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive, self.gateway.limits.body_bytes)
        if body is None:
            return
        request = self._request(scope, body)
        try:
            await _while_there(self._answered(request, send), receive)
        finally:
            if self.gateway.owed:
                await self._driver.run(self.gateway.drive_owed())

    def _request(self, scope: Scope, body: bytes) -> GatewayRequest:
        headers = Headers((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
        client = scope.get("client")
        deadline = None if self._seconds is None else time.monotonic() + self._seconds
        return GatewayRequest(
            method=scope["method"],
            path=scope["path"],
            headers=headers,
            query_pairs=_query(scope["query_string"]),
            body=body,
            client_ip=client[0] if client else "",
            request_id=os.urandom(16).hex(),
            deadline=deadline,
        )

    async def _answered(self, request: GatewayRequest, send: Send) -> None:
        answer = await self._driver.run(self.gateway.handle(request))
        if isinstance(answer, Reply):
            await _whole(answer, send, has_body=request.method != "HEAD")
        else:
            await self._streamed(answer, send)

    async def _streamed(self, answer: StreamedReply, send: Send) -> None:
        pieces = self._driver.iterate(answer.pieces)
        try:
            first = await anext(pieces, b"")
            if type(first) is Reply:
                await _whole(first, send)
                return
            await send(_start(answer.status, answer.headers))
            await send({"type": "http.response.body", "body": first, "more_body": True})
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await pieces.aclose()


def application(gateway: Gateway, **options: Any) -> Application:
    """The gateway as an ASGI application; `options` are those of `Application`."""
    return Application(gateway, **options)


def configured_application() -> Application:
    """The same of the configuration that there is: a factory for servers with several processes."""
    from ..assemble import assembled

    return Application(assembled())


async def _body(receive: Receive, most: int) -> bytes | None:
    """The request's body, of one that is too large its beginning; `None` where the client has left."""
    pieces, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > most or not message.get("more_body"):
            return b"".join(pieces)


async def _while_there(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Do the work unless the client leaves: then it is cancelled, and has let go when this returns."""
    here: Any = asyncio.current_task()
    leaving = asyncio.ensure_future(_left(receive))
    under_way = True

    def stop(_: object) -> None:
        if under_way and not leaving.cancelled():
            here.cancel()

    leaving.add_done_callback(stop)
    try:
        await work
    except asyncio.CancelledError:
        if not leaving.done() or here.uncancel():
            raise  # it is the server that ends
    finally:
        under_way = False
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(reply: Reply, send: Send, *, has_body: bool = True) -> None:
    headers = (*reply.headers, ("content-length", str(len(reply.body))))
    await send(_start(reply.status, headers))
    await send({"type": "http.response.body", "body": reply.body if has_body else b""})


def _start(status: int, headers: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    pairs = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def _query(raw: bytes) -> tuple[tuple[str, str], ...]:
    if not raw:
        return ()
    from urllib.parse import parse_qsl

    return tuple(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))
