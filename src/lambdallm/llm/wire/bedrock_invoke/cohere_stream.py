"""Streams of Cohere's chat, version 1: events by `event_type`, the last one with the whole answer.

Calls come in pieces (`tool-calls-chunk`), then whole (`tool-calls-generation`), which is read where no piece came.
Source: Cohere, "Streaming" (version 1).
"""

from __future__ import annotations

import json

from ...types import StreamChunk, TextPart, ToolCallDelta
from .cohere import ANSWER, OWN_FIELDS, called, records, tool_call
from .frames import malformed
from .metrics import finish_reason
from .shape import id_of
from .stream import PayloadDecoder, record_of, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...errors import LLMError

_END = "stream-end"
_ANSWER = "response"


def decoder() -> PayloadDecoder:
    """A fresh decoder for one stream."""
    return PayloadDecoder(lambda _record: EventReader())


class EventReader:
    """Reads the payloads of one stream; see `stream.Reader`."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.done = False
        self.counts: dict[str, Any] = {}
        self._calls = 0
        self._in_pieces = False
        self._said = False

    def take(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        """Append the chunks of one payload."""
        try:
            record = record_of(payload)
        except (ValueError, RecursionError) as reason:
            self.error = malformed(reason)
            return
        kind = record.get("event_type")
        _EVENTS.get(kind if isinstance(kind, str) else "", EventReader._other)(self, record, chunks)

    def _text(self, record: dict[str, Any], chunks: list[StreamChunk]) -> None:
        if text := ANSWER.text_of(record):
            self._said = True
            chunks.append(StreamChunk(text))
        if isinstance(delta := record.get("tool_call_delta"), dict):
            self._piece(delta, chunks)

    def _piece(self, delta: dict[str, Any], chunks: list[StreamChunk]) -> None:
        index, name, text = delta.get("index"), delta.get("name"), delta.get("parameters")
        place = index if type(index) is int and index >= 0 else 0
        first = place >= self._calls
        self._calls, self._in_pieces = max(self._calls, place + 1), True
        said, arguments = name if isinstance(name, str) else None, text if isinstance(text, str) else ""
        call = ToolCallDelta(place, f"call_{place}" if first else None, said, arguments)
        chunks.append(StreamChunk(tool_calls=(call,)))

    def _whole_calls(self, record: dict[str, Any], chunks: list[StreamChunk]) -> None:
        text = ANSWER.text_of(record)
        if text and not self._said:
            self._said = True
            chunks.append(StreamChunk(text))
        if self._in_pieces:
            return
        for call in records(record.get("tool_calls")):
            whole = tool_call(call, self._calls)
            arguments = json.dumps(whole.arguments, ensure_ascii=False)
            delta = ToolCallDelta(self._calls, whole.id, whole.name, arguments, whole.metadata)
            chunks.append(StreamChunk(tool_calls=(delta,)))
            self._calls += 1

    def _citations(self, record: dict[str, Any], chunks: list[StreamChunk]) -> None:
        if cited := records(record.get("citations")):
            chunks.append(StreamChunk(part=TextPart("", tuple(cited))))

    def _other(self, record: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """An event that only adds to the answer; one without a type is a piece of text, or an answer whole."""
        if "event_type" not in record:
            self._text(record, chunks)
            self._whole_calls({"tool_calls": record.get("tool_calls")}, chunks)
            self._citations(record, chunks)
            self._reason(record, chunks)
        self._rest(record, chunks)

    def _end(self, record: dict[str, Any], chunks: list[StreamChunk]) -> None:
        whole = record.get(_ANSWER)
        if isinstance(whole, dict):
            self._rest(whole, chunks)
        self._rest({key: value for key, value in record.items() if key != _ANSWER}, chunks)
        self._reason(record, chunks)

    def _reason(self, record: dict[str, Any], chunks: list[StreamChunk]) -> None:
        reason, raw = finish_reason(record.get("finish_reason"))
        if raw is not None:
            chunks.append(StreamChunk(finish_reason=called(reason, self._calls > 0), raw_finish_reason=raw))

    def _rest(self, record: dict[str, Any], chunks: list[StreamChunk]) -> None:
        rest = {key: value for key, value in ANSWER.rest_beside(record).items() if key not in OWN_FIELDS}
        if metadata := told(rest, id_of(record)):
            chunks.append(StreamChunk(metadata=metadata))

    def end(self, _chunks: list[StreamChunk]) -> LLMError | None:
        """Nothing is held back."""
        return None


_EVENTS: dict[str, Callable[[EventReader, dict[str, Any], list[StreamChunk]], None]] = {
    "text-generation": EventReader._text,
    "tool-calls-chunk": EventReader._text,
    "tool-calls-generation": EventReader._whole_calls,
    "citation-generation": EventReader._citations,
    _END: EventReader._end,
}
