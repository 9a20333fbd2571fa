"""Whole answers of Cohere's chat protocol, version 1.

What searches found (`documents`, `search_results`, …) stays in the completion's metadata. `chat_history` does not: it
repeats the request and the answer. Source: API v1 reference, "Chat (v1)", response.
"""

from __future__ import annotations

import json

from ...errors import ProviderResponseError
from ...result import Err, Ok
from ...types import ChatMessage, Choice, Completion, TextPart, ToolCall
from ..cohere_chat.fields import finish_reason, leftovers, noted, read_usage, records, text_of
from ..cohere_error import decode_error
from ..headers import request_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import Part
    from ..cohere_chat.fields import Record

ANSWER_FIELDS = frozenset(
    ("text", "generation_id", "citations", "finish_reason", "tool_calls", "chat_history", "meta", "event_type",
     "is_finished", "response")
)  # fmt: skip
CALL_FIELDS = frozenset(("name", "parameters"))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error object in its place, or bytes that are no answer, give `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return Err(_unreadable(f"The answer is no JSON ({reason}).", status, headers))
    if not isinstance(answer, dict) or not ("text" in answer or "tool_calls" in answer):
        if isinstance(answer, dict) and isinstance(answer.get("message"), str):
            return Err(decode_error(status, headers, body))
        return Err(_unreadable("The answer holds no text.", status, headers))
    return Ok(_completion(answer))


def _unreadable(message: str, status: int, headers: Headers) -> LLMError:
    return ProviderResponseError(message, status=status, request_id=request_id(headers))


def _completion(answer: Record) -> Completion:
    message = ChatMessage("assistant", tuple(_parts(answer)))
    reason = finish_reason(answer.get("finish_reason"), calls=bool(message.tool_calls))
    usage = read_usage(answer.get("meta"), answer.get("token_count"))
    return Completion(
        (Choice(message, *reason),),
        usage=usage,
        id=text_of(answer, "generation_id") or None,
        metadata=rest_of(answer, counted=usage is not None),
    )


def rest_of(answer: Record, *, counted: bool) -> Record:
    """What no field holds: the record of the call too, where it counts no tokens."""
    return leftovers(answer, ANSWER_FIELDS if counted else ANSWER_FIELDS - {"meta"})


def _parts(answer: Record) -> Iterator[Part]:
    text, citations = text_of(answer, "text"), tuple(records(answer.get("citations")))
    if text or citations:
        yield TextPart(text, citations)
    for place, record in enumerate(records(answer.get("tool_calls"))):
        parameters = record.get("parameters")
        yield ToolCall(
            f"call_{place}",
            text_of(record, "name"),
            {} if parameters is None else parameters,
            metadata=noted(leftovers(record, CALL_FIELDS)),
        )
