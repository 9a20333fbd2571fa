"""Answers as the OpenAI chat protocol's own server gives them, from ours, whatever protocol they came in.

Thinking is `reasoning_content`, the name that most clients know; what proves it is in `reasoning_details`, in
OpenRouter's shape. Images are OpenRouter's `images`. What is left of another protocol is `carried`.

Sources: OpenAI, "The chat completion object"; OpenRouter, "Reasoning tokens" and "Image generation"; DeepSeek,
"Thinking mode".
"""

from __future__ import annotations

from ...types import AudioPart, ChatMessage, Choice, ImagePart, ReasoningPart, TextPart, ToolDefinition
from ..body import body_writer
from ..notes import form, own_fields
from .carried import carry, carry_notes, notes_to_carry
from .fields import PROTOCOL
from .messages import tool_call_body, uri_of
from .thoughts import DETAILS, details_of, own_details

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ...types import ChatRequest, Completion, Part, ToolCall, Usage

    Record = dict[str, Any]

WORDS = ("stop", "length", "tool_calls", "content_filter", "function_call")
_FINISH = {
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
_BESIDE_CHOICES = (
    "system_fingerprint", "service_tier", "citations", "search_results", "provider", "prompt_filter_results", "x_groq",
    "usage_breakdown", "timings", "moderation",
)  # fmt: skip
"""Fields of answers that stand beside their choices and that clients of this protocol know."""


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """A whole answer to a client's request."""
    choices = answer.choices or (Choice(ChatMessage("assistant")),)
    body = envelope(answer, request, id, created, "chat.completion")
    body["choices"] = [_choice(choice, legacy=is_legacy(request)) for choice in choices]
    if answer.usage is not None:
        body["usage"] = usage_body(answer.usage)
    return as_bytes(body | beside_choices(answer.metadata))


def envelope(answer: Completion, request: ChatRequest, id: str, created: int, kind: str) -> Record:
    """What stands around choices."""
    made = answer.metadata.get("created")
    when = made if type(made) is int else created
    return {"id": answer.id or id, "object": kind, "created": when, "model": answer.model or request.model}


def beside_choices(metadata: Mapping[str, Any]) -> Record:
    """The fields beside the choices that this protocol's clients know."""
    return {key: metadata[key] for key in _BESIDE_CHOICES if key in metadata}


def is_legacy(request: ChatRequest) -> bool:
    """Whether the client speaks of functions: its answers hold a `function_call`."""
    tools = [tool for tool in request.tools if isinstance(tool, ToolDefinition)]
    return any(form(tool.metadata, PROTOCOL).get("kind") == "function" for tool in tools)


def _choice(choice: Choice, *, legacy: bool) -> Record:
    notes = own_fields(choice.metadata, PROTOCOL)
    beside = notes.pop("message", {})
    message = _message(choice.message, legacy=legacy)
    return {
        "index": choice.index,
        "message": message | (beside if isinstance(beside, dict) else {}),
        "logprobs": None,
        "finish_reason": finish_word(choice, legacy=legacy),
        **notes,
    }


def _message(message: ChatMessage, *, legacy: bool) -> Record:
    calls = _calls(message.tool_calls, legacy=legacy)
    silent = not message.text and (calls or message.refusal is not None)
    said: Record = {"role": "assistant", "content": None if silent else message.text, "refusal": message.refusal}
    if message.thinking is not None:
        said["reasoning_content"] = message.thinking
    return said | calls | late_fields(message)


def late_fields(message: ChatMessage) -> Record:
    """The fields that a stream can only tell at its end."""
    parts = message.parts
    fields = {
        DETAILS: [] if is_told_by_text(parts) else _details(parts),
        "annotations": _annotations(parts),
        "images": [_image(part) for part in parts if isinstance(part, ImagePart)],
        "audio": next((_audio(part) for part in parts if isinstance(part, AudioPart)), None),
    }
    body = {key: value for key, value in fields.items() if value}
    own = own_fields(message.metadata, PROTOCOL)
    for key, value in carry(parts).items():
        body[key] = {**own[key], **value} if isinstance(own.get(key), dict) else value
    return own | body


def is_told_by_text(parts: Sequence[Part]) -> bool:
    """Whether text alone tells the thoughts: one block at most, without proof and without notes of its protocol."""
    thoughts = [part for part in parts if isinstance(part, ReasoningPart)]
    return len(thoughts) < 2 and not any(_says_more(thought) for thought in thoughts)


def _says_more(thought: ReasoningPart) -> bool:
    proved = thought.signature or thought.encrypted or thought.id or own_details(thought)
    return bool(proved or any(notes_to_carry(thought.metadata).values()))


def _details(parts: Sequence[Part]) -> list[Record]:
    """All thoughts: those of this protocol as they came, others numbered and with the notes of theirs."""
    thoughts = [part for part in parts if isinstance(part, ReasoningPart)]
    details = [detail for thought in thoughts for detail in own_details(thought) or _foreign(thought)]
    return [{"index": place, **detail} for place, detail in enumerate(details)]


def _foreign(thought: ReasoningPart) -> list[Record]:
    return [carry_notes({"format": "unknown", **detail}, thought.metadata) for detail in details_of(thought)]


def _annotations(parts: Sequence[Part]) -> list[Record]:
    """Citations as annotations; those of other protocols that name a page, over the text that cites it."""
    found: list[Record] = []
    start = 0
    for part in parts:
        if isinstance(part, TextPart):
            end = start + len(part.text)
            found += [note for citation in part.citations if (note := _annotation(citation, start, end))]
            start = end
    return found


def _annotation(citation: Mapping[str, Any], start: int, end: int) -> Record | None:
    kind = citation.get("type")
    if isinstance(kind, str) and isinstance(citation.get(kind), dict):
        return dict(citation)
    url = citation.get("url") or citation.get("uri")
    if not isinstance(url, str):
        return None
    title = citation.get("title")
    page = {"url": url, "title": title if isinstance(title, str) else "", "start_index": start, "end_index": end}
    return {"type": "url_citation", "url_citation": page}


def _image(part: ImagePart) -> Record:
    return {"type": "image_url", "image_url": {"url": uri_of(part) or ""}}


def _audio(part: AudioPart) -> Record:
    from binascii import b2a_base64

    return {"id": "", "data": b2a_base64(part.data, newline=False).decode(), "expires_at": 0, "transcript": ""}


def _calls(calls: Sequence[ToolCall], *, legacy: bool) -> Record:
    bodies = [call_body(call) for call in calls]
    functions = [body["function"] for body in bodies if "function" in body]
    if functions and (legacy or form(calls[0].metadata, PROTOCOL).get("kind") == "function_call"):
        return {"function_call": functions[0]}
    return {"tool_calls": bodies} if bodies else {}


def call_body(call: ToolCall) -> Record:
    """A call; one without arguments has the empty object, which clients can parse."""
    body = tool_call_body(call)
    if "function" in body and not body["function"]["arguments"].strip():
        body["function"]["arguments"] = "{}"
    return body | own_fields(call.metadata, PROTOCOL)


def finish_word(choice: Choice, *, legacy: bool) -> str:
    """Why the choice ended, in this protocol's word."""
    called = bool(choice.message.tool_calls)
    word = choice.raw_finish_reason
    if word not in WORDS:
        word = _FINISH.get(choice.finish_reason or "", "tool_calls" if called else "stop")
    if word == "content_filter" and choice.finish_reason == "refusal" and choice.message.refusal is not None:
        word = "stop"
    return "function_call" if legacy and word == "tool_calls" else word


def usage_body(usage: Usage) -> Record:
    """Usage in this protocol's names; what it says besides in its own record stays."""
    native: Record = dict(usage.native) if "prompt_tokens" in usage.native else {}
    given, made = native.get("prompt_tokens_details"), native.get("completion_tokens_details")
    cache = {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": (given if isinstance(given, dict) else {}) | cache,
        "completion_tokens_details": (made if isinstance(made, dict) else {})
        | {"reasoning_tokens": usage.reasoning_tokens},
    }
    return native | counts


as_bytes = body_writer()
