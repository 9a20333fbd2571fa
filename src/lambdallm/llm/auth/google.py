"""Google's application default credentials: an access token from whatever the environment names, first match wins.

    1. GOOGLE_APPLICATION_CREDENTIALS        a file, or its JSON text; also GOOGLE_APPLICATION_CREDENTIALS_JSON and
                                             GOOGLE_CREDENTIALS, as deployment tools call them
    2. gcloud's own file                     after `gcloud auth application-default login`
    3. the metadata server                   Compute Engine, Cloud Run, GKE; GCE_METADATA_HOST says where

A file holds one of four kinds: `service_account` and `authorized_user` are here, `external_account` (workload identity
federation: a role on AWS, no key at all) and `impersonated_service_account` in `google_federation`.

Sources: AIP-4110 to AIP-4117; Google, "Using OAuth 2.0 for Server to Server Applications".
"""

from __future__ import annotations

import json

from ..errors import ConfigurationError, MissingKeyError, ProviderConnectionError, ProviderServerError
from .tokens import Token, answered, cached, form_post, is_plain, json_object, read_file, read_token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..flow import Environ, Flow

    Info = Mapping[str, Any]
    Kind = Callable[[Info, str, str, float, Environ], Flow[Token]]

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
VARIABLES = ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS_JSON", "GOOGLE_CREDENTIALS")

_TOKEN_URI = "https://oauth2.googleapis.com/token"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS = 3600
_GCLOUD_FILE = "application_default_credentials.json"
_METADATA_PATH = "/computeMetadata/v1/instance/service-accounts/default/token"
_FIX = (
    "Set GOOGLE_APPLICATION_CREDENTIALS to a service account's key file or its JSON, or run"
    " `gcloud auth application-default login`."
)


def google_token(environ: Environ, scope: str = SCOPE) -> Flow[Token]:
    """An access token for a scope. Raises `MissingKeyError` when nothing is configured.

    Raises `ConfigurationError` for credentials that can't be used, naming the variable or file and never their
    content; `LLMAuthenticationError` when Google refuses them.
    """
    source = credentials_source(environ)
    if source is None:
        host = environ.get("GCE_METADATA_HOST", "")
        return (yield from cached(("google", host, scope), lambda now: _metadata(environ, scope, now)))
    name, held = source

    def ask(now: float) -> Flow[Token]:
        info = read_credentials(name, held)
        return (yield from token_of(info, name, scope, now, environ))

    return (yield from cached(("google", held, scope), ask))


def credentials_source(environ: Environ) -> tuple[str, str] | None:
    """What names the credentials, and their path or JSON text; `None` where only the metadata server is left."""
    for name in VARIABLES:
        if value := environ.get(name, "").strip():
            return name, value
    path = _gcloud_path(environ)
    return ("gcloud's credentials file", path) if path is not None and _exists(path) else None


def google_project(environ: Environ) -> str | None:
    """The project that the configured credentials belong to, where they say so."""
    source = credentials_source(environ)
    info: Info = {} if source is None else read_credentials(*source)
    named = info.get("project_id") or info.get("quota_project_id")
    return named if isinstance(named, str) else None


def read_credentials(name: str, held: str) -> Info:
    """The JSON object of credentials given as a path or as text. Raises `ConfigurationError`, quoting nothing of it."""
    text = held if held.startswith("{") else read_file(held, name)
    info = json_object(text.encode())
    if not isinstance(info.get("type"), str):
        fix = "Download the key as JSON again, or run `gcloud auth application-default login`."
        raise ConfigurationError(f"{name} holds no Google credentials in JSON.", fix=fix)
    return info


def token_of(info: Info, name: str, scope: str, now: float, environ: Environ) -> Flow[Token]:
    """The token for credentials of any kind."""
    kind = _KINDS.get(info["type"])
    if kind is None:
        fix = f"Use one of {', '.join(_KINDS)}."
        raise ConfigurationError(f"{name} holds credentials of type {info['type'][:40]!r}.", fix=fix)
    return (yield from kind(info, name, scope, now, environ))


def _service_account(info: Info, name: str, scope: str, now: float, _environ: Environ) -> Flow[Token]:
    """The token for an assertion signed with the account's key (RFC 7523)."""
    url = https_url(info.get("token_uri", _TOKEN_URI), name, "token_uri")
    request = form_post(url, {"grant_type": _JWT_GRANT, "assertion": _assertion(info, name, scope, url, now)})
    who = f"Google's token service, asked for {field(info, name, 'client_email')!r},"
    fix = "Check that the service account and this key still exist, and this machine's clock."
    return read_token((yield from answered(request, who)), now, who, fix)


