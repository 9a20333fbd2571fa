"""A streamed answer for a client of the Gemini protocol: each event is an answer in small (`data: {…}`).

Text and thoughts go out as they come. A function call goes out once its arguments are whole, since the protocol has no
pieces of them; why the answer ended, what it cost and what is known of it as a whole come in the last event. An error
in midstream is an event of its own.

Source: Gemini API reference, "Method: models.streamGenerateContent" with `alt=sse`.
"""

from __future__ import annotations

from ...types import ReasoningPart, TextPart, ToolCall
from ..notes import own_fields
from .answer import (
    answer_fields,
    citations_of,
    encode_answer_part,
    encode_call,
    encode_citations,
    encode_finish,
    encode_thought,
    encode_usage,
    write,
)
from .fault import error_object
from .fields import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ...errors import LambdaLLMError
    from ...types import ChatRequest, FinishReason, Metadata, StreamChunk, ToolCallDelta, Usage


class StreamEncoder:
    """Turns chunks into events; see `codec.Encoder`."""

    def __init__(self, request: ChatRequest, *, id: str, created: int) -> None:
        self._model, self._id, self._created = request.model, id, created
        self._choices: dict[int, _Choice] = {}
        self._metadata: dict[str, Any] = {}
        self._of_choices: Mapping[int, Metadata] = {}
        self._usage: Usage | None = None
        self._about: dict[str, Any] = {}

    def feed(self, chunks: Sequence[StreamChunk]) -> bytes:
        """The events for these chunks."""
        return b"".join(self._chunk(chunk) for chunk in chunks)

    def close(self) -> bytes:
        """The last event: calls that were held back, finish reasons, usage."""
        blocked = self._is_blocked()
        candidates = [] if blocked else [self._last(index) for index in sorted(self._choices) or (0,)]
        body: dict[str, Any] = {"candidates": candidates} if candidates else {}
        if self._usage is not None:
            body["usageMetadata"] = encode_usage(self._usage)
        return self._event(body, own_fields(self._metadata, MARK))

    def fail(self, error: LambdaLLMError) -> bytes:
        """The event that ends a stream which has begun with an error."""
        return _event({"error": error_object(error)})

    def _chunk(self, chunk: StreamChunk) -> bytes:
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.metadata:
            self._learn(chunk.metadata)
        if not (chunk.delta or chunk.thinking or chunk.part or chunk.tool_calls or chunk.finish_reason):
            return b""
        choice = self._choices.get(chunk.index)
        if choice is None:
            choice = self._choices[chunk.index] = _Choice()
        parts = choice.take(chunk)
        if not parts:
            return b""
        return self._event({"candidates": [_candidate(parts, chunk.index)]}, {})

    def _learn(self, metadata: Metadata) -> None:
        self._metadata.update(metadata)
        self._model = metadata.get("model") or self._model
        self._id = metadata.get("id") or self._id
        self._of_choices = metadata.get("choices") or self._of_choices
        self._about = {}

    def _is_blocked(self) -> bool:
        """Whether nothing came but the block that `promptFeedback` tells."""
        feedback = own_fields(self._metadata, MARK).get("promptFeedback")
        blocked = isinstance(feedback, dict) and bool(feedback.get("blockReason"))
        return blocked and all(choice.is_empty for choice in self._choices.values())

    def _last(self, index: int) -> dict[str, Any]:
        """What ends a candidate. It has a part, empty or not: the SDK's chats drop a turn if an event has none."""
        choice = self._choices.get(index) or _Choice()
        body = _candidate(choice.rest() or [{"text": ""}], index)
        if reason := encode_finish(choice.finish_reason, choice.raw_finish_reason):
            body["finishReason"] = reason
        if choice.citations:
            body["citationMetadata"] = encode_citations(choice.citations)
        return body | own_fields(self._of_choices.get(index, {}), MARK)

    def _event(self, body: dict[str, Any], own: dict[str, Any]) -> bytes:
        if not self._about:
            self._about = answer_fields({}, self._model, self._id, self._created)
        return _event(body | self._about | own)


