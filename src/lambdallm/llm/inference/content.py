"""What was said, in the shape that OpenTelemetry's conventions give to messages; bytes are named, not kept.

Source: `gen-ai-input-messages.json` and `gen-ai-output-messages.json` of the semantic conventions.
"""

from __future__ import annotations

from ..types import (
    AudioPart,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolResult,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..types import ChatMessage, ChatRequest, Choice, Completion, Part

    Shape = dict[str, Any]

_INSTRUCTIONS = ("system", "developer")
_FINISH_REASONS = {"tool_calls": "tool_call", "refusal": "content_filter"}
"""The conventions' own words, where they are others."""


def input_fields(request: ChatRequest) -> Shape:
    """A request's messages, those of the system apart."""
    instructions = [part for m in request.messages if m.role in _INSTRUCTIONS for part in _parts(m)]
    messages = [{"role": m.role, "parts": _parts(m)} for m in request.messages if m.role not in _INSTRUCTIONS]
    told: Shape = {"gen_ai.input.messages": messages}
    return {"gen_ai.system_instructions": instructions, **told} if instructions else told


def output_fields(answer: Completion) -> Shape:
    """An answer's messages, one for each choice."""
    return {"gen_ai.output.messages": [_said(choice) for choice in answer.choices]}


def _said(choice: Choice) -> Shape:
    reason = choice.finish_reason or "other"
    parts = _parts(choice.message)
    return {"role": choice.message.role, "parts": parts, "finish_reason": _FINISH_REASONS.get(reason, reason)}


def _parts(message: ChatMessage) -> list[Shape]:
    return [_part(part) for part in message.parts]


def _part(part: Part) -> Shape:
    return _SHAPES[type(part)](part)


def _call(part: ToolCall) -> Shape:
    arguments = part.arguments_json if part.arguments is None else part.arguments
    return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": arguments}


def _result(part: ToolResult) -> Shape:
    response = part.content if isinstance(part.content, str) else [_part(inner) for inner in part.content]
    return {"type": "tool_call_response", "id": part.call_id, "response": response}


def _document(part: DocumentPart) -> Shape:
    if part.text is not None:
        return {"type": "text", "content": part.text}
    if part.file_id is not None:
        return {"type": "file", "modality": "document", "file_id": part.file_id}
    return _media("document", part)


def _media(modality: str, part: ImagePart | AudioPart | DocumentPart) -> Shape:
    address = None if isinstance(part, AudioPart) else part.url
    if address is not None and not address.startswith("data:"):
        return {"type": "uri", "modality": modality, "uri": address}
    size = len(part.data or b"") or len(address or "")
    return {"type": "blob", "modality": modality, "mime_type": part.media_type, "size": size}


_SHAPES: dict[type, Callable[[Any], Shape]] = {
    TextPart: lambda part: {"type": "text", "content": part.text},
    RefusalPart: lambda part: {"type": "refusal", "content": part.text},
    ReasoningPart: lambda part: {"type": "reasoning", "content": part.text},
    ToolCall: _call,
    ToolResult: _result,
    DocumentPart: _document,
    ImagePart: lambda part: _media("image", part),
    AudioPart: lambda part: _media("audio", part),
    ProviderPart: lambda part: {"type": part.type, "value": part.value},
}
