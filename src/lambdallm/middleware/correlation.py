"""What an invocation is called in logs: its own id, and the one that its caller gave the whole of a request."""

from __future__ import annotations

from .http import header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

HEADERS = ("x-correlation-id", "x-request-id")
_MOST_CHARACTERS = 128


def trace_id(event: Any, environ: Mapping[str, str]) -> str | None:
    """The trace that an invocation is part of: that of W3C's `traceparent`, else X-Ray's root."""
    parts = (header(event, "traceparent") or "").split("-")
    if len(parts) >= 4 and len(parts[1]) == 32:
        return _plain(parts[1])
    sent = environ.get("_X_AMZN_TRACE_ID") or header(event, "x-amzn-trace-id") or ""
    fields = dict(field.split("=", 1) for field in sent.split(";") if "=" in field)
    return _plain(fields.get("Root"))


def correlation_id(event: Any, names: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """The first of these headers, else API Gateway's id of the request, else the trace's."""
    for name in names:
        if (found := _plain(header(event, name))) is not None:
            return found
    context = event.get("requestContext") if isinstance(event, dict) else None
    of_gateway = context.get("requestId") if isinstance(context, dict) else None
    return _plain(of_gateway) or trace_id(event, environ)


def _plain(text: Any) -> str | None:
    """A short printable text; anything else a client sent is no id."""
    usable = isinstance(text, str) and 0 < len(text) <= _MOST_CHARACTERS and text.isprintable()
    return text if usable else None
