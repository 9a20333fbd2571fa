"""HTTP requests as Lambda events and results as HTTP responses: the shape of a function URL (payload format 2.0).

Pure: no socket, no clock. Source: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from urllib.parse import parse_qsl

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Headers = tuple[tuple[str, str], ...]

_TEXT = re.compile(r"text/|application/(.*\+)?(json|xml|javascript)\b", re.IGNORECASE)
_OURS = ("content-length", "connection", "transfer-encoding")


class Request(Value):
    """What a client sent. `target` is the path with its query, as it was written."""

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    def header(self, name: str) -> str:
        """The first value of a header, matched without case; empty when absent."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class Response(Value):
    """What goes back."""

    status: int
    headers: Headers
    body: bytes = b""


def http_event(request: Request, request_id: str, when: float) -> dict[str, Any]:
    """The event of a request; `when` is in seconds since 1970."""
    path, _, query = request.target.partition("?")
    event: dict[str, Any] = {"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query}
    if cookies := request.header("cookie"):
        event["cookies"] = cookies.split("; ")
    event["headers"] = _joined((key.lower(), value) for key, value in request.headers if key.lower() != "cookie")
    if query:
        event["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    event["requestContext"] = _request_context(request, path, request_id, when)
    return event | _event_body(request)


def http_response(result: Any) -> Response:
    """The response that a function's result means. Raises `ValueError` for one that Lambda could not send."""
    if not isinstance(result, dict) or "statusCode" not in result:
        return Response(200, (("content-type", "application/json"),), _dumped(result))
    status = result["statusCode"]
    if isinstance(status, bool) or not str(status).isdecimal() or not 200 <= int(status) <= 599:
        raise ValueError(f"statusCode is {status!r}. Return a number from 200 to 599.")
    given = result.get("headers") or {}
    headers = tuple((str(key), _header(key, value)) for key, value in given.items() if str(key).lower() not in _OURS)
    if not any(key.lower() == "content-type" for key, _ in headers):
        headers = (("content-type", "application/json"), *headers)
    cookies = tuple(("set-cookie", _header("cookie", cookie)) for cookie in result.get("cookies") or ())
    return Response(int(status), headers + cookies, _response_body(result))


def error_response(error: dict[str, Any], status: int) -> Response:
    """A failure as JSON."""
    return Response(status, (("content-type", "application/json"),), _dumped(error))


def sse(text: str, event: str = "") -> bytes:
    """A piece of text as one server-sent event; its line breaks survive."""
    lines = [f"event: {event}"] if event else []
    lines += [f"data: {line}" for line in re.split(r"\r\n|\r|\n", text)]
    return ("\n".join(lines) + "\n\n").encode()


def _request_context(request: Request, path: str, request_id: str, when: float) -> dict[str, Any]:
    from time import gmtime, strftime

    host = request.header("host") or "localhost"
    return {
        "accountId": "anonymous",
        "apiId": "local",
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": strftime("%d/%b/%Y:%H:%M:%S +0000", gmtime(when)),
        "timeEpoch": int(when * 1000),
    }


def _event_body(request: Request) -> dict[str, Any]:
    """The body as text where its type says so and it is UTF-8, else in base64; left out when there is none."""
    if not request.body:
        return {"isBase64Encoded": False}
    if _TEXT.match(request.header("content-type")):
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": b64encode(request.body).decode(), "isBase64Encoded": True}


def _response_body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise ValueError(f"body is of type {type(body).__name__}. Return text, such as json.dumps(body).")
    return b64decode(body, validate=True) if result.get("isBase64Encoded") else body.encode()


def _header(name: object, value: object) -> str:
    text = "true" if value is True else "false" if value is False else str(value)
    if "\r" in text or "\n" in text:
        raise ValueError(f"The header {name!r} has a line break. Take it out.")
    return text


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Pairs as a mapping; what comes twice is joined by commas."""
    found: dict[str, str] = {}
    for key, value in pairs:
        found[key] = f"{found[key]},{value}" if key in found else value
    return found


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
