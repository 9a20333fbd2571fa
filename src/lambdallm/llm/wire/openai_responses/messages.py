"""Input items of the Responses protocol, from our messages.

A message's parts become items in their order: text, refusals, images and files that stand together are one message;
thoughts, calls, results and hosted tools' items stand for themselves. What a decoder noted under `NAME` restores the
items as they came. A tool's result goes back as the kind of call it answers.

A thought goes back when it is this protocol's (it came from here, or has an id or encrypted content); another
protocol's is left out with a warning. Where nothing is stored, OpenAI can't find a thought that carries neither
encrypted content nor its own words, so such a one is left out too, with the ids of what followed from it.

Sources: OpenAI, "Create a model response: input", "Reasoning models: encrypted reasoning items", "Function calling".
"""

from __future__ import annotations

import json

from ...types import AudioPart, DocumentPart, ImagePart, ProviderPart, ReasoningPart, TextPart, ToolCall, ToolResult
from ..notes import form, own_fields, proved_elsewhere
from .content import encode_content, mark_word, merged, unsupported
from .fields import NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ...types import ChatMessage, Metadata, Part
    from ..codec import Facts

_CONTENT_TYPES = ("input_", "output_", "computer_screenshot")
"""How the types of content parts begin; every other type is an item's."""

_KINDS: dict[type, str] = {TextPart: "text", ImagePart: "image", AudioPart: "audio", DocumentPart: "document"}
_RESULT_PARTS = ("text", "image", "document")
_REFERRING = ("message", "function_call", "custom_tool_call")
"""Items whose id OpenAI links to the thought before them, and which do without one."""

_TOLD_BY_TEXT = "'is_error' of a tool's result was left out: this protocol tells it by the text alone"
_FOREIGN_THOUGHT = "reasoning was left out: it is not this protocol's own"
_LOST_THOUGHT = "reasoning without encrypted content was left out: nothing is stored that could complete it"


class ItemWriter:
    """Writes the items of one conversation. `stored`: earlier answers are kept by the provider, found by their ids."""

    def __init__(self, facts: Facts, warnings: list[str], *, stored: bool) -> None:
        self._facts, self._warnings, self._stored = facts, warnings, stored
        self._mark = mark_word(facts)
        self._custom: set[str] = set()

    def items(self, messages: Iterable[ChatMessage]) -> list[dict[str, Any]]:
        """All items, in order."""
        return [item for place, message in enumerate(messages) for item in self._message(message, f"input[{place}]")]

    def _message(self, message: ChatMessage, where: str) -> Iterator[dict[str, Any]]:
        if message.name is not None:
            self._warnings.append(f"'name' of {where} left out: this protocol has no names")
        if isinstance(message.content, str):
            yield self._envelope(message, {}, where) | {"content": message.content}
            return
        lost_thought = False
        for group in _groups(message):
            if isinstance(group, list):
                item = self._content_item(message, group, where)
            else:
                item = self._item(group, where)
                lost_thought = lost_thought or (item is None and isinstance(group, ReasoningPart))
            if item is not None:
                if lost_thought and item["type"] in _REFERRING:
                    item.pop("id", None)
                yield item

    def _role(self, role: str) -> str:
        """`system` and `developer` are one role under two names; some providers know only one of them."""
        if role in ("system", "developer"):
            return self._facts.get("system_role") or role
        return "user" if role == "tool" else role

    def _envelope(self, message: ChatMessage, own: Mapping[str, Any], where: str) -> dict[str, Any]:
        """A message item without its content."""
        noted = form(message.metadata, NAME).get("item") or {}
        beside = merged(message.metadata, where, self._warnings)
        return {"type": "message", "role": self._role(message.role), **noted, **own, **beside}

    def _content_item(self, message: ChatMessage, parts: list[Part], where: str) -> dict[str, Any] | None:
        by_model = message.role == "assistant"
        content = encode_content(parts, where, self._warnings, by_model=by_model, mark=self._mark)
        if parts and not content:
            return None
        noted = form(_metadata(parts[0]), NAME) if parts else {}
        item = self._envelope(message, noted.get("item") or {}, where)
        plain = noted.get("plain") or (by_model and "at" not in noted)
        if plain and len(content) == 1 and _is_plain(content[0]):
            return item | {"content": content[0]["text"]}
        return item | {"content": content}

    def _item(self, part: Part, where: str) -> dict[str, Any] | None:
        if isinstance(part, ToolCall):
            return self._call(part, where)
        if isinstance(part, ToolResult):
            return self._result(part, where)
        if isinstance(part, ReasoningPart):
            return self._reasoning(part, where)
        assert isinstance(part, ProviderPart)
        if part.protocol not in ("", NAME):
            self._warnings.append(f"{part.type!r} of {where} left out: only {part.protocol} has it")
            return None
        return {"type": part.type, **part.value}

    def _call(self, call: ToolCall, where: str) -> dict[str, Any]:
        beside = _item_fields(call.metadata) | merged(call.metadata, where, self._warnings)
        if is_custom(call.metadata):
            self._custom.add(call.id)
            kind, given = "custom_tool_call", {"input": call.arguments_json or ""}
        else:
            kind, given = "function_call", {"arguments": arguments_text(call)}
        return {"type": kind, "call_id": call.id, "name": call.name, **given, **beside}

    def _result(self, result: ToolResult, where: str) -> dict[str, Any]:
        if result.is_error:
            self._warn(_TOLD_BY_TEXT)
        custom = is_custom(result.metadata) or result.call_id in self._custom
        return {
            "type": "custom_tool_call_output" if custom else "function_call_output",
            "call_id": result.call_id,
            "output": self._output(result.content, f"{where}.output"),
            **_item_fields(result.metadata),
            **merged(result.metadata, where, self._warnings),
        }

    def _output(self, content: str | tuple[Part, ...], where: str) -> Any:
        if isinstance(content, str):
            return content
        for part in content:
            kind = _KINDS.get(type(part), "provider")
            if kind not in (*self._facts.get("tool_result_parts", _RESULT_PARTS), "provider"):
                raise unsupported(where, f"a tool's result can't hold a part of kind {kind!r} here")
        return encode_content(content, where, self._warnings, by_model=False, mark=self._mark)

    def _reasoning(self, part: ReasoningPart, where: str) -> dict[str, Any] | None:
        if not is_own(part):
            if self._facts.get("reasoning_back") == "content" and part.text:
                return {"type": "reasoning", "summary": [], "content": _thoughts("reasoning_text", part.text)}
            self._warn(_FOREIGN_THOUGHT)
            return None
        item = reasoning_item(part)
        if not (self._stored or item.get("encrypted_content") or item.get("content")):
            self._warn(_LOST_THOUGHT)
            return None
        return item | merged({k: v for k, v in part.metadata.items() if k != NAME}, where, self._warnings)

    def _warn(self, warning: str) -> None:
        if warning not in self._warnings:
            self._warnings.append(warning)


