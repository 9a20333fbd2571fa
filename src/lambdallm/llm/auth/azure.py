"""Microsoft Entra ID: an access token for Azure's AI services, from whatever the environment names, first match wins.

    1. a secret             AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET
    2. a federated token    AZURE_TENANT_ID, AZURE_CLIENT_ID and the file AZURE_FEDERATED_TOKEN_FILE (workload identity)
    3. a managed identity   IDENTITY_ENDPOINT and IDENTITY_HEADER (App Service, Functions, Container Apps), else the
                            instance metadata service of a virtual machine; AZURE_CLIENT_ID chooses among several

Sources: Microsoft identity platform, "OAuth 2.0 client credentials flow"; "How to use managed identities for App
Service"; "How to use managed identities on an Azure VM to acquire an access token".
"""

from __future__ import annotations

from ..errors import (
    ConfigurationError,
    LLMAuthenticationError,
    MissingKeyError,
    ProviderConnectionError,
    ProviderServerError,
)
from .tokens import Token, answered, cached, form_post, is_plain, read_file, read_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..flow import Environ, Flow

SCOPE = "https://cognitiveservices.azure.com/.default"

_AUTHORITY = "login.microsoftonline.com"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_INSTANCE = "http://169.254.169.254"
_DEPENDS = (
    "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST",
    "IDENTITY_ENDPOINT",
)  # fmt: skip
_FIX = (
    "Set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET (or AZURE_FEDERATED_TOKEN_FILE), or give the machine"
    " a managed identity."
)


def azure_token(environ: Environ, scope: str = SCOPE) -> Flow[Token]:
    """An access token for a scope. Raises `MissingKeyError` when nothing is configured.

    Raises `ConfigurationError` for half a configuration, `LLMAuthenticationError` when Entra ID refuses it.
    """
    key = ("azure", scope, *(environ.get(name, "") for name in _DEPENDS))
    return (yield from cached(key, lambda now: _asked(environ, scope, now)))


def _asked(environ: Environ, scope: str, now: float) -> Flow[Token]:
    if secret := environ.get("AZURE_CLIENT_SECRET"):
        return (yield from _from_entra(environ, scope, {"client_secret": secret}, now))
    if path := environ.get("AZURE_FEDERATED_TOKEN_FILE"):
        token = read_file(path, "AZURE_FEDERATED_TOKEN_FILE").strip()
        proof = {"client_assertion_type": _ASSERTION, "client_assertion": token}
        return (yield from _from_entra(environ, scope, proof, now))
    if endpoint := environ.get("IDENTITY_ENDPOINT"):
        return (yield from _from_service(environ, endpoint, scope, now))
    return (yield from _from_instance(environ, scope, now))


def _from_entra(environ: Environ, scope: str, proof: dict[str, str], now: float) -> Flow[Token]:
    """The token for an application's secret or federated token."""
    tenant, client = _needed(environ, "AZURE_TENANT_ID"), _needed(environ, "AZURE_CLIENT_ID")
    url = f"{_authority(environ)}/{tenant}/oauth2/v2.0/token"
    fields = {"grant_type": "client_credentials", "client_id": client, "scope": scope, **proof}
    who = "Microsoft Entra ID"
    fix = "Check AZURE_TENANT_ID, AZURE_CLIENT_ID, and that the application's secret or federation is valid."
    return read_token((yield from answered(form_post(url, fields), who)), now, who, fix)


def _authority(environ: Environ) -> str:
    """Where the tenant signs in: the public cloud, or the one that AZURE_AUTHORITY_HOST names."""
    named = environ.get("AZURE_AUTHORITY_HOST") or _AUTHORITY
    url = (named if "://" in named else f"https://{named}").rstrip("/")
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")) or not is_plain(url):
        fix = "Write it like https://login.microsoftonline.com."
        raise ConfigurationError(f"AZURE_AUTHORITY_HOST is {named!r}, which is no HTTPS URL.", fix=fix)
    return url


def _needed(environ: Environ, name: str) -> str:
    value = environ.get(name, "").strip()
    if not value.replace("-", "").replace(".", "").isalnum() or not value.isascii():
        what = f"is {value!r}, which is no ID" if value else "is not set, and the Azure credentials beside it need it"
        raise ConfigurationError(f"{name} {what}.", fix=f"Set {name}.")
    return value


def _from_service(environ: Environ, endpoint: str, scope: str, now: float) -> Flow[Token]:
    """The token of the identity that the platform gave to an app."""
    from ...transport.types import HttpRequest

    mark = environ.get("IDENTITY_HEADER", "")
    if not is_plain(mark):
        fix = "The platform sets both; set neither by hand."
        raise ConfigurationError("IDENTITY_ENDPOINT is set without a usable IDENTITY_HEADER.", fix=fix)
    url = f"{endpoint}?api-version=2019-08-01&{_resource(environ, scope)}"
    who = "The managed identity endpoint"
    response = yield from answered(HttpRequest("GET", url, (("X-IDENTITY-HEADER", mark),)), who)
    return read_token(response, now, who, "Assign an identity to the app.")


def _from_instance(environ: Environ, scope: str, now: float) -> Flow[Token]:
    """The token of a virtual machine's identity. No answer, or another cloud's, means there is none."""
    from ...transport.types import HttpRequest

    host = environ.get("AZURE_POD_IDENTITY_AUTHORITY_HOST", _INSTANCE).rstrip("/")
    url = f"{host}/metadata/identity/oauth2/token?api-version=2018-02-01&{_resource(environ, scope)}"
    who = "The instance metadata service"
    try:
        response = yield from answered(HttpRequest("GET", url, (("Metadata", "true"),)), who, local=True)
        return read_token(response, now, who, "Assign an identity to the machine.")
    except (ProviderConnectionError, ProviderServerError, LLMAuthenticationError):
        raise MissingKeyError("No Azure credentials were found.", fix=_FIX) from None


def _resource(environ: Environ, scope: str) -> str:
    from . import percent_encoded

    client = environ.get("AZURE_CLIENT_ID")
    chosen = f"&client_id={percent_encoded(client)}" if client else ""
    return f"resource={percent_encoded(scope.removesuffix('/.default'))}{chosen}"
