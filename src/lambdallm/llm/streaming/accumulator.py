"""Put a stream's chunks together into the completion that the same call without streaming would have given."""

from __future__ import annotations

import json

from ..types import (
    EMPTY,
    ChatMessage,
    Choice,
    Completion,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..types import FinishReason, Metadata, Part, Usage


class Accumulator:
    """Add chunks in order; ask for the completion at any time."""

    def __init__(self) -> None:
        self._choices: dict[int, _ChoiceBuilder] = {}
        self._usage: Usage | None = None
        self._metadata: dict[str, Any] = {}

    def add(self, chunks: Iterable[StreamChunk]) -> None:
        """Take the next chunks."""
        for chunk in chunks:
            if chunk.usage is not None:
                self._usage = chunk.usage
            if chunk.metadata:
                self._metadata.update(chunk.metadata)
            builder = self._choices.get(chunk.index)
            if builder is None:
                builder = self._choices[chunk.index] = _ChoiceBuilder()
            builder.add(chunk)

    def completion(self) -> Completion:
        """What has come so far. `id`, `model` and what belongs to a choice (`choices`) are taken from the metadata."""
        metadata = dict(self._metadata)
        of_choices: Any = metadata.pop("choices", EMPTY)
        of_choices = of_choices if isinstance(of_choices, dict) else EMPTY
        return Completion(
            tuple(
                builder.choice(index, of_choices.get(index, EMPTY)) for index, builder in sorted(self._choices.items())
            ),
            usage=self._usage,
            id=metadata.pop("id", None),
            model=metadata.pop("model", None),
            metadata=metadata,
        )


def as_chunks(answer: Completion) -> list[StreamChunk]:
    """A whole answer as the chunks that add up to it: a part a chunk, then the finish reason and the usage."""
    chunks = [chunk for choice in answer.choices for chunk in _choice_chunks(choice)]
    of_choices = {choice.index: _choice_metadata(choice) for choice in answer.choices if _choice_metadata(choice)}
    named = {"id": answer.id, "model": answer.model, "choices": of_choices or None}
    metadata = {**answer.metadata, **{key: value for key, value in named.items() if value is not None}}
    return [*chunks, StreamChunk(usage=answer.usage, metadata=metadata)]


def _choice_metadata(choice: Choice) -> dict[str, Any]:
    message = {"message": choice.message.metadata} if choice.message.metadata else {}
    return {**choice.metadata, **message}


def _choice_chunks(choice: Choice) -> Iterable[StreamChunk]:
    calls = 0
    for block, part in enumerate(choice.message.parts):
        if isinstance(part, ToolCall):
            text = part.arguments_json if part.arguments_json is not None else json.dumps(part.arguments)
            delta = ToolCallDelta(calls, part.id, part.name, text, part.metadata)
            yield StreamChunk(tool_calls=(delta,), block=block, index=choice.index)
            calls += 1
        elif isinstance(part, TextPart) and part == TextPart(part.text):
            yield StreamChunk(part.text, block=block, index=choice.index)
        else:
            yield StreamChunk(part=part, block=block, index=choice.index)
    yield StreamChunk(
        finish_reason=choice.finish_reason, raw_finish_reason=choice.raw_finish_reason, index=choice.index
    )


class _ChoiceBuilder:
    """The parts of one choice, in the order they began; pieces of one block join whatever comes between."""

    def __init__(self) -> None:
        self._texts: dict[tuple[str, int], list[str]] = {}
        self._calls: dict[tuple[str, int], list[ToolCallDelta]] = {}
        self._wholes: dict[tuple[str, int], list[Part]] = {}
        self._order: dict[tuple[str, int], None] = {}
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason: str | None = None

    def add(self, chunk: StreamChunk) -> None:
        if chunk.delta:
            self._text("text", chunk.block, chunk.delta)
        if chunk.thinking:
            self._text("thinking", chunk.block, chunk.thinking)
        if chunk.part is not None:
            self._whole(chunk.part, chunk.block)
        for call in chunk.tool_calls:
            self._calls.setdefault(self._place("call", call.index), []).append(call)
        if chunk.finish_reason is not None:
            self.finish_reason, self.raw_finish_reason = chunk.finish_reason, chunk.raw_finish_reason

    def choice(self, index: int, metadata: Metadata) -> Choice:
        """The choice; what `metadata` has under `message` is the message's own."""
        parts = tuple(part for key in self._order for part in self._parts(key))
        own = {key: value for key, value in metadata.items() if key != "message"} or EMPTY
        message = ChatMessage("assistant", parts, metadata=metadata.get("message", EMPTY))
        return Choice(message, self.finish_reason, self.raw_finish_reason, index, own)

    def _place(self, kind: str, number: int) -> tuple[str, int]:
        key = (kind, number)
        self._order.setdefault(key)
        return key

    def _text(self, kind: str, block: int, text: str) -> None:
        self._texts.setdefault(self._place(kind, block), []).append(text)

    def _whole(self, part: Part, block: int) -> None:
        kinds: dict[type, str] = {TextPart: "text", ReasoningPart: "thinking", RefusalPart: "refusal"}
        kind = kinds.get(type(part))
        key = self._place(kind, block) if kind else self._place("whole", len(self._order))
        self._wholes.setdefault(key, []).append(part)

    def _parts(self, key: tuple[str, int]) -> Iterable[Part]:
        kind, _ = key
        wholes: Any = self._wholes.get(key, ())
        text = "".join(self._texts.get(key, ()))
        if kind == "text":
            return [_joined_text(text, wholes)]
        if kind == "thinking":
            return [_joined_reasoning(text, wholes)]
        if kind == "refusal":
            return [RefusalPart("".join(part.text for part in wholes), _merged(wholes))]
        return [_joined_call(self._calls[key])] if kind == "call" else wholes


def _joined_text(text: str, wholes: Iterable[TextPart]) -> TextPart:
    citations = tuple(citation for part in wholes for citation in part.citations)
    return TextPart(text + "".join(part.text for part in wholes), citations, _merged(wholes))


def _joined_reasoning(text: str, wholes: Iterable[ReasoningPart]) -> ReasoningPart:
    def last(name: str) -> Any:
        return next((v for part in reversed(list(wholes)) if (v := getattr(part, name)) is not None), None)

    text += "".join(part.text for part in wholes)
    return ReasoningPart(text, last("signature"), last("encrypted"), last("id"), _merged(wholes))


def _joined_call(pieces: list[ToolCallDelta]) -> ToolCall:
    def first(name: str) -> str:
        return next((value for piece in pieces if (value := getattr(piece, name))), "")

    text = "".join(piece.arguments for piece in pieces)
    return ToolCall.from_json(first("id"), first("name"), text, _merged(pieces))


def _merged(pieces: Iterable[Any]) -> dict[str, Any]:
    """Metadata, newer over older; a protocol's notes and their `form` grow field by field."""
    merged: dict[str, Any] = {}
    for piece in pieces:
        _merge(merged, piece.metadata, 2)
    return merged


def _merge(known: dict[str, Any], more: Metadata, depth: int) -> None:
    for key, value in more.items():
        if depth and isinstance(value, dict):
            if not isinstance(known.get(key), dict):
                known[key] = {}
            _merge(known[key], value, depth - 1)
        else:
            known[key] = value
