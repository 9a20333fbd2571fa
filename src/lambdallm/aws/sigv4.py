"""Signature Version 4: a request and credentials in, the signed request out. Pure: no clock, no network.

Source: "Create a signed AWS API request" in the AWS IAM User Guide, whose steps the functions follow in order.

Rules for an editor:
- What is signed must be what is sent. The URL is therefore never rewritten; the transport's `Host` is the URL's host
  in lower case, with its port unless that is the scheme's own.
- Headers that a proxy or the transport may add or change stay unsigned (`_UNSIGNED`).
- The path is encoded once more than it is sent (`%3A` is signed as `%253A`), except for S3, which takes it as it is.
- The query is decoded and encoded again, as the service does, so that `?q=a,b` and `?q=a%2Cb` sign alike.
"""

from __future__ import annotations

import hmac
import time
from functools import lru_cache
from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..transport.types import Headers, HttpRequest
    from .credentials import Credentials

_S3 = frozenset(("s3", "s3-outposts", "s3-object-lambda"))
"""Services that take paths as they are and ask for the body's hash in a header."""

_OURS = frozenset(("authorization", "x-amz-date", "x-amz-security-token"))
"""Headers that signing writes; those of an earlier attempt are dropped."""

_UNSIGNED = frozenset(
    (
        *("authorization", "baggage", "connection", "expect", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade"),
        *("user-agent", "x-amzn-trace-id"),
    )
)

_DEFAULT_PORTS = {"http": 80, "https": 443}

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ENCODED = tuple(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256))
_ENCODED_IN_PATH = (*_ENCODED[:47], "/", *_ENCODED[48:])
_CODES = {b"%02X" % byte: bytes((byte,)) for byte in range(256)}


def sign(request: HttpRequest, credentials: Credentials, *, service: str, region: str, now: float) -> HttpRequest:
    """The request with `X-Amz-Date`, `X-Amz-Security-Token` (temporary credentials) and `Authorization` added.

    `service` is the signing name (`bedrock` for the host `bedrock-runtime.…`), `now` is in epoch seconds. S3 also gets
    `X-Amz-Content-SHA256`; for other services one that is already there is taken as the body's hash. A request that
    was signed before is signed afresh. Raises nothing for a well-formed request.

        signed = sign(request, credentials, service="bedrock", region="us-east-1", now=time.time())
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    headers = _with_signing_headers(request, credentials, service, stamp)
    canonical, names = _canonical_request(request, headers, service)
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key, stamp[:8], region, service)
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return request.replace(headers=(*headers, ("Authorization", authorization)))


def _with_signing_headers(request: HttpRequest, credentials: Credentials, service: str, stamp: str) -> Headers:
    """The request's own headers, without those of an earlier signature, and the ones that get signed."""
    stale = _OURS | {"x-amz-content-sha256"} if service in _S3 else _OURS
    headers = [line for line in request.headers if line[0].lower() not in stale]
    headers.append(("X-Amz-Date", stamp))
    if credentials.token:
        headers.append(("X-Amz-Security-Token", credentials.token))
    if service in _S3:
        headers.append(("X-Amz-Content-SHA256", sha256(request.body).hexdigest()))
    return tuple(headers)


def _canonical_request(request: HttpRequest, headers: Headers, service: str) -> tuple[str, str]:
    """The text that is hashed and signed, and the names of the headers in it."""
    host, path, query = _split_url(request.url)
    folded = _fold(headers)
    folded.setdefault("host", host)
    names = sorted(folded)
    lines = "".join([f"{name}:{folded[name]}\n" for name in names])
    signed = ";".join(names)
    payload = folded.get("x-amz-content-sha256") or sha256(request.body).hexdigest()
    if service not in _S3:
        path = _encode_path(path)
    return f"{request.method.upper()}\n{path}\n{_canonical_query(query)}\n{lines}\n{signed}\n{payload}", signed


def _fold(headers: Headers) -> dict[str, str]:
    """Signed headers by lower-case name: runs of space become one, values of a repeated name join with a comma."""
    folded: dict[str, str] = {}
    for name, value in headers:
        key = name.lower()
        if key not in _UNSIGNED:
            trimmed = " ".join(value.split())
            folded[key] = f"{folded[key]},{trimmed}" if key in folded else trimmed
    return folded


def _split_url(url: str) -> tuple[str, str, str]:
    """Host as the `Host` header shows it, path (never empty), query."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    rest, _, query = rest.partition("?")
    authority, _, path = rest.partition("/")
    host = authority.rpartition("@")[2].lower().removesuffix(":")
    name, _, port = host.rpartition(":")
    if name and port.isdigit():
        host = name if int(port) == _DEFAULT_PORTS.get(scheme.lower()) else f"{name}:{int(port)}"
    return host, f"/{path}", query


def _encode_path(path: str) -> str:
    """The path with empty and dot segments resolved, each byte outside RFC 3986's unreserved set encoded."""
    if "//" in path or "/." in path:
        path = _resolve(path)
    return "".join([_ENCODED_IN_PATH[byte] for byte in path.encode()])


def _resolve(path: str) -> str:
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return f"/{'/'.join(kept)}{'/' if kept and path.endswith('/') else ''}"


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    pairs = [pair.partition("=") for pair in query.split("&")]
    return "&".join([f"{k}={v}" for k, v in sorted([(_encode_again(k), _encode_again(v)) for k, _, v in pairs])])


def _encode_again(text: str) -> str:
    """Percent-decode, then encode strictly. A `%` that starts no code stands for itself, and so does `+`."""
    head, *rest = text.encode().split(b"%")
    for piece in rest:
        byte = _CODES.get(piece[:2].upper())
        head += b"%" + piece if byte is None else byte + piece[2:]
    return "".join([_ENCODED[byte] for byte in head])


@lru_cache(maxsize=16)
def _signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """The key for one day, region and service: four hashes, made once. The cache shows its keys to nobody."""
    key = f"AWS4{secret}".encode()
    for step in (date, region, service, "aws4_request"):
        key = hmac.digest(key, step.encode(), "sha256")
    return key
