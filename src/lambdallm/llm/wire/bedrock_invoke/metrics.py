"""What Bedrock itself says of an answer, beside the model's own words: token counts, latency, a guardrail's action.

A whole answer has it in headers (`x-amzn-bedrock-input-token-count` …), a stream in its last chunk, as the field
`amazon-bedrock-invocationMetrics`; here both are one record under that name. A body's own counts come first, Bedrock's
fill what it leaves out. Fields beginning with `amazon-bedrock-` are Bedrock's in every body.
"""

from __future__ import annotations

from ....transport.types import find_header
from ...types import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from ....transport.types import Headers
    from ...types import Completion, FinishReason

PREFIX = "amazon-bedrock-"
METRICS = "amazon-bedrock-invocationMetrics"
ACTION = "amazon-bedrock-guardrailAction"
TRACE = "amazon-bedrock-trace"
INTERVENED = "INTERVENED"

_HEADERS = {
    "inputTokenCount": "x-amzn-bedrock-input-token-count",
    "outputTokenCount": "x-amzn-bedrock-output-token-count",
    "cacheReadInputTokenCount": "x-amzn-bedrock-cache-read-input-token-count",
    "cacheWriteInputTokenCount": "x-amzn-bedrock-cache-write-input-token-count",
    "invocationLatency": "x-amzn-bedrock-invocation-latency",
}

_INPUT = ("inputTokens", "inputTextTokenCount", "prompt_token_count", "inputTokenCount")
_OUTPUT = ("outputTokens", "totalOutputTextTokenCount", "tokenCount", "generation_token_count", "outputTokenCount")
_CACHED = ("cacheReadInputTokens", "cacheReadInputTokenCount")
_CACHE_WRITE = ("cacheWriteInputTokens", "cacheWriteInputTokenCount")

COUNTS = frozenset((*_INPUT, *_OUTPUT))
"""The names that bodies have for their counts."""

_COUNTED = (*_INPUT, *_OUTPUT, *_CACHED, *_CACHE_WRITE)

_FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop", "finish": "stop", "finished": "stop", "complete": "stop", "endoftext": "stop", "eos": "stop",
    "end_turn": "stop", "stop_sequence": "stop", "stop_criteria_met": "stop",
    "length": "length", "max_tokens": "length", "error_limit": "length", "model_length": "length",
    "tool_use": "tool_calls", "tool_calls": "tool_calls", "tool_call": "tool_calls",
    "content_filtered": "content_filter", "content_filter": "content_filter", "error_toxic": "content_filter",
    "guardrail_intervened": "content_filter", "intervened": "content_filter",
    "error": "error", "malformed_model_output": "error", "malformed_tool_use": "error",
}  # fmt: skip
"""Ours for every vendor's word, in small letters."""


def finish_reason(raw: Any) -> tuple[FinishReason | None, str | None]:
    """The reason in our word and in the vendor's."""
    if not isinstance(raw, str) or not raw:
        return None, None
    return _FINISH_REASONS.get(raw.lower(), "other"), raw


def metrics_in(headers: Headers) -> dict[str, int]:
    """The record that a whole answer's headers make."""
    values = {name: find_header(headers, header) for name, header in _HEADERS.items()}
    return {name: int(v) for name, v in values.items() if v is not None and v.isascii() and v.isdigit() and len(v) < 16}


def usage_of(own: Mapping[str, Any], metrics: Mapping[str, Any]) -> Usage | None:
    """Usage by a body's own counts, and by Bedrock's for what it leaves out; `None` where neither counts anything.

    Input counts leave out what the prompt cache read and wrote, in every body and in Bedrock's own.
    """
    whole = _first(own, _INPUT) is not None and _first(own, _OUTPUT) is not None
    native = dict(own) if whole else {k: v for k, v in metrics.items() if k in _COUNTED} | dict(own)
    fresh, made = _first(native, _INPUT), _first(native, _OUTPUT)
    if fresh is None and made is None:
        return None
    read, written = _first(native, _CACHED) or 0, _first(native, _CACHE_WRITE) or 0
    return Usage((fresh or 0) + read + written, made or 0, read, written, native=native)


def measured(answer: Completion, headers: Headers) -> Completion:
    """A whole answer with what Bedrock says of it, which is its usage where the body counts nothing."""
    metrics = metrics_in(headers)
    if not metrics:
        return answer
    usage = answer.usage or usage_of({}, metrics)
    return answer.replace(usage=usage, metadata={**answer.metadata, METRICS: metrics})


def counts_in(record: Mapping[str, Any], names: Collection[str] = COUNTS) -> dict[str, int]:
    """The counts of a record. Some bodies write them as `6.0`."""
    return {name: count for name, value in record.items() if name in names and (count := _count(value)) is not None}


def _first(native: Mapping[str, Any], names: Iterable[str]) -> int | None:
    return next((count for name in names if (count := _count(native.get(name))) is not None), None)


def _count(value: Any) -> int | None:
    if type(value) is int and value >= 0:
        return value
    return int(value) if type(value) is float and 0 <= value < 1e15 else None
