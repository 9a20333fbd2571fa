"""Streams of Cohere's chat protocol, version 2: named server-sent events, each adding to one message.

A block of content has a start, deltas and an end; a plan has deltas; a call has a start, deltas and an end; a citation
comes whole in its start; `message-end` brings the reason and the usage, or the error that ended the answer. `debug` and
events of unknown types are read over.

Source: API reference, "Chat with streaming (v2)"; "A guide to streaming responses"; "Streaming for tool use".
"""

from __future__ import annotations

import json

from ...types import EMPTY, ReasoningPart, StreamChunk, TextPart, ToolCallDelta
from ..cohere_error import error_facts
from ..failures import stream_error
from ..framed import FramedDecoder
from ..repeat import Repeat
from ..sse import SseDecoder
from .fields import finish_reason, inner, leftovers, noted, read_usage, text_of
from .response import PLAN, as_text, cited_kind, content_part, reasoning_notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ...errors import LLMError
    from ...types import Usage
    from ..sse import Event
    from .fields import Record

_SHOWN = 80
_PLAN = "plan"
"""The block of a plan, which has no index."""
_END_FIELDS = frozenset(("finish_reason", "usage", "error", "error_type"))
_IN_PIECES = ("text", "thinking")


class StreamDecoder(FramedDecoder):
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self) -> None:
        super().__init__(SseDecoder())
        self._texts, self._thoughts = Repeat(), Repeat()
        self._blocks: list[_Block] = []
        self._by_index: dict[Any, _Block] = {}
        self._latest: dict[str, _Block] = {}
        self._calls: dict[int, int] = {}
        self._begun = 0
        self._logprobs: list[Any] = []

    def _chunks(self, events: Iterable[Event]) -> list[StreamChunk]:
        chunks: list[StreamChunk] = []
        for name, payload in events:
            if (said := self._texts.text(payload)) is not None:
                chunks.append(StreamChunk(said, "", (), None, None, None, None, self._texts.index))
            elif (thought := self._thoughts.text(payload)) is not None:
                chunks.append(StreamChunk("", thought, (), None, None, None, None, self._thoughts.index))
            elif payload.strip() not in (b"", b"[DONE]"):
                self._payload(name, payload, chunks)
            if self.done or self.error is not None:
                break
        return chunks

    def _payload(self, name: str, payload: bytes, chunks: list[StreamChunk]) -> None:
        try:
            event = json.loads(payload)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            shown = payload[:_SHOWN].decode("utf-8", "replace")
            self._fail(f"The stream is malformed: {shown!r} is no event of this protocol.")
            return
        kind = event.get("type") or name
        if kind == "content-delta":
            self._content_delta(event, chunks, payload)
        elif (handler := _HANDLERS.get(kind) if isinstance(kind, str) else None) is not None:
            handler(self, event, chunks)
        elif isinstance(said := event.get("message"), str):
            self.error = stream_error(error_facts(said, event.get("error_type")))

    def _message_start(self, event: Record, chunks: list[StreamChunk]) -> None:
        if id := text_of(event, "id"):
            chunks.append(StreamChunk(metadata={"id": id}))

    def _content_start(self, event: Record, chunks: list[StreamChunk]) -> None:
        content = inner(event, "delta", "message", "content")
        block = self._begun_block(event.get("index"))
        if block is None:
            self._fail(f"The stream is malformed: block {event.get('index')!r} begins twice.")
            return
        kind = text_of(content, "type")
        self._tell(block, kind)
        if kind and kind not in _IN_PIECES:
            block.fields = dict(content)
        else:
            if kind and (own := leftovers(content, ("type", "text", "thinking"))):
                chunks.append(StreamChunk(part=content_part({"type": kind} | own), block=block.number))
            self._content(content, block, chunks)

    def _content_delta(self, event: Record, chunks: list[StreamChunk], payload: bytes) -> None:
        content = inner(event, "delta", "message", "content")
        block = self._block(event.get("index"))
        if (logprobs := event.get("logprobs")) is not None:
            self._logprobs.append(logprobs)
        if block.kind and block.kind not in _IN_PIECES:
            block.fields |= content
            return
        self._content(content, block, chunks)
        if logprobs is None and len(content) == 1 and type(event.get("index")) is int:
            ((field, said),) = content.items()
            if isinstance(said, str) and field in _IN_PIECES:
                (self._texts if field == "text" else self._thoughts).learn(payload, said, block.number)

    def _content(self, content: Record, block: _Block, chunks: list[StreamChunk]) -> None:
        text, thinking = text_of(content, "text"), text_of(content, "thinking")
        if text or thinking:
            self._tell(block, block.kind or ("thinking" if thinking else "text"))
            chunks.append(StreamChunk(text, thinking, block=block.number))

    def _content_end(self, event: Record, chunks: list[StreamChunk]) -> None:
        block = self._block(event.get("index"))
        block.is_open = False
        if block.fields:
            chunks.append(StreamChunk(part=content_part(block.fields), block=block.number))
            block.fields = {}

    def _plan(self, event: Record, chunks: list[StreamChunk]) -> None:
        text = text_of(inner(event, "delta", "message"), "tool_plan")
        if text:
            block = self._block(_PLAN)
            part = None if block.kind else ReasoningPart(metadata=noted(PLAN))
            self._tell(block, _PLAN)
            chunks.append(StreamChunk("", text, part=part, block=block.number))

    def _call_start(self, event: Record, chunks: list[StreamChunk]) -> None:
        call = inner(event, "delta", "message", "tool_calls")
        function = inner(call, "function")
        number = self._calls[_key(event)] = self._begun
        self._begun += 1
        metadata = noted(leftovers(call, ("id", "type", "function")))
        piece = as_text(function.get("arguments"))
        delta = ToolCallDelta(number, text_of(call, "id"), text_of(function, "name"), piece, metadata)
        chunks.append(StreamChunk(tool_calls=(delta,)))

    def _call_delta(self, event: Record, chunks: list[StreamChunk]) -> None:
        function = inner(event, "delta", "message", "tool_calls", "function")
        number = self._calls.get(_key(event), max(self._begun - 1, 0))
        if piece := as_text(function.get("arguments")):
            chunks.append(StreamChunk(tool_calls=(ToolCallDelta(number, arguments=piece),)))

    def _citation(self, event: Record, chunks: list[StreamChunk]) -> None:
        citation = inner(event, "delta", "message", "citations")
        if citation and cited_kind(citation) is TextPart:
            block = self._cited(citation, "text")
            chunks.append(StreamChunk(part=TextPart("", (citation,)), block=block.number))
        elif citation:
            planned = citation.get("type") == "PLAN" and _PLAN in self._by_index
            self._cited(citation, _PLAN if planned else "thinking").citations.append(citation)

    def _cited(self, citation: Record, kind: str) -> _Block:
        """The block a citation names, or the latest of its kind."""
        index = citation.get("content_index")
        named = self._by_index.get(index) if type(index) is int else None
        if named is not None and named.kind == kind:
            return named
        return self._latest.get(kind) or self._block(f"cited {kind}")

    def _message_end(self, event: Record, chunks: list[StreamChunk]) -> None:
        self._cite_thoughts(chunks)
        delta = inner(event, "delta")
        reason, raw = finish_reason(delta.get("finish_reason"))
        usage = read_usage(delta.get("usage"))
        metadata = leftovers(delta, _END_FIELDS) | ({"logprobs": self._logprobs} if self._logprobs else {})
        chunks.append(StreamChunk("", "", (), reason, raw, usage, metadata=metadata or EMPTY))
        if reason == "error" or delta.get("error"):
            self.error = ended_badly(raw, delta, usage)
        elif raw is None:
            self._fail("The stream ended without a finish reason.")
        else:
            self.done = True

    def _cite_thoughts(self, chunks: list[StreamChunk]) -> None:
        """What cites a plan or thinking, told once: it is noted beside them, and notes replace one another."""
        for block in self._blocks:
            if block.citations:
                notes = reasoning_notes(PLAN if block.kind == _PLAN else {}, block.citations)
                chunks.append(StreamChunk(part=ReasoningPart(metadata=notes), block=block.number))

    def _begun_block(self, index: Any) -> _Block | None:
        """A new block for an index; `None` where the one before it has not ended."""
        before = self._by_index.pop(_hashable(index), None)
        if before is not None and before.is_open:
            return None
        self._texts, self._thoughts = Repeat(), Repeat()  # which remember the number of the block before
        block = self._block(index)
        block.is_open = True
        return block

    def _tell(self, block: _Block, kind: str) -> None:
        block.kind = kind
        self._latest[kind] = block

    def _block(self, index: Any) -> _Block:
        """The block of an index: the provider's own, or a word. They are numbered in the order they began."""
        index = _hashable(index)
        if index not in self._by_index:
            self._by_index[index] = _Block(len(self._blocks))
            self._blocks.append(self._by_index[index])
        return self._by_index[index]


