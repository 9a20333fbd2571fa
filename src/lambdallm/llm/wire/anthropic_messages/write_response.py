"""A whole answer to a client, whoever gave it: a `Completion` as the protocol's message.

The protocol has one choice, so only the first is told. A thought without a signature has an empty one; one that is
only proof is a redacted thought; what another protocol gave along is `carried`. Blocks that another protocol made,
images and sound have no place here. What goes beyond is told where it is this protocol's own (`ANSWER_FIELDS`).

Source: Messages API reference, "Create a Message", response; "Handling stop reasons".
"""

from __future__ import annotations

import json

from ...errors import InvalidRequestError
from ...types import ProviderPart, ReasoningPart, RefusalPart, TextPart, ToolCall
from ..notes import own_fields
from .blocks import encode_part
from .carried import call_field, proof_of
from .request import as_json
from .response import FINISH_REASONS, MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ...types import ChatMessage, ChatRequest, Completion, FinishReason, Metadata, Part, Usage

ANSWER_FIELDS = ("container", "context_management", "stop_details", "diagnostics", "input_transformations")
"""What an answer's metadata may hold of this protocol, besides `stop_sequence`."""

_USAGE_FIELDS = ("cache_creation", "server_tool_use", "service_tier", "inference_geo", "iterations", "speed")
"""What a record of usage may hold of this protocol, besides the counts."""

_TOLD = (TextPart, RefusalPart, ToolCall, ProviderPart)

_STOP_REASONS: dict[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}


def encode_response(answer: Completion, request: ChatRequest, *, id: str, created: int) -> bytes:
    """The answer as JSON. The protocol has no place for the time, `created`."""
    message = answer.message
    called, declined = bool(message.tool_calls), message.refusal is not None
    told = {
        **opening(answer.id or id, answer.model or request.model, answer.usage),
        "content": list(_blocks(message)),
        "stop_reason": stop_reason(answer.finish_reason, answer.raw_finish_reason, called=called, declined=declined),
        "stop_sequence": stop_sequence(answer.metadata),
        **own_answer_fields(answer.metadata),
    }
    return written(told)


def written(value: Any) -> bytes:
    """The value as JSON. Numbers beyond JSON, which an upstream's arguments may hold, become words."""
    try:
        return as_json(value)
    except InvalidRequestError as reason:
        try:
            return as_json(json.loads(json.dumps(value, default=dict), parse_constant=str))
        except RecursionError:
            raise reason from None


def opening(id: str, model: str, usage: Usage | None) -> dict[str, Any]:
    """A message that says nothing yet."""
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage_record(usage),
    }


def _blocks(message: ChatMessage) -> Iterator[dict[str, Any]]:
    calls = 0
    for part in message.parts:
        if type(part) is ToolCall:
            part, calls = named_call(part, calls), calls + 1
        if (block := answer_block(part)) is not None:
            yield block


def named_call(call: ToolCall, number: int) -> ToolCall:
    """A call with an id, where its provider gave none."""
    return call if call.id else call.replace(id=f"call_{number}")


def answer_block(part: Part) -> dict[str, Any] | None:
    """A part of an answer as a block, `None` for one that the protocol can't tell."""
    if isinstance(part, ReasoningPart):
        return _thought(part)
    block = encode_part(part, "", []) if isinstance(part, _TOLD) else None
    return block | call_field(part) if block is not None and isinstance(part, ToolCall) else block


def _thought(part: ReasoningPart) -> dict[str, Any] | None:
    more = own_fields(part.metadata, MARK)
    proof = proof_of(part)
    if part.encrypted and not part.text and not part.signature:
        return {"type": "redacted_thinking", "data": proof, **more}
    return {"type": "thinking", "thinking": part.text, "signature": proof, **more} if part.text or proof else None


def stop_reason(reason: FinishReason | None, raw: str | None, *, called: bool, declined: bool) -> str:
    """Why the answer ended. Tools that were called are the reason, whatever the provider said: clients go by it."""
    if called and reason in (None, "stop", "other"):
        return "tool_use"
    if declined and reason in (None, "stop", "other"):
        return "refusal"
    if reason is not None and FINISH_REASONS.get(raw or "") == reason:
        return raw or ""
    return _STOP_REASONS.get(reason or "stop", "end_turn")


def stop_sequence(metadata: Metadata) -> str | None:
    """The words that ended the answer, where the provider says them."""
    words = metadata.get("stop_sequence")
    return words if isinstance(words, str) else None


def own_answer_fields(metadata: Metadata) -> dict[str, Any]:
    """What metadata holds that this protocol has a field for."""
    return {name: value for name in ANSWER_FIELDS if (value := metadata.get(name)) is not None}


def usage_record(usage: Usage | None) -> dict[str, Any]:
    """The counts; the protocol's `input_tokens` leaves out what the cache took part in. Unknown usage is zero here."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    cached, stored = usage.cached_tokens, usage.cache_write_tokens
    record: dict[str, Any] = {
        "input_tokens": max(0, usage.input_tokens - cached - stored),
        "cache_creation_input_tokens": stored,
        "cache_read_input_tokens": cached,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        record["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return record | {name: value for name in _USAGE_FIELDS if (value := usage.native.get(name)) is not None}
