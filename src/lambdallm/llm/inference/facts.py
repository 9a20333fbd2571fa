"""What a line of the log says of a call: names, settings, counts, times and money; never what was said.

Source of the names: OpenTelemetry, semantic conventions for generative AI, registry of attributes (`gen_ai.*`).
"""

from __future__ import annotations

from ..errors import LLMError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..notices import CallFailed, CallStarted
    from ..types import Completion, Usage

_PROVIDERS = {
    "azure": "azure.ai.openai", "azure_anthropic": "azure.ai.inference", "bedrock": "aws.bedrock",
    "bedrock_mantle": "aws.bedrock", "gemini": "gcp.gemini", "mistral": "mistral_ai", "vertex": "gcp.vertex_ai",
    "xai": "x_ai",
}  # fmt: skip
"""What the conventions call a provider, where that is not its name here."""

_SETTINGS = ("temperature", "top_p", "top_k", "max_tokens", "seed", "presence_penalty", "frequency_penalty")
_USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}


def asked_fields(call: CallStarted) -> dict[str, Any]:
    """What was asked for: names and settings."""
    told: dict[str, Any] = {
        "timestamp": _utc(call.wall),
        "event.name": "gen_ai.client.inference.operation.details",
        "lambdallm.call.id": call.id,
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": _PROVIDERS.get(call.provider, call.provider),
        "gen_ai.request.model": call.model,
        "gen_ai.request.stream": call.operation == "stream",
    }
    request = call.request
    if request is not None:
        told |= {f"gen_ai.request.{name}": getattr(request, name) for name in _SETTINGS}
        told["gen_ai.request.choice.count"] = request.n if request.n != 1 else None
        form = request.response_format
        told["gen_ai.output.type"] = None if form is None else "text" if form.type == "text" else "json"
        told["lambdallm.request.messages"] = len(request.messages)
        told["lambdallm.request.tools"] = len(request.tools) or None
    return told


def _utc(wall: float) -> str:
    """RFC 3339, with milliseconds."""
    from time import gmtime, strftime

    return f"{strftime('%Y-%m-%dT%H:%M:%S', gmtime(wall))}.{int(wall * 1000) % 1000:03d}Z"


def answered_fields(answer: Completion) -> dict[str, Any]:
    """What is known of an answer, its words excepted."""
    first = answer.time_to_first_token_ms
    return {
        "gen_ai.response.id": answer.id,
        "gen_ai.response.model": answer.model,
        "gen_ai.response.finish_reasons": tuple(c.finish_reason for c in answer.choices if c.finish_reason),
        "gen_ai.response.time_to_first_chunk": None if first is None else round(first / 1000, 6),
        **_used(answer.usage, answer.cost_usd),
        "lambdallm.attempts": answer.attempts,
        "lambdallm.answered_by": answer.provider,
        "lambdallm.cache": answer.cache,
        "lambdallm.route": None if answer.routing is None else answer.routing.strategy,
        "lambdallm.tool_calls": sum(len(choice.message.tool_calls) for choice in answer.choices) or None,
        "lambdallm.warnings": len(answer.warnings) or None,
        "lambdallm.safety": answer.metadata.get("safety"),
    }


def _used(usage: Usage | None, cost_usd: float | None) -> dict[str, Any]:
    """Tokens and their price; input and output always where known, the rest where there are any."""
    told: dict[str, Any] = {"lambdallm.cost_usd": cost_usd}
    if usage is not None:
        always = ("input_tokens", "output_tokens")
        told |= {known: getattr(usage, n) for n, known in _USAGE.items() if n in always or getattr(usage, n)}
    return told


def failed_fields(notice: CallFailed) -> dict[str, Any]:
    """What is known of a failure, its message excepted."""
    error = notice.error
    if error is None:
        return {"error.type": "cancelled"}
    told: dict[str, Any] = {"error.type": type(error).__name__}
    if isinstance(error, LLMError):
        told |= {
            "http.response.status_code": error.status,
            "lambdallm.error.code": error.code if isinstance(error.code, int) else _word(error.code),
            "lambdallm.request.id": error.request_id,
            "lambdallm.retryable": error.retryable,
            "lambdallm.attempts": error.attempts,
            "lambdallm.answered_by": error.provider,
            **{name: value for name, value in _used(error.usage, error.cost_usd).items() if value is not None},
        }
    return told


def _word(code: str | None) -> str | None:
    """A provider's code, where it is a word: some put a sentence there."""
    return code if code and len(code) <= 64 and not any(c.isspace() for c in code) else None
