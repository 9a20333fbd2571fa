"""Our values in the words of the corpus, as its README defines them."""

from __future__ import annotations

import json

from lambdallm.llm.types import ProviderPart, ReasoningPart, TextPart, Usage
from lambdallm.llm.wire.notes import form

from .sdk import at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lambdallm.llm.errors import LLMError
    from lambdallm.llm.types import ChatMessage, Choice, Completion, Embeddings, Part, TokenCount, ToolCall

    from .sdk import Path, Sdk

_CHAT = "openai_chat"
_USAGE_KEYS = ("input", "output", "cached", "cache_write", "reasoning", "total")


def tell_completion(completion: Completion, sdk: Sdk, *, stream: bool = False) -> dict[str, Any]:
    """A `chat` outcome."""
    message = completion.message
    optional = {
        "refusal": message.refusal or None,
        "function_call": _function_call(message, sdk),
        "content_object": _content_object(message),
        "other_content_blocks": _other_blocks(message, sdk, stream=stream) or None,
        "stop_sequence": _from_metadata(completion, "stop_sequence"),
        "choices": [_choice(choice, sdk) for choice in completion.choices] if len(completion.choices) > 1 else None,
        "model": completion.model if sdk.identified else None,
        "id": completion.id if sdk.identified else None,
    }
    told = {"kind": "chat", **_choice_of(completion, sdk), "usage": tell_usage(_usage_of(completion, sdk), sdk)}
    told |= {key: value for key, value in optional.items() if value is not None}
    return told if sdk.more is None else told | sdk.more(completion, stream)


def tell_embeddings(answer: Embeddings, sdk: Sdk) -> dict[str, Any]:
    """An `embeddings` outcome: the floats, each type where the provider names types, usage of the input alone."""
    floats = _vectors(answer.vectors) if not answer.by_type or "float" in answer.by_type else None
    optional = {
        "by_type": {kind: _vectors(vectors) for kind, vectors in answer.by_type.items()} or None,
        "model": answer.model if sdk.identified else None,
    }
    told = {"kind": "embeddings", "vectors": floats, "usage": _input_usage(_usage_of(answer, sdk), sdk)}
    return told | {key: value for key, value in optional.items() if value is not None}


def _input_usage(usage: Usage | None, sdk: Sdk) -> dict[str, Any] | None:
    """Usage of embeddings; the input is ours where the record has no number for the whole answer (Vertex)."""
    told = tell_usage(usage, sdk)
    if told is None or usage is None:
        return None
    counted = told["input"] if told["input"] is not None else usage.input_tokens or None
    shown = told["native"] if sdk.shown_usage is None else sdk.shown_usage(told["native"])
    return told | {"input": counted, "native": shown}


def _vectors(vectors: Sequence[Sequence[float]]) -> dict[str, Any]:
    """How many vectors of how many dimensions, and the first and the last of them."""
    return {
        "count": len(vectors),
        "dims": sorted({len(vector) for vector in vectors}),
        "first": _vector(vectors[0]),
        "last": _vector(vectors[-1]),
    }


def _vector(vector: Sequence[float]) -> dict[str, Any]:
    length = sum(number * number for number in vector) ** 0.5
    return {"dim": len(vector), "head": list(vector[:4]), "l2": round(length, 6)}


def tell_count(answer: TokenCount) -> dict[str, Any]:
    """A `count_tokens` outcome."""
    return {"kind": "count_tokens", "input_tokens": answer.input_tokens}


def tell_frames(payloads: Sequence[bytes]) -> dict[str, Any]:
    """A `frames` outcome: how many payloads a stream has, the first and the last of them."""
    return {
        "kind": "frames",
        "frames": len(payloads),
        "first": json.loads(payloads[0]),
        "last": json.loads(payloads[-1]),
    }


def tell_error(
    error: LLMError, sdk: Sdk, *, partial: dict[str, Any] | None = None, text: str | None = None
) -> dict[str, Any]:
    """An `error` outcome; with `partial`, a `stream_error`. `text` is a body that is no JSON."""
    named = sdk.text_exception if text is not None else sdk.stream_exception if partial is not None else None
    told = {
        "kind": "error" if partial is None else "stream_error",
        "sdk_exception": named or _exception(error, sdk),
        "status": error.status if partial is None else None,
        "type": error.type,
        "code": error.code,
        "message": error.message if text is None or not sdk.text_errors else text,
    }
    return told if partial is None else told | {"partial": partial}


