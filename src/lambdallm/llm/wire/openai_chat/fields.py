"""What whole answers and streams of the OpenAI chat protocol have in common: usage, finish reasons, leftovers.

Everything here reads values of any type: a provider's JSON promises nothing.
"""

from __future__ import annotations

import json

from ...types import EMPTY, Usage
from ..billing import charged_usd, counted_apart, tier_of
from ..notes import FORM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from ...types import FinishReason, Metadata

PROTOCOL = "openai_chat"
"""The name under which `metadata` holds this protocol's notes."""

REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_text")
"""The names that providers gave to what the model thought, in a message or a delta."""

REPLAYED_FIELDS = ("extra_content", "thought_signature")
"""Unmodelled fields of an answer's message that its provider wants back in the next request."""

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop", "eos": "stop", "eos_token": "stop", "stop_sequence": "stop", "end_turn": "stop", "complete": "stop",
    "length": "length", "max_tokens": "length", "model_length": "length", "max_output_tokens": "length",
    "tool_calls": "tool_calls", "function_call": "tool_calls", "tool_use": "tool_calls", "tool_call": "tool_calls",
    "content_filter": "content_filter", "safety": "content_filter", "recitation": "content_filter",
    "sensitive": "content_filter", "refusal": "refusal", "error": "error", "network_error": "error",
    "insufficient_system_resource": "error",
}  # fmt: skip

_DEEPEST = 8
_SPELT_IN_PIECES = ("data", "transcript")
_CACHED = (
    ("prompt_tokens_details", "cached_tokens"), ("prompt_cache_hit_tokens",), ("cached_tokens",),
    ("num_cached_tokens",),
)  # fmt: skip
_CACHE_WRITE = (("prompt_tokens_details", "cache_write_tokens"), ("cache_creation_input_tokens",))
_REASONING = (("completion_tokens_details", "reasoning_tokens"), ("reasoning_tokens",))
_INPUT_APART = (("audio_tokens", "audio_input"), ("image_tokens", "image_input"), ("video_tokens", "video_input"))
_OUTPUT_APART = (("audio_tokens", "audio_output"), ("image_tokens", "image_output"))
_APART = (("prompt_tokens_details", _INPUT_APART), ("completion_tokens_details", _OUTPUT_APART))


def finish_reason(raw: Any) -> tuple[FinishReason | None, str | None]:
    """The reason in our words and in the provider's own."""
    if not isinstance(raw, str) or not raw:
        return None, None
    return FINISH_REASONS.get(raw.lower(), "other"), raw


def read_usage(answer: dict[str, Any]) -> Usage | None:
    """The answer's usage, also where Groq puts it in a stream (`x_groq`).

    Some count apart what the total has as well: thoughts (xAI, Gemini), sound (Mistral).
    """
    native = answer.get("usage")
    if not native and isinstance(groq := answer.get("x_groq"), dict):
        native = groq.get("usage")
    if not isinstance(native, dict) or not native:
        return None
    given, made = count(native.get("prompt_tokens")), count(native.get("completion_tokens"))
    reasoning = _first(native, _REASONING)
    apart = counted_apart(native, _APART)
    beyond = count(native.get("total_tokens")) - given - made
    if beyond and beyond == reasoning:
        made += reasoning
    elif beyond and beyond == apart.get("audio_input"):
        given += beyond
    cached, written = _first(native, _CACHED), _first(native, _CACHE_WRITE)
    tier = tier_of(answer.get("service_tier"), native.get("service_tier"))
    return Usage(given, made, cached, written, reasoning, native, None, charged_usd(native), apart or EMPTY, tier)


def count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    if type(value) is int and value > 0:
        return value
    return int(value) if type(value) is float and 0 < value < 1e15 else 0


def noted(fields: dict[str, Any], **form: Any) -> Metadata:
    """Fields of this protocol's own, and notes on the form a thing had, as metadata."""
    notes = fields | {FORM: form} if form else fields
    return {PROTOCOL: notes} if notes else EMPTY


def leftovers(record: dict[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The fields that nothing here reads, without those that say nothing."""
    return {key: value for key, value in record.items() if key not in known and value is not None}


def grow(whole: dict[str, Any], piece: dict[str, Any], depth: int = 0) -> None:
    """Add a piece of unmodelled fields: lists grow, objects merge, sound and its transcript join, the rest is newer."""
    for key, value in piece.items():
        known = whole.get(key)
        if isinstance(known, list) and isinstance(value, list):
            known.extend(value)
        elif isinstance(known, dict) and isinstance(value, dict) and depth < _DEEPEST:
            grow(known, value, depth + 1)
        elif isinstance(known, str) and isinstance(value, str) and key in _SPELT_IN_PIECES:
            whole[key] = known + value
        else:
            whole[key] = list(value) if isinstance(value, list) else dict(value) if isinstance(value, dict) else value


def reasoning_text(message: dict[str, Any]) -> tuple[str, str]:
    """What the model thought, and the name of the field that says so; empty text where there is none."""
    for field in REASONING_FIELDS:
        if isinstance(text := message.get(field), str) and text:
            return text, field
    return "", ""


def thinking_chunk(chunk: dict[str, Any]) -> str:
    """The text of a `thinking` content chunk (Mistral, "Reasoning"): a list of text chunks, or text."""
    inner = chunk.get("thinking")
    if isinstance(inner, str):
        return inner
    texts = (text(item) for item in inner) if isinstance(inner, list) else ()
    return "".join(texts)


def text(chunk: Any) -> str:
    """The text of a text chunk; of anything else, none."""
    words = chunk.get("text") if isinstance(chunk, dict) else chunk
    return words if isinstance(words, str) else ""


def as_json(value: Any) -> str:
    """A value as JSON text, where a provider sends an object in place of text."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return ""


def records(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; nothing from what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _first(native: dict[str, Any], paths: tuple[tuple[str, ...], ...]) -> int:
    for field, *inner in paths:
        value = native.get(field)
        if inner:
            value = value.get(inner[0]) if isinstance(value, dict) else None
        if value and (number := count(value)):
            return number
    return 0
