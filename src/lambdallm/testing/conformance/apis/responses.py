"""OpenAI's Responses API, as its SDK tells it."""

from __future__ import annotations

from lambdallm.llm.types import ProviderPart, ReasoningPart

from ..sdk import STATUS_ERRORS, Api, Sdk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambdallm.llm.types import Completion

    from ..sdk import Path

_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("input_tokens",),),
    "output": (("output_tokens",),),
    "cached": (("input_tokens_details", "cached_tokens"),),
    "cache_write": (("input_tokens_details", "cache_write_tokens"),),
    "reasoning": (("output_tokens_details", "reasoning_tokens"),),
    "total": (("total_tokens",),),
}


def _more(completion: Completion, _stream: bool) -> dict[str, Any]:
    """The thoughts with an empty line between items, why an answer is incomplete, and the items of other kinds."""
    parts = completion.message.parts
    thoughts = [part.text for part in parts if isinstance(part, ReasoningPart) and part.text]
    details = completion.metadata.get("openai_responses", {}).get("incomplete_details")
    optional = {
        "other_content_blocks": None,
        "incomplete_reason": details.get("reason") if isinstance(details, dict) else None,
        "other_output_items": [part.type for part in parts if isinstance(part, ProviderPart)] or None,
    }
    return {"thinking": "\n\n".join(thoughts) or None, **optional}


_RESPONSES = Sdk(
    usage=_USAGE,
    exceptions=STATUS_ERRORS,
    exception_from=(500, "InternalServerError"),
    exception="APIStatusError",
    stream_exception="APIError",
    text_errors=True,
    errors_as_reasons=True,
    more=_more,
)

APIS = {
    ("*", "responses"): Api("openai_responses", _RESPONSES),
    ("*", "openai_responses"): Api("openai_responses", _RESPONSES),
}
