"""Messages of the OpenAI chat protocol, from ours: roles, content parts, tool calls and results.

What stands in `metadata` is sent by the rules of `notes`: this protocol's own fields and those asked for by name, a
cache marker only where the provider has a word for it. Text with nothing beside it is sent as a string, the form that
every dialect takes. Earlier reasoning is in `thoughts`.

Sources: OpenAI, "Create chat completion: messages"; OpenRouter, "Multimodal" and "Prompt caching"; Mistral, "Document
understanding" and "Reasoning"; Google, "Thought signatures".
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
from ..notes import asked_fields, form, left_out, own_fields
from .fields import PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any

    from ...types import ChatMessage, Metadata, Part
    from ..codec import Facts

_AUDIO_FORMATS = {"audio/mpeg": "mp3", "audio/x-wav": "wav", "audio/wave": "wav", "audio/mp4": "m4a"}
_KINDS: dict[type, str] = {TextPart: "text", ImagePart: "image", AudioPart: "audio", DocumentPart: "document"}
_TOLD_BY_TEXT = "'is_error' of a tool's result was left out: this protocol tells it by the text alone"
_CACHE = "cache_control"
_MARKABLE = ("text", "image_url", "input_audio", "file")
"""What OpenAI's own mark can stand on."""


class Toward:
    """Where a request goes: what its provider takes, and the warnings so far."""

    def __init__(self, facts: Facts, warnings: list[str]) -> None:
        self.facts, self.warnings = facts, warnings

    def warn(self, text: str) -> None:
        """Add a warning, once."""
        if text not in self.warnings:
            self.warnings.append(text)

    def fields(self, metadata: Metadata, where: str) -> dict[str, Any]:
        """What of the metadata is sent, apart from a mark for the prompt cache."""
        if not metadata:
            return {}
        left_out(metadata, PROTOCOL, where, self.warnings)
        asked = asked_fields(metadata)
        asked.pop(_CACHE, None)
        return own_fields(metadata, PROTOCOL) | asked

    def joined(self, body: dict[str, Any], metadata: Metadata, where: str) -> dict[str, Any]:
        """A body with what its metadata adds; objects on both sides merge."""
        for key, value in self.fields(metadata, where).items():
            known = body.get(key)
            body[key] = known | value if isinstance(known, dict) and isinstance(value, dict) else value
        if _CACHE in metadata:
            self._mark(body, metadata, where)
        return body

    def _mark(self, body: dict[str, Any], metadata: Metadata, where: str) -> None:
        """Mark an object for the prompt cache in the provider's word, else in the one that the mark came in."""
        word = self.facts.get("cache_mark") or form(metadata, PROTOCOL).get("mark")
        if word == _CACHE:
            body[_CACHE] = metadata[_CACHE]
        elif word and body.get("type") in _MARKABLE:
            from ..openai_prompt_cache import breakpoint_of

            body[word] = breakpoint_of(metadata[_CACHE], where, self.warnings)
        else:
            why = "only content can be marked" if word else "this provider has no word for it"
            self.warn(f"{_CACHE!r} of {where} left out: {why}")


if TYPE_CHECKING:
    Encoder = Callable[[Any, Toward, str], dict[str, Any]]


def encode_messages(messages: Iterable[ChatMessage], toward: Toward) -> list[dict[str, Any]]:
    """All messages. A message that answers several tool calls becomes one for each, as the protocol wants it."""
    encoded: list[dict[str, Any]] = []
    for place, message in enumerate(messages):
        if isinstance(message.content, str) and message.name is None and not message.metadata:
            encoded.append({"role": _role(message.role, toward.facts), "content": message.content})
        else:
            encoded.extend(_encode(message, toward, f"messages[{place}]"))
    return encoded


