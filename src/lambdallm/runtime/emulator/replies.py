"""What a function's answer means to an HTTP client, by the rules of each service. Pure.

| service                  | a result without `statusCode`       | fields it does not know | base64 bodies            |
|--------------------------|-------------------------------------|-------------------------|--------------------------|
| function URL, HTTP 2.0   | 200, the result as JSON             | are left out            | are decoded              |
| HTTP API 1.0             | is malformed                        | are left out            | are decoded              |
| REST API                 | 200, where nothing else is wrong    | make it malformed       | by `binaryMediaTypes`    |

Sources: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html, the API Gateway guide on proxy integrations.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode

from .listener import Cut, HttpReply
from .payloads import is_binary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator
    from typing import Any

    from .listener import Pairs

PRELUDE_TYPE = "application/vnd.awslambda.http-integration-response"
_NULS = b"\0" * 8
_MOST_PRELUDE_BYTES = 16 * 1024
_JSON: Pairs = (("Content-Type", "application/json"),)
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
METADATA = frozenset(("statusCode", "headers", "multiValueHeaders", "cookies"))
"""What a REST API knows before a stream."""
_REST_FIELDS = frozenset(("statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"))


class Malformed(ValueError):
    """A function's answer is none that the service can send on."""


def format_2_reply(payload: bytes, default_type: str = "application/json") -> HttpReply:
    """The reply of a function URL, or of an HTTP API in format 2.0. Raises `Malformed`."""
    try:
        result = json.loads(payload)
    except ValueError:
        return HttpReply(200, _JSON, payload)
    if not isinstance(result, dict) or "statusCode" not in result:
        text = result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, separators=(",", ":"))
        return HttpReply(200, _JSON, text.encode("utf-8", "replace"))
    pairs = _typed((*_headers(result), *_cookies(result)), default_type)
    return HttpReply(_status(result["statusCode"]), pairs, _body(result))


def format_1_reply(payload: bytes) -> HttpReply:
    """The reply of an HTTP API in format 1.0. Raises `Malformed`."""
    result = _object(payload)
    if "statusCode" not in result:
        raise Malformed("The function's answer has no statusCode.")
    pairs = _typed(_headers(result, several=True), "text/plain; charset=utf-8")
    return HttpReply(_status(result["statusCode"]), pairs, _body(result))


def rest_reply(payload: bytes, accept: str = "", binary_types: Iterable[str] = ()) -> HttpReply:
    """The reply of a REST API; `accept` is the request's header. Raises `Malformed`."""
    result = _object(payload)
    if unknown := set(result) - _REST_FIELDS:
        raise Malformed(f"The function's answer has the fields {sorted(unknown)!r}, which a REST API does not know.")
    pairs = _typed(_headers(result, several=True, texts=True), "application/json")
    decodes = is_binary(accept.partition(",")[0], binary_types) or "*/*" in binary_types
    body = _body(result if decodes else {**result, "isBase64Encoded": False})
    return HttpReply(_status(result.get("statusCode") or 200), pairs, body)


def streamed_reply(
    chunks: Iterable[bytes],
    content_type: str,
    default_type: str = "application/json",
    *,
    fields: Container[str] | None = None,
) -> HttpReply:
    """The reply of an answer that comes in pieces: with a prelude where its type says so, else as it is.

    Reads to the prelude's end. Raises `Malformed` for a prelude that is none, or has other `fields` than it may.
    """
    pieces = iter(chunks)
    if not content_type.startswith(PRELUDE_TYPE):
        return HttpReply(200, (("Content-Type", content_type or default_type),), pieces)
    prelude, rest = split_prelude(pieces)
    if fields is not None and not all(name in fields for name in prelude):
        raise Malformed(f"The prelude has the fields {sorted(prelude)!r}, which a REST API does not all know.")
    pairs = _typed((*_headers(prelude, several=True), *_cookies(prelude)), default_type)
    return HttpReply(_status(prelude.get("statusCode", 200)), pairs, _after(rest, pieces))


