"""Streams of Cohere's chat protocol, version 1: one JSON event a line, or the same as server-sent events.

`text-generation` brings text, `tool-calls-chunk` a plan and pieces of calls, `tool-calls-generation` whole calls, and
`stream-end` the whole answer once more: what had not come in pieces is taken from it.

Source: API v1 reference, "Chat with streaming (v1)"; "Streaming (v1)".
"""

from __future__ import annotations

import json

from ...types import EMPTY, StreamChunk, TextPart, ToolCallDelta
from ..cohere_chat.fields import finish_reason, inner, leftovers, noted, read_usage, records, text_of
from ..cohere_chat.response import as_text
from ..cohere_chat.stream import ended_badly
from ..cohere_error import error_facts
from ..failures import stream_error
from ..framed import FramedDecoder
from ..ndjson import NdjsonDecoder
from ..repeat import Repeat
from .response import CALL_FIELDS, rest_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..cohere_chat.fields import Record

_SHOWN = 80
_FRAMING = (b"event:", b"id:", b"retry:", b":")
"""How the lines of server-sent events begin that hold no data."""


class StreamDecoder(FramedDecoder):
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self) -> None:
        super().__init__(NdjsonDecoder())
        self._repeat = Repeat()
        self._calls: dict[int, int] = {}
        self._pieces = self._texts = self._citations = False

    def _chunks(self, lines: Iterable[bytes]) -> list[StreamChunk]:
        chunks: list[StreamChunk] = []
        for line in lines:
            payload = line.removeprefix(b"data:").lstrip()
            if (said := self._repeat.text(payload)) is not None:
                chunks.append(StreamChunk(said))
            elif payload not in (b"", b"[DONE]") and not payload.startswith(_FRAMING):
                self._payload(payload, chunks)
            if self.done or self.error is not None:
                break
        return chunks

    def _payload(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        try:
            event = json.loads(payload)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict):
            shown = payload[:_SHOWN].decode("utf-8", "replace")
            self._fail(f"The stream is malformed: {shown!r} is no event of this protocol.")
            return
        kind = event.get("event_type")
        if kind == "text-generation":
            text = text_of(event, "text")
            self._text(text, chunks)
            self._repeat.learn(payload, text, 0)
        elif (handler := _HANDLERS.get(kind) if isinstance(kind, str) else None) is not None:
            handler(self, event, chunks)
        elif isinstance(said := event.get("message"), str):
            self.error = stream_error(error_facts(said, event.get("error_type")))
        elif event.get("is_finished") is True:
            self._end(event, chunks)

    def _start(self, event: Record, chunks: list[StreamChunk]) -> None:
        if id := text_of(event, "generation_id"):
            chunks.append(StreamChunk(metadata={"id": id}))

    def _text(self, text: str, chunks: list[StreamChunk]) -> None:
        if text:
            self._texts = True
            chunks.append(StreamChunk(text))

    def _cite(self, event: Record, chunks: list[StreamChunk]) -> None:
        if citations := tuple(records(event.get("citations"))):
            self._citations = True
            chunks.append(StreamChunk(part=TextPart("", citations)))

    def _piece(self, event: Record, chunks: list[StreamChunk]) -> None:
        """A piece of the plan, or of a call."""
        self._text(text_of(event, "text") or text_of(inner(event, "tool_call_delta"), "text"), chunks)
        delta = inner(event, "tool_call_delta")
        name, piece, index = text_of(delta, "name"), as_text(delta.get("parameters")), delta.get("index")
        if not (name or piece):
            return
        index = index if type(index) is int else max(len(self._calls) - 1, 0)
        number = self._calls.get(index)
        id = None if number is not None else f"call_{len(self._calls)}"
        number = self._calls.setdefault(index, len(self._calls))
        self._pieces = True
        chunks.append(StreamChunk(tool_calls=(ToolCallDelta(number, id, name or None, piece),)))

    def _whole_calls(self, event: Record, chunks: list[StreamChunk]) -> None:
        """Calls that did not come in pieces, and the text about them."""
        if not self._texts:
            self._text(text_of(event, "text"), chunks)
        if self._pieces:
            return
        calls = tuple(_whole(record, place) for place, record in enumerate(records(event.get("tool_calls"))))
        if calls:
            self._pieces = True
            chunks.append(StreamChunk(tool_calls=calls))

    def _end(self, event: Record, chunks: list[StreamChunk]) -> None:
        answer = inner(event, "response")
        word = event.get("finish_reason") or answer.get("finish_reason") or "COMPLETE"
        usage = read_usage(answer.get("meta"), answer.get("token_count"))
        failed = finish_reason(word)[0] == "error"
        if not failed:
            self._rest(answer, chunks)
        reason, raw = finish_reason(word, calls=self._pieces)
        metadata = rest_of(answer, counted=usage is not None)
        if id := text_of(answer, "generation_id"):
            metadata["id"] = id
        chunks.append(StreamChunk("", "", (), reason, raw, usage, metadata=metadata or EMPTY))
        if failed:
            self.error = ended_badly(raw, event, usage)
        else:
            self.done = True

    def _rest(self, answer: Record, chunks: list[StreamChunk]) -> None:
        """What the whole answer holds and no event had brought."""
        self._whole_calls(answer, chunks)
        if not self._citations:
            self._cite(answer, chunks)


def _whole(record: Record, place: int) -> ToolCallDelta:
    metadata = noted(leftovers(record, CALL_FIELDS))
    parameters = record.get("parameters")
    arguments = as_text({} if parameters is None else parameters)
    return ToolCallDelta(place, f"call_{place}", text_of(record, "name"), arguments, metadata)


_HANDLERS: dict[str, Callable[[StreamDecoder, Record, list[StreamChunk]], None]] = {
    "stream-start": StreamDecoder._start,
    "citation-generation": StreamDecoder._cite,
    "tool-calls-chunk": StreamDecoder._piece,
    "tool-calls-generation": StreamDecoder._whole_calls,
    "stream-end": StreamDecoder._end,
}
