"""Google's Gemini APIs, as google-genai tells them."""

from __future__ import annotations

from lambdallm.llm.types import AudioPart, DocumentPart, ImagePart, ProviderPart
from lambdallm.llm.wire.gemini.fields import MARK
from lambdallm.llm.wire.notes import form

from ..sdk import Api, Sdk, at
from ..tell import tell_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from lambdallm.llm.types import Choice, Completion, Part, ToolCall

    from ..sdk import Path

_USAGE: dict[str, tuple[Path, ...]] = {
    "input": (("prompt_token_count",),),
    "output": (("candidates_token_count",),),
    "cached": (("cached_content_token_count",),),
    "reasoning": (("thoughts_token_count",),),
    "total": (("total_token_count",),),
}

_USAGE_FIELDS = (
    "cache_tokens_details", "cached_content_token_count", "candidates_token_count", "candidates_tokens_details",
    "prompt_token_count", "prompt_tokens_details", "thoughts_token_count", "tool_use_prompt_token_count",
    "tool_use_prompt_tokens_details", "total_token_count", "traffic_type",
)  # fmt: skip

_PARTS = (
    "audio_transcription", "code_execution_result", "executable_code", "file_data", "function_response", "inline_data",
    "tool_call", "tool_response",
)  # fmt: skip
"""The parts of other kinds that its type knows; it drops newer ones."""

_MEDIA = (ImagePart, AudioPart, DocumentPart)


def _more(completion: Completion, _stream: bool) -> dict[str, Any]:
    """What this SDK tells in its own way: names with underscores, parts of other kinds, why a prompt was blocked."""
    usage = completion.usage
    told: dict[str, Any] = {
        "tool_calls": [_call(call) for call in completion.tool_calls],
        "other_content_blocks": None,
        "usage": tell_usage(usage.replace(native=_snaked(dict(usage.native))), _SDK) if usage is not None else None,
    }
    if len(completion.choices) > 1:
        told["choices"] = [_choice(choice) for choice in completion.choices]
    if others := [name for part in completion.message.parts if (name := _other(part)) in _PARTS]:
        told["other_parts"] = others
    if reason := at(dict(completion.metadata), (MARK, "promptFeedback", "blockReason")):
        told["block_reason"] = reason
    return told


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "text": choice.message.text,
        "thinking": choice.message.thinking,
        "tool_calls": [_call(call) for call in choice.message.tool_calls],
        "finish_reason": choice.raw_finish_reason,
    }


def _call(call: ToolCall) -> dict[str, Any]:
    """A call; an id or arguments that were not sent are `null`."""
    noted = form(call.metadata, MARK)
    return {
        "id": None if noted.get("no_id") else call.id,
        "name": call.name,
        "arguments": None if noted.get("no_args") else call.arguments,
    }


def _other(part: Part) -> str | None:
    """The name of a part that is neither text, thought nor call."""
    if isinstance(part, _MEDIA):
        return "inline_data"
    return _snake(part.type) if isinstance(part, ProviderPart) else None


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _snaked(value: Any) -> Any:
    if isinstance(value, dict):
        return {_snake(key): _snaked(item) for key, item in value.items()}
    return [_snaked(item) for item in value] if isinstance(value, list) else value


_SDK = Sdk(
    usage=_USAGE,
    usage_fields=_USAGE_FIELDS,
    exception_from=(500, "ServerError"),
    exception="ClientError",
    text_errors=True,
    more=_more,
)

APIS = {
    ("*", "generate_content"): Api("gemini", _SDK),
    ("gemini", "count_tokens"): Api("gemini_count_tokens", _SDK, "count_tokens"),
    ("vertex", "count_tokens"): Api("gemini_count_tokens", _SDK, "count_tokens"),
}
