"""Messages in Ollama's form: one text a message, with images, thinking and tool calls in fields beside it.

A tool's result names its tool, and the call's id where the server gave one: ids of our own making stay here.
Source: `api/types.go`, `Message` and `ToolCall`; "Tool calling".
"""

from __future__ import annotations

import binascii

from ...errors import UnsupportedParameterError
from ...types import (
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from ...types import ChatMessage, Part
    from ..codec import Facts

PROTOCOL = "ollama"
"""The name under which `metadata` holds what only this protocol says."""

MADE_ID = "made_id"
"""Noted in the form of a call that came without an id."""

_TOLD_BY_TEXT = "'is_error' of a tool's result left out: this protocol tells it by the text alone"
_LEFT_OUT_THINKING = "reasoning of earlier turns left out: this model takes none back"


def encode_messages(messages: Iterable[ChatMessage], facts: Facts, warnings: list[str]) -> list[dict[str, Any]]:
    """All messages; one that holds several tools' results becomes one for each."""
    encoder = _Encoder(facts, warnings)
    return [record for place, message in enumerate(messages) for record in encoder.encode(message, place)]


class _Encoder:
    """Writes the messages of one conversation in order, remembering its calls for their results."""

    def __init__(self, facts: Facts, warnings: list[str]) -> None:
        self._facts, self._warnings = facts, warnings
        self._calls: dict[str, ToolCall] = {}

    def encode(self, message: ChatMessage, place: int) -> Iterator[dict[str, Any]]:
        where = f"messages[{place}]"
        if message.name is not None and message.role != "tool":
            self._warn(f"{where}.name {message.name!r} left out: this protocol has no names")
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            yield self._result(result, message, where)
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        if rest or not results:
            yield self._message(message, rest, where)

    def _message(self, message: ChatMessage, parts: Sequence[Part], where: str) -> dict[str, Any]:
        role = "system" if message.role == "developer" else message.role
        record = {"role": role} | content_of(parts, where, self._warnings)
        thoughts = [part for part in parts if isinstance(part, ReasoningPart)]
        if thinking := "".join(part.text for part in thoughts):
            if self._facts.get("thinking", True):
                record["thinking"] = thinking
            else:
                self._warn(_LEFT_OUT_THINKING)
        elif thoughts:
            self._warn(f"reasoning in {where} left out: it has no text")
        if calls := [self._call(part) for part in parts if isinstance(part, ToolCall)]:
            record["tool_calls"] = calls
        return record | merged(message, where, self._warnings)

    def _call(self, call: ToolCall) -> dict[str, Any]:
        self._calls[call.id] = call
        own = merged(call, f"the call {call.id!r}", self._warnings)
        function = {"name": call.name, "arguments": self._arguments(call)} | own.pop("function", {})
        id = {"id": call.id} if call.id and not _is_made(call) else {}
        return id | {"type": "function", "function": function} | own

    def _arguments(self, call: ToolCall) -> Any:
        """An object, which the server demands: anything else is wrapped for the model to see what it wrote."""
        if hasattr(call.arguments, "keys"):
            return call.arguments
        said = call.arguments_json if call.arguments is None else call.arguments
        if not said:
            return {}
        self._warn(f"the arguments of {call.id!r} were wrapped as 'INVALID_JSON': they are no object")
        return {"INVALID_JSON": said}

    def _result(self, result: ToolResult, message: ChatMessage, where: str) -> dict[str, Any]:
        if result.is_error:
            self._warn(_TOLD_BY_TEXT)
        call = self._calls.get(result.call_id)
        name = result.name or (call.name if call else None) or message.name
        parts = (TextPart(result.content),) if isinstance(result.content, str) else result.content
        record = {"role": "tool"} | content_of(parts, f"{where}.content", self._warnings)
        if name:
            record["tool_name"] = name
        if result.call_id and not (call and _is_made(call)):
            record["tool_call_id"] = result.call_id
        return record | merged(result, where, self._warnings)

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)


def _is_made(call: ToolCall) -> bool:
    return bool(form(call.metadata, PROTOCOL).get(MADE_ID))


def merged(holder: Any, where: str, warnings: list[str]) -> dict[str, Any]:
    """What the metadata of a message, a call, a result or a tool adds to its record."""
    left_out(holder.metadata, PROTOCOL, where, warnings)
    asked = asked_fields(holder.metadata)
    if asked.pop("cache_control", None) is not None:
        warnings.append(f"'cache_control' of {where} left out: this protocol has no such setting")
    return own_fields(holder.metadata, PROTOCOL) | asked


def content_of(parts: Sequence[Part], where: str, warnings: list[str]) -> dict[str, Any]:
    """The `content`, and the `images` where there are any."""
    for part in parts:
        if isinstance(part, _CONTENT):
            lost(part, where, warnings)
    texts = [_text(part, where, warnings) for part in parts]
    images = [_image(part, where) for part in parts if isinstance(part, ImagePart)]
    record: dict[str, Any] = {"content": "".join(text for text in texts if text)}
    return record | ({"images": images} if images else {})


_CONTENT = (TextPart, RefusalPart, ImagePart, DocumentPart)


def lost(value: Any, where: str, warnings: list[str]) -> None:
    """Warn of what stands beside a text, an image or a setting: here they stand alone."""
    if value is None:
        return
    left_out(value.metadata, PROTOCOL, where, warnings)
    beside = [*asked_fields(value.metadata), *(["detail"] if getattr(value, "detail", None) else ())]
    warnings.extend(f"{name!r} in {where} left out: this protocol has no place for it" for name in beside)


def _text(part: Part, where: str, warnings: list[str]) -> str:
    """A part as text; nothing for those that go elsewhere. Raises for what this protocol has no place for."""
    if isinstance(part, (TextPart, RefusalPart)):
        return part.text
    if isinstance(part, DocumentPart):
        return _document(part, where)
    if isinstance(part, (ImagePart, ReasoningPart, ToolCall, ToolResult)):
        return ""
    if isinstance(part, ProviderPart) and part.protocol not in ("", PROTOCOL):
        warnings.append(f"{part.type!r} in {where} left out: only {part.protocol} has it")
        return ""
    kind = part.type if isinstance(part, ProviderPart) else "audio"
    raise unsupported(where, f"this protocol has no content of type {kind!r}")


def _document(part: DocumentPart, where: str) -> str:
    text = part.text
    if text is None and part.data is not None and (part.media_type or "").startswith("text/"):
        text = part.data.decode("utf-8", "replace")
    if text is None:
        raise unsupported(where, "a document must be text here")
    return f"{part.name}\n\n{text}\n\n" if part.name else text


def _image(part: ImagePart, where: str) -> str:
    """Base64, as the server takes it; from a `data:` URL too."""
    if part.data is not None:
        return binascii.b2a_base64(part.data, newline=False).decode("ascii")
    head, comma, data = (part.url or "").partition(",")
    if comma and head.startswith("data:") and head.endswith(";base64"):
        return data
    raise unsupported(where, "an image must be sent as data, not by URL")


def unsupported(param: str, why: str) -> UnsupportedParameterError:
    """The error for what can't be said."""
    return UnsupportedParameterError(f"{param!r} can't be sent: {why}.", param=param)
