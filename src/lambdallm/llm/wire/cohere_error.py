"""Errors of Cohere's API: `{"id": …, "message": …, "error_type": …}`, where only some have a type.

Source: Cohere, "Errors (status codes and description)".
"""

from __future__ import annotations

import json

from ..errors import error_for
from . import failures

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..errors import LLMError
    from .openai_error import ErrorFacts

_WORDS = (
    ("too_many_tokens", "context_length_exceeded"), ("too many tokens", "context_length_exceeded"),
    ("calls / month", "insufficient_quota"), ("blocked input", "content_filter"), ("blocked output", "content_filter"),
)  # fmt: skip
"""What the API says in a type or in words alone, and the word that classifies it."""

_BY_STATUS = {498: "content_filter", 499: "timeout_error"}
"""Statuses that only this API has: a blocked input or output; a request given up."""


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """An answer that is not 2xx, whatever its body is. The body's `id` is the request's."""
    error = failures.decode_error(status, headers, body)
    record = _record(body)
    kind, id = record.get("error_type"), record.get("id")
    if word := _word(kind, error.message) or _BY_STATUS.get(status):
        found = error_for(status, error.message, type=word, request_id=error.request_id, retry_after=error.retry_after)
        found.type, found.code, found.param = error.type, error.code, error.param
        error = found
    if error.request_id is None and isinstance(id, str):
        error.request_id = id
    return error


def error_facts(message: str, kind: Any = None) -> ErrorFacts:
    """What an error inside a stream says, classified."""
    facts = failures.error_facts(message)
    facts.words = _word(kind, message) or (kind if isinstance(kind, str) else None)
    return facts


def _word(kind: Any, message: str) -> str | None:
    said = f"{kind or ''} {message}".lower()
    return next((word for mark, word in _WORDS if mark in said), None)


def _record(body: bytes) -> dict[str, Any]:
    try:
        record = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
