"""A conversation in words, and as plain dictionaries: for templates, logs and people. Pure."""

from __future__ import annotations

from ..llm.types import ReasoningPart, RefusalPart, TextPart, ToolCall, ToolResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..llm.types import ChatMessage, Part


def told(messages: Sequence[ChatMessage], *, most_characters: int | None = None) -> str:
    """A conversation as text, a line for each message: `User: Hi`. Pictures and files are named, thoughts left out."""
    return "\n".join(f"{message.role.capitalize()}: {_words(message, most_characters)}" for message in messages)


def as_dicts(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """A conversation as the dictionaries of OpenAI's chat API, which clients and prompts take too.

    What that protocol has no words for (thoughts, a provider's own blocks) is left out.
    """
    return [each for message in messages for each in _dicts(message)]


def _words(message: ChatMessage, most: int | None) -> str:
    text = message.content if isinstance(message.content, str) else " ".join(filter(None, map(_part, message.parts)))
    return text if most is None or len(text) <= most else f"{text[:most]} […]"


def _part(part: Part) -> str:
    if isinstance(part, (TextPart, RefusalPart)):
        return part.text
    if isinstance(part, ToolCall):
        return f"[calls {part.name}({part.arguments_json or part.arguments or ''})]"
    if isinstance(part, ToolResult):
        content = part.content if isinstance(part.content, str) else " ".join(filter(None, map(_part, part.content)))
        return f"[{part.name or 'result'}: {content}]"
    return "" if isinstance(part, ReasoningPart) else f"[{type(part).__name__.removesuffix('Part').lower()}]"


def _dicts(message: ChatMessage) -> list[dict[str, Any]]:
    from ..llm.errors import UnsupportedParameterError
    from ..llm.wire.openai_chat.messages import Toward, encode_messages

    if isinstance(message.content, str) and message.name is None:
        return [{"role": message.role, "content": message.content}]
    try:
        return encode_messages([message], Toward({}, []))
    except UnsupportedParameterError:
        return [{"role": message.role, "content": message.text}]
