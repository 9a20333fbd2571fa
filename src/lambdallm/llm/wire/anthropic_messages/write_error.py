"""Errors as the protocol's own server reports them, so that its SDKs raise their matching class.

Source: Messages API reference, "Errors"; the official clients for `retry-after` and `x-should-retry`.
"""

from __future__ import annotations

from ...errors import (
    DeadlineExceededError,
    InvalidRequestError,
    LambdaLLMError,
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    MoneyError,
    PromptError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
    TokenLimitError,
    UnauthorizedError,
    UnknownProviderError,
    error_for,
)
from ..codec import EncodedError
from .request import as_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 409: "conflict_error", 413: "request_too_large", 422: "invalid_request_error",
    429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
"""The protocol's word for a status."""

_STATUSES: tuple[tuple[type[LambdaLLMError], tuple[int, ...]], ...] = (
    (TokenLimitError, (400, 413)),
    (LLMContentFilterError, (400,)),
    (LLMModelNotFoundError, (404,)),
    (UnknownProviderError, (404,)),
    (LLMAuthenticationError, (401, 403)),
    (UnauthorizedError, (401,)),
    (InvalidRequestError, (400, 409, 413, 422)),
    (PromptError, (400,)),
    (LLMRateLimitError, (429,)),
    (MoneyError, (402, 400, 403)),
    (ProviderTimeoutError, (504,)),
    (DeadlineExceededError, (504,)),
    (ProviderServerError, (500, 504, 529)),
    (LambdaLLMError, (500,)),
)
"""The statuses of an error: the first row that fits. The first status is the rule, the others are the provider's."""

_OVERLOADED = 529
_UNAVAILABLE = 503


def encode_error(error: LambdaLLMError) -> EncodedError:
    """The error with its status and with what tells a client when to try again."""
    headers = [("x-should-retry", "true" if getattr(error, "retryable", False) else "false")]
    if (wait := getattr(error, "retry_after", None)) is not None:
        headers.append(("retry-after", str(max(0, -int(-wait // 1)))))
    if id := getattr(error, "request_id", None):
        headers.append(("request-id", id))
    return EncodedError(_status(error), as_json(error_record(error)), tuple(headers))


def error_record(error: LambdaLLMError) -> dict[str, Any]:
    """The error as a body or an event. `fix` is told where it was written for this very error."""
    fix = error.fix if error.fix != type(error).fix else ""
    inner = {"type": _TYPES[_status(error)], "message": f"{error.message} {fix}".strip()}
    id = getattr(error, "request_id", None)
    return {"type": "error", "error": inner, **({"request_id": id} if id else {})}


def _status(error: LambdaLLMError) -> int:
    error = _meant(error) if isinstance(error, StreamError) else error
    statuses = next(statuses for kind, statuses in _STATUSES if isinstance(error, kind))
    said = getattr(error, "status", None)
    if isinstance(error, ProviderServerError) and (said == _UNAVAILABLE or "overloaded" in _words(error)):
        return _OVERLOADED
    return said if said in statuses else statuses[0]


def _meant(error: StreamError) -> LambdaLLMError:
    """The error that a stream's would be outside it; itself, where its words tell nothing."""
    if isinstance(error.__cause__, LambdaLLMError):
        return error.__cause__
    alike = error_for(error.status, error.message, type=error.type, code=error.code)
    plain = type(alike) is InvalidRequestError and error.type != _TYPES[400]
    return error if plain else alike


def _words(error: ProviderServerError) -> str:
    return f"{error.type or ''} {error.message}".lower()
