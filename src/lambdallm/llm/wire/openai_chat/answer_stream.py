"""Streams as the OpenAI chat protocol's own server writes them, from chunks of any protocol.

Text, thinking and pieces of calls go out as they come. What can only be told when all has come (the proof of thoughts,
annotations, log probabilities) goes out at the end, before each choice's finish reason. Every event of a stream has
the same id, model and time: those known when the first is written.

Sources: OpenAI, "The chat completion chunk object"; openai-python, `_streaming.py`, for errors.
"""

from __future__ import annotations

import json

from ...streaming.accumulator import Accumulator
from ...types import ChatMessage, Choice, ReasoningPart, RefusalPart, TextPart
from ..notes import form, own_fields
from ..openai_error_told import error_object
from .answer import as_bytes, beside_choices, envelope, finish_word, is_legacy, late_fields, usage_body
from .fields import PROTOCOL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from ...errors import LambdaLLMError
    from ...types import ChatRequest, StreamChunk, ToolCallDelta

    Record = dict[str, Any]


_NOTHING = Choice(ChatMessage("assistant"))


class StreamEncoder:
    """Turns the chunks of one streamed answer into bytes; see `codec.Encoder`."""

    def __init__(self, request: ChatRequest, *, id: str, created: int) -> None:
        self._request, self._id, self._created = request, id, created
        options = request.extra.get("stream_options")
        self._tells_usage = isinstance(options, dict) and bool(options.get("include_usage"))
        self._legacy = is_legacy(request)
        self._all = Accumulator()
        self._choices: dict[int, _Choice] = {}
        self._head = b""
        self._tail = b""
        self._beside: Record = {}

    def feed(self, chunks: Sequence[StreamChunk]) -> bytes:
        """The bytes for these chunks; the first call's begin with what opens a stream of the protocol."""
        if not chunks:
            return b""
        self._all.add(chunks)
        opening = b"" if self._head else self._open()
        return opening + b"".join(piece for chunk in chunks for piece in self._pieces(chunk))

    def close(self) -> bytes:
        """The bytes that end the stream normally: what was held back, the finish reason, usage, the end mark."""
        opening = b"" if self._head else self._open()
        answer = self._all.completion()
        choices = [choice for choice in answer.choices if choice.index in self._choices]
        ends = b"".join(piece for choice in choices or [_NOTHING] for piece in self._end(choice))
        usage = b""
        if self._tells_usage and answer.usage is not None:
            body = self._envelope | {"choices": [], "usage": usage_body(answer.usage)}
            usage = b"data: " + as_bytes(body | beside_choices(answer.metadata)) + b"\n\n"
        return opening + ends + usage + b"data: [DONE]\n\n"

    def fail(self, error: LambdaLLMError) -> bytes:
        """The bytes that end a stream which has begun with an error: OpenAI's SDKs raise what stands under `error`."""
        return b"data: " + json.dumps({"error": error_object(error)}, separators=(",", ":")).encode() + b"\n\n"

    def _pieces(self, chunk: StreamChunk) -> Iterator[bytes]:
        """The events of a chunk; text alone, which is most of a stream, has a short way."""
        if chunk.delta and chunk.index in self._choices and not (chunk.thinking or chunk.part or chunk.tool_calls):
            yield b'%b%d,"delta":{"content":%b}%b' % (self._head, chunk.index, as_bytes(chunk.delta), self._tail)
        else:
            yield from (self._event(index, delta) for index, delta in self._deltas(chunk))

    def _open(self) -> bytes:
        """Settle what every event says, and tell the role of the first choice."""
        answer = self._all.completion()
        self._envelope = envelope(answer, self._request, self._id, self._created, "chat.completion.chunk")
        self._beside = beside_choices(answer.metadata)
        named = {key: value for key, value in self._beside.items() if key in ("system_fingerprint", "service_tier")}
        self._head = b"data: " + as_bytes(self._envelope | named)[:-1] + b',"choices":[{"index":'
        usage = b',"usage":null' if self._tells_usage else b""
        self._tail = b',"logprobs":null,"finish_reason":null}]' + usage + b"}\n\n"
        return self._role(0)

    def _role(self, index: int) -> bytes:
        self._choices[index] = _Choice(legacy=self._legacy)
        return self._event(index, {"role": "assistant", "content": ""})

    def _event(self, index: int, delta: Record) -> bytes:
        return b'%b%d,"delta":%b%b' % (self._head, index, as_bytes(delta), self._tail)

    def _deltas(self, chunk: StreamChunk) -> Iterator[tuple[int, Record]]:
        """What a chunk adds to its choice; a choice that begins says its role first."""
        index = chunk.index
        deltas = list(_said(chunk))
        if index not in self._choices:
            if not deltas and not chunk.tool_calls and chunk.finish_reason is None:
                return
            self._choices[index] = _Choice(legacy=self._legacy)
            yield index, {"role": "assistant", "content": ""}
        for delta in deltas:
            yield index, delta
        for call in chunk.tool_calls:
            yield from ((index, delta) for delta in self._choices[index].call(call))

    def _end(self, choice: Choice) -> Iterator[bytes]:
        """A choice's last events: what is known only now, then why it ended, with its unmodelled fields."""
        state = self._choices.setdefault(choice.index, _Choice(legacy=self._legacy))
        notes = own_fields(choice.metadata, PROTOCOL)
        beside = notes.pop("message", None)
        late = late_fields(choice.message) | (beside if isinstance(beside, dict) else {})
        for delta in (*state.empty_calls(), *((late,) if late else ())):
            yield self._event(choice.index, delta)
        word = finish_word(choice, legacy=self._legacy)
        last = {"index": choice.index, "delta": {}, "logprobs": None, "finish_reason": word, **notes}
        usage = {"usage": None} if self._tells_usage else {}
        yield b"data: " + as_bytes({**self._envelope, **self._beside, "choices": [last], **usage}) + b"\n\n"


