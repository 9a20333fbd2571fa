"""What middleware reads from HTTP events: API Gateway v1 and v2, function URLs and load balancers alike. Pure.

Headers are read here without a look at the body: who only wants a header must not fail for a body that can't be read.
Of an event that is no HTTP request everything is absent.
"""

from __future__ import annotations

from ..runtime.events import HTTP_KINDS, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def is_http(event: Any) -> bool:
    """Whether an event is an HTTP request."""
    return kind_of(event) in HTTP_KINDS


def method(event: Any) -> str:
    """The request's method in capitals, `""` where there is none."""
    return str(mapping(event).get("httpMethod") or _v2(event).get("method") or "").upper()


def path(event: Any) -> str:
    """The request's path as it was sent, `""` where there is none."""
    return str(mapping(event).get("path") or mapping(event).get("rawPath") or _v2(event).get("path") or "")


def query(event: Any) -> Any:
    """The request's query as it was sent, or its parameters; `None` where there is none."""
    names = ("rawQueryString", "multiValueQueryStringParameters", "queryStringParameters")
    return next((found for name in names if (found := mapping(event).get(name))), None)


def header(event: Any, name: str) -> str | None:
    """A header's value whatever its case; several are joined by commas, as HTTP has it."""
    wanted = name.lower()
    for sent, value in mapping(mapping(event).get("headers")).items():
        if str(sent).lower() == wanted and value is not None:
            return str(value)
    for sent, values in mapping(mapping(event).get("multiValueHeaders")).items():
        if str(sent).lower() == wanted and isinstance(values, list) and values:
            return ", ".join(map(str, values))
    return None


def source_ip(event: Any) -> str | None:
    """The address the request came from, as AWS saw it: no client chooses it, so limits may count by it.

    A load balancer adds it to the end of `X-Forwarded-For`, after whatever the client wrote there.
    """
    context = mapping(mapping(event).get("requestContext"))
    seen = _v2(event).get("sourceIp") or mapping(context.get("identity")).get("sourceIp")
    if seen is None and "elb" in context:
        seen = _without_port((header(event, "x-forwarded-for") or "").rpartition(",")[2].strip())
    return str(seen) if seen else None


def _without_port(address: str) -> str:
    """A load balancer can be told to add the client's port, which is another for every connection."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def body_json(event: Any) -> Any:
    """The body's JSON, `None` of an empty one; of an event that is no HTTP request, what stands under `body`.

    Raises `EventError` (400) for what is no JSON.
    """
    if not is_http(event):
        return mapping(event).get("body")
    from ..runtime.request import request_of

    request = request_of(event)
    return request.json() if request.raw_body.strip() else None


def _v2(event: Any) -> Mapping[str, Any]:
    return mapping(mapping(mapping(event).get("requestContext")).get("http"))


def mapping(value: Any) -> Mapping[str, Any]:
    """The value where it is an object, else one without anything: what is sent may be of any shape."""
    return value if isinstance(value, dict) else {}
