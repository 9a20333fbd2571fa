"""Requests, answers and messages as the playground shows them: plain JSON, with pictures as `data:` URLs.

Pure: what the values of `llm.types` look like to a page, and nothing else.
"""

from __future__ import annotations

from base64 import b64encode

from ..llm.types import (
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
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from ..llm.errors import LLMError
    from ..llm.types import ChatMessage, ChatRequest, Completion, Embeddings, Part, Usage

    N = TypeVar("N", int, float)
    Shape = dict[str, Any]

_ROLES = {"developer": "system"}


def as_call(
    request: ChatRequest,
    models: tuple[str, ...],
    outcome: Completion | LLMError | None,
    times: tuple[float, float | None],
) -> Shape:
    """One call to a model. `outcome` is `None` while it is under way; `times` are its beginning and end."""
    begun_ms, ended_ms = times
    provider, model = _named(request, models)
    told = {"provider": provider, "model": model, "messages": [as_message(message) for message in request.messages]}
    return {**told, **_ended(outcome, begun_ms), "begun_ms": begun_ms, "ended_ms": ended_ms}


def as_vectors(outcome: Embeddings | LLMError, times: tuple[float, float]) -> Shape:
    """One request for vectors, as a call whose answer says how many they are: nobody reads their numbers."""
    begun_ms, ended_ms = times
    told: Shape = {"provider": None, "model": "embeddings", "messages": [], "begun_ms": begun_ms, "ended_ms": ended_ms}
    if isinstance(outcome, Exception):
        return {**told, **_ended(outcome, begun_ms)}
    number, length = len(outcome.vectors), len(outcome.vectors[0]) if outcome.vectors else 0
    said = f"{number:,} vector{'' if number == 1 else 's'} of {length:,} numbers"
    answer = {"role": "assistant", "parts": [{"type": "text", "text": said}]}
    known = {"answer": answer, "attempts": outcome.attempts, "warnings": list(outcome.warnings)}
    named = {name: value for name in ("provider", "model") if (value := getattr(outcome, name))}
    return {**told, **_ended(None, begun_ms), **known, "cost_usd": outcome.cost_usd, **_tokens(outcome.usage), **named}


def as_message(message: ChatMessage) -> Shape:
    """A message: its role, and its parts."""
    return {
        "role": _ROLES.get(message.role, message.role),
        "parts": [_shape(part) for part in message.parts],
    }


def total(parts: Iterable[N | None]) -> N | None:
    """The sum; `None` where a part of it is unknown."""
    known = list(parts)
    return None if None in known else sum(known)  # type: ignore[arg-type]  # no None is among them


def _named(request: ChatRequest, models: tuple[str, ...]) -> tuple[str | None, str]:
    """Who is asked, before anybody has answered."""
    provider, slash, model = (models[0] if models else request.model).partition("/")
    return (provider, model) if slash else (None, request.model)


def _ended(outcome: Completion | LLMError | None, begun_ms: float) -> Shape:
    """How a call ended; what an error had streamed until then is its answer."""
    error = outcome if isinstance(outcome, Exception) else None
    answer: Any = getattr(error, "partial", None) if error is not None else outcome
    first = getattr(answer, "time_to_first_token_ms", None)
    found: Shape = {
        "answer": as_message(answer.message) if answer is not None else None,
        "finish_reason": getattr(answer, "finish_reason", None),
        "warnings": list(getattr(answer, "warnings", ())),
        "cached": getattr(answer, "cache", None),
        "attempts": getattr(outcome, "attempts", 1),
        "cost_usd": getattr(outcome, "cost_usd", None),
        "error": None if error is None else str(error),
        "first_token_ms": None if first is None else round(begun_ms + first, 2),
        **_tokens(getattr(outcome, "usage", None)),
    }
    names = {name: getattr(outcome, name, None) for name in ("provider", "model")}
    if error is not None and not getattr(error, "sent", True):
        found |= {"cost_usd": 0.0, "tokens_in": 0, "tokens_out": 0}
    return found | {name: value for name, value in names.items() if value}


def _tokens(usage: Usage | None) -> Shape:
    names = {
        "tokens_in": "input_tokens",
        "tokens_out": "output_tokens",
        "cached_tokens": "cached_tokens",
        "reasoning_tokens": "reasoning_tokens",
    }
    return {name: None if usage is None else getattr(usage, field) for name, field in names.items()}


def _shape(part: Part) -> Shape:
    return _SHAPES.get(type(part), _own)(part)


def _text(part: TextPart | RefusalPart) -> Shape:
    return {"type": "text", "text": part.text}


def _reasoning(part: ReasoningPart) -> Shape:
    return {"type": "reasoning", "text": part.text}


def _call(part: ToolCall) -> Shape:
    arguments = part.arguments_json if part.arguments is None else part.arguments
    return {"type": "tool_call", "id": part.id, "name": part.name, "arguments": arguments}


def _result(part: ToolResult) -> Shape:
    content = part.content if isinstance(part.content, str) else [_shape(inner) for inner in part.content]
    return {"type": "tool_result", "id": part.call_id, "name": part.name, "content": content}


def _image(part: ImagePart) -> Shape:
    kind = part.media_type or "image/png"
    url = f"data:{kind};base64,{b64encode(part.data).decode()}" if part.data is not None else part.url
    return {"type": "image", "media_type": kind, "url": url}


def _document(part: DocumentPart) -> Shape:
    return {"type": "document", "name": part.name or part.url or part.file_id or part.media_type or "document"}


def _audio(part: AudioPart) -> Shape:
    return {"type": "document", "name": part.media_type}


def _own(part: Any) -> Shape:
    return {"type": "document", "name": str(getattr(part, "type", type(part).__name__))}


_SHAPES: dict[type[Any], Callable[[Any], Shape]] = {
    TextPart: _text,
    RefusalPart: _text,
    ReasoningPart: _reasoning,
    ToolCall: _call,
    ToolResult: _result,
    ImagePart: _image,
    DocumentPart: _document,
    AudioPart: _audio,
    ProviderPart: _own,
}
