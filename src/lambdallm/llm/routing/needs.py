"""What a call needs of a model, and about how many tokens it sends: read from the messages and options alone."""

from __future__ import annotations

from ..types import AudioPart, DocumentPart, ImagePart, ReasoningPart, TextPart, ToolCall, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ..types import ChatMessage, Part

_NOTHING: frozenset[str] = frozenset()
_PART_TOKENS = {ImagePart: 1000, DocumentPart: 2000, AudioPart: 1000}
"""About what one part costs where its size does not say: a picture of a megapixel, two pages, half a minute."""


def needs_of(messages: Iterable[ChatMessage], options: Mapping[str, Any]) -> frozenset[str]:
    """The words of `CandidateFacts.can` that a call needs."""
    needs = {word for part in _parts(messages) if (word := _part_need(part))}
    if options.get("tools"):
        needs.add("tools")
    form, thinking = options.get("response_format"), options.get("thinking")
    if form is not None and form.type == "json_schema":
        needs.add("json_schema")
    if thinking is not None and thinking.enabled and thinking.effort != "none":
        needs.add("thinking")
    return frozenset(needs) if needs else _NOTHING


def _parts(messages: Iterable[ChatMessage]) -> Iterator[Part]:
    """The parts of messages that are no plain text, those inside tools' results included."""
    for message in messages:
        if isinstance(message.content, str):
            continue
        for part in message.content:
            yield part
            if isinstance(part, ToolResult) and not isinstance(part.content, str):
                yield from part.content


def _part_need(part: Part) -> str:
    if isinstance(part, ImagePart):
        return "image"
    if isinstance(part, AudioPart):
        return "audio"
    if isinstance(part, DocumentPart) and part.text is None and not (part.media_type or "").startswith("text/"):
        return "pdf"
    return ""


def estimated_tokens(messages: Iterable[ChatMessage], options: Mapping[str, Any]) -> int:
    """About how many tokens the input has: a quarter of its bytes, and a flat number for what is no text.

    Good enough to rank candidates by; give a router a `token_counter` where the edge of a context window matters.
    """
    total = 3
    for message in messages:
        total += 4
        content = message.content
        if isinstance(content, str):
            total += text_tokens(content)
        else:
            total += sum(_part_tokens(part) for part in content)
    for tool in options.get("tools") or ():
        total += text_tokens(repr(tool))
    return total


def _part_tokens(part: Part) -> int:
    if isinstance(part, (TextPart, ReasoningPart)):
        return text_tokens(part.text)
    if isinstance(part, ToolCall):
        return text_tokens(part.name) + text_tokens(part.arguments_json or repr(part.arguments))
    if isinstance(part, ToolResult):
        return text_tokens(part.content) if isinstance(part.content, str) else sum(map(_part_tokens, part.content))
    if isinstance(part, DocumentPart) and part.text is not None:
        return text_tokens(part.text)
    return _PART_TOKENS.get(type(part), 0)


def text_tokens(text: str) -> int:
    """About how many tokens a text has."""
    return ((len(text) if text.isascii() else len(text.encode("utf-8", "replace"))) + 3) // 4
