"""API Gateway in front of functions: REST APIs (payload format 1.0, which may stream) and HTTP APIs (2.0 and 1.0).

    rest = RestApi({"GET /things/{id}": "things", "POST /chat": Route("", "chat", streams=True)})
    with Listener(GatewayFront(emulator, rest), port=3000) as listener:
        ...

Authorizers, models, mapping templates and usage plans are not emulated. What an API says when something fails is its
own words, as on AWS; `on_answer` hears of each invocation, and knows what failed.

Sources: the API Gateway guide: "Lambda proxy integrations", "Set up a Lambda proxy integration with payload response
streaming", "Amazon API Gateway endpoints and quotas", "Gateway response types".
"""

from __future__ import annotations

import json
import time
import uuid

from ..._value import Value
from .listener import HttpReply
from .passing import Failure, Replied, opened, running
from .patience import TimedOut, in_time, patient
from .payloads import Visit, http_api_event, http_api_event_1, new_trace_id, rest_event
from .replies import METADATA, PRELUDE_TYPE, Malformed, format_1_reply, format_2_reply, rest_reply, streamed_reply
from .routes import match, routes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal

    from .account import Account
    from .answer import Answer
    from .emulator import Emulator
    from .listener import HttpRequest
    from .payloads import Matched
    from .routes import Route

    Table = Mapping[str, str | Route]

_NOTHING: Mapping[str, str] = {}


class RestApi(Value):
    """A REST API: its routes, and the limits that AWS sets it. `stage_in_path`: the client's path begins with it."""

    table: Table
    stage: str = "prod"
    stage_variables: Mapping[str, str] = _NOTHING
    binary_types: tuple[str, ...] = ()
    stage_in_path: bool = False
    timeout_seconds: float = 29.0
    stream_seconds: float = 900.0
    idle_seconds: float = 300.0
    """How long a stream may say nothing: 30 s where the endpoint is edge-optimised."""
    body_bytes: int = 10_485_760


class HttpApi(Value):
    """An HTTP API: its routes, and the limits that AWS sets it. `stage_in_path`: the client's path begins with it."""

    table: Table
    payload_format: Literal["2.0", "1.0"] = "2.0"
    stage: str = "$default"
    stage_variables: Mapping[str, str] = _NOTHING
    stage_in_path: bool = False
    timeout_seconds: float = 30.0
    body_bytes: int = 10_485_760


_REST_FAILURES: dict[str, tuple[int, str, str]] = {
    "no_route": (403, "MissingAuthenticationTokenException", "Missing Authentication Token"),
    "long_body": (413, "RequestTooLargeException", "HTTP content length exceeded 10485760 bytes."),
    "too_large": (413, "RequestTooLargeException", "Request Too Long"),
    "throttled": (500, "InternalServerErrorException", "Internal server error"),
    "missing": (500, "InternalServerErrorException", "Internal server error"),
    "late": (502, "InternalServerErrorException", "Internal server error"),
    "failed": (502, "InternalServerErrorException", "Internal server error"),
    "no_metadata": (500, "InternalServerErrorException", "Internal server error"),
    "timed_out": (504, "EndpointRequestTimedOutException", "Endpoint request timed out"),
}
_HTTP_FAILURES: dict[str, tuple[int, str]] = {
    "no_route": (404, "Not Found"),
    "long_body": (413, "Request Entity Too Large"),
    "too_large": (413, "Request Entity Too Large"),
    "throttled": (503, "Service Unavailable"),
    "missing": (500, "Internal Server Error"),
    "late": (500, "Internal Server Error"),
    "failed": (500, "Internal Server Error"),
    "timed_out": (503, "Service Unavailable"),
}


