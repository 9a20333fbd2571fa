"""Responses to HTTP events, each in the shape that the service it came through takes.

| service             | several headers of a name   | cookies               | more                |
|---------------------|-----------------------------|-----------------------|---------------------|
| function URL, HTTP  | joined by commas            | `cookies`             |                     |
| REST (payload 1.0)  | `multiValueHeaders`         | `multiValueHeaders`   |                     |
| ALB                 | joined by commas            | names of varying case | `statusDescription` |
| ALB, multi-value    | `multiValueHeaders`, alone  | `multiValueHeaders`   | `statusDescription` |
"""

from __future__ import annotations

from .._value import Value
from .events import NOTHING, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from .streams import Head

    Plain = Callable[[Any], Any]
    Pairs = list[tuple[str, str]]


TRUNCATED_HEADER = "X-LambdaLLM-Truncated"
"""Says of an answer what has cut it off: `deadline`."""


class Response(Value):
    """What goes back to an HTTP client.

        return Response({"id": 7}, 201, headers={"Location": "/things/7"}, cookies=("seen=yes; HttpOnly; Secure",))

    `body` is text, bytes, `None`, or anything that JSON can say. A header may have a list of values. The type of the
    body is told by what it is, where `headers` has no `Content-Type`.
    """

    body: Any = None
    status: int = 200
    headers: Mapping[str, Any] = NOTHING
    cookies: tuple[str, ...] = ()

    def for_direct(self) -> dict[str, Any]:
        """The response as who invokes the function directly gets it: as a function URL would."""
        return _of_format_2(_Parts(self, _never))


class _Parts:
    """A response in parts: status, pairs of headers, cookies, and a body that is text."""

    def __init__(self, response: Response, plain: Plain) -> None:
        _check(response.status)
        self.status = response.status
        self.cookies = [_header("Set-Cookie", cookie) for cookie in response.cookies]
        self.headers: Pairs = []
        for name, value in response.headers.items():
            values = value if isinstance(value, (list, tuple)) else [value]
            texts = [_header(name, each) for each in values]
            if name.lower() == "set-cookie":
                self.cookies += texts
            else:
                self.headers += [(name, text) for text in texts]
        kind, self.body, self.is_base64 = _body(response.body, plain)
        if kind and not any(name.lower() == "content-type" for name, _ in self.headers):
            self.headers.insert(0, ("Content-Type", kind))


def shaped(event: Any, result: Any, plain: Plain, more: Mapping[str, str]) -> dict[str, Any]:
    """A function's result as a response to an HTTP event.

    `plain` turns what JSON has no word for into what it has. `more` are headers that go with any response, but do not
    take the place of the response's own. Raises `TypeError` for a body that can't be sent, `ValueError` for a status or
    a header that is none.
    """
    kind = kind_of(event)
    if isinstance(result, dict) and "statusCode" in result:
        return _finished(kind, event, result, plain, more)
    response = result if isinstance(result, Response) else Response(result, 204 if result is None else 200)
    return _FORMATS[kind](_Parts(_with(response, more), plain), event)


def head_of(event: Any, response: Response, *more: Mapping[str, str]) -> Head:
    """What goes before the pieces of a streamed response, its body aside; of `more` headers the first ones win.

    Raises `ValueError` for a status or a header that is none.
    """
    from .streams import Head

    response = response.replace(body=None)
    for headers in more:
        response = _with(response, headers)
    parts = _Parts(response, _never)
    joins = kind_of(event) == "function_url"
    return Head(parts.status, _joined(parts.headers) if joins else _listed(parts.headers), tuple(parts.cookies))