def split_prelude(pieces: Iterator[bytes]) -> tuple[dict[str, Any], bytes]:
    """The prelude at the head of a stream, and what its last piece has behind it. Raises `Malformed`."""
    held = b""
    while _NULS not in held:
        if len(held) > _MOST_PRELUDE_BYTES:
            raise Malformed(f"The prelude has no end within {_MOST_PRELUDE_BYTES} bytes.")
        try:
            piece = next(pieces, None)
        except Cut:
            piece = None
        if piece is None:
            raise Malformed("The stream ends before its prelude does.")
        held += piece
    text, _, rest = held.partition(_NULS)
    return _object(text), rest


def whole(reply: HttpReply) -> HttpReply:
    """The same reply with its body in one. Raises `Malformed` for a body that is cut."""
    try:
        return reply.replace(body=reply.body if isinstance(reply.body, bytes) else b"".join(reply.body))
    except Cut as error:
        raise Malformed("The stream was cut.") from error


def _after(rest: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    if rest:
        yield rest
    yield from pieces


def _object(payload: bytes) -> dict[str, Any]:
    try:
        result = json.loads(payload)
    except ValueError as error:
        raise Malformed("The function's answer is no JSON.") from error
    if not isinstance(result, dict):
        raise Malformed(f"The function's answer is of type {type(result).__name__}, and no object.")
    return result


def _status(given: Any) -> int:
    text = str(given)
    if isinstance(given, (bool, float)) or not (text.isascii() and text.isdecimal()) or not 100 <= int(text) <= 599:
        raise Malformed(f"statusCode is {given!r}. Return a number from 200 to 599.")
    return int(text)


def _headers(result: dict[str, Any], *, several: bool = False, texts: bool = False) -> Pairs:
    """The headers as pairs; values of `multiValueHeaders` follow those of `headers`, each value once.

    With `texts` a number is no value.
    """
    given, lists = result.get("headers") or {}, (result.get("multiValueHeaders") or {}) if several else {}
    if not isinstance(given, dict) or not isinstance(lists, dict):
        raise Malformed("The headers are no object.")
    if texts and not all(isinstance(value, (str, bool)) for value in given.values()):
        raise Malformed(f"The headers are {given!r}. Write their values as text.")
    pairs = [(str(name), header_text(name, value)) for name, value in given.items() if value is not None]
    for name, values in lists.items():
        for value in values if isinstance(values, list) else [values]:
            text = header_text(name, value)
            if (name.lower(), text) not in [(known.lower(), one) for known, one in pairs]:
                pairs.append((name, text))
    return tuple(pairs)


def _cookies(result: dict[str, Any]) -> Pairs:
    cookies = result.get("cookies") or ()
    if not isinstance(cookies, (list, tuple)):
        raise Malformed(f"cookies are {cookies!r}. Return a list.")
    return tuple(("Set-Cookie", header_text("Set-Cookie", cookie)) for cookie in cookies)


def header_text(name: object, value: object) -> str:
    """A header's value as text. Raises `Malformed` for one that can't be sent."""
    text = "true" if value is True else "false" if value is False else str(value)
    if _CONTROL.search(text) or not _TOKEN.fullmatch(str(name)):
        raise Malformed(f"The header {name!r} has a line break or a control character. Take it out.")
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        raise Malformed(f"The header {name!r} has letters beyond Latin-1. Encode them.") from None
    return text


def _typed(pairs: Pairs, default: str) -> Pairs:
    if any(name.lower() == "content-type" for name, _ in pairs):
        return pairs
    return (("Content-Type", default), *pairs)


def _body(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise Malformed(f"body is of type {type(body).__name__}. Return text, such as json.dumps(body).")
    if not result.get("isBase64Encoded"):
        return body.encode("utf-8", "replace")
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise Malformed("body is no base64, though isBase64Encoded is true.") from error
