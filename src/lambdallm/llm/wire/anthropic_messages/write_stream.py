"""A streamed answer to a client: chunks of any provider into the protocol's events.

The protocol has one block open at a time, numbered as they begin. Chunks may go back and forth between blocks: a text
or a thought that goes on after another block began goes on in a new one. A tool call can't, so while its arguments are
not whole, what belongs elsewhere waits. Arguments that do not begin as an object are held until their call's end, to
travel inside one: clients parse the pieces as they come.

Source: "Streaming messages"; the `RawMessageStreamEvent` types of the API reference.
"""

from __future__ import annotations

from ...types import ProviderPart, ReasoningPart, RefusalPart, TextPart, ToolCall, ToolCallDelta
from ..call_ids import fitting_id
from ..notes import own_fields
from .blocks import own_citations, tool_input
from .carried import call_field, proof_of
from .response import MARK
from .write_error import error_record
from .write_response import (
    answer_block,
    opening,
    own_answer_fields,
    stop_reason,
    stop_sequence,
    usage_record,
    written,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any, TypeAlias

    from ...errors import LambdaLLMError
    from ...types import ChatRequest, FinishReason, Part, StreamChunk, Usage

    _Key: TypeAlias = tuple[str, int]
    _Piece: TypeAlias = tuple[_Key, Any]

_TEXTS = ("text", "refusal")
_STARTS: dict[str, dict[str, str]] = {
    "text": {"type": "text", "text": ""},
    "refusal": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}
_IN_DELTA = ("container", "stop_details")
"""Where in `message_delta` a field of the answer stands; the others are beside it."""

_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"%s","%s":%s}}\n\n'
)

_MOST_TRIES = 32
"""How often a call's text is tried for being whole, so that trying costs no more than the text is long."""


class StreamEncoder:
    """Turns the chunks of one answer into bytes; see `codec.Encoder`. Only the first choice is told."""

    def __init__(self, request: ChatRequest, *, id: str, created: int) -> None:
        self._id, self._model = id, request.model
        self._begun = False
        self._index = -1
        self._open: _Key | None = None
        self._call: _Call | None = None
        self._proof = ""
        self._ended: set[_Key] = set()
        self._waiting: dict[_Key, list[_Piece]] = {}
        self._wholes = 0
        self._end = _End()

    def feed(self, chunks: Sequence[StreamChunk]) -> bytes:
        """The events for these chunks; the first call's begin with `message_start`."""
        out: list[bytes] = []
        self._begin(chunks, out)
        for chunk in chunks:
            if chunk.index:
                continue
            if chunk.delta and self._open == ("text", chunk.block) and _is_text(chunk):  # nearly every chunk
                self._delta("text_delta", "text", chunk.delta, out)
                continue
            self._end.note(chunk)
            for piece in self._pieces(chunk):
                self._take(piece, out)
        return b"".join(out)

    def close(self) -> bytes:
        """The events that end the stream normally."""
        out: list[bytes] = []
        self._begin((), out)
        self._finish(out)
        out += (_event("message_delta", **self._end.fields()), _event("message_stop"))
        return b"".join(out)

    def fail(self, error: LambdaLLMError) -> bytes:
        """What was held back, and the event that ends the stream with an error."""
        out: list[bytes] = []
        if self._begun:
            self._finish(out)
        out.append(_event(**error_record(error)))
        return b"".join(out)

    def _begin(self, chunks: Sequence[StreamChunk], out: list[bytes]) -> None:
        """Open the message, with what its first chunks say of it."""
        if self._begun:
            return
        self._begun = True
        told: dict[str, Any] = {}
        for chunk in chunks:
            told |= chunk.metadata
        usage = next((chunk.usage for chunk in chunks if chunk.usage is not None), None)
        message = opening(told.get("id") or self._id, told.get("model") or self._model, usage)
        out.append(_event("message_start", message=message | own_answer_fields(told)))

    def _pieces(self, chunk: StreamChunk) -> Iterator[_Piece]:
        """What a chunk adds to which block, in the order in which whole answers have it."""
        if chunk.delta:
            yield ("text", chunk.block), chunk.delta
        if chunk.thinking:
            yield ("thinking", chunk.block), chunk.thinking
        if chunk.part is not None:
            yield from self._part(chunk.part, chunk.block)
        for delta in chunk.tool_calls:
            yield ("call", delta.index), delta

    def _part(self, part: Part, block: int) -> Iterator[_Piece]:
        if isinstance(part, (TextPart, RefusalPart)):
            key = ("text" if isinstance(part, TextPart) else "refusal", block)
            if part.text:
                yield key, part.text
            if isinstance(part, TextPart):
                yield from ((key, {"citation": citation}) for citation in own_citations(part))
        elif isinstance(part, ReasoningPart):
            yield from self._thought(part, block)
        elif isinstance(part, ToolCall):
            self._wholes += 1
            text = part.arguments_json if part.arguments is None else written(dict(tool_input(part))).decode()
            yield ("whole call", self._wholes), ToolCallDelta(0, part.id, part.name, text or "", part.metadata)
        elif isinstance(part, ProviderPart) and (whole := answer_block(part)) is not None:
            self._wholes += 1
            yield ("whole", self._wholes), whole

    def _thought(self, part: ReasoningPart, block: int) -> Iterator[_Piece]:
        """Proof goes to the thought it stands with; alone, what is encrypted is a block of its own."""
        key = ("thinking", block)
        if part.text:
            yield key, part.text
        known = part.text or key == self._open or key in self._ended
        if part.encrypted and not part.signature and not known:
            self._wholes += 1
            yield ("whole", self._wholes), answer_block(part)
        elif (part.signature or part.encrypted or key not in self._ended) and (proof := proof_of(part)):
            yield key, {"signature": proof}

    def _take(self, piece: _Piece, out: list[bytes]) -> None:
        """Write a piece or let it wait; nothing waits but for an open call."""
        if piece[0] != self._open and (self._waiting or self._is_busy()):
            self._waiting.setdefault(piece[0], []).append(piece)
            return
        self._write(piece, out)
        while self._waiting and not self._is_busy():
            self._release(out)

    def _is_busy(self) -> bool:
        return self._call is not None and not self._call.is_whole()

    def _release(self, out: list[bytes]) -> None:
        """Write what has waited longest, with all of its block that came since."""
        for piece in self._waiting.pop(next(iter(self._waiting))):
            self._write(piece, out)

    def _write(self, piece: _Piece, out: list[bytes]) -> None:
        key, value = piece
        if key != self._open:
            if key[0] == "call" and key in self._ended:
                return  # more after the end of a whole object: no block can take it
            self._close_block(out)
            self._open_block(key, value, out)
        if self._call is not None:
            self._delta("input_json_delta", "partial_json", self._call.add(value.arguments), out)
        elif isinstance(value, str):
            kind = "text" if key[0] in _TEXTS else "thinking"
            self._delta(f"{kind}_delta", kind, value, out)
        elif "citation" in value:
            self._delta("citations_delta", "citation", value["citation"], out)
        elif "signature" in value and key[0] == "thinking":
            self._proof = value["signature"]

    def _delta(self, kind: str, name: str, value: Any, out: list[bytes]) -> None:
        if value:
            out.append(_DELTA % (self._index, kind.encode(), name.encode(), written(value)))

    def _open_block(self, key: _Key, value: Any, out: list[bytes]) -> None:
        self._index += 1
        self._open = key
        start = _STARTS.get(key[0], value)
        if isinstance(value, ToolCallDelta):
            self._call = _Call()
            self._end.called = True
            start = _call_start(value, self._index)
        self._end.declined = self._end.declined or key[0] == "refusal"
        out.append(_event("content_block_start", index=self._index, content_block=start))

    def _close_block(self, out: list[bytes]) -> None:
        if self._open is None:
            return
        if self._call is not None:
            self._delta("input_json_delta", "partial_json", self._call.rest(), out)
        self._delta("signature_delta", "signature", self._proof, out)
        out.append(_event("content_block_stop", index=self._index))
        self._ended.add(self._open)
        self._open = self._call = None
        self._proof = ""

    def _finish(self, out: list[bytes]) -> None:
        while self._waiting:
            self._release(out)
        self._close_block(out)


