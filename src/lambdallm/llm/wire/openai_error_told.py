"""Errors as OpenAI's server words them: status, type and code, so that its SDKs raise the matching class.

Source: OpenAI, "Error codes".
"""

from __future__ import annotations

import json

from ..errors import (
    CallerError,
    DeadlineExceededError,
    InvalidRequestError,
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    MoneyError,
    PromptError,
    ProviderError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
    TokenLimitError,
    UnauthorizedError,
    UnknownProviderError,
    UnsupportedParameterError,
)
from .codec import EncodedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ..errors import LambdaLLMError

    _Words: TypeAlias = tuple[type[LambdaLLMError], tuple[int, ...], str, str | None]

_REFUSED = "invalid_request_error"
_FAILED = "server_error"
_WORDS: tuple[_Words, ...] = (
    (UnsupportedParameterError, (400,), _REFUSED, "unsupported_parameter"),
    (InvalidRequestError, (400, 405, 409, 413, 415, 422), _REFUSED, None),
    (TokenLimitError, (400,), _REFUSED, "context_length_exceeded"),
    (LLMContentFilterError, (400,), _REFUSED, "content_filter"),
    (LLMModelNotFoundError, (404,), _REFUSED, "model_not_found"),
    (UnknownProviderError, (404,), _REFUSED, "model_not_found"),
    (LLMAuthenticationError, (401, 403), _REFUSED, "invalid_api_key"),
    (UnauthorizedError, (401,), _REFUSED, "invalid_api_key"),
    (PromptError, (400,), _REFUSED, None),
    (LLMRateLimitError, (429,), "requests", "rate_limit_exceeded"),
    (MoneyError, (429,), "insufficient_quota", "insufficient_quota"),
    (ProviderTimeoutError, (504,), _FAILED, "timeout"),
    (DeadlineExceededError, (504,), _FAILED, "timeout"),
    (ProviderServerError, (503, 500, 501, 502, 504), _FAILED, None),
    (ProviderError, (502,), _FAILED, None),
    (CallerError, (500,), _FAILED, None),
)
"""OpenAI's status and words for a kind of error: the first row that fits. Of several statuses the first is the rule,
and the others stand where the provider answered so."""

_OUR_FAULT: _Words = (CallerError, (500,), _FAILED, None)
_FORBIDDEN = "insufficient_permissions"


def encode_error(error: LambdaLLMError) -> EncodedError:
    """An error as OpenAI's server would answer it, so that its SDKs raise the matching class."""
    wait = getattr(error, "retry_after", None)
    headers = (("retry-after", str(max(1, -int(-wait // 1)))),) if wait is not None else ()
    body = json.dumps({"error": error_object(error)}, separators=(",", ":")).encode()
    return EncodedError(_status(error), body, headers)


def error_object(error: LambdaLLMError) -> dict[str, Any]:
    """What stands under `error`, in an answer or in a stream. `fix` is told where it was written for this error.

    Where OpenAI has no word of its own, `type` and `code` are those of the provider.
    """
    _, _, kind, code = _words_for(error)
    own = error.fix if error.fix != type(error).fix else ""
    if isinstance(error, StreamError):
        kind = error.type or kind
    if isinstance(error, LLMAuthenticationError) and error.status == 403:
        code = _FORBIDDEN
    return {
        "message": f"{error.message} {own}".strip(),
        "type": kind,
        "param": getattr(error, "param", None),
        "code": code or _spelt(getattr(error, "code", None)),
    }


def _words_for(error: LambdaLLMError) -> _Words:
    return next((row for row in _WORDS if isinstance(error, row[0])), _OUR_FAULT)


def _status(error: LambdaLLMError) -> int:
    statuses = _words_for(error)[1]
    status = getattr(error, "status", None)
    return status if status in statuses else statuses[0]


def _spelt(code: str | int | None) -> str | None:
    """A code is a word here: some providers send a number."""
    return None if code is None else str(code)
