"""Credentials: the value, and the flow that finds them. Nothing here sends: the flow yields the requests it needs.

Where they come from, first match wins:

    1. the environment       AWS_ACCESS_KEY_ID …, read again at every call, since Lambda may rotate it
    2. the container endpoint  ECS, EKS Pod Identity, Lambda SnapStart; kept, and asked again ahead of expiry
    3. botocore's chain      profiles, SSO, instance metadata, when botocore is installed

Source: "Standardized credential providers" in the AWS SDKs and Tools Reference Guide.
"""

from __future__ import annotations

from .._value import Value
from .errors import CredentialsExpired, CredentialsNotFound, CredentialsRefused, CredentialsUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from typing import TypeAlias

    from ..transport.types import HttpRequest, HttpResponse
    from .botocore_chain import Chain

    CredentialsFlow: TypeAlias = Generator[HttpRequest, HttpResponse | Exception, "Credentials"]

_REFRESH_AHEAD_SECONDS = 300.0
_ASK_AGAIN_SECONDS = 60.0
_ATTEMPTS = 3


class Credentials(Value):
    """A key pair for signing, with a session token when temporary. Its `repr` shows four characters at most.

    `expires_at` is in epoch seconds, `None` when the source names no end. Raises `CredentialsRefused` for an empty key
    and for characters that no header may carry.
    """

    access_key: str
    secret_key: str
    token: str | None = None
    expires_at: float | None = None

    def __post_init__(self) -> None:
        text = f"{self.access_key}{self.secret_key}{self.token or ''}"
        if not (self.access_key and self.secret_key and text.isascii() and text.isprintable()):
            raise CredentialsRefused(
                "An AWS key or token is empty or holds a line break or another character that keys never have."
                " Copy it again, whole and alone."
            )

    def expired(self, now: float) -> bool:
        """Whether their time has passed; `now` is in epoch seconds."""
        return self.expires_at is not None and now >= self.expires_at

    def __repr__(self) -> str:
        shown = self.access_key[-4:] if len(self.access_key) > 8 else ""
        token = ", token='***'" if self.token else ""
        until = f", expires_at={self.expires_at!r}" if self.expires_at is not None else ""
        return f"Credentials(access_key='***{shown}', secret_key='***'{token}{until})"


class CredentialCache:
    """What one process holds between calls: the container's last answer and botocore's chain. Belongs to a client."""

    __slots__ = ("__weakref__", "ask_at", "chain", "held")

    def __init__(self) -> None:
        self.held: Credentials | None = None
        self.ask_at = 0.0
        self.chain: Chain | None = None

    def forget(self) -> None:
        """Drop everything, so that the next call asks again: for when a service says the token has expired."""
        self.held = self.chain = None

    def serving(self, now: float) -> Credentials | None:
        """What is held, unless it has expired or it is time to ask for newer ones."""
        held = self.held
        return held if held is not None and now < self.ask_at and not held.expired(now) else None

    def hold(self, credentials: Credentials, now: float) -> None:
        """Keep an answer until five minutes before it expires; a shorter-lived one for a minute at most."""
        expires_at = credentials.expires_at
        self.held = credentials
        self.ask_at = (
            float("inf") if expires_at is None else max(expires_at - _REFRESH_AHEAD_SECONDS, now + _ASK_AGAIN_SECONDS)
        )


def from_environment(environ: Mapping[str, str]) -> Credentials | None:
    """The credentials in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_CREDENTIAL_EXPIRATION.

    `None` when there is no access key. Space around a value is dropped. Raises `CredentialsRefused` for an access key
    without its secret.
    """
    access_key = environ.get("AWS_ACCESS_KEY_ID", "").strip()
    if not access_key:
        return None
    secret_key = environ.get("AWS_SECRET_ACCESS_KEY", "").strip()
    if not secret_key:
        raise CredentialsRefused("AWS_ACCESS_KEY_ID is set but AWS_SECRET_ACCESS_KEY is not. Set both, or neither.")
    token = environ.get("AWS_SESSION_TOKEN") or environ.get("AWS_SECURITY_TOKEN") or ""
    expiry = environ.get("AWS_CREDENTIAL_EXPIRATION")
    return Credentials(access_key, secret_key, token.strip() or None, epoch_seconds(expiry.strip()) if expiry else None)


def epoch_seconds(timestamp: str) -> float:
    """An ISO 8601 time as epoch seconds, UTC when it names no zone. Raises `CredentialsRefused` for anything else."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        raise CredentialsRefused(
            f"The credentials' expiration {timestamp[:40]!r} is not a time. Write it like 2030-01-31T12:00:00Z."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def credentials_flow(cache: CredentialCache, environ: Mapping[str, str], now: float) -> CredentialsFlow:
    """Find credentials: yields each request to send, takes its response, or the exception that kept it from coming.

    `now` is in epoch seconds. Send with `container.TIMEOUTS`. Newer credentials are asked for from five minutes ahead
    of expiry; if that fails, or while it is under way, the ones in hand serve until they expire. Requests go out only
    for the container endpoint, but botocore's chain does its own blocking ones. Raises `CredentialsNotFound`,
    `CredentialsRefused`, `CredentialsExpired` or `CredentialsUnavailable`.

        credentials = yield from credentials_flow(cache, os.environ, time.time())
    """
    found = from_environment(environ) or cache.serving(now)
    if found is not None:
        return _unexpired(found, now)
    from .container import container_request

    request = container_request(environ)
    if request is None:
        return _unexpired(_from_chain(cache, environ), now)
    return (yield from _renewed(cache, request, now))


def _renewed(cache: CredentialCache, request: HttpRequest, now: float) -> CredentialsFlow:
    """Ask for new credentials. Meanwhile, and for a minute after a failure, other calls use the ones in hand."""
    cache.ask_at = now + _ASK_AGAIN_SECONDS
    in_hand = cache.held
    try:
        newer = _unexpired((yield from _answered(request)), now)
    except (CredentialsRefused, CredentialsExpired, CredentialsUnavailable):
        if in_hand is None or in_hand.expired(now):
            raise
        return in_hand
    cache.hold(newer, now)
    return newer


def _answered(request: HttpRequest) -> CredentialsFlow:
    """The endpoint's answer. It is on this machine or next to it, so a failure is tried again at once, twice."""
    from .container import read_container_reply, unanswered

    for attempt in range(1, _ATTEMPTS + 1):
        reply = yield request
        try:
            if isinstance(reply, Exception):
                raise unanswered(request, reply) from reply
            return read_container_reply(reply)
        except CredentialsUnavailable:
            if attempt == _ATTEMPTS:
                raise
    raise AssertionError("The last attempt returns or raises.")


def _from_chain(cache: CredentialCache, environ: Mapping[str, str]) -> Credentials:
    from . import botocore_chain

    if cache.chain is None:
        cache.chain = botocore_chain.find_chain(environ)
    if cache.chain is None:
        raise CredentialsNotFound(botocore_chain.nothing_found())
    return botocore_chain.read_chain(cache.chain)


def _unexpired(credentials: Credentials, now: float) -> Credentials:
    if credentials.expired(now):
        raise CredentialsExpired(
            f"The AWS credentials ({credentials.access_key[-4:]!r} at the end) expired"
            f" {now - (credentials.expires_at or now):.0f} s ago. Get new ones, and check this machine's clock."
        )
    return credentials
