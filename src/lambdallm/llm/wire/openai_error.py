"""Errors in the shapes of OpenAI and of everyone who resembles it: whole answers, objects in a stream, plain text.

The bodies seen: `{"error": {…}}`, `{"error": "text"}`, `{"message": …}`, `{"detail": …}` (FastAPI), `{"errors": […]}`
(Cloudflare), any of them in a list (Gemini), text, HTML of a proxy, nothing. The other direction, `encode_error`, is in
OpenAI's own words. Source: OpenAI, "Error codes".
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
    NotYetError,
    PromptError,
    ProviderError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
    TokenLimitError,
    UnauthorizedError,
    UnknownProviderError,
    UnsupportedParameterError,
    error_for,
)
from .codec import EncodedError
from .headers import request_id, said_wait, wait_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from ...transport.types import Headers
    from ..errors import LambdaLLMError, LLMError
    from ..types import Completion, Usage

    _Words: TypeAlias = tuple[type[LambdaLLMError], tuple[int, ...], str, str | None]

_MESSAGE_KEYS = ("message", "detail", "msg", "error_description", "title")
_LONGEST = 20_000
_LONGEST_TEXT = 4000
"""Characters of a message, which may quote a schema at length, and of a body that is no JSON."""


class ErrorFacts:
    """What an error object says, whatever its shape. `words` help to classify it and are shown nowhere."""

    def __init__(self, value: Any) -> None:
        value = _innermost(value)
        record = value if isinstance(value, dict) else {}
        found = next((record[key] for key in _MESSAGE_KEYS if record.get(key)), None)
        self.message = _words(found if found is not None or record else value)
        self.type = _text(record.get("type"))
        self.code = _code(record.get("code"))
        self.param = _text(record.get("param"))
        self.words = self.type or _text(record.get("status")) or _inner_code(record)
        self.status = next((s for s in (record.get("status_code"), record.get("code")) if _is_failure(s)), None)

    def error(self, status: int | None, **facts: Any) -> LLMError:
        """The leaf of the tree that this means for an answer of that HTTP status."""
        message = self.message or f"The provider answered HTTP {status} without saying why."
        error = error_for(status, message, type=self.words, code=self.code, param=self.param, **facts)
        error.type = self.type
        return error


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx, whatever its body is."""
    facts = ErrorFacts(_read(body))
    wait = wait_seconds(status, headers, facts.message)
    return facts.error(status, request_id=request_id(headers), retry_after=wait)


def error_inside(value: Any) -> ErrorFacts | None:
    """The error in an answer that claims success: under `error`, or the answer itself; `None` where there is none."""
    value = value[0] if isinstance(value, list) and value else value
    if not isinstance(value, dict):
        return None
    error = value if value.get("object") == "error" else value.get("error")
    return ErrorFacts(error) if error else None


def stream_error(facts: ErrorFacts, *, usage: Usage | None = None, partial: Completion | None = None) -> StreamError:
    """The error that ends a stream; whether to try again is for its own words to say."""
    alike = facts.error(facts.status)
    return StreamError(
        facts.message or "The provider broke the stream off without saying why.",
        type=facts.type, code=facts.code, param=facts.param, retry_after=said_wait(facts.message),
        retryable=alike.retryable, usage=usage, partial=partial,
    )  # fmt: skip


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
    (NotYetError, (501,), _FAILED, None),
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


def _read(body: bytes) -> Any:
    text = body.decode("utf-8", "replace").strip()
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return (_title(text) if text[:1] == "<" else text)[:_LONGEST_TEXT]


def _title(html: str) -> str:
    """What a proxy's page says, in one line."""
    lower = html.lower()
    start, end = lower.find("<title>"), lower.find("</title>")
    return html[start + 7 : end].strip() if 0 <= start < end else html


def _innermost(value: Any) -> Any:
    """The object that carries the message, out of the lists and wrappers around it."""
    for _ in range(4):
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = value[0]
        elif isinstance(value, dict) and (inner := value.get("error") or value.get("errors")):
            value = inner
        else:
            break
    return value


def _words(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value[:_LONGEST] if value and value.strip() else ""
    try:
        return json.dumps(value)[:_LONGEST]
    except RecursionError:
        return ""


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _code(value: Any) -> str | int | None:
    return value if type(value) is int or isinstance(value, str) else None


def _inner_code(record: dict[str, Any]) -> str | None:
    inner = record.get("innererror")
    return _text(inner.get("code")) if isinstance(inner, dict) else None


def _is_failure(status: Any) -> bool:
    return type(status) is int and 400 <= status < 600
