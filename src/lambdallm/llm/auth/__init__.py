"""Prove who is calling: put a key, a token or a signature on a request, by the schemes the definition lists.

The door. Keys are placed here; what must be fetched or signed first is a flow in its own module, imported by the first
call that needs it: `aws`, `google` (with `google_federation` and `rs256`), `azure`; `tokens` keeps what they fetched.
"""

from __future__ import annotations

import sys

from ..errors import ConfigurationError, MissingKeyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...transport.types import HttpRequest
    from ..catalog.definition import AuthScheme, ProviderDefinition
    from ..flow import Environ, Flow
    from .tokens import Token


def authorized(
    request: HttpRequest, provider: ProviderDefinition, key: str | None, environ: Environ
) -> Flow[HttpRequest]:
    """The request with its proof, by `key` or else by the first scheme whose own is found, or a configured key.

    A key may be a reference to a secret; see `keys` and `secrets`. Raises `MissingKeyError` naming where it looked.
    """
    key = _configured_key(provider, environ) if key is None else key
    for scheme in provider.auth:
        if scheme.type == "none" and key is None:
            return request
        found = key or next((value for name in scheme.env if (value := environ.get(name))), None)
        if found and scheme.type in _PLACE:
            if found.startswith("secret:"):
                from .keys import in_clear

                found = yield from in_clear(found, provider)
            return _PLACE[scheme.type](request, scheme, found.strip())
        if key is None and scheme.type in _FLOWS:
            return (yield from _by_flow(request, scheme, provider, environ))
    names = _names(provider)
    if not names:
        raise ConfigurationError(f"{provider.name!r} takes no API key.", fix="Leave the key out, or add it to 'auth'.")
    fix = f"Set {' or '.join(names)}, or pass api_key."
    raise MissingKeyError(f"No API key for {provider.title or provider.name}.", fix=fix)


def _configured_key(provider: ProviderDefinition, environ: Environ) -> str | None:
    """As `keys` says it, which is loaded where there is anything to say: a path, or a project's keys."""
    if provider.secret_path is None and f"{__name__}.keys" not in sys.modules:
        return None
    from .keys import configured_key

    return configured_key(provider, environ)


def _names(provider: ProviderDefinition) -> list[str]:
    return [name for scheme in provider.auth for name in scheme.env]


def _by_flow(
    request: HttpRequest, scheme: AuthScheme, provider: ProviderDefinition, environ: Environ
) -> Flow[HttpRequest]:
    """The request by a scheme that has to fetch or compute; finding nothing names the variables of all schemes."""
    try:
        return (yield from _FLOWS[scheme.type](request, scheme, environ))
    except MissingKeyError as error:
        names = _names(provider)
        if not names or not error.fix.strip():
            raise
        raise MissingKeyError(error.message, fix=f"{error.fix} Or set {' or '.join(names)}.") from error


def _bearer(request: HttpRequest, scheme: AuthScheme, key: str) -> HttpRequest:
    return request.replace(headers=(*request.headers, (scheme.header, f"Bearer {key}")))


def _header(request: HttpRequest, scheme: AuthScheme, key: str) -> HttpRequest:
    return request.replace(headers=(*request.headers, (scheme.header, key)))


def _query(request: HttpRequest, scheme: AuthScheme, key: str) -> HttpRequest:
    mark = "&" if "?" in request.url else "?"
    return request.replace(url=f"{request.url}{mark}{scheme.query}={percent_encoded(key)}")


def _signed(request: HttpRequest, scheme: AuthScheme, environ: Environ) -> Flow[HttpRequest]:
    from .aws import signed

    return (yield from signed(request, scheme.service, environ))


def _google(request: HttpRequest, scheme: AuthScheme, environ: Environ) -> Flow[HttpRequest]:
    from .google import SCOPE, google_token

    return _with_token(request, scheme, (yield from google_token(environ, scheme.scope or SCOPE)))


def _azure(request: HttpRequest, scheme: AuthScheme, environ: Environ) -> Flow[HttpRequest]:
    from .azure import SCOPE, azure_token

    return _with_token(request, scheme, (yield from azure_token(environ, scheme.scope or SCOPE)))


def _with_token(request: HttpRequest, scheme: AuthScheme, token: Token) -> HttpRequest:
    placed = _bearer(request, scheme, token.value)
    return placed.replace(headers=(*placed.headers, *token.headers))


_PLACE: dict[str, Callable[[HttpRequest, AuthScheme, str], HttpRequest]] = {
    "bearer": _bearer,
    "header": _header,
    "query": _query,
    "google": _bearer,
    "azure": _bearer,
}
"""Where a key, or a token that is ready, goes."""

_FLOWS: dict[str, Callable[[HttpRequest, AuthScheme, Environ], Flow[HttpRequest]]] = {
    "sigv4": _signed,
    "google": _google,
    "azure": _azure,
}

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


def percent_encoded(text: str) -> str:
    """The text with everything but unreserved characters as `%XX` (RFC 3986, section 2.3)."""
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode())