class GatewayFront:
    """The front end of one API. Raises `ValueError` for a route that is none.

    `account` knows the aliases that routes name.
    """

    def __init__(
        self,
        emulator: Emulator,
        api: RestApi | HttpApi,
        *,
        account: Account | None = None,
        api_id: str = "a1b2c3d4e5",
        on_answer: Callable[[HttpRequest, Answer], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.emulator, self.api, self.api_id = emulator, api, api_id
        self._lambda = account or emulator
        self._routes = routes_of(api.table)
        self._on_answer, self._clock = on_answer, clock

    def __call__(self, request: HttpRequest) -> HttpReply:
        """The reply to a request."""
        visit = self._visit(request)
        try:
            return self._ids(self._reply(request, visit), visit)
        except Malformed:
            return self._failed("failed", visit)
        except Failure as failure:
            return self._failed(failure.kind, visit)
        except TimedOut:
            return self._failed("timed_out", visit)

    def _reply(self, request: HttpRequest, visit: Visit) -> HttpReply:
        if request.length > min(self.api.body_bytes, len(request.body)):
            return self._failed("long_body", visit)
        found = match(self._routes, request.method, self._path(request), decodes=isinstance(self.api, HttpApi))
        if found is None:
            return self._failed("no_route", visit)
        route, matched = found
        event = self._event(request, visit, matched.replace(stage_variables=self.api.stage_variables))
        payload = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        name, _, qualifier = route.function.partition(":")
        streams = route.streams and isinstance(self.api, RestApi)
        answer = opened(self._lambda, name, payload, qualifier=qualifier or None, streams=streams, visit=visit)
        if self._on_answer:
            self._on_answer(request, answer)
        if isinstance(self.api, RestApi) and streams:
            return self._streamed(answer, self.api, visit)
        return self._buffered(answer, request)

    def _buffered(self, answer: Answer, request: HttpRequest) -> HttpReply:
        replied: Replied = in_time(lambda: running(answer), self.api.timeout_seconds)
        payload = b"".join(replied.chunks)
        if replied.content_type.startswith(PRELUDE_TYPE):
            return self._metadata_alone(payload)
        if isinstance(self.api, RestApi):
            return rest_reply(payload, request.header("accept"), self.api.binary_types)
        if self.api.payload_format == "1.0":
            return format_1_reply(payload)
        return format_2_reply(payload, "text/plain; charset=utf-8")

    def _metadata_alone(self, payload: bytes) -> HttpReply:
        """What is in the format of a stream has no body where a REST API does not stream, as documented."""
        if isinstance(self.api, HttpApi):
            raise Malformed("An HTTP API does not know the format of a stream.")
        return streamed_reply([payload], PRELUDE_TYPE).replace(body=b"")

    def _streamed(self, answer: Answer, api: RestApi, visit: Visit) -> HttpReply:
        """A stream needs its metadata, whatever its type says: an answer without them is an error 500."""
        end = time.monotonic() + api.stream_seconds
        replied: Replied = in_time(lambda: running(answer), api.idle_seconds)
        pieces = patient(replied.chunks, api.idle_seconds, end)
        try:
            return streamed_reply(pieces, PRELUDE_TYPE, fields=METADATA)
        except Malformed:
            return self._failed("no_metadata", visit)

    def _path(self, request: HttpRequest) -> str:
        return request.path.removeprefix(self._base_path()) or "/"

    def _base_path(self) -> str:
        return f"/{self.api.stage}" if self.api.stage_in_path else ""

    def _event(self, request: HttpRequest, visit: Visit, matched: Matched) -> dict[str, Any]:
        if isinstance(self.api, RestApi):
            types, base = self.api.binary_types, self._base_path()
            return rest_event(request, visit, matched, binary_types=types, base_path=base)
        make = http_api_event_1 if self.api.payload_format == "1.0" else http_api_event
        return make(request, visit, matched)

    def _visit(self, request: HttpRequest) -> Visit:
        when = self._clock()
        domain = f"{self.api_id}.execute-api.{self.emulator.region}.amazonaws.com"
        trace = request.header("x-amzn-trace-id") or new_trace_id(when)
        return Visit(str(uuid.uuid4()), when, trace, domain, self.api_id, self.emulator.account, self.api.stage)

    def _failed(self, kind: str, visit: Visit) -> HttpReply:
        headers = [("Content-Type", "application/json")]
        if isinstance(self.api, RestApi):
            status, error, said = _REST_FAILURES[kind]
            headers.append(("x-amzn-ErrorType", error))
        else:
            status, said = _HTTP_FAILURES[kind]
        body = json.dumps({"message": said}, separators=(", ", ": ")).encode()
        return self._ids(HttpReply(status, tuple(headers), body), visit)

    def _ids(self, reply: HttpReply, visit: Visit) -> HttpReply:
        names = [name.lower() for name, _ in reply.headers]
        if "apigw-requestid" in names or "x-amzn-requestid" in names:
            return reply
        short = f"{visit.request_id.replace('-', '')[:15]}="
        if isinstance(self.api, HttpApi):
            return reply.replace(headers=(*reply.headers, ("apigw-requestid", short)))
        return reply.replace(
            headers=(*reply.headers, ("x-amzn-RequestId", visit.request_id), ("x-amz-apigw-id", short))
        )
