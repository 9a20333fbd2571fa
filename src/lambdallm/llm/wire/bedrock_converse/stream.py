"""ConverseStream: event stream messages into chunks.

The order is `messageStart`, for each block `contentBlockStart` (not for text), deltas and `contentBlockStop`, then
`messageStop` with the reason and `metadata` with the usage: an answer is only whole after `metadata`, or after
`messageStop` where the bytes end there. Failures arrive as exception messages inside the 200.

Source: Bedrock API reference, "ConverseStream", and "ConverseStreamOutput" for the exceptions.
"""

from __future__ import annotations

import json

from ...errors import StreamError, error_for
from ...types import ProviderPart, ReasoningPart, StreamChunk, TextPart, ToolCallDelta
from ..eventstream import EventStreamDecoder
from ..framing import FramingError, check_size
from .content import MARK, SERVER_CALL, call_notes, joined_base64
from .fields import read_finish_reason, read_metadata, read_usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ...errors import LLMError
    from ...types import Part
    from ..eventstream import HeaderValue

_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # half of `json.loads` is what it adds to this


class _Block:
    """A content block in the making: what is only good once it is whole."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.start = start
        self.call: int | None = None
        self.pieces: dict[str, list[Any]] = {}


class StreamDecoder:
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.done = False
        self._frames = EventStreamDecoder()
        self._blocks: dict[int, _Block] = {}
        self._calls = 0
        self._held = self._size = 0
        self._stopped = False

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        chunks: list[StreamChunk] = []
        if self.done or self.error is not None:
            return chunks
        for headers, payload in self._frames.feed(data):
            if not self._message(headers, payload, chunks):
                return chunks
        if self._frames.error is not None:
            self._fail(self._frames.error)
        return chunks

    def close(self) -> list[StreamChunk]:
        """Nothing more: every chunk is complete when its message is."""
        if self.done or self.error is not None:
            return []
        self._frames.close()
        if self._frames.error is not None:
            self._fail(self._frames.error)
        elif not self._stopped:
            self.error = StreamError("The stream ended before `messageStop`.")
        self.done = self.error is None
        return []

    def _fail(self, reason: Exception) -> None:
        self.error = StreamError(f"The stream is malformed: {reason}.")

    def _message(self, headers: Mapping[str, HeaderValue], payload: bytes, chunks: list[StreamChunk]) -> bool:
        """One message, whatever its content; whether more may follow."""
        self._size = len(payload)
        event, broken = _event_of(payload)
        if headers.get(":message-type", "event") != "event":
            self.error = exception_error(headers, event)
        elif broken is not None:
            self._fail(broken)
        else:
            self.take(headers.get(":event-type"), event, chunks)
        return not self.done and self.error is None

    def take(self, name: HeaderValue | None, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Append the chunks of one event, whatever framing it came in."""
        if name == "contentBlockDelta":
            index, delta = _index(event), event.get("delta")
            if type(delta) is not dict:
                return
            text = delta.get("text")
            if type(text) is not str:
                self._delta(index, delta, chunks)
            elif text:
                chunks.append(StreamChunk(text, "", (), None, None, None, None, index))
        elif isinstance(name, str) and name in _EVENTS:
            _EVENTS[name](self, event, chunks)

    def _delta(self, index: int, delta: dict[str, Any], chunks: list[StreamChunk]) -> None:
        for kind, value in delta.items():
            if kind == "toolUse" and isinstance(value, dict):
                self._tool_input(index, value.get("input"), chunks)
            elif kind == "reasoningContent" and isinstance(value, dict):
                self._reasoning(index, value, chunks)
            elif kind == "citation" and isinstance(value, dict):
                chunks.append(StreamChunk(part=TextPart("", (value,)), block=index))
            elif kind in ("toolResult", "image"):
                self._hold(index, kind, value)

    def _tool_input(self, index: int, text: Any, chunks: list[StreamChunk]) -> None:
        block = self._block(index)
        if not isinstance(text, str):
            return
        if "toolUse" in block.start and block.call is None:
            self._hold(index, "input", text)
            return
        if block.call is None:
            block.call, self._calls = self._calls, self._calls + 1
        chunks.append(StreamChunk(tool_calls=(ToolCallDelta(block.call, arguments=text),), block=index))

    def _reasoning(self, index: int, value: dict[str, Any], chunks: list[StreamChunk]) -> None:
        text = value.get("text")
        if isinstance(text, str) and text:
            chunks.append(StreamChunk("", text, block=index))
        for key in ("signature", "redactedContent"):
            if isinstance(piece := value.get(key), str):
                self._hold(index, key, piece)

    def _hold(self, index: int, kind: str, piece: Any) -> None:
        """Keep a piece until its block ends, within bounds."""
        self._held += self._size
        try:
            check_size(self._held)
        except FramingError as reason:
            self._fail(reason)
            return
        self._block(index).pieces.setdefault(kind, []).append(piece)

    def _block(self, index: int) -> _Block:
        return self._blocks.setdefault(index, _Block({}))

    def _start(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        start, index = event.get("start"), _index(event)
        if not isinstance(start, dict):
            return
        block = self._blocks[index] = _Block(start)
        call = start.get("toolUse")
        if isinstance(call, dict) and call.get("type") != SERVER_CALL:
            block.call, self._calls = self._calls, self._calls + 1
            id, name = _word(call.get("toolUseId")), _word(call.get("name"))
            delta = ToolCallDelta(block.call, id, name, "", call_notes(call))
            chunks.append(StreamChunk(tool_calls=(delta,), block=index))

    def _stop(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        self._finish(_index(event), chunks)

    def _finish(self, index: int, chunks: list[StreamChunk]) -> None:
        """The parts of a block that has ended."""
        block = self._blocks.pop(index, None)
        parts = _parts(block) if block is not None else ()
        chunks.extend(StreamChunk(part=part, block=index) for part in parts)

    def _message_stop(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        for index in sorted(self._blocks):
            self._finish(index, chunks)
        self._stopped = True
        reason, raw = read_finish_reason(event.get("stopReason"))
        metadata = read_metadata(event, ("stopReason",))
        chunks.append(StreamChunk(finish_reason=reason, raw_finish_reason=raw, metadata=metadata))

    def _metadata(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        self.done = self._stopped
        metadata = read_metadata(event, ("usage",))
        usage = read_usage(event.get("usage"), event.get("serviceTier"))
        chunks.append(StreamChunk(usage=usage, metadata=metadata))


_EVENTS: dict[str, Callable[[StreamDecoder, dict[str, Any], list[StreamChunk]], None]] = {
    "contentBlockStart": StreamDecoder._start,
    "contentBlockStop": StreamDecoder._stop,
    "messageStop": StreamDecoder._message_stop,
    "metadata": StreamDecoder._metadata,
}


def _parts(block: _Block) -> Iterable[Part]:
    """What a block's held pieces make: a signature, redacted reasoning, or a block only the provider understands."""
    pieces = block.pieces
    if "signature" in pieces:
        yield ReasoningPart(signature="".join(pieces["signature"]), metadata={MARK: {}})
    if "redactedContent" in pieces:
        yield ReasoningPart(encrypted=joined_base64(pieces["redactedContent"]), metadata={MARK: {}})
    for kind, start in block.start.items():
        if isinstance(start, dict) and kind in _WHOLES and block.call is None:
            yield ProviderPart(kind, start | _WHOLES[kind](pieces), MARK)


def _tool_use(pieces: dict[str, list[Any]]) -> dict[str, Any]:
    text = "".join(pieces.get("input", ()))
    try:
        return {"input": json.loads(text) if text.strip() else {}}
    except (ValueError, RecursionError):
        return {"input": text}


def _tool_result(pieces: dict[str, list[Any]]) -> dict[str, Any]:
    deltas = (delta for delta in pieces.get("toolResult", ()) if isinstance(delta, list))
    return {"content": [item for delta in deltas for item in delta]}


def _image(pieces: dict[str, list[Any]]) -> dict[str, Any]:
    """The image's fields; its bytes may come in pieces."""
    deltas = [delta for delta in pieces.get("image", ()) if isinstance(delta, dict)]
    fields = {key: value for delta in deltas for key, value in delta.items()}
    sources = [source for delta in deltas if isinstance(source := delta.get("source"), dict)]
    encoded = [data for source in sources if isinstance(data := source.get("bytes"), str)]
    return fields | ({"source": {"bytes": joined_base64(encoded)}} if encoded else {})


_WHOLES: dict[str, Callable[[dict[str, list[Any]]], dict[str, Any]]] = {
    "toolUse": _tool_use,
    "toolResult": _tool_result,
    "image": _image,
}


def exception_error(headers: Mapping[str, HeaderValue], record: dict[str, Any]) -> LLMError:
    """The error of an exception message, or of the protocol's own error message.

    Whether to try again is for its own words to say; `__cause__` is the error that they mean outside a stream.
    """
    kind = _word(headers.get(":exception-type")) or _word(headers.get(":error-code"))
    said = (record.get("message"), record.get("Message"), headers.get(":error-message"), record.get("originalMessage"))
    message = next((text for text in said if isinstance(text, str) and text), None)
    status = record.get("originalStatusCode")
    alike = error_for(status if type(status) is int else None, message or "", type=kind)
    error = StreamError(
        message or f"The provider broke the stream off: {kind or 'no reason given'}.",
        fix="" if alike.retryable else alike.fix,
        type=kind,
        code=kind,
        retryable=alike.retryable,
    )
    error.__cause__ = alike
    return error


def _event_of(payload: bytes) -> tuple[dict[str, Any], Exception | None]:
    """A message's payload as an object, empty where it is none, and why it is no JSON."""
    try:
        text = str(payload, "utf-8")
        try:
            event, end = _scan(text, 0)
        except StopIteration:
            end = -1
        if end != len(text):
            event = json.loads(text) if text else {}
    except (ValueError, RecursionError) as reason:
        return {}, reason
    return (event if type(event) is dict else {}), None


def _index(event: dict[str, Any]) -> int:
    index = event.get("contentBlockIndex")
    return index if type(index) is int else 0


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) else None
