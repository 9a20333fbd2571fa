"""A function URL's CORS settings, and the headers that they give. Pure.

Source: "Cors" in the AWS Lambda API Reference. A header that the function sends too is sent twice, as on AWS, where a
browser then refuses the response: set CORS in one place.
"""

from __future__ import annotations

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .listener import HttpRequest, Pairs


class Cors(Value):
    """The settings of a function URL. `max_age_seconds` is how long a browser may keep what a preflight said."""

    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age_seconds: int = 0


def is_preflight(request: HttpRequest) -> bool:
    """Whether a browser asks what it may send; the URL answers that itself."""
    asked = request.header("origin") and request.header("access-control-request-method")
    return request.method == "OPTIONS" and bool(asked)


def cors_headers(cors: Cors, request: HttpRequest) -> Pairs:
    """The headers for a request; none for an origin or a method that is not allowed."""
    origin = request.header("origin")
    if not origin or not _allows(cors.allow_origins, origin):
        return ()
    every = "*" in cors.allow_origins and not cors.allow_credentials
    pairs = [("Access-Control-Allow-Origin", "*" if every else origin), ("Vary", "Origin")]
    if cors.allow_credentials:
        pairs.append(("Access-Control-Allow-Credentials", "true"))
    if is_preflight(request):
        return (*pairs, *_preflight(cors, request))
    if cors.expose_headers:
        pairs.append(("Access-Control-Expose-Headers", ",".join(cors.expose_headers)))
    return tuple(pairs)


def _preflight(cors: Cors, request: HttpRequest) -> Pairs:
    asked = request.header("access-control-request-headers")
    allowed = asked if "*" in cors.allow_headers else ",".join(cors.allow_headers)
    pairs = [("Access-Control-Allow-Methods", ",".join(cors.allow_methods))] if cors.allow_methods else []
    pairs += [("Access-Control-Allow-Headers", allowed)] if allowed else []
    pairs += [("Access-Control-Max-Age", str(cors.max_age_seconds))] if cors.max_age_seconds else []
    return tuple(pairs)


def _allows(patterns: tuple[str, ...], origin: str) -> bool:
    return any(each in ("*", origin) or _fits(each, origin) for each in patterns)


def _fits(pattern: str, origin: str) -> bool:
    """A pattern may have one star, as in `https://*.example.com` or `http://localhost:*`."""
    before, star, after = pattern.partition("*")
    long_enough = len(origin) >= len(before) + len(after)
    return bool(star) and long_enough and origin.startswith(before) and origin.endswith(after)