def _groups(message: ChatMessage) -> Iterator[list[Part] | Part]:
    """The message's parts, those together that make up one message item."""
    group: list[Part] = []
    for part in message.parts:
        if not _is_content(part, message.role):
            if group:
                yield group
            yield part
            group = []
        elif group and _begins(part, group[-1]):
            yield group
            group = [part]
        else:
            group.append(part)
    if group:
        yield group


def _is_content(part: Part, role: str) -> bool:
    if isinstance(part, ProviderPart):
        return role in ("user", "system", "developer") or part.type.startswith(_CONTENT_TYPES)
    return not isinstance(part, (ReasoningPart, ToolCall, ToolResult))


def _begins(part: Part, before: Part) -> bool:
    """Whether a part begins another message than the one before it belongs to."""
    here, there = form(_metadata(part), NAME), form(_metadata(before), NAME)
    return here.get("at") == 0 or here.get("item") != there.get("item")


def _metadata(part: Part) -> Metadata:
    found: Metadata = getattr(part, "metadata", {})
    return found


def _is_plain(content: dict[str, Any]) -> bool:
    """Whether a content part says no more than its text."""
    return not {key for key, value in content.items() if value != []} - {"type", "text"} and "text" in content


def is_own(part: ReasoningPart) -> bool:
    """Whether a thought is this protocol's: noted so, or vouched for by who put an id or encrypted content on it."""
    if NAME in part.metadata:
        return True
    return bool(part.encrypted or part.id) and proved_elsewhere(part.metadata, NAME) is None


def reasoning_item(part: ReasoningPart) -> dict[str, Any]:
    """A thought of this protocol's as its item: its lists as they were noted, else its text as the one summary."""
    noted = form(part.metadata, NAME)
    lists = {key: noted[key] for key in ("summary", "content") if key in noted}
    if not lists and part.text:
        in_content = noted.get("piece") == "content"
        lists = {"content": _thoughts("reasoning_text", part.text)} if in_content else {}
        lists |= {} if in_content else {"summary": _thoughts("summary_text", part.text)}
    fields = {"id": part.id, "encrypted_content": part.encrypted}
    item = {"type": "reasoning", "summary": [], **lists}
    return item | {key: value for key, value in fields.items() if value is not None} | own_fields(part.metadata, NAME)


def _thoughts(kind: str, text: str) -> list[dict[str, Any]]:
    return [{"type": kind, "text": text}]


def _item_fields(metadata: Metadata) -> dict[str, Any]:
    return dict(form(metadata, NAME).get("item") or {})


def is_custom(metadata: Metadata) -> bool:
    """Whether a call or result is a custom tool's, here or in OpenAI's chat protocol, which has the same two kinds."""
    return any(form(metadata, protocol).get("kind") == "custom" for protocol in (NAME, "openai_chat"))


def arguments_text(call: ToolCall) -> str:
    """The arguments as they were sent, else as JSON."""
    if call.arguments_json is not None:
        return call.arguments_json
    return json.dumps({} if call.arguments is None else call.arguments, ensure_ascii=False, default=dict)
