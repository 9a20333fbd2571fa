"""Errors in the shapes of OpenAI and of everyone who resembles it: whole answers, objects in a stream, plain text.

The bodies seen: `{"error": {…}}`, `{"error": "text"}`, `{"message": …}`, `{"detail": …}` (FastAPI), `{"errors": […]}`
(Cloudflare), any of them in a list (Gemini), text, HTML of a proxy, nothing. How we word
errors as OpenAI does is in `openai_error_told`.
"""

from __future__ import annotations

import json

from ..errors import StreamError, error_for
from .headers import request_id
from .waits import said_wait, wait_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..errors import LLMError
    from ..types import Completion, Usage

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


def stream_error(facts: ErrorFacts, *, usage: Usage | None = None, partial: Completion | None = None) -> StreamError:
    """The error that ends a stream; whether to try again is for its own words to say."""
    alike = facts.error(facts.status)
    return StreamError(
        facts.message or "The provider broke the stream off without saying why.",
        type=facts.type, code=facts.code, param=facts.param, retry_after=said_wait(facts.message),
        retryable=alike.retryable, usage=usage, partial=partial,
    )  # fmt: skip


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
