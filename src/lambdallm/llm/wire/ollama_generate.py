"""Ollama's completion protocol: `POST /api/generate`, one prompt in, one text out.

A request's system messages become `system` and its one user turn the `prompt`, with its images; a longer conversation
or tools need `/api/chat`. Through `extra`: `suffix` (fill in the middle), `raw`, `template`, `keep_alive`, and
`context`, the tokens of the conversation so far, which an answer has in its metadata. Facts: those of `ollama_chat`.

Source: `docs/api.md`, "Generate a completion"; `api/types.go`, `GenerateRequest` and `GenerateResponse`.
"""

from __future__ import annotations

from .ollama_chat.messages import content_of, merged, unsupported
from .ollama_chat.request import checked, written
from .ollama_chat.response import CHAT_FIELDS, decode_answer, decode_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...transport.types import Headers
    from ..errors import LLMError
    from ..result import Result
    from ..types import ChatMessage, ChatRequest, Completion
    from .codec import Decoder, Encoded, Facts
    from .ollama_chat.response import Record

PATHS = {"chat": "/api/generate", "stream": "/api/generate"}

_MESSAGE_FIELDS = {"response": "content", "thinking": "thinking", "tool_calls": "tool_calls"}
_FIELDS = (CHAT_FIELDS | _MESSAGE_FIELDS.keys()) - {"message"}
_BEYOND = ("tools", "tool_choice")
_SYSTEM = ("system", "developer")


def encode_request(request: ChatRequest, facts: Facts) -> Encoded:
    """The request's body. Raises `UnsupportedParameterError` naming the first parameter that can't be sent."""
    warnings: list[str] = []
    request = checked(request, facts, warnings)
    for name in _BEYOND:
        if getattr(request, name):
            raise unsupported(name, "this protocol has no tools; /api/chat has")
    system = [message for message in request.messages if message.role in _SYSTEM]
    turns = [message for message in request.messages if message.role not in _SYSTEM]
    if len(turns) != 1 or turns[0].role != "user":
        raise unsupported("messages", "this protocol takes one user turn; /api/chat takes conversations")
    body: dict[str, Any] = {"model": request.model, **_prompt(turns[0], warnings)}
    if system:
        body["system"] = "\n\n".join(_system(message, warnings) for message in system)
    return written(body, request, facts, warnings)


def _prompt(turn: ChatMessage, warnings: list[str]) -> dict[str, Any]:
    record = content_of(turn.parts, "messages", warnings)
    return {"prompt": record.pop("content")} | record | merged(turn, "messages", warnings)


def _system(message: ChatMessage, warnings: list[str]) -> str:
    record = content_of(message.parts, "messages", warnings)
    if "images" in record:
        raise unsupported("messages", "a system message can hold no images here")
    text: str = record["content"]
    return text


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error inside it, or bytes that are no answer, give `Err`."""
    return decode_answer(status, headers, body, _message, _FIELDS)


def _message(answer: Record) -> Record | None:
    """The answer's own fields as the message that `/api/chat` would have sent."""
    if "response" not in answer:
        return None
    return {name: answer[field] for field, name in _MESSAGE_FIELDS.items() if field in answer}


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .ollama_chat.stream import StreamDecoder as Fresh

    return Fresh(_message, _FIELDS)


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