def _encode(message: ChatMessage, toward: Toward, where: str) -> Iterator[dict[str, Any]]:
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for result in results:
        yield _tool_result(result, toward, where)
    rest = [part for part in message.parts if not isinstance(part, ToolResult)]
    if rest or not results:
        yield _message(message, rest, toward, where)


def _message(message: ChatMessage, parts: Sequence[Part], toward: Toward, where: str) -> dict[str, Any]:
    body: dict[str, Any] = {"role": _role(message.role, toward.facts)}
    if message.name is not None:
        body["name"] = message.name
    shown, fields = _without_reasoning(parts, toward)
    body["content"] = _content(shown, toward, where)
    body |= fields | _refusal(parts) | _calls(parts, toward, where)
    if body["content"] == "" and ("tool_calls" in body or "refusal" in body or "function_call" in body):
        body["content"] = None
    return toward.joined(body, message.metadata, where)


def _without_reasoning(parts: Sequence[Part], toward: Toward) -> tuple[Sequence[Part], dict[str, Any]]:
    """The content's parts and the fields that carry reasoning, whose module is imported by the first that has any."""
    if not any(isinstance(part, ReasoningPart) for part in parts):
        return parts, {}
    from .thoughts import place_reasoning

    return place_reasoning(parts, toward)


def _role(role: str, facts: Facts) -> str:
    """`system` and `developer` are one role under two names; some providers know only one of them."""
    return facts.get("system_role") or role if role in ("system", "developer") else role


def _form(part: Any) -> Any:
    return form(part.metadata, PROTOCOL)


def _content(parts: Sequence[Part], toward: Toward, where: str) -> Any:
    """A string where the content is plain text, else a list of parts."""
    shown = [part for part in parts if _is_content(part, toward, where)]
    items = [_PARTS[type(part)](part, toward, f"{where}.content") for part in shown]
    plain = all(item.keys() == _PLAIN_TEXT and type(part) is TextPart for item, part in zip(items, shown, strict=True))
    if plain and (len(items) < 2 or toward.facts.get("flat_content")):
        return "".join(item["text"] for item in items)
    return items


_PLAIN_TEXT = {"type": "text", "text": ""}.keys()


def _is_content(part: Part, toward: Toward, where: str) -> bool:
    """Whether a part stands in the content: not what has a field of its own, nor another protocol's block."""
    if isinstance(part, ProviderPart) and part.protocol not in ("", PROTOCOL):
        toward.warn(f"{part.type!r} of {where} left out: only {part.protocol} has it")
        return False
    return not isinstance(part, (RefusalPart, ToolCall)) or _form(part).get("place") == "content"


def _text(part: TextPart, toward: Toward, where: str) -> dict[str, Any]:
    return toward.joined({"type": "text", "text": part.text}, part.metadata, where)


def _refusal_item(part: RefusalPart, toward: Toward, where: str) -> dict[str, Any]:
    return toward.joined({"type": "refusal", "refusal": part.text}, part.metadata, where)


def _image(part: ImagePart, toward: Toward, where: str) -> dict[str, Any]:
    url = uri_of(part)
    if url is None:
        raise _unsupported(where, "the image has neither data nor a URL")
    image = {"url": url} | ({"detail": part.detail} if part.detail else {})
    return toward.joined({"type": "image_url", "image_url": image}, part.metadata, where)


def uri_of(image: ImagePart) -> str | None:
    """Where the image is: its data as a `data:` URI, else its URL."""
    return _data_uri(image.data, image.media_type or "image/png") if image.data is not None else image.url


def _audio(part: AudioPart, toward: Toward, where: str) -> dict[str, Any]:
    kind = _AUDIO_FORMATS.get(part.media_type, part.media_type.rpartition("/")[2])
    audio = {"data": _base64(part.data), "format": kind}
    return toward.joined({"type": "input_audio", "input_audio": audio}, part.metadata, where)