class _Choice:
    """One choice: the calls and the thought's proof that it holds back, and what its last event says."""

    def __init__(self) -> None:
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason: str | None = None
        self.citations: list[dict[str, Any]] = []
        self.is_empty = True
        self._calls: dict[int, _Call] = {}
        self._grown: set[int] = set()
        self._thought: _Thought | None = None

    def take(self, chunk: StreamChunk) -> list[dict[str, Any]]:
        """The parts to send for a chunk."""
        if chunk.finish_reason is not None:
            self.finish_reason, self.raw_finish_reason = chunk.finish_reason, chunk.raw_finish_reason
        said = self._said(chunk)
        parts = self._whole_calls() + said if said else []
        for piece in chunk.tool_calls:
            if piece.index not in self._calls:
                parts += self._end_of_thought() + self._whole_calls()
                self._calls[piece.index] = _Call()
            self._calls[piece.index].add(piece)
            if piece.arguments:
                self._grown.add(piece.index)
        self.is_empty = self.is_empty and not (parts or self._calls)
        return parts

    def rest(self) -> list[dict[str, Any]]:
        """What is left: a thought's proof, and the calls, whatever their arguments are."""
        held = [encode_call(call.whole()) for call in self._calls.values() if not call.sent]
        return self._end_of_thought() + held

    def _whole_calls(self) -> list[dict[str, Any]]:
        """The calls whose arguments have become a whole object, which no piece of one is.

        Before any text came nobody can tell: it may be all there is, or only the beginning.
        """
        grown = [self._calls[index] for index in sorted(self._grown)]
        self._grown.clear()
        parts = []
        for call in grown:
            if not call.sent and isinstance((whole := call.whole()).arguments, dict):
                call.sent = True
                parts.append(encode_call(whole))
        return parts

    def _said(self, chunk: StreamChunk) -> list[dict[str, Any]]:
        """Text, thought and whole part of a chunk."""
        part, delta = chunk.part, chunk.delta
        parts = self._thinking(chunk) if chunk.thinking or isinstance(part, ReasoningPart) else []
        if isinstance(part, TextPart):
            self.citations += citations_of((part,))
            part = part.replace(text=delta + part.text)
        elif delta:
            parts += self._end_of_thought() + encode_answer_part(TextPart(delta))
        if part is not None and not isinstance(part, ReasoningPart) and (body := encode_answer_part(part)):
            parts += self._end_of_thought() + body
        return parts

    def _thinking(self, chunk: StreamChunk) -> list[dict[str, Any]]:
        """A piece of a thought. This protocol's signature goes beside it, a foreign proof after the whole."""
        parts = self._end_of_thought() if self._thought is not None and self._thought.block != chunk.block else []
        if self._thought is None:
            self._thought = _Thought(chunk.block)
        part = chunk.part if isinstance(chunk.part, ReasoningPart) else ReasoningPart()
        piece = part.replace(text=chunk.thinking + part.text)
        if MARK in part.metadata:
            return parts + encode_thought(piece, piece.text)
        self._thought.add(piece)
        return parts + encode_thought(ReasoningPart(piece.text), piece.text)

    def _end_of_thought(self) -> list[dict[str, Any]]:
        thought, self._thought = self._thought, None
        return thought.proof() if thought is not None else []


class _Thought:
    """The pieces of one thought."""

    def __init__(self, block: int) -> None:
        self.block = block
        self._pieces: list[ReasoningPart] = []

    def add(self, piece: ReasoningPart) -> None:
        self._pieces.append(piece)

    def proof(self) -> list[dict[str, Any]]:
        """A part of no text that carries what proves the whole, where something does."""
        whole: dict[str, Any] = {}
        metadata: dict[str, Any] = {}
        for piece in self._pieces:
            named = {"signature": piece.signature, "encrypted": piece.encrypted, "id": piece.id}
            whole |= {name: value for name, value in named.items() if value is not None}
            metadata |= piece.metadata
        text = "".join(piece.text for piece in self._pieces)
        return encode_thought(ReasoningPart(**whole, metadata=metadata), text)


class _Call:
    """A call in the making."""

    def __init__(self) -> None:
        self.sent = False
        self._id, self._name = "", ""
        self._pieces: list[str] = []
        self._metadata: dict[str, Any] = {}

    def add(self, piece: ToolCallDelta) -> None:
        self._id, self._name = self._id or piece.id or "", self._name or piece.name or ""
        self._pieces.append(piece.arguments)
        self._metadata |= piece.metadata

    def whole(self) -> ToolCall:
        """The call with what has come."""
        return ToolCall.from_json(self._id, self._name, "".join(self._pieces), self._metadata)


def _candidate(parts: list[dict[str, Any]], index: int) -> dict[str, Any]:
    return {"content": {"role": "model", "parts": parts}, "index": index}


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + write(body) + b"\r\n\r\n"