def _said(chunk: StreamChunk) -> Iterator[Record]:
    """The text that a chunk adds, also where it came as a part."""
    part = chunk.part
    thinking = chunk.thinking + (part.text if isinstance(part, ReasoningPart) else "")
    text = chunk.delta + (part.text if isinstance(part, TextPart) else "")
    if thinking:
        yield {"reasoning_content": thinking}
    if text:
        yield {"content": text}
    if isinstance(part, RefusalPart) and part.text:
        yield {"refusal": part.text}


class _Choice:
    """The calls that a choice has begun."""

    def __init__(self, *, legacy: bool) -> None:
        self._legacy = legacy
        self._calls: dict[int, _Call] = {}

    def call(self, piece: ToolCallDelta) -> Iterator[Record]:
        """A piece of a call; the first one says its id, kind and name."""
        call = self._calls.get(piece.index)
        if call is None:
            noted = form(piece.metadata, PROTOCOL)
            kind = "custom" if noted.get("kind") == "custom" else "function"
            legacy = self._legacy or noted.get("kind") == "function_call"
            call = self._calls[piece.index] = _Call(len(self._calls), kind, legacy=legacy)
            yield call.begun(piece)
        elif piece.arguments or piece.name:
            yield call.goes_on(piece)

    def empty_calls(self) -> Iterator[Record]:
        """The empty object for each call that got no arguments: clients parse them."""
        for call in self._calls.values():
            if not call.has_text and call.kind == "function":
                yield call.delta({"arguments": "{}"}, {})


class _Call:
    """One call: its number among its choice's, its kind, and whether any of its arguments have come."""

    def __init__(self, number: int, kind: str, *, legacy: bool) -> None:
        self.number, self.kind, self._legacy = number, kind, legacy
        self.has_text = False
        self._text = "input" if kind == "custom" else "arguments"

    def begun(self, piece: ToolCallDelta) -> Record:
        """The first piece."""
        self.has_text = bool(piece.arguments.strip())
        body = {"name": piece.name or "", self._text: piece.arguments}
        named = {"id": piece.id or f"call_{self.number}", "type": self.kind}
        return self.delta(body, named | own_fields(piece.metadata, PROTOCOL))

    def goes_on(self, piece: ToolCallDelta) -> Record:
        """A later piece."""
        self.has_text = self.has_text or bool(piece.arguments.strip())
        name = {"name": piece.name} if piece.name else {}
        return self.delta({**name, self._text: piece.arguments}, own_fields(piece.metadata, PROTOCOL))

    def delta(self, body: Record, fields: Record) -> Record:
        """The delta that says this of the call. Functions of the old days have no number and no id."""
        if self._legacy:
            return {"function_call": body}
        return {"tool_calls": [{"index": self.number, **fields, self.kind: body}]}
