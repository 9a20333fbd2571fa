"""What a client is told of a failure, in the words and with the status of its own protocol.

A provider's own words are the gateway's operator's to read: a client is told what it can do something about (a wrong
parameter, too long a prompt), and of the rest only whose fault it is. It knows no endpoint.
"""

from __future__ import annotations

import json

from ..llm.errors import (
    CallerError,
    CircuitOpenError,
    ConfigurationError,
    DeadlineExceededError,
    InvalidRequestError,
    LambdaLLMError,
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMError,
    LLMModelNotFoundError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    ProviderConnectionError,
    ProviderError,
    ProviderResponseError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
    TokenLimitError,
    UnknownProviderError,
)
from .http import GatewayError, Reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .protocols import Protocol

JSON = ("content-type", "application/json")
NO_RETRY = ("x-should-retry", "false")
"""OpenAI's and Anthropic's SDKs read it: the same request fails again."""

_OURS = (LLMContentFilterError, TokenLimitError, LLMModelNotFoundError, InvalidRequestError, DeadlineExceededError)
"""What the client can do something about: it is told as it is."""

_ANTHROPIC = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 504: "timeout_error",
    529: "overloaded_error",
}  # fmt: skip
_GOOGLE = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 402: "RESOURCE_EXHAUSTED", 403: "PERMISSION_DENIED",
    404: "NOT_FOUND", 405: "UNIMPLEMENTED", 409: "ABORTED", 413: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED",
    501: "UNIMPLEMENTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip


def told(error: Exception, *, exposes: bool = False) -> Exception:
    """The error as a client may read it; with `exposes` in the provider's own words."""
    if isinstance(error, GatewayError) or (exposes and isinstance(error, LambdaLLMError)):
        return error
    if isinstance(error, LLMAuthenticationError):
        return _unusable("The provider refused the gateway's own credentials.", "upstream_authentication")
    if isinstance(error, LLMQuotaExceededError):
        return _unusable("The gateway's account with the provider has reached its limit.", "upstream_quota")
    if isinstance(error, (UnknownProviderError, *_OURS)):
        return error
    if isinstance(error, LLMError):
        return _neutral(error)
    if isinstance(error, ConfigurationError):
        return _broken("The gateway is not set up to call this model. Tell whoever runs it.", "not_configured")
    if isinstance(error, CallerError) and isinstance(error, LambdaLLMError):
        return error
    return _broken("The gateway failed. Tell whoever runs it the request's id.", "internal_error")


def _unusable(message: str, code: str) -> GatewayError:
    said = f"{message} Tell whoever runs the gateway."
    return GatewayError(502, said, type="server_error", code=code, headers=(NO_RETRY,))


def _broken(message: str, code: str) -> GatewayError:
    return GatewayError(500, message, type="server_error", code=code, headers=(NO_RETRY,))


def _neutral(error: LLMError) -> LLMError:
    """An error of its kind, with what a client needs for its next step and nothing of the provider's answer."""
    kind: type[LLMError] = next((each for each in _WORDS if isinstance(error, each)), ProviderResponseError)
    status = error.status if isinstance(error, ProviderError) else None
    return kind(_WORDS[kind], status=status, retry_after=error.retry_after, retryable=error.retryable)


_WORDS: dict[type[LLMError], str] = {
    LLMRateLimitError: "The provider takes no more requests for now.",
    CircuitOpenError: "The provider failed too often and is not asked for a while.",
    ProviderTimeoutError: "The provider did not answer in time.",
    ProviderServerError: "The provider failed.",
    StreamError: "The provider's answer broke off.",
    ProviderConnectionError: "The provider could not be reached.",
    ProviderResponseError: "The provider's answer can't be read.",
}


def reply(error: Exception, protocol: Protocol, request_id: str = "") -> Reply:
    """An error that a client may read as an answer in its protocol."""
    if isinstance(error, GatewayError):
        body = json.dumps(_worded(error, protocol, request_id), separators=(",", ":")).encode()
        return Reply(error.status, (JSON, *error.headers), body)
    if not isinstance(error, LambdaLLMError):
        raise error
    encoded = protocol.dialect.encode_error(error)
    more = () if encoded.status in (408, 409, 429) or encoded.status >= 500 else (NO_RETRY,)
    return Reply(encoded.status, (JSON, *encoded.headers, *more), encoded.body)


def as_library_error(error: Exception) -> LambdaLLMError:
    """The error as what a stream that has begun can end with."""
    if isinstance(error, LambdaLLMError):
        return error
    status = getattr(error, "status", 500)
    return ProviderServerError(getattr(error, "message", "The gateway failed."), status=status, fix=" ")


def _worded(error: GatewayError, protocol: Protocol, request_id: str) -> dict[str, Any]:
    if protocol.name == "anthropic_messages":
        kind = _ANTHROPIC.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
        told = {"type": "error", "error": {"type": kind, "message": error.message}}
        return told | ({"request_id": request_id} if request_id else {})
    if protocol.name == "gemini":
        word = _GOOGLE.get(error.status, "INVALID_ARGUMENT" if error.status < 500 else "INTERNAL")
        return {"error": {"code": error.status, "message": error.message, "status": word}}
    inner = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return {"error": inner}
