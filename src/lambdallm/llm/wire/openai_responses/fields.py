"""What all of the Responses protocol's modules have in common: its name, reading of odd values, ends and usage.

Everything here reads values of any type: what came over a wire promises nothing.
"""

from __future__ import annotations

import json

from ...types import EMPTY, Usage
from ..billing import charged_usd, counted_apart, tier_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from ...types import FinishReason, Metadata

NAME = "openai_responses"
"""This protocol's name in `metadata`, `ProviderPart.protocol` and `ChatRequest.dialect`."""

ENCRYPTED = "reasoning.encrypted_content"
LOGPROBS = "message.output_text.logprobs"
"""What `include` asks for beside the answer."""

BETWEEN_THOUGHTS = "\n\n"
"""What stands between the summaries and contents of one reasoning item in our text of it."""

_INCOMPLETE: dict[str, FinishReason] = {
    "max_output_tokens": "length", "max_tokens": "length", "length": "length", "content_filter": "content_filter",
}  # fmt: skip
_CACHED = (("input_tokens_details", "cached_tokens"), ("prompt_tokens_details", "cached_tokens"))
_CACHE_WRITE = (("input_tokens_details", "cache_write_tokens"),)
_REASONING = (("output_tokens_details", "reasoning_tokens"), ("completion_tokens_details", "reasoning_tokens"))
_APART = (
    ("input_tokens_details", (("audio_tokens", "audio_input"), ("image_tokens", "image_input"))),
    ("output_tokens_details", (("audio_tokens", "audio_output"), ("image_tokens", "image_output"))),
)
_FEES = {"web_search_call": "web_search", "file_search_call": "file_search"}
_FREE_ACTIONS = ("open_page", "find", "find_in_page")


def ending(status: Any, details: Any, *, calls: bool) -> tuple[FinishReason | None, str | None]:
    """Why an answer ended, in our words and in the provider's (its status). `calls`: it asks for tools to be called."""
    if not isinstance(status, str) or not status:
        return ("tool_calls" if calls else "stop"), None
    if status == "completed":
        return ("tool_calls" if calls else "stop"), status
    if status == "incomplete":
        reason = details.get("reason") if isinstance(details, dict) else None
        return _INCOMPLETE.get(word(reason), "other"), status
    return ("error" if status == "failed" else "other"), status


def read_usage(answer: dict[str, Any]) -> Usage | None:
    """The answer's usage. Some count what the model thought apart from what it said: then the total tells."""
    native = answer.get("usage")
    if not isinstance(native, dict) or not native:
        return None
    given, made = count(native.get("input_tokens")), count(native.get("output_tokens"))
    reasoning = _first(native, _REASONING)
    if reasoning and count(native.get("total_tokens")) == given + made + reasoning:
        made += reasoning
    apart = counted_apart(native, _APART) | _searches(answer)
    cached, written, tier = _first(native, _CACHED), _first(native, _CACHE_WRITE), tier_of(answer.get("service_tier"))
    return Usage(given, made, cached, written, reasoning, native, None, charged_usd(native), apart or EMPTY, tier)


def _searches(answer: dict[str, Any]) -> dict[str, int]:
    """The hosted searches, which are charged by the call; a look at a page that was found is free ("Pricing")."""
    found: dict[str, int] = {}
    for item in records(answer.get("output")):
        if kind := _FEES.get(word(item.get("type"))):
            action = item.get("action")
            if not isinstance(action, dict) or action.get("type") not in _FREE_ACTIONS:
                found[kind] = found.get(kind, 0) + 1
    return found


def count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    if type(value) is int and value > 0:
        return value
    return int(value) if type(value) is float and 0 < value < 1e15 else 0


def word(value: Any) -> str:
    """A string; an empty one for what is none."""
    return value if isinstance(value, str) else ""


def records(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; nothing from what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def leftovers(record: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The fields that nothing here reads, without those that say nothing."""
    return {key: value for key, value in record.items() if key not in known and value is not None and value != []}


def noted(own: Mapping[str, Any], form: Mapping[str, Any] = EMPTY) -> Metadata:
    """Metadata that holds fields of this protocol's own, and notes on how a thing was written."""
    notes = {**own, "form": form} if form else dict(own)
    return {NAME: notes} if notes else EMPTY


def as_json(value: Any) -> str:
    """A value as JSON text, where a provider sends an object in place of text."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (RecursionError, ValueError):
        return ""


def said(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that say something."""
    return {key: value for key, value in fields.items() if value is not None}


def _first(native: dict[str, Any], paths: tuple[tuple[str, str], ...]) -> int:
    for outer, inner in paths:
        details = native.get(outer)
        if isinstance(details, dict) and (number := count(details.get(inner))):
            return number
    return 0
