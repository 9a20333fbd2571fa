"""What every counter does with a conversation, whatever counts its text: walk its parts, add what the format adds."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod

from ...types import (
    AudioPart,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
)
from .families import family_of
from .media import audio_tokens, image_tokens, pdf_tokens, video_tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from ...protocols import TokenCounterProtocol
    from ...types import ChatMessage, ChatRequest, Part
    from .families import Family


class TextCounter(ABC):
    """A `TokenCounterProtocol` whose subclass counts text: `count(text, model)`."""

    @abstractmethod
    def count(self, text: str, model: str | None = None) -> int:
        """The tokens of a text."""

    def count_messages(self, messages: Sequence[ChatMessage], model: str | None = None) -> int:
        """The tokens of a conversation: its text, images and files, and what separates its messages."""
        family = family_of(model)
        return family.request + self._of_messages(messages, model, family)

    def count_request(self, request: ChatRequest) -> int:
        """The tokens of all of a request's input: its messages, its tools, the schema of its answer."""
        family = family_of(request.model)
        total = family.request + self._of_messages(request.messages, request.model, family)
        if request.tools:
            text = "\n".join(_tool_text(tool) for tool in request.tools)
            total += family.tools + round(family.schema * self.count(text, request.model))
        if request.response_format is not None and request.response_format.schema is not None:
            total += round(family.answer_schema * self.count(_json(request.response_format.schema), request.model))
        return total

    def _of_messages(self, messages: Iterable[ChatMessage], model: str | None, family: Family) -> int:
        texts: list[str] = []
        total = 0
        for message in messages:
            total += family.message
            total += sum(_part(part, texts, family) for part in message.parts)
        return total + self._of_texts(texts, model)

    def _of_texts(self, texts: list[str], model: str | None) -> int:
        return sum(self.count(text, model) for text in texts)


def request_tokens(counter: TokenCounterProtocol, request: ChatRequest) -> int:
    """The tokens of a request's input by any counter: of its messages alone where the counter knows no more."""
    count_request = getattr(counter, "count_request", None)
    if count_request is None:
        return counter.count_messages(request.messages, request.model)
    tokens: int = count_request(request)
    return tokens


def _part(part: Part, texts: list[str], family: Family) -> int:
    """Add a part's text to `texts`; the tokens of what is no text."""
    return _PARTS[type(part)](part, texts, family)


def _text(part: Any, texts: list[str], family: Family) -> int:
    texts.append(part.text)
    return 0


def _call(part: ToolCall, texts: list[str], family: Family) -> int:
    texts.append(f"{part.name} {_json(part.arguments) if part.arguments_json is None else part.arguments_json}")
    return family.message


def _result(part: ToolResult, texts: list[str], family: Family) -> int:
    if isinstance(part.content, str):
        texts.append(part.content)
        return family.message
    return family.message + sum(_part(inner, texts, family) for inner in part.content)


def _document(part: DocumentPart, texts: list[str], family: Family) -> int:
    kind = (part.media_type or "").partition("/")[0]
    if part.text is not None or (kind == "text" and part.data is not None):
        texts.append(part.text if part.text is not None else (part.data or b"").decode("utf-8", "replace"))
        return 0
    return _FILES.get(kind, pdf_tokens)(family, part.data)


def _provider_part(part: ProviderPart, texts: list[str], family: Family) -> int:
    texts.append(_json(part.value))
    return 0


_FILES: dict[str, Callable[[Family, bytes | None], int]] = {
    "audio": audio_tokens,
    "video": video_tokens,
    "image": lambda family, data: image_tokens(family, data, None),
}
_PARTS: dict[type, Callable[[Any, list[str], Family], int]] = {
    TextPart: _text,
    RefusalPart: _text,
    ReasoningPart: _text,
    ToolCall: _call,
    ToolResult: _result,
    ImagePart: lambda part, texts, family: image_tokens(family, part.data, part.detail),
    AudioPart: lambda part, texts, family: audio_tokens(family, part.data),
    DocumentPart: _document,
    ProviderPart: _provider_part,
}


def _tool_text(tool: ToolDefinition | ProviderPart) -> str:
    if isinstance(tool, ProviderPart):
        return _json(tool.value)
    return _json({"name": tool.name, "description": tool.description, "parameters": tool.parameters})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