def tell_usage(usage: Usage | None, sdk: Sdk) -> dict[str, Any] | None:
    """The provider's own numbers under the corpus's names, and its record as the SDK shows it."""
    if usage is None or not sdk.usage:
        return None
    native = {
        k: v for k, v in _without_nulls(dict(usage.native)).items() if not sdk.usage_fields or k in sdk.usage_fields
    }
    told: dict[str, Any] = {key: _number(native, sdk.usage.get(key, ())) for key in _USAGE_KEYS}
    return told | {"native": native}


def _usage_of(answer: Completion | Embeddings, sdk: Sdk) -> Usage | None:
    """The usage, or the record of one in which nothing is counted; none where the SDK does not look for it."""
    record = at(dict(answer.metadata), sdk.uncounted) if sdk.uncounted else None
    if answer.usage is None:
        return Usage(native=record) if record else None
    unseen = bool(sdk.unseen_usage) and at(dict(answer.metadata), sdk.unseen_usage) == answer.usage.native
    return None if unseen else answer.usage


def _number(native: dict[str, Any], paths: tuple[Path, ...]) -> Any:
    """The first number that is not 0; where there is none, what the last place says."""
    values = [at(native, path) for path in paths]
    return next((value for value in values if value), values[-1] if values else None)


def _choice_of(completion: Completion, sdk: Sdk) -> dict[str, Any]:
    if completion.choices:
        return _choice(completion.choices[0], sdk)
    return {"text": "", "thinking": None, "tool_calls": [], "finish_reason": None}


def _choice(choice: Choice, sdk: Sdk) -> dict[str, Any]:
    calls = (call for call in choice.message.tool_calls if _mark(call, "kind") != "function_call")
    return {
        "text": "".join(_shown_text(part) for part in choice.message.parts),
        "thinking": choice.message.thinking,
        "tool_calls": [_call(call, sdk) for call in calls],
        "finish_reason": choice.raw_finish_reason,
    }


def _shown_text(part: Part) -> str:
    return part.text if isinstance(part, TextPart) and _mark(part, "content_object") is None else ""


def _call(call: ToolCall, sdk: Sdk) -> dict[str, Any]:
    """A call. Most SDKs say `null` where there is no JSON text at all; for us that means no arguments."""
    id = form(call.metadata, _CHAT).get("sent_id", call.id)
    if call.arguments_json is None:
        return {"id": id, "name": call.name, "arguments": None if _mark(call, "no_arguments") else call.arguments}
    arguments = call.arguments if call.arguments_json.strip() or sdk.no_text_is_no_arguments else None
    return {"id": id, "name": call.name, "arguments": arguments, "arguments_raw": call.arguments_json}


def _function_call(message: ChatMessage, sdk: Sdk) -> dict[str, Any] | None:
    legacy = next((call for call in message.tool_calls if _mark(call, "kind") == "function_call"), None)
    return {"name": legacy.name, "arguments": _call(legacy, sdk)["arguments"]} if legacy is not None else None


def _content_object(message: ChatMessage) -> Any:
    return next((found for part in message.parts if (found := _mark(part, "content_object")) is not None), None)


def _other_blocks(message: ChatMessage, sdk: Sdk, *, stream: bool) -> list[str]:
    """The types of the blocks that are neither text, thinking nor a client's tool call, in order."""
    names = [name for part in message.parts for name in _block_names(part, sdk, stream=stream)]
    return [name for name in names if name and not (stream and name in sdk.not_in_streams)]


def _block_names(part: Part, sdk: Sdk, *, stream: bool) -> list[str]:
    cited = isinstance(part, TextPart) and bool(sdk.cited_note) and at(dict(part.metadata), sdk.cited_note) is not None
    if isinstance(part, TextPart) and (part.citations or cited):
        return [sdk.cited_piece] * len(part.citations) if stream else [sdk.cited_block]
    if isinstance(part, ReasoningPart) and part.encrypted is not None and not part.text:
        return [sdk.redacted_block]
    return [part.type] if isinstance(part, ProviderPart) else []


def _mark(part: Part, key: str) -> Any:
    """A note that the OpenAI chat codec made for its encoder."""
    return form(getattr(part, "metadata", {}), _CHAT).get(key)


def _from_metadata(completion: Completion, key: str) -> Any:
    places = (completion.metadata, *(choice.metadata for choice in completion.choices[:1]))
    return next((value for place in places if (value := place.get(key)) is not None), None)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _exception(error: LLMError, sdk: Sdk) -> str | None:
    """The class that the vendor's SDK raises for it."""
    if sdk.exceptions_by_type:
        return error.type
    status = error.status or 0
    start, name = sdk.exception_from
    return sdk.exceptions.get(status) or (name if status >= start else sdk.exception)
