"""The container credentials endpoint as two pure halves: the request to send and the meaning of its reply.

ECS sets a relative URI on a fixed address; EKS Pod Identity, Lambda SnapStart and IoT set a full one with a token.
Credentials travel in clear over HTTP, so plain HTTP goes to this machine and to AWS's own link-local addresses only.

Source: "Container credential provider" in the AWS SDKs and Tools Reference Guide.
"""

from __future__ import annotations

from ..transport.types import HttpRequest, Timeouts
from .credentials import Credentials, epoch_seconds
from .errors import AwsError, CredentialsRefused, CredentialsUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..transport.types import Headers, HttpResponse

TIMEOUTS = Timeouts(connect=2.0, read=2.0, total=5.0)
"""How long the endpoint may take: it is on this machine or next to it. Ask it directly, never through a proxy."""

_RELATIVE = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
_FULL = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
_TOKEN = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
_TOKEN_FILE = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
_ECS = "http://169.254.170.2"
_PLAIN_HTTP_HOSTS = ("localhost", "[::1]", "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]")
_FIELDS = ("AccessKeyId", "SecretAccessKey", "Token", "Expiration")


def container_request(environ: Mapping[str, str]) -> HttpRequest | None:
    """The request for credentials that the environment describes; `None` when it describes none.

    The token file is read at each call, because its content rotates. Raises `CredentialsRefused` for a host that may
    not be asked, a malformed URI, and a token that is missing, empty or not fit for a header.
    """
    relative, full = environ.get(_RELATIVE), environ.get(_FULL)
    if relative:
        url = _relative_url(relative)
    elif full:
        url = _allowed_url(full)
    else:
        return None
    return HttpRequest("GET", url, (("Accept", "application/json"), *_authorization(environ)))


def read_container_reply(response: HttpResponse) -> Credentials:
    """The credentials in the endpoint's reply. Nothing of the reply but its error code is ever quoted.

    Raises `CredentialsUnavailable` for status 429 and 5xx, `CredentialsRefused` for any other status but 200 and for a
    body without credentials.
    """
    body = _json_object(response.body)
    if response.status != 200:
        raise _status_error(response.status, body)
    access_key, secret_key, token, expiration = (_text(body, name) for name in _FIELDS)
    if not access_key or not secret_key:
        raise _bad_reply(f"has no {_FIELDS[1] if access_key else _FIELDS[0]}")
    return Credentials(access_key, secret_key, token or None, epoch_seconds(expiration) if expiration else None)


def unanswered(request: HttpRequest, error: Exception) -> CredentialsUnavailable:
    """The error for a request that got no response."""
    return CredentialsUnavailable(
        f"The container credentials endpoint {request.url.partition('?')[0]} did not answer: {error}"
        " Check that the agent that serves it runs, and that no proxy or firewall stands between."
    )


def _relative_url(path: str) -> str:
    if not path.startswith("/") or not _is_plain(path):
        raise CredentialsRefused(f"{_RELATIVE} is {path!r}, which is not a path. Let it start with '/'.")
    return _ECS + path


def _allowed_url(url: str) -> str:
    """The URL, if it is HTTPS or goes to a host that plain HTTP may reach."""
    scheme, _, rest = url.partition("://")
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0].lower()
    name, colon, port = authority.rpartition(":")
    host = name if colon and port.isdigit() else authority
    if not host or "@" in authority or not _is_plain(url) or scheme.lower() not in ("http", "https"):
        raise CredentialsRefused(f"{_FULL} is not a plain http or https URL. Write it like http://127.0.0.1:8080/path.")
    if scheme.lower() == "http" and host not in _PLAIN_HTTP_HOSTS and not _is_loopback(host):
        raise CredentialsRefused(
            f"{_FULL} names the host {host!r} over plain http, which only loopback, 169.254.170.2, 169.254.170.23"
            " and [fd00:ec2::23] may use. Use https, or one of those."
        )
    return url


def _is_loopback(host: str) -> bool:
    """Whether the host is written 127.x.y.z; any other spelling of a loopback address is not accepted."""
    octets = host.split(".")
    return len(octets) == 4 and octets[0] == "127" and all(o.isdigit() and len(o) < 4 and int(o) < 256 for o in octets)


def _is_plain(url: str) -> bool:
    """Visible ASCII without a backslash, which some parsers take for a slash."""
    return url.isascii() and url.isprintable() and " " not in url and "\\" not in url


def _authorization(environ: Mapping[str, str]) -> Headers:
    path = environ.get(_TOKEN_FILE)
    source = _TOKEN_FILE if path else _TOKEN
    token = _read_token(path) if path else environ.get(_TOKEN)
    if not token and not path:
        return ()
    if not token or not token.isascii() or not token.isprintable():
        raise CredentialsRefused(
            f"The token from {source} is empty or holds a line break or another character that no header may carry."
            " Write it as one line with no line break at its end."
        )
    return (("Authorization", token),)


def _read_token(path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise CredentialsRefused(
            f"{_TOKEN_FILE} is {path!r}, which can't be read: {reason}. Check the path and its permissions."
        ) from None


def _json_object(body: bytes) -> dict[str, object]:
    """The body's JSON object, empty when it is anything else."""
    import json

    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _text(body: dict[str, object], name: str) -> str:
    """A field of the reply, empty when absent or null."""
    value = body.get(name) or ""
    if not isinstance(value, str):
        raise _bad_reply(f"holds no text in {name}")
    return value


def _status_error(status: int, body: dict[str, object]) -> AwsError:
    code = body.get("code")
    shown = f" ({code})" if isinstance(code, str) and code.isidentifier() and len(code) <= 64 else ""
    said = f"The container credentials endpoint answered with status {status}{shown}."
    if status == 429 or status >= 500:
        return CredentialsUnavailable(f"{said} Try again in a moment.")
    return CredentialsRefused(f"{said} Check the role of the task, pod or function, and its authorization token.")


def _bad_reply(problem: str) -> CredentialsRefused:
    return CredentialsRefused(
        f"The container credentials endpoint's reply {problem}. Check that {_FULL} names a credentials endpoint."
    )