def _assertion(info: Info, name: str, scope: str, audience: str, now: float) -> str:
    from .rs256 import read_key, sign

    issued = int(now)
    header = {"alg": "RS256", "typ": "JWT"}
    if isinstance(key_id := info.get("private_key_id"), str):
        header["kid"] = key_id
    claims = {"iss": field(info, name, "client_email"), "scope": scope, "aud": audience}
    signed = f"{_segment(header)}.{_segment({**claims, 'iat': issued, 'exp': issued + _JWT_SECONDS})}"
    try:
        signature = sign(signed.encode(), read_key(field(info, name, "private_key")))
    except ValueError as error:
        fix = "Create a new key for the service account, and download it as JSON."
        raise ConfigurationError(f"The 'private_key' in {name} can't be used: {error}.", fix=fix) from None
    return f"{signed}.{_base64url(signature)}"


def _segment(value: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(value, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode().rstrip("=").translate(_URL_SAFE)


_URL_SAFE = {ord("+"): "-", ord("/"): "_"}


def _authorized_user(info: Info, name: str, scope: str, now: float, _environ: Environ) -> Flow[Token]:
    """The token for a person's refresh token, which has its scopes already."""
    url = https_url(info.get("token_uri", _TOKEN_URI), name, "token_uri")
    fields = {part: field(info, name, part) for part in ("client_id", "client_secret", "refresh_token")}
    who = "Google's token service"
    fix = "Run `gcloud auth application-default login` again."
    response = yield from answered(form_post(url, {"grant_type": "refresh_token", **fields}), who)
    return read_token(response, now, who, fix).replace(headers=_quota(info))


def _quota(info: Info) -> tuple[tuple[str, str], ...]:
    """Whose quota a person's calls use; the APIs want to be told."""
    project = info.get("quota_project_id")
    return (("x-goog-user-project", project),) if isinstance(project, str) and is_plain(project) else ()


def _federated(info: Info, name: str, scope: str, now: float, environ: Environ) -> Flow[Token]:
    from .google_federation import external_account

    return (yield from external_account(info, name, scope, now, environ))


def _impersonated(info: Info, name: str, scope: str, now: float, environ: Environ) -> Flow[Token]:
    from .google_federation import impersonated_account

    return (yield from impersonated_account(info, name, scope, now, environ))


_KINDS: dict[str, Kind] = {
    "service_account": _service_account,
    "authorized_user": _authorized_user,
    "external_account": _federated,
    "impersonated_service_account": _impersonated,
}


def _metadata(environ: Environ, scope: str, now: float) -> Flow[Token]:
    """The token of the machine's own service account. What answers without Google's mark is another cloud's server."""
    from ...transport.types import HttpRequest
    from . import percent_encoded

    named = environ.get("GCE_METADATA_HOST")
    if not named and environ.get("NO_GCE_CHECK", "").lower() == "true":
        raise MissingKeyError("No Google credentials were found.", fix=_FIX)
    url = f"http://{named or 'metadata.google.internal'}{_METADATA_PATH}?scopes={percent_encoded(scope)}"
    who = "Google's metadata server"
    try:
        response = yield from answered(HttpRequest("GET", url, (("Metadata-Flavor", "Google"),)), who, local=True)
    except (ProviderConnectionError, ProviderServerError):
        if named:
            raise
        raise MissingKeyError("No Google credentials were found.", fix=_FIX) from None
    if response.header("Metadata-Flavor") != "Google":
        raise MissingKeyError("No Google credentials were found.", fix=_FIX)
    return read_token(response, now, who, "Attach a service account to the machine, the service or the pod.")


def _gcloud_path(environ: Environ) -> str | None:
    """Where gcloud keeps its file: in CLOUDSDK_CONFIG, below the home folder, or in APPDATA on Windows."""
    folder = environ.get("CLOUDSDK_CONFIG")
    if not folder and (home := environ.get("HOME")):
        folder = f"{home}/.config/gcloud"
    if not folder and (roaming := environ.get("APPDATA")):
        folder = f"{roaming}/gcloud"
    return f"{folder}/{_GCLOUD_FILE}" if folder else None


def _exists(path: str) -> bool:
    from os.path import isfile

    return isfile(path)


def field(info: Info, name: str, part: str) -> str:
    """A text of the credentials. Raises `ConfigurationError` naming the one that is missing."""
    value = info.get(part)
    if not isinstance(value, str) or not value:
        fix = "Download or create the credentials again."
        raise ConfigurationError(f"{name} has no {part!r}.", fix=fix)
    return value


def https_url(url: Any, name: str, part: str) -> str:
    """A URL that secrets may be sent to: HTTPS, or this machine. Raises `ConfigurationError` for any other."""
    text = url if isinstance(url, str) else ""
    safe = text.startswith(("https://", "http://127.0.0.1:", "http://localhost:"))
    authority = text.partition("://")[2].partition("/")[0]
    if not safe or not is_plain(text) or "\\" in text or "@" in authority:
        raise ConfigurationError(f"The {part!r} in {name} is no HTTPS URL.", fix="Download the credentials again.")
    return text
