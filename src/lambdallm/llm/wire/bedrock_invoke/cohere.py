"""Cohere's Command R and R+: version 1 of Cohere's chat, whose last message stands apart from the ones before.

Tools are described by definitions of their parameters, not by a schema: what a definition can't hold is left out with a
warning. Calls have no id, so that they get one here. Requests are written in `cohere_request`, streams read in
`cohere_stream`. Sources: Bedrock user guide, "Cohere Command R and Command R+ models"; Cohere, "Chat" (version 1).
"""

from __future__ import annotations

import json

from ...result import Ok
from ...types import EMPTY, ChatMessage, Choice, Completion, TextPart, ToolCall
from . import PATHS
from .cohere_request import encode_request
from .errors import decode_error
from .shape import Shape, described, read_answer, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import FinishReason, Part
    from ..codec import Decoder

ANSWER = Shape(text=(("text",),), reason=("finish_reason",))
OWN_FIELDS = frozenset(("text", "finish_reason", "tool_calls", "citations", "is_finished", "event_type"))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer."""
    record = _record(body)
    if not any(record.get(name) for name in ("tool_calls", "citations")):
        return read_answer(ANSWER, status, headers, body)
    message = ChatMessage("assistant", tuple(_parts(record)))
    reason, raw = reason_of(record, ANSWER.reason, record)
    choice = Choice(message, called(reason, bool(message.tool_calls)), raw)
    rest = {key: value for key, value in ANSWER.rest_beside(record).items() if key not in OWN_FIELDS}
    return Ok(described(Completion((choice,)), record, headers, rest))


def _record(body: bytes) -> dict[str, Any]:
    try:
        record = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _parts(record: dict[str, Any]) -> list[Part]:
    text, cited = record.get("text"), records(record.get("citations"))
    parts: list[Part] = [TextPart(text if isinstance(text, str) else "", tuple(cited))] if text or cited else []
    return parts + [tool_call(call, place) for place, call in enumerate(records(record.get("tool_calls")))]


def tool_call(call: dict[str, Any], place: int) -> ToolCall:
    """A call, with the id that its place gives it."""
    name, arguments = call.get("name"), call.get("parameters")
    rest = {key: value for key, value in call.items() if key not in ("name", "parameters") and value is not None}
    named = name if isinstance(name, str) else ""
    return ToolCall(f"call_{place}", named, {} if arguments is None else arguments, metadata=rest or EMPTY)


def called(reason: FinishReason | None, calls: bool) -> FinishReason | None:
    """Version 1 calls an answer complete that waits for its tools."""
    return "tool_calls" if calls and reason == "stop" else reason


def records(value: Any) -> list[dict[str, Any]]:
    """The objects in a list; nothing from what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def StreamDecoder() -> Decoder:
    """A fresh decoder for one stream. Its module is imported by the first one: whole answers do without."""
    from .cohere_stream import decoder

    return decoder()


__all__ = ["PATHS", "StreamDecoder", "decode_error", "decode_response", "encode_request"]
