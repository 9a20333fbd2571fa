"""Errors of the Gemini protocol: `google.rpc.Status` under `error`, alone or in a list of one, in answers and streams.

The API says INVALID_ARGUMENT for a wrong key and RESOURCE_EXHAUSTED for a minute's limit and a day's alike; what tells
them apart stands in `details` (`ErrorInfo`, `QuotaFailure`, `RetryInfo`, `BadRequest`) and in the message.

Sources: Google Cloud APIs, "Errors"; Gemini API, "Rate limits" and "Troubleshooting".
"""

from __future__ import annotations

import json

from ...errors import (
    LLMAuthenticationError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    StreamError,
    TokenLimitError,
    error_for,
)
from ..headers import request_id
from ..waits import duration, said_wait, wait_seconds
from .fields import records, word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...types import Usage

_BY_REASON: dict[str, type[LLMError]] = {
    "API_KEY_INVALID": LLMAuthenticationError,
    "API_KEY_EXPIRED": LLMAuthenticationError,
    "API_KEY_SERVICE_BLOCKED": LLMAuthenticationError,
    "ACCESS_TOKEN_EXPIRED": LLMAuthenticationError,
    "CREDENTIALS_MISSING": LLMAuthenticationError,
    "BILLING_DISABLED": LLMQuotaExceededError,
    "RATE_LIMIT_EXCEEDED": LLMRateLimitError,
}
_TOO_LONG = ("exceeds the maximum number of tokens", "input token count")
_LONGEST = 20_000
_LONGEST_TEXT = 4000
"""Characters of a message, which may quote a schema at length, and of a body that is no JSON."""


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx, or one that only claims to be, whatever its body is."""
    fault = Fault(_read(body))
    if 200 <= status < 300 and fault.status is not None:
        status = fault.status
    wait = wait_seconds(status, headers, fault.message, fault.wait)
    return fault.error(status, request_id=request_id(headers), retry_after=wait)


def stream_error(event: Any, usage: Usage | None) -> StreamError:
    """The error that an event of a stream tells; its cause is what the same words mean in a whole answer."""
    fault = Fault(event)
    wait = said_wait(fault.message) if fault.wait is None else fault.wait
    cause = fault.error(fault.status, retry_after=wait)
    error = StreamError(
        cause.message, status=cause.status, type=cause.type, code=cause.code, param=cause.param,
        retry_after=cause.retry_after, request_id=cause.request_id, retryable=cause.retryable, usage=usage,
    )  # fmt: skip
    error.__cause__ = cause
    return error


class Fault:
    """What an error object says, whatever its shape."""

    def __init__(self, value: Any) -> None:
        record = _innermost(value)
        told = record if isinstance(record, dict) else {"message": record}
        code = told.get("code")
        self.code: str | int | None = code if type(code) is int or isinstance(code, str) else None
        self.status = code if type(code) is int and 400 <= code < 600 else None
        self.type = word(told.get("status"))
        said = word(told.get("message")) or word(told.get("error")) or ""
        self.message = said[:_LONGEST] if said.strip() else ""
        self._details = records(told.get("details"))

    def error(self, status: int | None, *, request_id: str | None = None, retry_after: float | None = None) -> LLMError:
        """The leaf of the tree that this means."""
        message = self.message or f"The provider answered HTTP {status} without saying why."
        facts: dict[str, Any] = {"param": self._param(), "retry_after": retry_after}
        facts["request_id"] = request_id or word(self._detail("RequestInfo").get("requestId"))
        kind = self._kind(status)
        if kind is None:
            return error_for(status, message, type=self.type, code=self.code, **facts)
        return kind(message, status=status, type=self.type, code=self.code, **facts)

    @property
    def wait(self) -> float | None:
        """Seconds to wait, from `RetryInfo`: `"26s"`, or an object of seconds and nanoseconds."""
        delay = self._detail("RetryInfo").get("retryDelay")
        if isinstance(delay, dict):
            delay = f"{delay.get('seconds', 0)}s {delay.get('nanos', 0)}ns"
        return duration(str(delay))

    def _kind(self, status: int | None) -> type[LLMError] | None:
        reason = _BY_REASON.get(str(self._detail("ErrorInfo").get("reason")))
        if status == 429:
            return self._limit() or reason
        if status in (None, 400) and any(mark in self.message.lower() for mark in _TOO_LONG):
            return TokenLimitError
        return reason

    def _limit(self) -> type[LLMError] | None:
        """A day's limit is used up until tomorrow; a minute's passes."""
        violations = records(self._detail("QuotaFailure").get("violations"))
        if any("PerDay" in str(violation.get("quotaId")) for violation in violations):
            return LLMQuotaExceededError
        return LLMRateLimitError if violations or self.wait is not None else None

    def _param(self) -> str | None:
        violations = records(self._detail("BadRequest").get("fieldViolations"))
        return next((field for one in violations if (field := word(one.get("field")))), None)

    def _detail(self, name: str) -> dict[str, Any]:
        """The first detail of a type (`type.googleapis.com/google.rpc.RetryInfo`)."""
        return next((one for one in self._details if str(one.get("@type")).endswith(f".{name}")), {})


def _innermost(value: Any) -> Any:
    """The object that carries the message, out of the lists and wrappers around it."""
    for _ in range(4):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict) and value.get("error"):
            value = value["error"]
        else:
            break
    return value


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
