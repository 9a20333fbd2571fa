"""A run as the page and the disk have it: what was asked, what came, and all that happened on the way. Pure."""

from __future__ import annotations

import json

from ...runtime.emulator.replies import PRELUDE_TYPE, Malformed, format_2_reply, streamed_reply
from ..dev_log import read_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...runtime.emulator.listener import HttpReply
    from ...runtime.emulator.report import Report

    Shape = dict[str, Any]


_MOST_LINES = 1000
"""At either end of a run's log."""


def asked(run: str, kind: str, id: str, begun: float, body: Shape) -> Shape:
    """The beginning of a run: who is asked for what. `begun` is in seconds since 1970."""
    return {
        "run": run, "kind": kind, "id": id, "begun": begun, "event": body.get("event"), "inputs": body.get("inputs"),
        **{name: body.get(name) for name in ("model", "template", "system", "temperature", "max_tokens")},
    }  # fmt: skip


def answered(chunks: Iterable[bytes], content_type: str, *, streamed: bool, failure: Shape | None) -> Shape:
    """What came: status, headers and result, and the error."""
    http = _as_http(chunks, content_type, streamed=streamed) if failure is None else None
    whole = b"".join(chunks)
    if http is not None:
        body = http.body if isinstance(http.body, bytes) else b"".join(http.body)
        streamed = streamed and not _is_whole(http)
        status, headers, result = http.status, _headers(http.headers), _value(body, streamed=streamed)
    else:
        text = _after_prelude(whole) if streamed else b""
        status, headers = None, {}
        result = _value(whole, streamed=streamed) if failure is None else text.decode("utf-8", "replace") or None
    status = status if failure is None else failure.get("status")
    error = None if failure is None else failure["error"]
    return {"status": status, "headers": headers, "result": result, "streamed": streamed, "error": error}


def happened(trace: Shape | None, report: Report, lines: Iterable[Any], init_ms: float | None) -> Shape:
    """What happened on the way: calls, spans, log, tokens, cost, and Lambda's own report."""
    trace = trace or {}
    spans = list(trace.get("spans", ()))
    if not spans:
        whole: Shape = {"name": "invocation", "kind": "invoke", "begun_ms": 0.0, "depth": 0}
        spans = [{**whole, "ended_ms": round(report.duration_ms, 2)}]
    if init_ms is not None:
        cold: Shape = {"name": "cold start", "kind": "init", "begun_ms": -round(init_ms, 2), "ended_ms": 0.0}
        spans.insert(0, {**cold, "depth": 0})
    return {
        "calls": trace.get("calls", []), "spans": spans, "log": _log([line for line in lines if is_own(line)]),
        "tokens_in": trace.get("tokens_in", 0), "tokens_out": trace.get("tokens_out", 0),
        "cost_usd": trace.get("cost_usd", 0.0),
        "report": {
            "init_ms": None if init_ms is None else round(init_ms, 2), "duration_ms": round(report.duration_ms, 2),
            "billed_ms": report.billed_ms, "memory_mb": report.memory_mb, "max_memory_mb": report.max_memory_mb,
            "cost_usd": report.cost_usd, "first_byte_ms": trace.get("first_byte_ms"),
        },
    }  # fmt: skip


def _log(lines: list[Any]) -> list[Shape]:
    """The lines of a run; of very many the first and the last."""
    if len(lines) <= 2 * _MOST_LINES:
        return [log_line(line) for line in lines]
    left = f"… {len(lines) - 2 * _MOST_LINES:,} lines are left out here: they are in the terminal."
    first, last = lines[:_MOST_LINES], lines[-_MOST_LINES:]
    return [*map(log_line, first), {"line": left, "level": "INFO"}, *map(log_line, last)]


def log_line(text: str) -> Shape:
    """A line of the log, with its level."""
    said = read_line(str(text))
    return {"line": said.text, "level": said.level or "INFO"}


def is_own(line: Any) -> bool:
    """Whether the function printed it, rather than the platform, or its runtime that tells an error."""
    return getattr(line, "source", "function") == "function" and not is_runtimes(str(line))


def is_runtimes(text: str) -> bool:
    """Whether a line is the runtime's own telling of an error, which is told in the author's terms elsewhere."""
    if text.startswith("[ERROR] ") and "\rTraceback (most recent call last):" in text:
        return True
    if not text.startswith('{"timestamp"') or '"errorType"' not in text:
        return False
    try:
        return "message" not in json.loads(text)
    except (ValueError, RecursionError):
        return False


def _as_http(chunks: Iterable[bytes], content_type: str, *, streamed: bool) -> HttpReply | None:
    """The answer as an HTTP response, where it is one."""
    try:
        if streamed:
            return streamed_reply(chunks, content_type) if content_type.startswith(PRELUDE_TYPE) else None
        whole = b"".join(chunks)
        value = json.loads(whole)
        return format_2_reply(whole) if isinstance(value, dict) and "statusCode" in value else None
    except (Malformed, ValueError):
        return None


def _is_whole(http: HttpReply) -> bool:
    """Whether a response is a JSON document, which is one also where it came as a stream of one piece."""
    kind = next((value for name, value in http.headers if name.lower() == "content-type"), "")
    return kind.partition(";")[0].strip().lower() == "application/json"


def _headers(pairs: Iterable[tuple[str, str]]) -> Shape:
    """Headers as a mapping; one that comes several times has a list."""
    found: Shape = {}
    for name, value in pairs:
        known = found.get(name)
        found[name] = value if known is None else [*(known if isinstance(known, list) else [known]), value]
    return found


def _after_prelude(whole: bytes) -> bytes:
    head, nuls, rest = whole.partition(b"\0" * 8)
    return rest if nuls and head.startswith(b"{") else whole


def _value(body: bytes, *, streamed: bool) -> Any:
    """A body: the text of a stream, else JSON where it is that."""
    text = body.decode("utf-8", "replace")
    if streamed:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