def _document(part: DocumentPart, toward: Toward, where: str) -> dict[str, Any]:
    if part.text is not None:
        text = f"{part.name}\n\n{part.text}" if part.name else part.text
        return toward.joined({"type": "text", "text": text}, part.metadata, where)
    source = _data_uri(part.data, part.media_type or "application/pdf") if part.data is not None else part.url
    came_as = _form(part).get("part")
    if toward.facts.get("document_part", came_as) == "document_url" and source is not None:
        name = {"document_name": part.name} if part.name else {}
        return toward.joined({"type": "document_url", "document_url": source, **name}, part.metadata, where)
    if part.data is None and part.url is not None and not (toward.facts.get("file_urls") or came_as == "file"):
        raise _unsupported(where, "this provider takes documents as data or by file_id, not by URL")
    named = {"file_id": part.file_id, "file_data": source, "filename": part.name}
    file = {key: value for key, value in named.items() if value is not None}
    return toward.joined({"type": "file", "file": file}, part.metadata, where)


def _provider_part(part: ProviderPart, _toward: Toward, _where: str) -> dict[str, Any]:
    return {"type": part.type, **part.value}


def _thinking_chunk(part: ReasoningPart, toward: Toward, where: str) -> dict[str, Any]:
    """Mistral's form: reasoning among the content."""
    from .thoughts import thinking_chunk

    return thinking_chunk(part, toward, where)


_PARTS: dict[type, Encoder] = {
    TextPart: _text,
    RefusalPart: _refusal_item,
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


def _refusal(parts: Sequence[Part]) -> dict[str, Any]:
    words = [part.text for part in parts if isinstance(part, RefusalPart) and _form(part).get("place") != "content"]
    return {"refusal": "".join(words)} if words else {}


def _calls(parts: Sequence[Part], toward: Toward, where: str) -> dict[str, Any]:
    calls = [part for part in parts if isinstance(part, ToolCall)]
    if not calls:
        return {}
    legacy = [_function(call) for call in calls if _form(call).get("kind") == "function_call"]
    modern = [_tool_call(call, toward, where) for call in calls if _form(call).get("kind") != "function_call"]
    return ({"tool_calls": modern} if modern else {}) | ({"function_call": legacy[0]} if legacy else {})


def _tool_call(call: ToolCall, toward: Toward, where: str) -> dict[str, Any]:
    return toward.joined(tool_call_body(call), call.metadata, f"{where}.tool_calls")


def tool_call_body(call: ToolCall) -> dict[str, Any]:
    """An item of `tool_calls`."""
    if _form(call).get("kind") == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments_json or ""}}
    return {"id": call.id, "type": "function", "function": _function(call)}


def _function(call: ToolCall) -> dict[str, Any]:
    """Name and arguments: the text as it was sent, else the arguments as JSON."""
    text = call.arguments_json
    arguments = {} if call.arguments is None else call.arguments
    return {"name": call.name, "arguments": json.dumps(arguments, ensure_ascii=False) if text is None else text}


def _tool_result(result: ToolResult, toward: Toward, where: str) -> dict[str, Any]:
    if result.is_error:
        toward.warn(_TOLD_BY_TEXT)
    content = _result_content(result, toward, where)
    if _form(result).get("kind") == "function_call":
        return toward.joined({"role": "function", "name": result.name, "content": content}, result.metadata, where)
    name = {"name": result.name} if result.name and toward.facts.get("tool_result_name") else {}
    body = {"role": "tool", "tool_call_id": result.call_id, **name, "content": content}
    return toward.joined(body, result.metadata, where)


def _result_content(result: ToolResult, toward: Toward, where: str) -> Any:
    if isinstance(result.content, str):
        return result.content
    taken = toward.facts.get("tool_result_parts", ("text",))
    for part in result.content:
        if (kind := _KINDS.get(type(part), "provider")) not in (*taken, "provider"):
            raise _unsupported(f"{where}.content", f"a tool's result can't hold a part of kind {kind!r} here")
    return _content(list(result.content), toward, where)
