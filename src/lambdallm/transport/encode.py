"""A request as the bytes that go on the wire.

Nothing a caller passes can add a line: names, values, method and target are checked, and errors name the header but
never show its value, which may be a key.
"""

from __future__ import annotations

from .http1 import has_control, is_token, lower_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .types import Headers, HttpRequest

_BODILESS = ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT")

_METHODS = frozenset((*_BODILESS, "POST", "PUT", "PATCH"))


def encode_head(request: HttpRequest, target: str, authority: str, extra: Headers = ()) -> bytes:
    """The request line and headers, up to and including the empty line. Raises `ValueError`.

    Adds `Host`, `Accept-Encoding: identity`, `Content-Length` and `Connection` where the request has none. Identity,
    because compression does not pay here: answers are a few kilobytes, inflating one and loading zlib costs more
    than the bytes it saves inside a cloud region, and a compressed stream is held back until a block is full.
    """
    if request.method not in _METHODS and not is_token(request.method):
        raise ValueError(f"The method {request.method!r} is not an HTTP token. Use a word such as GET or POST.")
    given = set()
    lines = [f"{request.method} {target} HTTP/1.1"]
    for name, value in request.headers:
        given.add(lower_name(name))
        lines.append(f"{name}: {value}")
    if "" in given or "transfer-encoding" in given or "content-length" in given:
        _check_names(request)
    _add_defaults(lines, given, request, authority)
    lines += [f"{name}: {value}" for name, value in extra]
    return _encode_lines(lines, request.headers)


def _add_defaults(lines: list[str], given: set[str], request: HttpRequest, authority: str) -> None:
    if "host" not in given:
        lines.insert(1, f"Host: {authority}")
    if "accept-encoding" not in given:
        lines.append("Accept-Encoding: identity")
    if "content-length" not in given and (request.body or request.method not in _BODILESS):
        lines.append(f"Content-Length: {len(request.body)}")
    if "connection" not in given:
        lines.append("Connection: keep-alive")


def _encode_lines(lines: list[str], headers: Headers) -> bytes:
    """Join and encode, checking all values in one pass."""
    lines += ("", "")
    breaks = len(lines) - 1
    try:
        head = "\r\n".join(lines).encode("latin-1")
    except UnicodeEncodeError:
        head = b""
    if head.count(b"\n") != breaks or head.count(b"\r") != breaks or has_control(head):
        raise _bad_value(headers)
    return head


def _check_names(request: HttpRequest) -> None:
    """Say which header name can't be sent."""
    for name, value in request.headers:
        lower = lower_name(name)
        if not lower:
            raise ValueError(f"The header name {name!r} is not an HTTP token. Use letters, digits and hyphens.")
        if lower == "transfer-encoding":
            raise ValueError(
                "The header 'Transfer-Encoding' can't be set: bodies are sent with their length. Remove it."
            )
        if lower == "content-length" and value != str(len(request.body)):
            raise ValueError(f"The header {name!r} does not match the body of {len(request.body)} bytes. Remove it.")


def _bad_value(headers: Headers) -> ValueError:
    """Name the header whose value can't be sent, without showing the value."""
    for name, value in headers:
        data = value.encode("latin-1", "replace")
        if "\r" in value or "\n" in value or has_control(data):
            fix = "Strip it; a key read from a file often ends with a line break"
            return ValueError(f"The header {name!r} holds a line break or control character. {fix}.")
        if data.decode("latin-1") != value:
            return ValueError(f"The header {name!r} holds a character outside Latin-1. Encode it first.")
    return ValueError("The request line holds a line break or control character. Remove it.")
