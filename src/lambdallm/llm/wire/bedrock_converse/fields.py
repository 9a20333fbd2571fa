"""Fields that whole answers and streams of Converse share: why it ended, what it used, what else was said.

Source: Bedrock API reference, "Converse" and "TokenUsage".
"""

from __future__ import annotations

from ...types import EMPTY, Usage

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


def read_usage(record: Any) -> Usage | None:
    """Tokens from "TokenUsage", whose `inputTokens` leaves out what the prompt cache read and wrote."""
    if not isinstance(record, dict):
        return None
    fresh, output, read, written = (
        value if type(value := record.get(name)) is int else 0
        for name in ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
    )
    return Usage(fresh + read + written, output, read, written, native=record)


def read_metadata(record: dict[str, Any], known: Iterable[str]) -> Metadata:
    """What a record says beyond the fields known."""
    return {key: value for key, value in record.items() if key not in known and key != _PADDING} or EMPTY
