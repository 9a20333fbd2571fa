"""Fields that whole answers and streams of Converse share: why it ended, what it used, what else was said.

Source: Bedrock API reference, "Converse" and "TokenUsage".
"""

from __future__ import annotations

from ...types import EMPTY, Usage
from ..billing import tier_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...types import FinishReason, Metadata

_FINISH_REASONS: dict[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}

_PADDING = "p"
"""Random letters in every event, against reading an answer's words off its packets' sizes."""


def read_finish_reason(reason: Any) -> tuple[FinishReason | None, str | None]:
    """Our word for a `stopReason`, and the provider's."""
    if not isinstance(reason, str):
        return None, None
    return _FINISH_REASONS.get(reason, "other"), reason


def read_usage(record: Any, tier: Any = None) -> Usage | None:
    """Tokens from "TokenUsage", whose `inputTokens` leaves out what the prompt cache read and wrote.

    `tier` is the "ServiceTier" beside it.
    """
    if not isinstance(record, dict):
        return None
    fresh, output, read, written = (
        value if type(value := record.get(name)) is int else 0
        for name in ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    )
    word = tier_of(tier.get("type")) if isinstance(tier, dict) else None
    counts = (fresh + read + written, output, read, written)
    return Usage(*counts, native=record, details=_kept_an_hour(record.get("cacheDetails")), tier=word)


def _kept_an_hour(details: Any) -> Metadata:
    """The cache writes of "CacheDetail" that are kept for an hour."""
    entries = details if isinstance(details, list) else ()
    counts = (entry.get("inputTokens") for entry in entries if isinstance(entry, dict) and entry.get("ttl") == "1h")
    written = sum(count for count in counts if type(count) is int)
    return {"cache_write_1h": written} if written > 0 else EMPTY


def read_metadata(record: dict[str, Any], known: Iterable[str]) -> Metadata:
    """What a record says beyond the fields known."""
    return {key: value for key, value in record.items() if key not in known and key != _PADDING} or EMPTY
