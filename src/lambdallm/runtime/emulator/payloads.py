"""HTTP requests as the events that function URLs and API Gateway make of them, in payload formats 1.0 and 2.0. Pure.

What the services differ in was seen on AWS by others: a function URL keeps the `cookie` header beside `cookies`, an
HTTP API takes it away; an HTTP API decodes the path, a REST API and a function URL leave it as the client wrote it.

Sources: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html; the API Gateway guide on payload formats 1.0 and
2.0 (http-api-develop-integrations-lambda) and on REST proxy events (set-up-lambda-proxy-integrations).
"""

from __future__ import annotations

import re
from base64 import b64encode
from time import gmtime, strftime
from urllib.parse import parse_qsl, unquote

from ..._value import Value
from ..events import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .listener import HttpRequest

_TEXT = re.compile(r"text/|application/(.*\+)?(json|xml|javascript)\b", re.IGNORECASE)
_HOPS = frozenset(("connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"))
_CAPITALS = {"authorization": "Authorization", "user-agent": "User-Agent", "host": "Host"}


class Visit(Value):
    """What an event says besides the request: ids, the time in seconds since 1970, and where the request arrived."""

    request_id: str
    when: float
    trace_id: str
    domain: str
    api_id: str
    account: str = "anonymous"
    stage: str = "$default"


class Matched(Value):
    """The route that a request goes by: its key (`GET /things/{id}`), its path, and what stands for its variables."""

    key: str = "$default"
    resource: str = "/"
    parameters: Mapping[str, str] = NOTHING
    stage_variables: Mapping[str, str] = NOTHING


def new_trace_id(when: float) -> str:
    """A header's trace id, `Root=1-…-…`."""
    from secrets import token_hex

    return f"Root=1-{int(when):08x}-{token_hex(12)}"


def url_event(request: HttpRequest, visit: Visit) -> dict[str, Any]:
    """The event of a function URL: format 2.0."""
    return _format_2(request, visit, "$default", request.path, keeps_cookie=True) | text_or_base64(request)


def http_api_event(request: HttpRequest, visit: Visit, matched: Matched) -> dict[str, Any]:
    """The event of an HTTP API in format 2.0."""
    path = unquote(request.path)
    event = _format_2(request, visit, matched.key, path, keeps_cookie=False)
    if matched.parameters:
        event["pathParameters"] = dict(matched.parameters)
    if matched.stage_variables:
        event["stageVariables"] = dict(matched.stage_variables)
    return event | text_or_base64(request)


def _format_2(request: HttpRequest, visit: Visit, key: str, path: str, *, keeps_cookie: bool) -> dict[str, Any]:
    event: dict[str, Any] = {
        "version": "2.0", "routeKey": key, "rawPath": path, "rawQueryString": request.query,
    }  # fmt: skip
    cookies = [each for name, value in request.headers if name.lower() == "cookie" for each in value.split("; ")]
    if cookies:
        event["cookies"] = cookies
    pairs = [(name.lower(), value) for name, value in forwarded(request, visit)]
    event["headers"] = _joined((name, value) for name, value in pairs if keeps_cookie or name != "cookie")
    if request.query:
        event["queryStringParameters"] = _joined(_query(request))
    event["requestContext"] = {
        "accountId": visit.account, "apiId": visit.api_id, "domainName": visit.domain,
        "domainPrefix": visit.domain.partition(".")[0],
        "http": {
            "method": request.method, "path": path, "protocol": request.protocol, "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "requestId": visit.request_id, "routeKey": key, "stage": visit.stage, "time": clf(visit.when),
        "timeEpoch": int(visit.when * 1000),
    }  # fmt: skip
    return event


def rest_event(
    request: HttpRequest, visit: Visit, matched: Matched, *, binary_types: Iterable[str] = (), base_path: str = ""
) -> dict[str, Any]:
    """The event of a REST API. `base_path` is what the client's path has before the resource's: `/prod`."""
    path = request.path.removeprefix(base_path) or "/"
    event = _format_1(request, visit, matched, path)
    event["requestContext"] = _rest_context(request, visit, matched)
    return event | _rest_body(request, binary_types)


def http_api_event_1(request: HttpRequest, visit: Visit, matched: Matched) -> dict[str, Any]:
    """The event of an HTTP API in format 1.0."""
    path = unquote(request.path)
    event = {"version": "1.0"} | _format_1(request, visit, matched, path)
    event["requestContext"] = _rest_context(request, visit, matched) | {"path": path}
    body = text_or_base64(request)
    return event | {"body": body.get("body"), "isBase64Encoded": body["isBase64Encoded"]}


def _format_1(request: HttpRequest, visit: Visit, matched: Matched, path: str) -> dict[str, Any]:
    several = _grouped((_CAPITALS.get(name.lower(), name), value) for name, value in forwarded(request, visit))
    queries = _grouped(_query(request))
    return {
        "resource": matched.resource,
        "path": path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in several.items()},
        "multiValueHeaders": several,
        "queryStringParameters": {name: values[-1] for name, values in queries.items()} or None,
        "multiValueQueryStringParameters": queries or None,
        "pathParameters": dict(matched.parameters) or None,
        "stageVariables": dict(matched.stage_variables) or None,
    }


