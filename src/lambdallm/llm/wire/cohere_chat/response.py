"""Whole answers of Cohere's chat protocol, version 2.

Citations go to the part they cite: those of a text to its `citations`, those of a plan or of thinking to its metadata.
Source: API reference, "Chat (v2)", response; "Citations".
"""

from __future__ import annotations

import json

from ...errors import ProviderResponseError
from ...result import Err, Ok
from ...types import ChatMessage, Choice, Completion, ProviderPart, ReasoningPart, TextPart, ToolCall
from ..cohere_error import decode_error
from ..headers import request_id
from ..notes import FORM
from .fields import PROTOCOL, finish_reason, inner, leftovers, noted, read_usage, records, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import Metadata, Part
    from .fields import Record

ANSWER_FIELDS = frozenset(("id", "message", "finish_reason", "usage"))
MESSAGE_FIELDS = frozenset(("role", "content", "tool_plan", "tool_calls", "citations"))
_CALL_FIELDS = frozenset(("id", "type", "function"))
PLAN: Record = {FORM: {"field": "tool_plan"}}
"""What is noted of reasoning that came as a plan."""


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error object in its place, or bytes that are no answer, give `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return Err(_unreadable(f"The answer is no JSON ({reason}).", status, headers))
    message = answer.get("message") if isinstance(answer, dict) else None
    if isinstance(message, str):
        return Err(decode_error(status, headers, body))
    if not isinstance(message, dict):
        return Err(_unreadable("The answer holds no message.", status, headers))
    return Ok(_completion(answer, message))


def _unreadable(message: str, status: int, headers: Headers) -> LLMError:
    return ProviderResponseError(message, status=status, request_id=request_id(headers))


def _completion(answer: Record, message: Record) -> Completion:
    said = ChatMessage("assistant", _parts(message), metadata=noted(leftovers(message, MESSAGE_FIELDS)))
    return Completion(
        (Choice(said, *finish_reason(answer.get("finish_reason"))),),
        usage=read_usage(answer.get("usage")),
        id=text_of(answer, "id") or None,
        metadata=leftovers(answer, ANSWER_FIELDS),
    )


def _parts(message: Record) -> tuple[Part, ...]:
    """The plan, the content and the calls, each with what cites it."""
    citations = records(message.get("citations"))
    plan = text_of(message, "tool_plan")
    parts: list[Part] = [ReasoningPart(plan, metadata=reasoning_notes(PLAN, _of(citations, "PLAN")))] if plan else []
    content = message.get("content")
    blocks = [content] if isinstance(content, str) else content if isinstance(content, list) else []
    said = [content_part(block) for block in blocks if isinstance(block, (dict, str))]
    parts += _cited(said, [citation for citation in citations if not (plan and citation.get("type") == "PLAN")])
    return (*parts, *(_call(call) for call in records(message.get("tool_calls"))))


def _of(citations: Iterable[Record], kind: str) -> list[Record]:
    return [citation for citation in citations if citation.get("type") == kind]


def reasoning_notes(own: Record, citations: list[Record]) -> Metadata:
    """What is noted of a plan or of thinking."""
    return noted(own | {"citations": citations} if citations else own)


def content_part(block: Record | str) -> Part:
    """A block of content."""
    if isinstance(block, str):
        return TextPart(block)
    kind = block.get("type")
    if kind == "text":
        return TextPart(text_of(block, "text"), metadata=noted(leftovers(block, ("type", "text"))))
    if kind == "thinking":
        return ReasoningPart(text_of(block, "thinking"), metadata=noted(leftovers(block, ("type", "thinking"))))
    return ProviderPart(kind if isinstance(kind, str) else "unknown", leftovers(block, ("type",)), PROTOCOL)


def _cited(parts: list[Part], citations: list[Record]) -> list[Part]:
    """The parts with their citations; those that name no block cite the text."""
    found: dict[int, list[Record]] = {}
    for citation in citations:
        found.setdefault(_place(citation, parts), []).append(citation)
    cited = [_with(part, found.pop(place)) if place in found else part for place, part in enumerate(parts)]
    loose = tuple(citation for rest in found.values() for citation in rest)
    return [*cited, TextPart("", loose)] if loose else cited


def _place(citation: Record, parts: list[Part]) -> int:
    """The place of the part that a citation is about; -1 where there is none."""
    kind = cited_kind(citation)
    index = citation.get("content_index")
    if type(index) is int and 0 <= index < len(parts) and isinstance(parts[index], kind):
        return index
    return next((place for place, part in enumerate(parts) if isinstance(part, kind)), -1)


def cited_kind(citation: Record) -> type[TextPart | ReasoningPart]:
    """The kind of part that a citation is about."""
    return ReasoningPart if citation.get("type") in ("THINKING_CONTENT", "PLAN") else TextPart


def _with(part: Part, citations: list[Record]) -> Part:
    if isinstance(part, ReasoningPart):
        return part.replace(metadata=reasoning_notes(inner(part.metadata, PROTOCOL), citations))
    return part.replace(citations=tuple(citations))


def _call(record: Record) -> ToolCall:
    function = inner(record, "function")
    arguments, metadata = function.get("arguments"), noted(leftovers(record, _CALL_FIELDS))
    id, name = text_of(record, "id"), text_of(function, "name")
    if arguments is None or isinstance(arguments, str):
        return ToolCall.from_json(id, name, arguments or "", metadata)
    return ToolCall(id, name, arguments, None, metadata)


def as_text(arguments: Any) -> str:
    """A piece of arguments, also where it is an object."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    try:
        return json.dumps(arguments, ensure_ascii=False)
    except RecursionError:
        return ""