class _Call:
    """The arguments of the open call."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_object: bool | None = None
        self._tries = _MOST_TRIES
        self._whole = False

    def add(self, text: str) -> str:
        """Take the next piece; what of the text is to be sent now."""
        self._pieces.append(text)
        if self._is_object is None and (begun := text.lstrip()):
            self._is_object = begun.startswith("{")
        return text if self._is_object else ""

    def is_whole(self) -> bool:
        """Whether the text so far is an object."""
        if not self._whole and self._is_object and self._tries and self._pieces[-1].rstrip().endswith("}"):
            self._tries -= 1
            self._whole = ToolCall.from_json("", "", "".join(self._pieces)).arguments is not None
        return self._whole

    def rest(self) -> str:
        """What was held back: arguments that are no object, inside one."""
        text = "".join(self._pieces)
        if self._is_object or not text.strip():
            return ""
        return written(dict(tool_input(ToolCall.from_json("", "", text)))).decode()


class _End:
    """What only the end of the message tells."""

    def __init__(self) -> None:
        self.called = self.declined = False
        self._reason: FinishReason | None = None
        self._raw: str | None = None
        self._usage: Usage | None = None
        self._told: dict[str, Any] = {}

    def note(self, chunk: StreamChunk) -> None:
        """Keep what a chunk says of it."""
        if chunk.finish_reason is not None:
            self._reason, self._raw = chunk.finish_reason, chunk.raw_finish_reason
        if chunk.usage is not None:
            self._usage = chunk.usage
        if chunk.metadata:
            self._told |= chunk.metadata

    def fields(self) -> dict[str, Any]:
        """The fields of `message_delta`."""
        own = own_answer_fields(self._told)
        delta = {
            "stop_reason": stop_reason(self._reason, self._raw, called=self.called, declined=self.declined),
            "stop_sequence": stop_sequence(self._told),
            **{name: own.pop(name) for name in _IN_DELTA if name in own},
        }
        return {"delta": delta, "usage": usage_record(self._usage), **own}


def _is_text(chunk: StreamChunk) -> bool:
    """Whether a chunk is a piece of text and nothing else."""
    return not (
        chunk.thinking or chunk.tool_calls or chunk.part or chunk.finish_reason or chunk.usage or chunk.metadata
    )


def _call_start(delta: ToolCallDelta, index: int) -> dict[str, Any]:
    return {
        "type": "tool_use",
        "id": fitting_id(delta.id or f"call_{index}"),
        "name": delta.name or "",
        "input": {},
        **own_fields(delta.metadata, MARK),
        **call_field(delta),
    }


def _event(type: str, **fields: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (type.encode(), written({"type": type, **fields}))
