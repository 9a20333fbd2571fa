"""What an error means to whoever sent an HTTP request: a status, and words that give nothing away.

| status | for                                                                                           |
|--------|-----------------------------------------------------------------------------------------------|
| 400    | a body that can't be read, variables that don't fit a prompt                                  |
| 401    | no right to this                                                                              |
| 409    | a checkpoint that can't be gone on from                                                       |
| 413    | a text beyond the model's window                                                              |
| 422    | what a content filter stopped                                                                 |
| 429    | too many requests, here or at the provider; the function's own budget                         |
| 502    | a provider that failed or made no sense                                                       |
| 503    | a provider that is not asked at the moment, or whose account is empty; a store that is down   |
| 504    | no time left, or no answer in time                                                            |
| 500    | everything else: the function's own mistakes, its configuration, its keys                     |

What is the sender's fault is told in the error's words; of everything else only the kind is, and the id by which the
log has the rest. An error with an attribute `http_status` decides for itself.
"""

from __future__ import annotations

from ..llm.backends.errors import BackendError
from ..llm.errors import (
    BudgetExceededError,
    CircuitOpenError,
    DeadlineExceededError,
    LLMContentFilterError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    PromptError,
    ProviderError,
    ProviderTimeoutError,
    TokenLimitError,
    UnauthorizedError,
)
from .flows import paused_at
from .responses import is_http_event, lambda_response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .context import LambdaLLMContext

_TOLD = ""
"""The error's own words are told."""

_TABLE: tuple[tuple[type[Exception], int, str, str], ...] = (
    (DeadlineExceededError, 504, "timeout", "The function had no time left to answer."),
    (ProviderTimeoutError, 504, "timeout", "The model did not answer in time."),
    (UnauthorizedError, 401, "unauthorized", _TOLD),
    (PromptError, 400, "invalid_request", _TOLD),
    (TokenLimitError, 413, "too_long", "The request is too long for the model."),
    (LLMContentFilterError, 422, "content_filter", "A content filter stopped the request or the answer."),
    (LLMRateLimitError, 429, "rate_limit", "Too many requests. Try again later."),
    (LLMQuotaExceededError, 503, "unavailable", "The service can't answer at the moment."),
    (BudgetExceededError, 429, "budget", "The budget of this service is used up."),
    (CircuitOpenError, 503, "unavailable", "The service can't answer at the moment. Try again later."),
    (BackendError, 503, "unavailable", "The service can't answer at the moment. Try again later."),
    (ProviderError, 502, "upstream", "The model could not be reached, or gave no usable answer."),
)

_WORDS = {400: "invalid_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 409: "conflict",
          413: "too_long", 422: "invalid_request", 429: "rate_limit", 503: "unavailable", 504: "timeout"}  # fmt: skip
_LONGEST_WAIT_SECONDS = 1e9
_INTERNAL = (500, "internal", "The function failed.")


def response_to(error: Exception, context: LambdaLLMContext) -> Any:
    """The response to an HTTP event whose function failed; `None` for any other event, whose error Lambda gets.

    What paused outside the function, in its middleware, is answered like a pause within; of a group of errors, as
    tasks raise them, the first one counts.
    """
    if (id := paused_at(error)) is not None and context.journal is not None:
        return _paused(id, context)
    if not is_http_event(context.event):
        return None
    whole, error = error, _one_of(error)
    status, facts = _told(error, context)
    if (takes := getattr(context.lambda_context, "takes_failure", None)) is not None and takes(status):
        return None  # local tools explain it
    if status >= 500:
        from logging import getLogger

        from ..runtime.faults import logged

        getLogger("lambdallm").error("The function failed: %s", error, exc_info=logged(whole))
    from ..runtime.response import Response

    return lambda_response(context.event, Response({"error": facts}, status, _headers(error)), context)


def told(error: Exception, context: LambdaLLMContext) -> dict[str, Any]:
    """What the client of a stream is told of an error that ends it: `type`, `message`, and the request's id."""
    return _told(_one_of(error), context)[1]


def _one_of(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _told(error: Exception, context: LambdaLLMContext) -> tuple[int, dict[str, Any]]:
    """The status of an error, and what is told of it."""
    status, word, message = _meaning(error)
    facts: dict[str, Any] = {"type": word, "message": message or _own_words(error)}
    if problems := getattr(error, "problems", None) if not message else None:
        facts["problems"] = list(problems)
    if context.aws_request_id:
        facts["request_id"] = context.aws_request_id
    return status, facts


def _paused(id: str, context: LambdaLLMContext) -> Any:
    from ..runtime.events import RETRIED_KINDS, kind_of
    from .journal import PausedResult

    if kind_of(context.event) in RETRIED_KINDS:
        return None
    return lambda_response(context.event, PausedResult(id), context)


def _meaning(error: Exception) -> tuple[int, str, str]:
    """The status of an error, its kind in a word, and what is said; nothing where its own words are."""
    status = getattr(error, "http_status", None)
    if isinstance(status, int) and 400 <= status <= 599:
        return (status, _WORDS.get(status, "error"), _TOLD) if status < 500 else (status, *_INTERNAL[1:])
    for kind, number, word, message in _TABLE:
        if isinstance(error, kind):
            return number, word, message
    return _INTERNAL


def _own_words(error: Exception) -> str:
    message, fix = getattr(error, "message", str(error)), getattr(error, "fix", "")
    return f"{message} {fix}".strip()


def _headers(error: Exception) -> dict[str, str]:
    seconds = getattr(error, "retry_after", None)
    own = dict(getattr(error, "http_headers", None) or {})
    if not isinstance(seconds, (int, float)) or not seconds < _LONGEST_WAIT_SECONDS:  # which nan is not either
        return own
    return {"Retry-After": str(max(1, -int(-seconds // 1))), **own}
