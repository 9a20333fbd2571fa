"""Whole answers and errors of the Anthropic Messages protocol.

Source: Messages API reference, "Create a Message", response; "Handling stop reasons"; "Errors".

Everything unmodelled is kept by the rules of `notes`: a block of an unknown type as a `ProviderPart`; a block's further
fields in its part's `metadata`, under `MARK`; the message's (`container`, `context_management`, `stop_sequence`,
`stop_details` …) in the completion's, as they are. A field that is null counts as absent,
and an empty text block is left out: it says nothing, and the API refuses it when it comes back.
"""

from __future__ import annotations

import json

from ...errors import ProviderResponseError, error_for
from ...result import Err, Ok
from ...types import (
    EMPTY,
    ChatMessage,
    Choice,
    Completion,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    Usage,
)
from ..billing import counted_apart, tier_of
from ..failures import wait_seconds
from ..headers import request_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import FinishReason, Metadata, Part

MALFORMED = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What reading an answer of the wrong shape raises. It goes no further than the function that was given the bytes."""

FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
}

MODELLED = frozenset(("type", "role", "content", "usage", "stop_reason", "id", "model"))
"""The message's fields that have a place of their own."""

MARK = "anthropic_messages"
"""This protocol's name, in a part's metadata and wherever else `notes` wants it."""

_APART = (
    ("cache_creation", (("ephemeral_1h_input_tokens", "cache_write_1h"),)),
    ("server_tool_use", (("web_search_requests", "web_search"),)),
)
_RUNS_APART = ("advisor_message", "compaction")

_LONGEST_MESSAGE = 500
_LONGEST_WORDS = 20_000
_LONGEST_TEXT = 4000
"""Characters of what an error says, which may quote a schema at length, and of a body that is no JSON."""


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole answer. An error object inside it, or bytes that are no answer, give `Err`."""
    try:
        answer = json.loads(body)
        if answer.get("type") == "error" or ("error" in answer and "content" not in answer):
            return Err(decode_error(status, headers, body))
        return Ok(_completion(answer))
    except MALFORMED as problem:
        return Err(
            ProviderResponseError(
                f"The answer is no message: {problem}"[:_LONGEST_MESSAGE],
                status=status,
                request_id=request_id(headers),
            )
        )


def _completion(answer: dict[str, Any]) -> Completion:
    parts = (decode_part(block) for block in answer["content"])
    message = ChatMessage("assistant", tuple(part for part in parts if part is not None))
    raw = answer.get("stop_reason")
    return Completion(
        (Choice(message, finish_reason(raw), raw),),
        usage=usage_of(answer.get("usage")),
        model=text_of(answer, "model") or None,
        id=text_of(answer, "id") or None,
        metadata=rest_of(answer, MODELLED),
    )


def finish_reason(word: str | None) -> FinishReason | None:
    """Ours for the protocol's word. Raises `TypeError` where it is no word."""
    if word is None or isinstance(word, str):
        return None if word is None else FINISH_REASONS.get(word, "other")
    raise TypeError(f"'stop_reason' is {word!r}")


def usage_of(native: Any) -> Usage | None:
    """The counts; `input_tokens` in the protocol leaves out what the cache took part in, and ours does not."""
    if not isinstance(native, dict):
        return None
    details = native.get("output_tokens_details")
    read, written = _count(native, "cache_read_input_tokens"), _count(native, "cache_creation_input_tokens")
    runs = _records(native.get("iterations"))
    fallback = "fallback" if any(run.get("type") == "fallback_message" for run in runs) else None
    return Usage(
        input_tokens=_count(native, "input_tokens") + read + written,
        output_tokens=_count(native, "output_tokens"),
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=_count(details, "thinking_tokens") if isinstance(details, dict) else 0,
        native=native,
        details=counted_apart(native, _APART) or EMPTY,
        tier=tier_of(native.get("service_tier"), native.get("speed"), native.get("inference_geo"), fallback),
        others=_others(runs),
    )


def _others(runs: list[dict[str, Any]]) -> tuple[tuple[str, Usage], ...]:
    """What an advisor used, and what it took to compact the conversation, which the counts leave out.

    A fallback's run is in them, at another model's price: `usage_of` tells it as a tier whose price nobody knows.
    """
    further = (run for run in runs if run.get("type") in _RUNS_APART)
    return tuple((_model(run), used) for run in further if (used := usage_of({**run, "iterations": None})) is not None)


