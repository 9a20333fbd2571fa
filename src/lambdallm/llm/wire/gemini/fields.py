"""What both directions have in common: names in two spellings, finish reasons, usage, text that is no text.

The API takes `thought_signature` for `thoughtSignature` everywhere (protobuf's JSON mapping) and answers in the second.
"""

from __future__ import annotations

from ...types import EMPTY, Usage
from ..billing import tier_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from ...types import FinishReason

MARK = "gemini"
"""This protocol's name, in metadata and wherever else `notes` wants it."""

FINISH_REASONS: dict[str, FinishReason] = {
    "STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "pause",
    "SAFETY": "content_filter", "RECITATION": "content_filter", "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter", "SPII": "content_filter", "MODEL_ARMOR": "content_filter",
    "JAILBREAK": "content_filter", "IMAGE_SAFETY": "content_filter", "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error", "MALFORMED_RESPONSE": "error", "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error", "MISSING_THOUGHT_SIGNATURE": "error",
    "FINISH_REASON_UNSPECIFIED": "other", "LANGUAGE": "other", "OTHER": "other", "NO_IMAGE": "other",
    "IMAGE_OTHER": "other", "ESCALATION": "other", "PUP_LIMITED_DISABLED": "other",
}  # fmt: skip
"""Every word of `Candidate.FinishReason`; a newer one is "other"."""


_MODALITIES = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}
_DETAILS = ("promptTokensDetails", "candidatesTokensDetails", "cacheTokensDetails", "toolUsePromptTokensDetails")
_TRAFFIC = {"ON_DEMAND_PRIORITY": "priority", "ON_DEMAND_FLEX": "flex"}
"""Vertex's words for service tiers that the Gemini API names by these."""


def camel(name: str) -> str:
    """`thoughtSignature` for `thought_signature`; any other name as it is."""
    if "_" not in name or name.startswith("_"):
        return name
    head, *rest = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in rest)


def camelled(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record's own fields in the API's spelling, without those that are null."""
    return {camel(key): value for key, value in record.items() if value is not None}


def finish_reason(raw: Any, *, called: bool) -> tuple[FinishReason | None, str | None]:
    """The reason in our words and in the API's; it says STOP where the model calls functions, too."""
    if not isinstance(raw, str) or not raw:
        return None, None
    if raw == "STOP" and called:
        return "tool_calls", raw
    return FINISH_REASONS.get(raw, "other"), raw


def usage_of(native: Any) -> Usage | None:
    """The counts. What hosted tools fed to the model counts as input, what the model thought as output."""
    if not isinstance(native, dict) or not native:
        return None
    thoughts = count(native.get("thoughtsTokenCount"))
    return Usage(
        input_tokens=count(native.get("promptTokenCount")) + count(native.get("toolUsePromptTokenCount")),
        output_tokens=count(native.get("candidatesTokenCount")) + thoughts,
        cached_tokens=count(native.get("cachedContentTokenCount")),
        reasoning_tokens=thoughts,
        native=native,
        details=EMPTY if _has_text_alone(native) else _apart(native) or EMPTY,
        tier=_tier(native.get("trafficType"), native.get("serviceTier")),
    )


def _tier(traffic: Any, tier: Any) -> str | None:
    if traffic is None or traffic == "ON_DEMAND":
        return tier_of(tier)
    return tier_of(_TRAFFIC.get(word(traffic) or "", traffic), tier)


def _has_text_alone(native: Mapping[str, Any]) -> bool:
    """Whether a record counts nothing but text, as nearly all do: every chunk of a stream has one."""
    for name in _DETAILS:
        if entries := native.get(name):
            first = entries[0] if type(entries) is list and len(entries) == 1 else None
            if type(first) is not dict or first.get("modality") != "TEXT":
                return False
    return True


def _apart(native: Mapping[str, Any]) -> dict[str, int]:
    """The counts of sound, images and video; what is cached of the input is told apart where it is sound."""
    given = _by_modality(native, "promptTokensDetails", "toolUsePromptTokensDetails")
    cached = _by_modality(native, "cacheTokensDetails")
    made = _by_modality(native, "candidatesTokensDetails")
    apart = {f"{kind}_input": number - cached.get(kind, 0) for kind, number in given.items()}
    apart |= {f"{kind}_output": number for kind, number in made.items()}
    return {kind: n for kind, n in {**apart, "audio_cached": cached.get("audio", 0)}.items() if n > 0}


def _by_modality(native: Mapping[str, Any], *names: str) -> dict[str, int]:
    """The counts of "ModalityTokenCount" other than those of text."""
    found: dict[str, int] = {}
    for name in names:
        for entry in records(native.get(name)):
            if kind := _MODALITIES.get(word(entry.get("modality")) or ""):
                found[kind] = found.get(kind, 0) + count(entry.get("tokenCount"))
    return found


def count(value: Any) -> int:
    """A number of tokens; 0 for what is none."""
    return value if type(value) is int and value > 0 else 0


def word(value: Any) -> str | None:
    """A text that says something; `None` for anything else."""
    return value if isinstance(value, str) and value else None


def records(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; nothing from what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def rest_of(record: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """The fields beyond the known ones, without those that say nothing."""
    return {key: value for key, value in record.items() if key not in known and value is not None}


def base64_bytes(text: str) -> bytes:
    """The bytes of base64 in either alphabet, padded or not. Raises `ValueError` for what is none."""
    from binascii import a2b_base64

    plain = text.translate(_STANDARD).rstrip("=")
    return a2b_base64(plain + "=" * (-len(plain) % 4), strict_mode=True)


def base64_text(data: bytes) -> str:
    """Bytes in base64."""
    from binascii import b2a_base64

    return b2a_base64(data, newline=False).decode("ascii")


_STANDARD = str.maketrans("-_", "+/")