class _Block:
    """A block in the making; `fields` are those of a kind that only comes whole."""

    def __init__(self, number: int) -> None:
        self.number, self.kind, self.is_open = number, "", False
        self.fields: Record = {}
        self.citations: list[Record] = []


def ended_badly(raw: str | None, record: Record, usage: Usage | None) -> LLMError:
    """The error of an answer that ended with an error for its reason. One that isn't explained may pass."""
    said, kind = text_of(record, "error"), text_of(record, "error_type")
    unexplained = "timeout_error" if raw == "TIMEOUT" else None if said else "server_error"
    facts = error_facts(said or f"The answer ended with finish reason {raw!r}.", kind or unexplained)
    error = stream_error(facts, usage=usage)
    error.type = kind or None
    return error


def _hashable(index: Any) -> int | str:
    return index if isinstance(index, (int, str)) else 0


def _key(event: Record) -> int:
    index = event.get("index")
    return index if type(index) is int else 0


_HANDLERS: dict[str, Callable[[StreamDecoder, Record, list[StreamChunk]], None]] = {
    "message-start": StreamDecoder._message_start,
    "content-start": StreamDecoder._content_start,
    "content-end": StreamDecoder._content_end,
    "tool-plan-delta": StreamDecoder._plan,
    "tool-call-start": StreamDecoder._call_start,
    "tool-call-delta": StreamDecoder._call_delta,
    "citation-start": StreamDecoder._citation,
    "message-end": StreamDecoder._message_end,
}
