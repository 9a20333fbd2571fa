"""The gateway as a Lambda function: events of any HTTP source in, whole or streamed responses out.

    # app.py, or the function's handler setting: lambdallm.gateway.hosts.lambda_host.lambda_handler
    from lambdallm.gateway import Gateway
    from lambdallm.gateway.hosts.lambda_host import handler

    lambda_handler = handler(Gateway(...))

Streams go out as they are made where their source can (`LAMBDALLM_RESPONSE_STREAMING`), else in one piece. No event
loop, no thread, no web framework.
"""

from __future__ import annotations

import os
import time

from ...llm.drivers import Driver, shared_driver
from ...runtime.events import HTTP_KINDS, kind_of
from ...runtime.request import request_of
from ...runtime.response import Response, head_of, shaped
from ...runtime.sources import SETTING, source_of, sources
from ..http import GatewayRequest, Reply
from ..keys.iam import caller_arn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from ..app import Gateway
    from ..http import StreamedReply

    Function = Callable[[Any, Any], Any]


def handler(gateway: Gateway, *, driver: Driver | None = None) -> Function:
    """A Lambda handler that serves the gateway. Connections are the environment's unless a `driver` brings its own."""
    runs = driver or shared_driver()

    def lambda_handler(event: Any, context: Any) -> Any:
        return _Invocation(gateway, runs, event, context).answer()

    return lambda_handler


class _Invocation:
    """One event on its way through the gateway."""

    def __init__(self, gateway: Gateway, driver: Driver, event: Any, context: Any) -> None:
        self._gateway, self._driver, self._event, self._context = gateway, driver, event, context

    def answer(self) -> Any:
        """The response in the form of the event's source."""
        if kind_of(self._event) not in HTTP_KINDS:
            from ...runtime.errors import EventError

            raise EventError("The event is no HTTP request.", "Call the gateway through a function URL or an API.")
        streams = self._streams()
        try:
            reply = self._driver.run(self._gateway.handle(self._request()))
            if isinstance(reply, Reply):
                return self._whole(reply, streams=streams)
            return self._streamed(reply) if streams else self._joined(reply)
        finally:
            self._settle()

    def _settle(self) -> None:
        if self._gateway.owed:
            self._driver.run(self._gateway.drive_owed())

    def _request(self) -> GatewayRequest:
        request = request_of(self._event)
        left = getattr(self._context, "get_remaining_time_in_millis", None)
        limits = [left() / 1000 if left is not None else None, self._gateway.seconds]
        soonest = min((limit for limit in limits if limit is not None), default=None)
        deadline = None if soonest is None else time.monotonic() + soonest
        return GatewayRequest(
            method=request.method,
            path=_path(request.path, self._event),
            headers=request.headers,
            query_pairs=request.query_pairs,
            body=request.raw_body,
            client_ip=request.source_ip,
            request_id=getattr(self._context, "aws_request_id", "") or "",
            deadline=deadline,
            caller_arn=caller_arn(self._event),
        )

    def _streams(self) -> bool:
        """Whether an answer can go out in pieces."""
        if source_of(self._event) not in sources(os.environ.get(SETTING)):
            return False
        from ...runtime.hook import streams_here

        return streams_here(self._context)

    def _whole(self, reply: Reply, *, streams: bool) -> Any:
        response = _response(reply, reply.body)
        shape = shaped(self._event, response, _plain, {})
        if streams and source_of(self._event) != "direct":
            from ...runtime.streams import OnePiece

            return OnePiece(shape)
        return shape

    def _joined(self, reply: StreamedReply) -> Any:
        """A streamed answer in one piece, for a source that takes no other."""
        pieces = list(self._driver.iterate(reply.pieces))
        if pieces and type(pieces[0]) is Reply:
            return self._whole(pieces[0], streams=False)
        return shaped(self._event, _response(reply, b"".join(pieces)), _plain, {})

    def _streamed(self, reply: StreamedReply) -> Any:
        pieces = self._driver.iterate(reply.pieces)
        first = next(pieces, b"")
        if type(first) is Reply:
            pieces.close()
            return self._whole(first, streams=True)
        from ...runtime.streams import ResponseStream

        return ResponseStream(head_of(self._event, _response(reply, None)), "", self._followed(first, pieces))

    def _followed(self, first: bytes, pieces: Generator[bytes, None, None]) -> Generator[bytes, None, None]:
        try:
            yield first
            yield from pieces
        finally:
            pieces.close()
            self._settle()


def _path(path: str, event: Any) -> str:
    """The path without the stage that an API may have in its address."""
    stage = event.get("requestContext", {}).get("stage")
    if stage and stage != "$default" and path.startswith(f"/{stage}/"):
        return path[len(stage) + 1 :]
    return path


def _response(reply: Reply | StreamedReply, body: bytes | None) -> Response:
    headers: dict[str, Any] = {}
    for name, value in reply.headers:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Response(_text(body, headers) if body else None, reply.status, headers)


def _text(body: bytes, headers: dict[str, Any]) -> str | bytes:
    """A body as text where it is some: base64 is a third more of what Lambda limits."""
    kind = str(headers.get("content-type", ""))
    if not kind.startswith(("text/", "application/json")):
        return body
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body


def _plain(value: Any) -> Any:
    raise TypeError(f"{value!r} is no JSON.")


_made: list[Function] = []


def lambda_handler(event: Any, context: Any) -> Any:
    """The handler of a function that is a gateway alone, configured by `gateway.yaml` or `LAMBDALLM_GATEWAY`."""
    if not _made:
        from ..assemble import assembled

        _made.append(handler(assembled()))
    return _made[0](event, context)