def _records(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _model(run: Mapping[str, Any]) -> str:
    return model if isinstance(model := run.get("model"), str) else ""


def _count(counts: Mapping[str, Any], name: str) -> int:
    value = counts.get(name)
    return value if type(value) is int and value > 0 else 0


def text_of(fields: Mapping[str, Any], name: str) -> str:
    """A field's text, empty where it is absent. Raises `TypeError` where it is anything else."""
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value or ""
    raise TypeError(f"{name!r} is no text")


def rest_of(fields: Mapping[str, Any], known: frozenset[str]) -> Metadata:
    """The fields beyond the known ones."""
    return {key: value for key, value in fields.items() if key not in known and value is not None} or EMPTY


def extras_of(block: Mapping[str, Any], known: frozenset[str]) -> Metadata:
    """A block's further fields, as metadata of its part."""
    rest = rest_of(block, known)
    return {MARK: rest} if rest else EMPTY


def decode_part(block: dict[str, Any]) -> Part | None:
    """A content block as a part; `None` for empty text."""
    kind = block["type"]
    if not isinstance(kind, str):
        raise TypeError("a block's type is no text")
    decode = _DECODERS.get(kind)
    return decode(block) if decode else ProviderPart(kind, block, MARK)


def _text(block: dict[str, Any]) -> TextPart | None:
    part = TextPart(text_of(block, "text"), citations_of(block), extras_of(block, _TEXT_FIELDS))
    return part if part.text or part.citations or part.metadata else None


def citations_of(block: Mapping[str, Any]) -> tuple[Metadata, ...]:
    """A text block's citations, as the provider sent them."""
    return tuple(dict(citation) for citation in block.get("citations") or ())


def _thinking(block: dict[str, Any]) -> ReasoningPart:
    signature = text_of(block, "signature") or None
    rest = dict(rest_of(block, _THINKING_FIELDS))
    return ReasoningPart(text_of(block, "thinking"), signature, metadata={MARK: rest} if rest or signature else EMPTY)


def _redacted(block: dict[str, Any]) -> ReasoningPart:
    return ReasoningPart(encrypted=text_of(block, "data"), metadata={MARK: dict(rest_of(block, _REDACTED_FIELDS))})


def _tool_call(block: dict[str, Any]) -> ToolCall:
    arguments = {} if block.get("input") is None else block["input"]
    return ToolCall(text_of(block, "id"), text_of(block, "name"), arguments, metadata=extras_of(block, TOOL_FIELDS))


_TEXT_FIELDS = frozenset(("type", "text", "citations"))
_THINKING_FIELDS = frozenset(("type", "thinking", "signature"))
_REDACTED_FIELDS = frozenset(("type", "data"))
TOOL_FIELDS = frozenset(("type", "id", "name", "input"))

_DECODERS: dict[str, Callable[[dict[str, Any]], Part | None]] = {
    "text": _text,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_call,
}


def decode_error(status: int, headers: Headers, body: bytes) -> LLMError:
    """The error in an answer, whatever its body is: the protocol's own object, a cloud's, a proxy's page, nothing."""
    try:
        parsed = json.loads(body)
    except MALFORMED:
        parsed = _plain(body)
    message, kind, code, id = error_fields(parsed)
    return error_for(
        status,
        message or f"The provider answered with HTTP status {status}.",
        type=kind,
        code=code,
        request_id=id or request_id(headers),
        retry_after=wait_seconds(status, headers, message),
    )


def error_fields(parsed: Any) -> tuple[str, str | None, str | int | None, str | None]:
    """Message, type, code and request id from an error body of any shape."""
    outer = parsed[0] if isinstance(parsed, list) and parsed else parsed
    outer = outer if isinstance(outer, dict) else {"error": outer}
    error = outer.get("error")
    inner = error if isinstance(error, dict) else outer
    code = inner.get("code")
    return (
        _word(inner.get("message")) or _word(error) or _word(outer.get("Message")) or _detail(outer) or "",
        _word(inner.get("type")) or _word(inner.get("status")) or _word(outer.get("__type")),
        code if isinstance(code, str) or type(code) is int else None,
        _word(outer.get("request_id")),
    )


def _word(value: object) -> str | None:
    return value[:_LONGEST_WORDS] if isinstance(value, str) and value else None


def _detail(record: dict[str, Any]) -> str | None:
    """What a server in between says, as many of them do: words, or a list of what is wrong."""
    detail = record.get("detail")
    return _word(json.dumps(detail)) if isinstance(detail, list) else _word(detail)


def _plain(body: bytes) -> str:
    """A body that is no JSON: its text, or the title of its page."""
    text = body[:100_000].decode("utf-8", "replace").strip()
    if not text.startswith("<"):
        return text[:_LONGEST_TEXT]
    start = text.lower().find("<title>")
    title = text[start + 7 :].partition("</")[0].strip() if start >= 0 else ""
    return title or "The provider answered with a page instead of JSON."
