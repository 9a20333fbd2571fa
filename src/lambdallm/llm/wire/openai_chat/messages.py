"""Messages of the OpenAI chat protocol, from ours: roles, content parts, tool calls and results, earlier reasoning.

`metadata` is merged into what it stands on (a cache marker beside a text, `prefix` on a message), except the notes
under `MARK`, which tell how an answer of this protocol looked so that it goes back as it came. Text with nothing
beside it is sent as a string, the form that every dialect takes.

Sources: OpenAI, "Create chat completion: messages"; OpenRouter, "Multimodal" and "Reasoning tokens"; Mistral,
"Document understanding" and "Reasoning"; Google, "Thought signatures".
"""

from __future__ import annotations

import binascii
import json

from ...errors import UnsupportedParameterError
from ...types import (
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
from .response import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from ...types import ChatMessage, Metadata, Part
    from ..codec import Facts

    Encoder = Callable[[Any, Facts, str], dict[str, Any]]

_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mp4": "m4a"}
_KINDS: dict[type, str] = {TextPart: "text", ImagePart: "image", AudioPart: "audio", DocumentPart: "document"}
_LEFT_OUT_REASONING = "reasoning of earlier turns was left out: this provider takes none back"
_TOLD_BY_TEXT = "'is_error' of a tool's result was left out: this protocol tells it by the text alone"


def encode_messages(messages: Iterable[ChatMessage], facts: Facts, warnings: list[str]) -> list[dict[str, Any]]:
    """All messages. A message that answers several tool calls becomes one for each, as the protocol wants it."""
    encoded: list[dict[str, Any]] = []
    for place, message in enumerate(messages):
        if isinstance(message.content, str) and message.name is None and not message.metadata:
            encoded.append({"role": _role(message.role, facts), "content": message.content})
        else:
            encoded.extend(_encode(message, facts, f"messages[{place}]", warnings))
    return encoded


def _encode(message: ChatMessage, facts: Facts, where: str, warnings: list[str]) -> Iterator[dict[str, Any]]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        yield _tool_result(result, facts, where, warnings)
    rest = [part for part in message.parts if not isinstance(part, ToolResult)]
    if rest or not results:
        yield _message(message, rest, facts, where, warnings)


def _message(
    message: ChatMessage, parts: Sequence[Part], facts: Facts, where: str, warnings: list[str]
) -> dict[str, Any]:
    body: dict[str, Any] = {"role": _role(message.role, facts)}
    if message.name is not None:
        body["name"] = message.name
    shown, fields = _reasoning(parts, facts, warnings)
    body["content"] = _content(shown, facts, where)
    body |= fields | _refusal(parts) | _calls(parts)
    if body["content"] == "" and ("tool_calls" in body or "refusal" in body or "function_call" in body):
        body["content"] = None
    return body | merged(message.metadata)


def _role(role: str, facts: Facts) -> str:
    """`system` and `developer` are one role under two names; some providers know only one of them."""
    return facts.get("system_role") or role if role in ("system", "developer") else role


def merged(metadata: Metadata) -> dict[str, Any]:
    """What of a part's metadata is sent."""
    return {key: value for key, value in metadata.items() if key != MARK}


def _marks(part: Any) -> dict[str, Any]:
    marks = part.metadata.get(MARK)
    return marks if isinstance(marks, dict) else {}


def _content(parts: Sequence[Part], facts: Facts, where: str) -> Any:
    """A string where the content is plain text, else a list of parts."""
    shown = [part for part in parts if not isinstance(part, (RefusalPart, ToolCall))]
    texts = [part for part in shown if isinstance(part, TextPart)]
    plain = len(texts) == len(shown) and not any(merged(text.metadata) for text in texts)
    if plain and (len(shown) < 2 or facts.get("flat_content")):
        return "".join(text.text for text in texts)
    return [_PARTS[type(part)](part, facts, f"{where}.content") for part in shown]


def _text(part: TextPart, _facts: Facts, _where: str) -> dict[str, Any]:
    return {"type": "text", "text": part.text, **merged(part.metadata)}


def _image(part: ImagePart, _facts: Facts, where: str) -> dict[str, Any]:
    url = _data_uri(part.data, part.media_type or "image/png") if part.data is not None else part.url
    if url is None:
        raise _unsupported(where, "the image has neither data nor a URL")
    image = {"url": url} | ({"detail": part.detail} if part.detail else {})
    return {"type": "image_url", "image_url": image, **merged(part.metadata)}


def _audio(part: AudioPart, _facts: Facts, _where: str) -> dict[str, Any]:
    form = _AUDIO_FORMATS.get(part.media_type, part.media_type.rpartition("/")[2])
    return {"type": "input_audio", "input_audio": {"data": _base64(part.data), "format": form}, **merged(part.metadata)}


def _document(part: DocumentPart, facts: Facts, where: str) -> dict[str, Any]:
    if part.text is not None:
        return {"type": "text", "text": f"{part.name}\n\n{part.text}" if part.name else part.text} | merged(
            part.metadata
        )
    source = _data_uri(part.data, part.media_type or "application/pdf") if part.data is not None else part.url
    if facts.get("document_part") == "document_url" and source is not None:
        name = {"document_name": part.name} if part.name else {}
        return {"type": "document_url", "document_url": source, **name, **merged(part.metadata)}
    if part.data is None and part.url is not None and not facts.get("file_urls"):
        raise _unsupported(where, "this provider takes documents as data or by file_id, not by URL")
    named = {"file_id": part.file_id, "file_data": source, "filename": part.name}
    file = {key: value for key, value in named.items() if value is not None}
    return {"type": "file", "file": file, **merged(part.metadata)}


def _provider_part(part: ProviderPart, _facts: Facts, _where: str) -> dict[str, Any]:
    return {"type": part.type, **part.value}


def _thinking_chunk(part: ReasoningPart, _facts: Facts, _where: str) -> dict[str, Any]:
    """Mistral's form: reasoning among the content."""
    signature = {"signature": part.signature} if part.signature else {}
    thinking = [{"type": "text", "text": part.text}]
    rest = {key: value for key, value in merged(part.metadata).items() if key != "reasoning_details"}
    return {"type": "thinking", "thinking": thinking, **signature, **rest}


_PARTS: dict[type, Encoder] = {
    TextPart: _text,
    ImagePart: _image,
    AudioPart: _audio,
    DocumentPart: _document,
    ProviderPart: _provider_part,
    ReasoningPart: _thinking_chunk,
}


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _data_uri(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{_base64(data)}"


def _unsupported(where: str, why: str) -> UnsupportedParameterError:
    return UnsupportedParameterError(f"{where} can't be sent: {why}.", param=where)


def _reasoning(parts: Sequence[Part], facts: Facts, warnings: list[str]) -> tuple[list[Part], dict[str, Any]]:
    """The parts that are content, and the fields that carry reasoning: where the facts say, else where it came in."""
    fields: dict[str, Any] = {}
    content: list[Part] = []
    for part in parts:
        place = _reasoning_place(part, facts) if isinstance(part, ReasoningPart) else "thinking"
        if place == "thinking":
            content.append(part)
        elif place == "reasoning_details" and isinstance(part, ReasoningPart):
            fields.setdefault(place, []).extend(part.metadata.get("reasoning_details", ()))
        elif place and isinstance(part, ReasoningPart):
            fields[place] = fields.get(place, "") + part.text
        elif _LEFT_OUT_REASONING not in warnings:
            warnings.append(_LEFT_OUT_REASONING)
    return content, fields


def _reasoning_place(part: ReasoningPart, facts: Facts) -> str | None:
    declared: str | None = facts.get("reasoning_field")
    if declared == "reasoning_details" and "reasoning_details" not in part.metadata:
        return "reasoning"
    if "reasoning_field" in facts:
        return declared
    return "reasoning_details" if "reasoning_details" in part.metadata else _marks(part).get("field")


def _refusal(parts: Sequence[Part]) -> dict[str, Any]:
    words = [part.text for part in parts if isinstance(part, RefusalPart)]
    return {"refusal": "".join(words)} if words else {}


def _calls(parts: Sequence[Part]) -> dict[str, Any]:
    calls = [part for part in parts if isinstance(part, ToolCall)]
    legacy = [_function(call) for call in calls if _marks(call).get("kind") == "function_call"]
    modern = [_tool_call(call) for call in calls if _marks(call).get("kind") != "function_call"]
    return ({"tool_calls": modern} if modern else {}) | ({"function_call": legacy[0]} if legacy else {})


def _tool_call(call: ToolCall) -> dict[str, Any]:
    if _marks(call).get("kind") == "custom":
        custom = {"name": call.name, "input": call.arguments_json or ""}
        return {"id": call.id, "type": "custom", "custom": custom, **merged(call.metadata)}
    return {"id": call.id, "type": "function", "function": _function(call), **merged(call.metadata)}


def _function(call: ToolCall) -> dict[str, Any]:
    """Name and arguments: the text as it was sent, else the arguments as JSON."""
    text = call.arguments_json
    arguments = {} if call.arguments is None else call.arguments
    return {"name": call.name, "arguments": json.dumps(arguments, ensure_ascii=False) if text is None else text}


def _tool_result(result: ToolResult, facts: Facts, where: str, warnings: list[str]) -> dict[str, Any]:
    if result.is_error and _TOLD_BY_TEXT not in warnings:
        warnings.append(_TOLD_BY_TEXT)
    content = _result_content(result, facts, where)
    if _marks(result).get("kind") == "function_call":
        return {"role": "function", "name": result.name, "content": content, **merged(result.metadata)}
    name = {"name": result.name} if result.name and facts.get("tool_result_name") else {}
    return {"role": "tool", "tool_call_id": result.call_id, **name, "content": content, **merged(result.metadata)}


def _result_content(result: ToolResult, facts: Facts, where: str) -> Any:
    if isinstance(result.content, str):
        return result.content
    taken = facts.get("tool_result_parts", ("text",))
    for part in result.content:
        if (kind := _KINDS.get(type(part), "provider")) not in (*taken, "provider"):
            raise _unsupported(f"{where}.content", f"a tool's result can't hold a part of kind {kind!r} here")
    return _content(list(result.content), facts, where)