def _listed(pairs: Pairs) -> dict[str, str | list[str]]:
    """Pairs as a mapping; what comes twice is a list."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _with(response: Response, more: Mapping[str, str]) -> Response:
    """A response with further headers where it has none of that name; cookies and what it varies by are added."""
    headers, cookies = dict(response.headers), list(response.cookies)
    own = {name.lower(): name for name in headers}
    for name, value in more.items():
        known = own.get(name.lower())
        if name.lower() == "set-cookie":
            cookies.append(value)
        elif known is None:
            headers[name] = value
        elif name.lower() == "vary":
            headers[known] = _united(headers[known], value)
    return response.replace(headers=headers, cookies=tuple(cookies))


def _united(first: Any, second: str) -> str:
    """Two lists of words as one, each word once."""
    given = [*first, second] if isinstance(first, (list, tuple)) else [first, second]
    words = [word.strip() for text in given for word in str(text).split(",")]
    return ", ".join({word.lower(): word for word in words if word}.values())


def _finished(kind: str, event: Any, result: dict[str, Any], plain: Plain, more: Mapping[str, str]) -> dict[str, Any]:
    """A response that the function wrote out itself, changed only where its service would not take it."""
    body = result.get("body")
    simple = body is None or isinstance(body, str)
    if simple and not more and not _needs_change(kind, event, result):
        return result
    several = result.get("multiValueHeaders") or {}
    headers = {**(result.get("headers") or {}), **several}
    cookies = tuple(result.get("cookies") or ())
    response = Response(None if simple else body, _status(result["statusCode"]), headers, cookies)
    parts = _Parts(_with(response, more), plain)
    if simple:
        parts.body, parts.is_base64 = body, bool(result.get("isBase64Encoded"))
    shape = _FORMATS[kind](parts, event)
    return {**{key: value for key, value in result.items() if key not in _REWRITTEN}, **shape}


_REWRITTEN = ("headers", "multiValueHeaders", "cookies", "body", "isBase64Encoded", "statusCode")


def _needs_change(kind: str, event: Any, result: dict[str, Any]) -> bool:
    if kind in ("api_gateway_v2", "function_url"):
        return bool(result.get("multiValueHeaders"))
    return bool(result.get("cookies")) or (kind == "alb" and ("multiValueHeaders" in event or not _described(result)))


def _described(result: dict[str, Any]) -> bool:
    return "statusDescription" in result


def _status(given: Any) -> int:
    return int(given) if isinstance(given, str) and given.isdecimal() else given


def _check(status: Any) -> None:
    if isinstance(status, bool) or not isinstance(status, int) or not 200 <= status <= 599:
        raise ValueError(f"The status is {status!r}. Use a number from 200 to 599.")


def _header(name: str, value: Any) -> str:
    text = "true" if value is True else "false" if value is False else str(value)
    if "\r" in text or "\n" in text or "\0" in text:
        raise ValueError(f"The header {name!r} has a line break. Take it out.")
    return text


def _body(body: Any, plain: Plain) -> tuple[str, str | None, bool]:
    """The type of a body, its text, and whether that is base64."""
    if body is None:
        return "", None, False
    if isinstance(body, str):
        return "text/plain; charset=utf-8", body, False
    if isinstance(body, (bytes, bytearray, memoryview)):
        from binascii import b2a_base64

        return "application/octet-stream", b2a_base64(body, newline=False).decode("ascii"), True
    return "application/json", _json(body, plain), False


def _json(body: Any, plain: Plain) -> str:
    import json

    try:
        return json.dumps(body, default=plain, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        if "JSON compliant" not in str(error):
            raise
        raise ValueError("The body has NaN or an infinity, which JSON can't say. Put None in its place.") from error


def _never(value: Any) -> Any:
    kind = type(value).__name__
    raise TypeError(f"A value of type {kind} can't be sent as JSON. Return a dictionary, a list or text.")


def _base(parts: _Parts) -> dict[str, Any]:
    response: dict[str, Any] = {"statusCode": parts.status}
    if parts.body is not None:
        response["body"] = parts.body
    if parts.is_base64:
        response["isBase64Encoded"] = True
    return response


def _joined(pairs: Pairs) -> dict[str, str]:
    """Pairs as a mapping; what comes twice is joined by commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


def _grouped(parts: _Parts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in [*parts.headers, *(("Set-Cookie", cookie) for cookie in parts.cookies)]:
        found.setdefault(name, []).append(value)
    return found


def _of_format_2(parts: _Parts, _event: Any = None) -> dict[str, Any]:
    shape = _base(parts) | {"headers": _joined(parts.headers)}
    return shape | {"cookies": parts.cookies} if parts.cookies else shape


def _of_format_1(parts: _Parts, _event: Any) -> dict[str, Any]:
    groups = _grouped(parts)
    several = {name: values for name, values in groups.items() if len(values) > 1 or name == "Set-Cookie"}
    shape = _base(parts) | {"headers": {name: values[0] for name, values in groups.items() if name not in several}}
    return shape | {"multiValueHeaders": several} if several else shape


def _of_alb(parts: _Parts, event: Any) -> dict[str, Any]:
    """A load balancer reads one kind of headers, that of the request; without a list, a name once in each spelling."""
    shape = _base(parts) | {"isBase64Encoded": parts.is_base64, "statusDescription": _described_status(parts.status)}
    if "multiValueHeaders" in event:
        return shape | {"multiValueHeaders": _grouped(parts)}
    cookies = dict(zip(_spellings("set-cookie"), parts.cookies, strict=False))
    return shape | {"headers": _joined(parts.headers) | cookies}


def _spellings(name: str) -> list[str]:
    """A header's name in as many spellings as its letters have cases, the usual one first."""
    letters = [at for at, mark in enumerate(name) if mark.isalpha()]
    found = []
    for number in range(min(2 ** len(letters), 64)):
        upper = {at for bit, at in enumerate(letters) if number >> bit & 1}
        found.append("".join(mark.upper() if at in upper else mark for at, mark in enumerate(name)))
    return found


_REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently", 302: "Found",
    304: "Not Modified", 307: "Temporary Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden",
    404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 413: "Content Too Large",
    415: "Unsupported Media Type", 422: "Unprocessable Content", 429: "Too Many Requests",
    500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}  # fmt: skip


def _described_status(status: int) -> str:
    return f"{status} {_REASONS.get(status, 'Status')}"


_FORMATS: dict[str, Callable[[_Parts, Any], dict[str, Any]]] = {
    "api_gateway_v1": _of_format_1, "api_gateway_v2": _of_format_2, "function_url": _of_format_2, "alb": _of_alb,
}  # fmt: skip
