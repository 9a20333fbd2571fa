"""AWS as a way to prove who is calling: Signature V4 with credentials from wherever AWS keeps them."""

from __future__ import annotations

from ..._hooks import kept_out_of_snapshots
from ..errors import ConfigurationError, LLMAuthenticationError, MissingKeyError, ProviderConnectionError
from ..flow import NOW, Send
from ..result import Ok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...aws.credentials import CredentialCache, Credentials
    from ...transport.types import HttpRequest
    from ..errors import LambdaLLMError
    from ..flow import Environ, Flow

_cache: list[CredentialCache] = []


def signed(request: HttpRequest, service: str, environ: Environ) -> Flow[HttpRequest]:
    """The request with Signature V4 for a service."""
    from ...aws.sigv4 import sign

    clock = yield NOW
    credentials = yield from aws_credentials(environ, clock.wall)
    return sign(request, credentials, service=service, region=aws_region(environ), now=clock.wall)


def aws_region(environ: Environ) -> str:
    """The region that AWS's own settings name."""
    from ...aws.errors import AwsError
    from ...aws.region import require_region

    try:
        return require_region(environ)
    except AwsError as error:
        raise _translated(error) from error


def aws_credentials(environ: Environ, now: float) -> Flow[Credentials]:
    """The AWS floor's own flow, its requests sent as effects of this one."""
    from ...aws.container import TIMEOUTS
    from ...aws.credentials import CredentialCache, credentials_flow
    from ...aws.errors import AwsError

    if not _cache:
        _cache.append(CredentialCache())
        kept_out_of_snapshots(_cache[0])
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
    except AwsError as error:
        raise _translated(error) from error


_LEAF: dict[str, type[LambdaLLMError]] = {
    "CredentialsNotFound": MissingKeyError,
    "RegionNotFound": ConfigurationError,
    "CredentialsUnavailable": ProviderConnectionError,
}


def _translated(error: Exception) -> LambdaLLMError:
    """The same words as an error of this floor; its last sentence says already what to do."""
    return _LEAF.get(type(error).__name__, LLMAuthenticationError)(str(error), fix=" ")
