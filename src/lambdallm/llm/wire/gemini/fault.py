"""Our errors as Google's servers report them, so that its SDKs raise their matching class and read the same words.

Source: Google Cloud APIs, "Errors": HTTP statuses and `google.rpc.Code`; `RetryInfo`, `BadRequest`.
"""

from __future__ import annotations

import json

from ...errors import (
    CallerError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    MoneyError,
    PromptError,
    ProviderConnectionError,
    ProviderError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
    TokenLimitError,
    UnauthorizedError,
    UnknownProviderError,
)
from ..codec import EncodedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...errors import LambdaLLMError

_WORDS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED",
    429: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 500: "INTERNAL", 501: "UNIMPLEMENTED", 503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}  # fmt: skip
_OTHER_WORDS = {"FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "ALREADY_EXISTS": 409, "UNKNOWN": 500}
"""Further words and the status each comes with."""

_STATUSES: tuple[tuple[type[LambdaLLMError], tuple[int, ...]], ...] = (
    (InvalidRequestError, (400, 409, 499)),
    (TokenLimitError, (400,)),
    (LLMContentFilterError, (400,)),
    (LLMModelNotFoundError, (404,)),
    (UnknownProviderError, (404,)),
    (LLMAuthenticationError, (401, 403, 400)),
    (UnauthorizedError, (401,)),
    (PromptError, (400,)),
    (LLMRateLimitError, (429,)),
    (MoneyError, (429,)),
    (ProviderTimeoutError, (504,)),
    (DeadlineExceededError, (504,)),
    (ProviderServerError, (503, 500, 501, 504)),
    (ProviderConnectionError, (503,)),
    (StreamError, (503, 400, 401, 403, 404, 429, 500, 504)),
    (ProviderError, (500,)),
    (CallerError, (500,)),
)
"""Statuses for a kind of error: the first row that fits. The first status is the rule, and the others stand where the
provider answered so."""


def encode_error(error: LambdaLLMError) -> EncodedError:
    """An error as an answer."""
    told = error_object(error)
    wait = _wait(error)
    headers = (("retry-after", str(max(1, -int(-wait // 1)))),) if wait is not None else ()
    body = json.dumps({"error": told}, separators=(",", ":")).encode()
    return EncodedError(told["code"], body, headers)


def error_object(error: LambdaLLMError) -> dict[str, Any]:
    """What stands under `error`, in an answer or a stream. `fix` is told where it was written for this error."""
    status = _status(error)
    own = error.fix if error.fix != type(error).fix else ""
    kind = getattr(error, "type", None)
    word = kind if _OTHER_WORDS.get(kind or "") == status else _WORDS[status]
    told: dict[str, Any] = {"code": status, "message": f"{error.message} {own}".strip(), "status": word}
    if details := _details(error):
        told["details"] = details
    return told


def _status(error: LambdaLLMError) -> int:
    statuses = next((statuses for kind, statuses in _STATUSES if isinstance(error, kind)), (500,))
    status = getattr(error, "status", None)
    return status if status in statuses else statuses[0]


def _wait(error: LambdaLLMError) -> float | None:
    return getattr(error, "retry_after", None)


def _details(error: LambdaLLMError) -> list[dict[str, Any]]:
    details: list[dict[str, Any]] = []
    if (wait := _wait(error)) is not None:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{wait:g}s"})
    if param := getattr(error, "param", None):
        violation = {"field": param, "description": error.message}
        details.append({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]})
    return details
