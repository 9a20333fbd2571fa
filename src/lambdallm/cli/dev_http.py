"""The HTTP side of `lambdallm dev`: requests in, events to the pool, responses and streams out, a line in the log.

Two doors: any path is the function's URL, and `/2015-03-31/functions/<name>/invocations` is Lambda's own Invoke
operation, so that `aws lambda invoke --endpoint-url` works.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .console import dollars, milliseconds
from .http_event import Request, Response, error_response, http_event, http_response, sse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .dev_pool import Frame, Pool

_INVOKE = re.compile(r"/2015-03-31/functions/[^/]+/invocations/?(\?.*)?$")
_MOST_BYTES = 6 * 1024 * 1024


class DevServer(ThreadingHTTPServer):
    """Listens on a loopback address, a thread for each connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], log: Callable[[str, int], None]) -> None:
        super().__init__(address, _Handler)
        self.log = log
        self.pool: Pool

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; anything else is a bug and is shown."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: DevServer

    def answer(self) -> None:
        """Answer any request, and log it."""
        self.began, self.status = time.perf_counter(), 0
        self.facts: dict[str, Any] = {}
        self.gone = self.begun_stream = self.encoded = False
        body = self._body()
        if body is not None:
            raw = self.command == "POST" and _INVOKE.match(self.path)
            self._invocation(body) if raw else self._url(body)
        self.server.log(_line(self, (time.perf_counter() - self.began) * 1000), self.status)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_HEAD = answer

    def version_string(self) -> str:
        """What the `Server` header says."""
        return "lambdallm-dev"

    def log_message(self, format: str, *args: Any) -> None:
        """Our own line says it."""

    def _body(self) -> bytes | None:
        """The request's body, or `None` after refusing it."""
        length = self.headers.get("Content-Length", "0")
        if self.headers.get("Transfer-Encoding") or not length.isdecimal():
            self._refuse(411, "Send a Content-Length.")
            return None
        if int(length) > _MOST_BYTES:
            self._refuse(413, f"The body has {int(length):,} bytes. Lambda takes 6 MB.")
            return None
        return self.rfile.read(int(length))

    def _refuse(self, status: int, message: str) -> None:
        self.close_connection = True
        self._send(error_response({"message": message}, status))

    def _url(self, body: bytes) -> None:
        """The request as an event of a function URL; a stream goes out as it comes."""
        request = Request(self.command, self.path, tuple(self.headers.items()), body, self.client_address[0])
        request_id = str(uuid.uuid4())
        as_sse = "text/event-stream" in request.header("accept")
        event = http_event(request, request_id, time.time())
        self.encoded = event["isBase64Encoded"]
        for frame in self._frames(event, request_id, streams=True):
            if frame["kind"] == "piece":
                self._piece(frame, as_sse)
            elif self.begun_stream:
                self._end(frame, as_sse)
            else:
                self._send(_response(frame))

    def _invocation(self, body: bytes) -> None:
        """Lambda's Invoke operation."""
        try:
            event = json.loads(body or b"{}")
        except ValueError as error:
            text = f"Could not parse request body into json: {error}"
            self._send(error_response({"Type": "User", "message": text}, 400), error="InvalidRequestContentException")
            return
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind != "RequestResponse":
            self._send(Response(204 if kind == "DryRun" else 202, ()))
        if kind == "DryRun":
            return
        for frame in self._frames(event, str(uuid.uuid4()), streams=False):
            if kind == "Event":
                continue
            if frame["kind"] == "result":
                self._send(Response(200, _JSON, json.dumps(frame["result"]).encode()))
            elif frame["kind"] == "error":
                failed = ("X-Amz-Function-Error", "Unhandled")
                self._send(Response(200, (*_JSON, failed), json.dumps(frame["error"]).encode()))

    def _frames(self, event: Any, request_id: str, *, streams: bool) -> Iterator[Frame]:
        """The pool's frames, with what the log wants taken out of them."""
        for frame in self.server.pool.invoke({"event": event, "id": request_id, "streams": streams}):
            if frame["kind"] == "cold":
                self.facts["init_ms"] = frame["init_ms"]
                continue
            self.facts |= frame.get("report") or {}
            if frame["kind"] == "error":
                self.facts["error"] = frame["error"]["errorType"]
            yield frame

    def _send(self, response: Response, error: str = "") -> None:
        self.status = response.status
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if error:
            self.send_header("X-Amzn-ErrorType", error)
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self._write(response.body)

    def _piece(self, frame: Frame, as_sse: bool) -> None:
        if not self.begun_stream:
            self._begin_stream(frame["headers"], as_sse)
        self._chunk(sse(frame["text"]) if as_sse else frame["text"].encode())

    def _begin_stream(self, headers: dict[str, str], as_sse: bool) -> None:
        self.begun_stream, self.status = True, 200
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream" if as_sse else "text/plain; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        for name, value in headers.items():
            self.send_header(name, value)
        if self.request_version == "HTTP/1.0":
            self.close_connection = True
        else:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _end(self, frame: Frame, as_sse: bool) -> None:
        """Finish a stream. One that failed is cut off, so that a client can tell."""
        failed = frame["kind"] == "error"
        if as_sse:
            facts = frame["error"] if failed else frame["report"]
            self._chunk(sse(json.dumps(facts, ensure_ascii=False), "error" if failed else "done"))
        if failed and not as_sse:
            self.close_connection = True
        elif self.request_version != "HTTP/1.0":
            self._write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        if self.command != "HEAD":
            framed = self.request_version != "HTTP/1.0"
            self._write(b"%x\r\n%b\r\n" % (len(data), data) if framed else data)

    def _write(self, data: bytes) -> None:
        """Write, or remember that the client has gone: the function runs to its end, as on Lambda."""
        if self.gone:
            return
        try:
            self.wfile.write(data)
        except OSError:
            self.gone = self.close_connection = True


_JSON = (("content-type", "application/json"),)


def _response(frame: Frame) -> Response:
    if frame["kind"] == "error":
        return error_response(frame["error"], 504 if frame.get("late") else frame.get("status") or 502)
    try:
        return http_response(frame["result"])
    except ValueError as error:
        return error_response({"errorType": "InvalidResponse", "errorMessage": f"The function's {error}"}, 502)


def _line(handler: _Handler, duration_ms: float) -> str:
    """One request in the log: what Lambda's REPORT line would say, for people."""
    facts = handler.facts
    parts = [f"{handler.command} {handler.path}  {handler.status}  {milliseconds(duration_ms)}"]
    if facts.get("calls"):
        known = facts["tokens_in"] is not None and facts["tokens_out"] is not None
        parts.append(f"{facts['tokens_in']} in + {facts['tokens_out']} out tokens" if known else "tokens unknown")
        parts.append(dollars(facts["cost_usd"]))
    if facts.get("first_token_ms") is not None:
        parts.append(f"first token {milliseconds(facts['first_token_ms'])}")
    if "init_ms" in facts:
        parts.append(f"cold start {milliseconds(facts['init_ms'])}")
    parts += ["client left"] if handler.gone else []
    if handler.encoded and handler.status >= 400:
        parts.append("the body came in base64, as on Lambda: its content type is not text or JSON")
    parts += [facts["error"]] if "error" in facts else []
    return " · ".join(parts)