def _rest_context(request: HttpRequest, visit: Visit, matched: Matched) -> dict[str, Any]:
    nobody = dict.fromkeys((
        "cognitoIdentityPoolId", "accountId", "cognitoIdentityId", "caller", "accessKey",
        "cognitoAuthenticationType", "cognitoAuthenticationProvider", "userArn", "user",
    ))  # fmt: skip
    return {
        "resourceId": f"{abs(hash(matched.resource)) % 0x1000000:06x}", "resourcePath": matched.resource,
        "httpMethod": request.method, "extendedRequestId": visit.request_id.replace("-", "")[:15] + "=",
        "requestTime": clf(visit.when), "path": request.path, "accountId": visit.account,
        "protocol": request.protocol, "stage": visit.stage, "domainPrefix": visit.domain.partition(".")[0],
        "requestTimeEpoch": int(visit.when * 1000), "requestId": visit.request_id,
        "identity": {**nobody, "sourceIp": request.source_ip, "userAgent": request.header("user-agent") or None},
        "domainName": visit.domain, "apiId": visit.api_id,
    }  # fmt: skip


def forwarded(request: HttpRequest, visit: Visit) -> list[tuple[str, str]]:
    """The headers as the service passes them on: its own added, those of the connection left out."""
    pairs = [(name, value) for name, value in request.headers if name.lower() not in _HOPS]
    through = ", ".join([*(value for name, value in pairs if name.lower() == "x-forwarded-for"), request.source_ip])
    ours = {
        "X-Amzn-Trace-Id": visit.trace_id, "X-Forwarded-For": through, "X-Forwarded-Port": str(request.port),
        "X-Forwarded-Proto": "http",
    }  # fmt: skip
    if request.header("x-amzn-trace-id"):
        ours["X-Amzn-Trace-Id"] = request.header("x-amzn-trace-id")
    taken = {name.lower() for name in ours}
    return [*(pair for pair in pairs if pair[0].lower() not in taken), *ours.items()]


def text_or_base64(request: HttpRequest) -> dict[str, Any]:
    """The body as text where its type says so and it is UTF-8, else in base64; left out when there is none."""
    if not request.body:
        return {"isBase64Encoded": False}
    if _TEXT.match(request.header("content-type")) and not request.header("content-encoding"):
        try:
            return {"body": request.body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": b64encode(request.body).decode(), "isBase64Encoded": True}


def _rest_body(request: HttpRequest, binary_types: Iterable[str]) -> dict[str, Any]:
    """A REST API knows binary bodies by the types it was told; any other is text, whatever it is."""
    if not request.body:
        return {"body": None, "isBase64Encoded": False}
    if is_binary(request.header("content-type"), binary_types):
        return {"body": b64encode(request.body).decode(), "isBase64Encoded": True}
    return {"body": request.body.decode("utf-8", "replace"), "isBase64Encoded": False}


def is_binary(content_type: str, binary_types: Iterable[str]) -> bool:
    """Whether a REST API's `binaryMediaTypes` name a type; `*/*` names all."""
    kind = content_type.partition(";")[0].strip().lower()
    main = kind.partition("/")[0]
    return any(each.lower() in ("*/*", kind, f"{main}/*") for each in binary_types)


def clf(when: float) -> str:
    """A time as in access logs: `04/Mar/2026:19:15:17 +0000`."""
    return strftime("%d/%b/%Y:%H:%M:%S +0000", gmtime(when))


def _query(request: HttpRequest) -> list[tuple[str, str]]:
    return parse_qsl(request.query, keep_blank_values=True)


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Pairs as a mapping; what comes twice is joined by commas."""
    return {name: ",".join(values) for name, values in _grouped(pairs).items()}


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
