"""Answers to a client's generateContent request, whoever gave them.

What this protocol noted goes back as it came. Another protocol's answer is told in this one's words: a refusal is
text, thoughts are `thought` parts whose proof travels as `carried` says, arguments that are no JSON object are wrapped
as `{"INVALID_JSON": …}`, citations with an address become `citationMetadata`. Blocks that only another protocol has are
left out: no client of this one could read them.

Source: Gemini API reference, `GenerateContentResponse`, `Candidate`, `UsageMetadata`.
"""

from __future__ import annotations

import time

from ...errors import InvalidRequestError
from ...types import ProviderPart, ReasoningPart, TextPart, ToolCall
from ..body import body_writer
from ..notes import form, own_fields
from .carried import carrier_of_notes, carrier_of_thought
from .fields import FINISH_REASONS, MARK
from .parts import Context, call_args, encode_part, with_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ...types import ChatRequest, Choice, Completion, FinishReason, Metadata, Part, Usage

_FINISH: dict[FinishReason, str] = {
    "stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY", "refusal": "SAFETY",
    "pause": "OTHER", "error": "OTHER", "other": "OTHER",
}  # fmt: skip
_COUNTED = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "trafficType")


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer. A prompt that was blocked has no candidates, as the API says it."""
    candidates = [_candidate(choice) for choice in answer.choices if not is_blocked_choice(choice, answer.metadata)]
    body: dict[str, Any] = {"candidates": candidates} if candidates else {}
    if answer.usage is not None:
        body["usageMetadata"] = encode_usage(answer.usage)
    return write(body | answer_fields(answer.metadata, answer.model or request.model, answer.id or id, created))


def answer_fields(metadata: Metadata, model: str, id: str, created: int) -> dict[str, Any]:
    """What an answer says of itself."""
    when = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))
    return {"modelVersion": model, "responseId": id, "createTime": when} | own_fields(metadata, MARK)


def is_blocked_choice(choice: Choice, metadata: Metadata) -> bool:
    """Whether a choice stands for the block that `promptFeedback` tells."""
    feedback = own_fields(metadata, MARK).get("promptFeedback")
    blocked = isinstance(feedback, dict) and bool(feedback.get("blockReason"))
    return blocked and choice.raw_finish_reason is None and not choice.message.parts


def _candidate(choice: Choice) -> dict[str, Any]:
    parts = [body for part in choice.message.parts for body in encode_answer_part(part)]
    content = {"role": "model"} | ({"parts": parts} if parts else {})
    reason = encode_finish(choice.finish_reason, choice.raw_finish_reason)
    body: dict[str, Any] = {"content": content} | ({"finishReason": reason} if reason else {})
    cited = citations_of(choice.message.parts)
    own = own_fields(choice.metadata, MARK)
    return body | {"index": choice.index} | ({"citationMetadata": encode_citations(cited)} if cited else {}) | own


def encode_answer_part(part: Part) -> list[dict[str, Any]]:
    """The parts that a part of an answer becomes."""
    if isinstance(part, ReasoningPart):
        return encode_thought(part, part.text)
    if isinstance(part, ToolCall):
        return [encode_call(part)]
    if isinstance(part, TextPart) and not part.text and not own_fields(part.metadata, MARK):
        return []
    if isinstance(part, ProviderPart) and not part.protocol:
        return []
    return encode_part(part, Context({}, []), "content")


def encode_thought(part: ReasoningPart, whole: str) -> list[dict[str, Any]]:
    """A thought, with its own signature or what carries a foreign one; `whole` is its text, were it told before."""
    signature = part.signature if MARK in part.metadata else carrier_of_thought(part, whole)
    if not (part.text or signature):
        return []
    body: dict[str, Any] = {"text": part.text, "thought": True}
    body |= {"thoughtSignature": signature} if signature else {}
    return [with_fields(body, _own(part.metadata), Context({}, []), "content")]


def encode_call(call: ToolCall) -> dict[str, Any]:
    """A call, as an object whatever its arguments are."""
    said: dict[str, Any] = {} if form(call.metadata, MARK).get("no_id") or not call.id else {"id": call.id}
    body: dict[str, Any] = {"functionCall": said | {"name": call.name, "args": call_args(call)}}
    if (carrier := carrier_of_notes(call.metadata)) is not None:
        body["thoughtSignature"] = carrier
    return with_fields(body, _own(call.metadata), Context({}, []), "content")


def _own(metadata: Metadata) -> Metadata:
    return {MARK: metadata[MARK]} if MARK in metadata else {}


def encode_finish(reason: FinishReason | None, raw: str | None) -> str | None:
    """The API's own word where the answer has it, else the one for ours."""
    if raw in FINISH_REASONS:
        return raw
    return None if reason is None else _FINISH[reason]


def encode_usage(usage: Usage) -> Mapping[str, Any]:
    """The counts: thoughts apart from what was said, as the API has them; its own record where it is one."""
    if any(name in usage.native for name in _COUNTED):
        return usage.native
    told = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": max(0, usage.output_tokens - usage.reasoning_tokens),
        "totalTokenCount": usage.total_tokens,
    }
    more = {"cachedContentTokenCount": usage.cached_tokens, "thoughtsTokenCount": usage.reasoning_tokens}
    return told | {name: value for name, value in more.items() if value}


def citations_of(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """The citations that name an address, whichever record they are in."""
    records = (citation for part in parts if isinstance(part, TextPart) for citation in part.citations)
    return [cited for record in records if (cited := _citation(record))]


def encode_citations(cited: list[dict[str, Any]]) -> dict[str, Any]:
    """Citations under both names they have: AI Studio's and Vertex's."""
    return {"citationSources": cited, "citations": cited}


def _citation(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """An address with its title and place in the text, from a record or the one object inside it."""
    for said in (record, *(value for value in record.values() if isinstance(value, dict))):
        if isinstance(url := said.get("url") or said.get("uri"), str):
            title, start, end = said.get("title"), said.get("start_index"), said.get("end_index")
            cited: dict[str, Any] = {"uri": url} | ({"title": title} if isinstance(title, str) else {})
            places = {"startIndex": start, "endIndex": end}
            return cited | {name: place for name, place in places.items() if type(place) is int}
    return None


def write(body: dict[str, Any]) -> bytes:
    """An answer as JSON. Numbers that JSON has no word for are spelt as protobuf does: `"NaN"`, `"Infinity"`."""
    try:
        return _json(body)
    except InvalidRequestError as reason:
        try:
            return _json(_spelt(body))
        except RecursionError:
            raise reason from None


def _spelt(value: Any) -> Any:
    if isinstance(value, float) and value - value != 0:
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _spelt(item) for key, item in value.items()}
    return [_spelt(item) for item in value] if isinstance(value, (list, tuple)) else value


_json = body_writer()
