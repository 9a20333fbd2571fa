"""The stream of the Anthropic Messages protocol: server-sent events in, chunks out.

Source: "Streaming messages" and the `RawMessageStreamEvent` types of the API reference. A message begins with
`message_start`, each content block has a start, deltas and a stop, `message_delta` brings the stop reason and the last
word on usage, and `message_stop` ends it. `ping` and events of unknown types are read over, as the documentation asks.

Text, thinking, citations and a tool's arguments come through piece by piece. What has meaning only as a whole (a
signature, hidden thoughts, a hosted tool's block) comes at its block's end.
"""

from __future__ import annotations

import json

from ...errors import StreamError, error_for
from ...types import StreamChunk, TextPart, ToolCallDelta
from ..repeat import Repeat
from ..sse import FramingError, SseDecoder
from .blocks import invalid_input
from .response import (
    MALFORMED,
    MODELLED,
    TOOL_FIELDS,
    citations_of,
    decode_part,
    error_fields,
    extras_of,
    finish_reason,
    rest_of,
    text_of,
    usage_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ...errors import LLMError
    from ...types import Usage
    from ..sse import Event

_scan: Callable[[str, int], tuple[Any, int]] = json.JSONDecoder().scan_once  # type: ignore[attr-defined] # not in its stub
"""JSON at a third of the cost of `json.loads`, for text that is known to start with a value."""

_DELTA_FIELDS = frozenset(("type", "delta", "usage"))
_STOP_FIELDS = frozenset(("stop_reason",))
_IN_PIECES = frozenset(("text", "thinking", "redacted_thinking", "tool_use"))


class EventDecoder:
    """Turns the protocol's events into chunks, one JSON text at a time, whatever framing they came in."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.done = False
        self._blocks: dict[int, _Block] = {}
        self._begun: set[int] = set()
        self._started = self._stopped = False
        self._native: dict[str, Any] = {}
        self._calls = 0
        self._repeat = Repeat()

    def take(self, name: str, data: bytes, chunks: list[StreamChunk]) -> None:
        """Append the chunks of one event; `name` is the framing's, for an event whose data doesn't say."""
        if (said := self._repeat.text(data)) is not None:
            chunks.append(StreamChunk(said, "", (), None, None, None, None, self._repeat.index))
            return
        try:
            event = _parse(data)
            kind = event.get("type", name)
            if kind == "content_block_delta":
                delta, index = event["delta"], event["index"]
                if "text" in delta and delta["type"] == "text_delta" and type(index) is int:  # nearly every event
                    chunks.append(StreamChunk(text := text_of(delta, "text"), "", (), None, None, None, None, index))
                    self._repeat.learn(data, text, index)
                else:
                    chunks += self._delta(_index(event), delta)
            elif handler := _HANDLERS.get(kind):
                chunks += handler(self, event)
        except MALFORMED as problem:
            if data.strip() or name == "error":
                self._fail(_unreadable(name, data, problem))

    def _fail(self, message: str, **facts: Any) -> LLMError:
        self.error = error = StreamError(message, usage=self._usage(), **facts)
        return error

    def _usage(self) -> Usage | None:
        return usage_of(self._native.copy()) if self._native else None

    def _message_start(self, event: dict[str, Any]) -> Iterable[StreamChunk]:
        message = event["message"]
        if self._started:
            raise ValueError("the message began twice")
        self._started = True
        metadata = dict(rest_of(message, MODELLED))
        metadata |= {name: text for name in ("id", "model") if (text := text_of(message, name))}
        self._add_usage(message.get("usage"))
        yield StreamChunk(usage=self._usage(), metadata=metadata)

    def _message_delta(self, event: dict[str, Any]) -> Iterable[StreamChunk]:
        delta = event.get("delta") or {}
        word = delta.get("stop_reason")
        self._stopped = self._stopped or word is not None
        self._add_usage(event.get("usage"))
        metadata = {**rest_of(delta, _STOP_FIELDS), **rest_of(event, _DELTA_FIELDS)}
        yield StreamChunk("", "", (), finish_reason(word), word, self._usage(), metadata=metadata)

    def _add_usage(self, usage: Any) -> None:
        """Counts are totals so far: a later one replaces an earlier one, and a null leaves it."""
        if isinstance(usage, dict):
            self._native |= {name: value for name, value in usage.items() if value is not None or not self._native}

    def _block_start(self, event: dict[str, Any]) -> Iterable[StreamChunk]:
        index = _index(event)
        if index in self._begun:
            raise ValueError(f"block {index} began twice")
        self._begun.add(index)
        block = self._blocks[index] = _Block(event["content_block"])
        if block.kind == "tool_use":
            block.call, self._calls = self._calls, self._calls + 1
        return block.start(index)

    def _delta(self, index: int, delta: dict[str, Any]) -> Iterable[StreamChunk]:
        block = self._blocks.get(index)
        if block is None:
            raise KeyError(f"block {index} has not begun")
        return block.delta(index, delta)

    def _block_stop(self, event: dict[str, Any]) -> Iterable[StreamChunk]:
        index = _index(event)
        block = self._blocks.pop(index, None)
        return block.stop(index) if block else ()

    def _message_stop(self, _event: dict[str, Any]) -> Iterable[StreamChunk]:
        if not self._stopped:
            raise ValueError("the message ended without a stop reason")
        self.done = True
        return ()

    def _error(self, event: dict[str, Any]) -> Iterable[StreamChunk]:
        message, kind, code, request_id = error_fields(event)
        cause = error_for(None, message or "The provider reported an error in the stream.", type=kind, code=code)
        error = self._fail(cause.message, retryable=cause.retryable, type=kind, code=code, request_id=request_id)
        error.fix, error.__cause__ = cause.fix, cause
        return ()


_HANDLERS: dict[str, Callable[[Any, dict[str, Any]], Iterable[StreamChunk]]] = {
    "message_start": EventDecoder._message_start,
    "message_delta": EventDecoder._message_delta,
    "message_stop": EventDecoder._message_stop,
    "content_block_start": EventDecoder._block_start,
    "content_block_stop": EventDecoder._block_stop,
    "error": EventDecoder._error,
}


class StreamDecoder(EventDecoder):
    """A decoder for one stream: feed bytes as they come, split anywhere."""

    def __init__(self) -> None:
        super().__init__()
        self._sse = SseDecoder()

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        if self.done or self.error is not None:
            return []
        try:
            return self._chunks(self._sse.feed(data))
        except FramingError as problem:
            self._fail(f"The stream is malformed: {problem}.")
            return []

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes. A message without its end sets `error`."""
        if self.done or self.error is not None:
            return []
        chunks = self._chunks(self._sse.close())
        if not (self.done or self._was_told()):
            self._fail("The stream ended before the message did.")
        return chunks

    def _was_told(self) -> bool:
        """Whether the error is the provider's own, and not our reading of half an event."""
        return self.error is not None and self.error.__cause__ is not None

    def _chunks(self, events: Iterable[Event]) -> list[StreamChunk]:
        chunks: list[StreamChunk] = []
        for name, data in events:
            self.take(name, data, chunks)
            if self.done or self.error is not None:
                break
        return chunks


class _Block:
    """A content block between its start and its stop: what the start said, and the pieces that came since."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.kind = fields["type"]
        if not isinstance(self.kind, str):
            raise TypeError("a block's type is no text")
        self.fields = fields
        self.pieces: list[str] = []
        self.call = 0

    def start(self, index: int) -> Iterable[StreamChunk]:
        """What the start already says."""
        if self.kind == "tool_use":
            call = ToolCallDelta(
                self.call,
                text_of(self.fields, "id"),
                text_of(self.fields, "name"),
                "",
                extras_of(self.fields, TOOL_FIELDS),
            )
            yield StreamChunk(tool_calls=(call,), block=index)
        elif self.kind == "text":
            if text := text_of(self.fields, "text"):
                yield StreamChunk(text, block=index)
            if (part := decode_part(self.fields | {"text": ""})) is not None:
                yield StreamChunk(part=part, block=index)
        elif self.kind == "thinking" and (text := text_of(self.fields, "thinking")):
            yield StreamChunk(thinking=text, block=index)
        elif self.kind == "fallback":
            yield StreamChunk(metadata={"model": text_of(self.fields["to"], "model")}, block=index)

    def delta(self, index: int, delta: dict[str, Any]) -> Iterable[StreamChunk]:
        """A piece. One of an unknown type replaces fields of a block that comes whole, and is read over elsewhere."""
        kind = delta["type"]
        if kind == "text_delta":
            if text := text_of(delta, "text"):
                yield StreamChunk(text, block=index)
        elif kind == "thinking_delta":
            if text := text_of(delta, "thinking"):
                yield StreamChunk(thinking=text, block=index)
        elif kind == "input_json_delta":
            yield from self._input(index, text_of(delta, "partial_json"))
        elif kind == "citations_delta":
            yield StreamChunk(part=TextPart("", citations_of({"citations": [delta["citation"]]})), block=index)
        elif kind == "signature_delta":
            self.fields = self.fields | {"signature": text_of(delta, "signature")}
        elif self.kind not in _IN_PIECES:
            self.fields = self.fields | {name: value for name, value in delta.items() if name != "type"}

    def _input(self, index: int, text: str) -> Iterable[StreamChunk]:
        if text:
            self.pieces.append(text)
            if self.kind == "tool_use":
                yield StreamChunk(tool_calls=(ToolCallDelta(self.call, arguments=text),), block=index)

    def stop(self, index: int) -> Iterable[StreamChunk]:
        """What only the whole block can say."""
        if self.kind == "tool_use":
            if self.fields.get("input") and not self.pieces:
                text = json.dumps(self.fields["input"])
                yield StreamChunk(tool_calls=(ToolCallDelta(self.call, arguments=text),), block=index)
        elif self.kind != "text":
            yield StreamChunk(part=decode_part(self._whole()), block=index)

    def _whole(self) -> dict[str, Any]:
        if self.kind == "thinking":
            return {name: value for name, value in self.fields.items() if name != "thinking"}
        if not self.pieces:
            return self.fields
        text = "".join(self.pieces)
        try:
            return self.fields | {"input": json.loads(text)}
        except (ValueError, RecursionError):
            return self.fields | {"input": invalid_input(text)}


def _parse(data: bytes) -> dict[str, Any]:
    text = data.decode()
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        value, end = json.loads(text), len(text)
    if end != len(text) and text[end:].strip():
        raise ValueError("more than one JSON value")
    return value  # type: ignore[no-any-return] # anything but an object raises where it is read


def _index(event: dict[str, Any]) -> int:
    index = event["index"]
    if type(index) is not int:
        raise TypeError("a block's index is no number")
    return index


def _unreadable(name: str, data: bytes, problem: Exception) -> str:
    """An `error` event in plain words says them; anything else says what is wrong with it."""
    if name == "error":
        return data[:4000].decode("utf-8", "replace") or "The provider reported an error in the stream."
    return f"The stream is malformed: {problem}"[:500]
