"""Prove who is calling: put a key or a signature on a request, by the schemes the provider's definition lists."""

from __future__ import annotations

from .errors import ConfigurationError, LLMAuthenticationError, MissingKeyError, ProviderConnectionError
from .flow import NOW, Send
from .result import Ok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..aws.credentials import CredentialCache, Credentials
    from ..transport.types import HttpRequest
    from .catalog.definition import AuthScheme, ProviderDefinition
    from .errors import LambdaLLMError
    from .flow import Environ, Flow


def authorized(
    request: HttpRequest, provider: ProviderDefinition, key: str | None, environ: Environ
) -> Flow[HttpRequest]:
    """The request with its proof, by `key` or else by the first scheme whose own is found.

    Raises `MissingKeyError` naming where it looked.
    """
    for scheme in provider.auth:
        if scheme.type == "none" and key is None:
            return request
        if scheme.type == "sigv4" and key is None:
            return (yield from _signed(request, scheme, environ))
        found = key or next((value for name in scheme.env if (value := environ.get(name))), None)
        if found and scheme.type in _PLACE:
            return _PLACE[scheme.type](request, scheme, found.strip())
    names = [name for scheme in provider.auth for name in scheme.env]
    if not names:
        raise ConfigurationError(f"{provider.name!r} takes no API key.", fix="Leave the key out, or add it to 'auth'.")
    fix = f"Set {' or '.join(names)}, or pass api_key."
    raise MissingKeyError(f"No API key for {provider.title or provider.name}.", fix=fix)


def _bearer(request: HttpRequest, scheme: AuthScheme, key: str) -> HttpRequest:
    return request.replace(headers=(*request.headers, (scheme.header, f"Bearer {key}")))


def _header(request: HttpRequest, scheme: AuthScheme, key: str) -> HttpRequest:
    return request.replace(headers=(*request.headers, (scheme.header, key)))


def _query(request: HttpRequest, scheme: AuthScheme, key: str) -> HttpRequest:
    mark = "&" if "?" in request.url else "?"
    return request.replace(url=f"{request.url}{mark}{scheme.query}={percent_encoded(key)}")


_PLACE: dict[str, Callable[[HttpRequest, AuthScheme, str], HttpRequest]] = {
    "bearer": _bearer,
    "header": _header,
    "query": _query,
}


def _signed(request: HttpRequest, scheme: AuthScheme, environ: Environ) -> Flow[HttpRequest]:
    """The request with Signature V4, by credentials from wherever AWS keeps them."""
    from ..aws.errors import AwsError
    from ..aws.region import require_region
    from ..aws.sigv4 import sign

    clock = yield NOW
    try:
        credentials = yield from _credentials(environ, clock.wall)
        region = require_region(environ)
    except AwsError as error:
        raise _MISSING.get(type(error).__name__, LLMAuthenticationError)(str(error), fix=" ") from error
    return sign(request, credentials, service=scheme.service, region=region, now=clock.wall)


_MISSING: dict[str, type[LambdaLLMError]] = {
    "CredentialsNotFound": MissingKeyError,
    "RegionNotFound": ConfigurationError,
    "CredentialsUnavailable": ProviderConnectionError,
}
_cache: list[CredentialCache] = []


def _credentials(environ: Environ, now: float) -> Flow[Credentials]:
    """The AWS floor's own flow, its requests sent as effects of this one."""
    from ..aws.container import TIMEOUTS
    from ..aws.credentials import CredentialCache, credentials_flow

    if not _cache:
        _cache.append(CredentialCache())
    steps = credentials_flow(_cache[0], environ, now)
    outcome: Any = None
    try:
        while True:
            request = steps.send(outcome)
            reply = yield Send(request, TIMEOUTS)
            outcome = reply.value if isinstance(reply, Ok) else reply.error
    except StopIteration as stop:
        found: Credentials = stop.value
        return found


_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def percent_encoded(text: str) -> str:
    """The text with everything but unreserved characters as `%XX` (RFC 3986, section 2.3)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())
