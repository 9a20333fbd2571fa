"""Whole answers of the OpenAI chat protocol, in the shapes of all who speak it, into a `Completion`.

Where a provider's message has no place in our values, it stays, by the rules of `notes`: fields that must go back in
the next request in the part's or message's notes, everything else in the choice's (what stood in its message under
`message`). What stood beside the choices is the completion's `metadata`.

Sources: OpenAI, "The chat completion object"; Mistral, "Reasoning"; OpenRouter, "Reasoning tokens"; DeepSeek, "Thinking
mode"; Google, "OpenAI compatibility" and "Thought signatures"; Azure, "Content filtering"; Cloudflare, "JSON mode".
"""

from __future__ import annotations

import json

from ...errors import ProviderResponseError
from ...result import Err, Ok
from ...types import (
    ChatMessage,
    Choice,
    Completion,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCall,
)
from ..failures import error_inside
from ..headers import request_id
from .fields import (
    PROTOCOL,
    REPLAYED_FIELDS,
    as_json,
    finish_reason,
    leftovers,
    noted,
    read_usage,
    reasoning_text,
    records,
    text,
    thinking_chunk,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ....transport.types import Headers
    from ...errors import LLMError
    from ...result import Result
    from ...types import Metadata, Part

ANSWER_FIELDS = frozenset(("id", "object", "model", "choices", "usage", "error", "obfuscation", "p"))
CHOICE_FIELDS = frozenset(("index", "message", "delta", "finish_reason", "text"))
MESSAGE_FIELDS = frozenset(
    ("role", "content", "reasoning_content", "reasoning", "reasoning_text", "reasoning_details", "refusal",
     "tool_calls", "function_call", "annotations", *REPLAYED_FIELDS)
)  # fmt: skip
_CALL_FIELDS = frozenset(("index", "id", "type", "function", "custom"))


def decode_response(status: int, headers: Headers, body: bytes) -> Result[Completion, LLMError]:
    """A whole 2xx answer. An error object inside it, or bytes that are no answer, give `Err`."""
    try:
        answer = json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError) as reason:
        return Err(_unreadable(f"The answer is no JSON ({reason})", status, headers))
    if found := error_inside(answer):
        return Err(found.error(found.status, request_id=request_id(headers)))
    choices = records(answer.get("choices")) if isinstance(answer, dict) else []
    if not choices:
        return Err(_unreadable("The answer has no choices.", status, headers))
    completion = _completion(answer, choices)
    if found := next((error for choice in choices if (error := error_inside(choice))), None):
        return Err(found.error(found.status, request_id=request_id(headers), partial=completion))
    return Ok(completion)


def _unreadable(message: str, status: int, headers: Headers) -> LLMError:
    return ProviderResponseError(message, status=status, request_id=request_id(headers))


def _completion(answer: dict[str, Any], choices: list[dict[str, Any]]) -> Completion:
    return Completion(
        tuple(_choice(choice, place) for place, choice in enumerate(choices)),
        usage=read_usage(answer),
        model=name(answer.get("model")),
        id=name(answer.get("id")),
        metadata=leftovers(answer, ANSWER_FIELDS),
    )


def _choice(choice: dict[str, Any], place: int) -> Choice:
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    index = choice.get("index")
    said = ChatMessage("assistant", tuple(_parts(message)), metadata=noted(replayed(message)))
    rest = leftovers(message, MESSAGE_FIELDS)
    metadata = noted(leftovers(choice, CHOICE_FIELDS) | ({"message": rest} if rest else {}))
    return Choice(said, *finish_reason(choice.get("finish_reason")), index if type(index) is int else place, metadata)


def replayed(message: dict[str, Any]) -> dict[str, Any]:
    """The message's fields that go back with it."""
    kept = {field: value for field in REPLAYED_FIELDS if (value := message.get(field)) is not None}
    audio = message.get("audio")
    if isinstance(audio, dict) and name(audio.get("id")):
        kept["audio"] = {"id": audio["id"]}
    return kept


def _parts(message: dict[str, Any]) -> Iterator[Part]:
    """The message's parts: reasoning first, calls last."""
    thought, field = reasoning_text(message)
    details = records(message.get("reasoning_details"))
    if thought or details:
        yield ReasoningPart(thought, metadata=reasoning_notes(field, details))
    yield from _content(message.get("content"), tuple(records(message.get("annotations"))))
    if refusal := name(message.get("refusal")):
        yield RefusalPart(refusal)
    for place, call in enumerate(records(message.get("tool_calls"))):
        yield _tool_call(call, place)
    if isinstance(legacy := message.get("function_call"), dict):
        yield _call(legacy, "call_0", noted({}, kind="function_call"))


def reasoning_notes(field: str, details: list[dict[str, Any]]) -> Metadata:
    """What the encoder needs to send reasoning back as it came: the field, and OpenRouter's `reasoning_details`."""
    return noted({"reasoning_details": details} if details else {}, **({"field": field} if field else {}))


def _content(content: Any, citations: tuple[Metadata, ...]) -> Iterator[Part]:
    if isinstance(content, str):
        if content or citations:
            yield TextPart(content, citations)
    elif isinstance(content, list):
        yield from (content_part(chunk) for chunk in content if isinstance(chunk, (dict, str)))
        if citations:
            yield TextPart("", citations)
    elif content is not None:
        yield TextPart(as_json(content), citations, noted({}, content_object=content))


def content_part(chunk: dict[str, Any] | str) -> Part:
    """One item of a content list."""
    if isinstance(chunk, str):
        return TextPart(chunk)
    kind = chunk.get("type")
    if kind == "text":
        return TextPart(text(chunk), metadata=noted(leftovers(chunk, ("type", "text"))))
    if kind == "thinking":
        notes = noted(leftovers(chunk, ("type", "thinking", "signature")), field="thinking")
        return ReasoningPart(thinking_chunk(chunk), name(chunk.get("signature")), metadata=notes)
    if kind == "refusal":
        return RefusalPart(name(chunk.get("refusal")) or "")
    value = {key: value for key, value in chunk.items() if key != "type"}
    return ProviderPart(name(kind) or "unknown", value, PROTOCOL)


def _tool_call(call: dict[str, Any], place: int) -> ToolCall:
    """One item of `tool_calls`; a call without an id gets one, since its result must name it."""
    function, form = call_body(call)
    id = name(call.get("id"))
    if not id:
        id, form = f"call_{place}", form | {"sent_id": call.get("id")}
    if function.get("arguments") is None:
        form = form | {"no_arguments": True}
    return _call(function, id, call_metadata(call, form))


def call_body(call: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Name and arguments of a call, and the form that tells its kind: a custom tool's input is any text."""
    custom = call.get("custom")
    if isinstance(custom, dict):
        return {"name": custom.get("name"), "arguments": custom.get("input")}, {"kind": "custom"}
    function = call.get("function")
    return (function if isinstance(function, dict) else {}), {}


def call_metadata(call: dict[str, Any], form: dict[str, Any]) -> Metadata:
    """The unmodelled fields of a call, and notes on its form."""
    return noted(leftovers(call, _CALL_FIELDS), **form)


def _call(function: dict[str, Any], id: str, metadata: Metadata) -> ToolCall:
    called, arguments = name(function.get("name")) or "", function.get("arguments")
    if isinstance(arguments, str):
        return ToolCall.from_json(id, called, arguments, metadata)
    return ToolCall(id, called, {} if arguments is None else arguments, None, metadata)


def name(value: Any) -> str | None:
    """A string; `None` for what is none."""
    return value if isinstance(value, str) else None
