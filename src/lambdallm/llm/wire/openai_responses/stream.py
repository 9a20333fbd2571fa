"""Streams of the Responses protocol: typed events, each about one item of the output, ended by the whole answer.

An item is announced (`output_item.added`), told in deltas and closed by `output_item.done`, which holds it whole: what
no delta told is taken from there, and from the last event's `output` where even that is missing. So a provider may
leave out any of the three. Events of an unknown type are read over; their items are kept.

Sources: OpenAI, "Streaming events"; OpenRouter, "Responses API: streaming"; xAI and DeepSeek, "Responses".
"""

from __future__ import annotations

import json

from ...errors import StreamError
from ...types import EMPTY, StreamChunk
from ..failures import error_facts, error_inside, stream_error
from ..framing import FramingError
from ..sse import SseDecoder
from .fields import ending, read_usage, records, word
from .pieces import CallItem, Item, MessageItem, OtherItem, ReasoningItem, piece_number
from .response import answer_notes, failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...errors import LLMError

_SHOWN = 80
_TEXT_DELTA = "response.output_text.delta"
_TEXT = b'"response.output_text.delta"'
_IRREGULAR = (KeyError, IndexError, TypeError, ValueError, RecursionError)
_ENDS = ("response.completed", "response.incomplete", "response.cancelled")
_ITEMS: dict[str, type[Item]] = {
    "message": MessageItem, "reasoning": ReasoningItem, "function_call": CallItem, "custom_tool_call": CallItem,
}  # fmt: skip
_DELTAS: dict[str, tuple[str, str]] = {
    _TEXT_DELTA: ("message", "text"),
    "response.refusal.delta": ("message", "refusal"),
    "response.reasoning_summary_text.delta": ("reasoning", "summary"),
    "response.reasoning_summary.delta": ("reasoning", "summary"),
    "response.reasoning_text.delta": ("reasoning", "content"),
    "response.reasoning.delta": ("reasoning", "content"),
    "response.function_call_arguments.delta": ("function_call", "arguments"),
    "response.custom_tool_call_input.delta": ("custom_tool_call", "input"),
}
"""Events that tell a piece of an item: the item's type, and what the piece is of. Their `.done` tells it whole."""

_DONES = {name.removesuffix("delta") + "done": what for name, what in _DELTAS.items()}


class StreamDecoder:
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.done = False
        self._sse = SseDecoder(bare_json=True)
        self._items: dict[int, Item] = {}
        self._places: dict[str, int] = {}
        self._texts: dict[tuple[int, int], MessageItem] = {}
        self._last = 0
        self._blocks = self._calls = 0
        self._number = -1
        self._numbered = True

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        chunks: list[StreamChunk] = []
        if self._is_over():
            return chunks
        try:
            events = self._sse.feed(data)
        except FramingError as reason:
            self._fail(f"The stream is malformed: {reason}.")
            return chunks
        for name, payload in events:
            if _TEXT in payload and self._more_text(payload, chunks):
                continue
            self._payload(name, payload, chunks)
            if self._is_over():
                break
        return chunks

    def _more_text(self, payload: bytes, chunks: list[StreamChunk]) -> bool:
        """Take an event that only goes on with a text begun before, which is most of a stream."""
        try:
            event = json.loads(payload.decode())
            place, number, text = event["output_index"], event["content_index"], event["delta"]
            item = self._texts[place, number]
        except _IRREGULAR:
            return False
        if event["type"] != _TEXT_DELTA or type(text) is not str or not self._is_next(event):
            return False
        if text:
            chunks.append(StreamChunk(text, "", (), None, None, None, None, item.more_text(number, text), 0, EMPTY))
        return True

    def _is_next(self, event: dict[str, Any]) -> bool:
        """Whether an event's number says that it is new. A provider whose numbers never rise is not asked again."""
        number = event.get("sequence_number")
        if type(number) is not int or not self._numbered:
            return True
        if number <= self._number:
            self._numbered = self._number > 1
            return not self._numbered
        self._number = number
        return True

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        chunks: list[StreamChunk] = []
        if self._is_over():
            return chunks
        for name, payload in self._sse.close():
            self._payload(name, payload, chunks, cut=True)
        if not self._is_over():
            self._fail("The stream broke off before its end.")
        return chunks

    def _is_over(self) -> bool:
        return self.done or self.error is not None

    def _fail(self, message: str) -> None:
        self.error = StreamError(message)

    def _payload(self, name: str, payload: bytes, chunks: list[StreamChunk], *, cut: bool = False) -> None:
        """One event of whatever content; one that the bytes ended in may be cut short, and is then none."""
        text = payload.decode("utf-8", "replace").strip()
        if text == "[DONE]":
            self._fail("The stream ended without the whole answer.")
        elif text:
            try:
                self._event(name, json.loads(text), chunks)
            except (ValueError, RecursionError):
                if not cut:
                    self._fail(f"The stream is malformed: {text[:_SHOWN]!r} can't be read as JSON.")

    def _event(self, name: str, event: Any, chunks: list[StreamChunk]) -> None:
        if not isinstance(event, dict):
            self._fail(f"The stream is malformed: {str(event)[:_SHOWN]!r} is no event of this protocol.")
            return
        kind = word(event.get("type")) or name
        if not self._is_next(event):
            self._fail(f"The stream is malformed: event {event['sequence_number']} ({kind}) came twice, or too late.")
        elif kind in _DELTAS:
            self._delta(*_DELTAS[kind], event, chunks)
        elif (handler := _HANDLERS.get(kind)) is not None:
            handler(self, event, chunks)
        elif kind in _DONES:
            self._piece_done(*_DONES[kind], event, chunks)
        elif kind == "error" or error_inside(event):
            self._error(event)

    def _delta(self, item: str, piece: str, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        if text := word(event.get("delta")):
            known, number = self._item(event, item), piece_number(event)
            known.delta(piece, number, text, chunks)
            if piece == "text" and isinstance(known, MessageItem):
                self._texts[self._last, number] = known

    def _piece_done(self, item: str, piece: str, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """A piece whole: what its deltas left out is told now."""
        known = self._item(event, item)
        if text := word(event.get(piece, event.get("text"))):
            known.whole(piece, piece_number(event), text, chunks)

    def _added(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        item = event.get("item")
        if isinstance(item, dict):
            known = self._item(event, word(item.get("type")), item)
            if (id := word(item.get("id"))) and id == known.announced:
                self._fail(f"The stream is malformed: item {id!r} began twice.")
            else:
                known.begin(item, chunks)

    def _item_done(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        item = event.get("item")
        if isinstance(item, dict):
            known = self._item(event, word(item.get("type")), item)
            if not known.done:
                known.end(item, chunks)

    def _annotated(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        annotation, known = event.get("annotation"), self._item(event, "message")
        if isinstance(annotation, dict) and isinstance(known, MessageItem):
            known.cite(piece_number(event), annotation, chunks)

    def _item(self, event: dict[str, Any], kind: str, item: dict[str, Any] | None = None) -> Item:
        """The item that an event is about, begun now where it was not announced."""
        place = self._place(event, word(item.get("id")) if item else word(event.get("item_id")))
        known = self._items.get(place)
        if known is None:
            make = _ITEMS.get(kind, OtherItem)
            known = self._items[place] = make(self._blocks, self._calls)
            self._blocks += 1
            self._calls += make is CallItem
        self._last = place
        return known

    def _place(self, event: dict[str, Any], id: str) -> int:
        """An item's place in the output: as the event says, else by the item's id, else that of the item before."""
        place = event.get("output_index")
        if type(place) is not int:
            place = self._places.get(id, len(self._items) if id else self._last)
        if id:
            self._places.setdefault(id, place)
        return place

    def _began(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """The answer's identity, told at once, so that what comes of a stream that breaks off has it too."""
        answer = event.get("response")
        if isinstance(answer, dict) and (identity := _identity(answer)):
            chunks.append(StreamChunk(metadata=identity))

    def _ended(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        answer = event.get("response")
        self._whole(answer if isinstance(answer, dict) else {}, event, chunks)
        self.done = True

    def _whole(self, answer: dict[str, Any], event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """What the whole answer tells beyond the events before it."""
        for place, item in enumerate(records(answer.get("output"))):
            self._settle(place, item, chunks)
        status = answer.get("status") or word(event.get("type")).removeprefix("response.")
        reason, raw = ending(status, answer.get("incomplete_details"), calls=self._calls > 0)
        metadata = {**_identity(answer), **answer_notes(answer)}
        usage = read_usage(answer)
        chunks.append(StreamChunk(finish_reason=reason, raw_finish_reason=raw, usage=usage, metadata=metadata))

    def _settle(self, place: int, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """What of an item in the whole answer no event told."""
        place = self._places.get(word(item.get("id")), place)
        known = self._items.get(place)
        if known is None or not known.done:
            self._item_done({"output_index": place, "item": item}, chunks)

    def _failed(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        answer = event.get("response")
        if isinstance(answer, dict):
            self._whole(answer, event, chunks)
        found = failure(answer) or failure(event) or failure({"status": "failed"})
        if found is not None:
            usage = read_usage(answer) if isinstance(answer, dict) else None
            self.error = stream_error(found, usage=usage)

    def _error(self, event: dict[str, Any]) -> None:
        found = error_inside(event)
        told = {key: value for key, value in event.items() if key not in ("type", "sequence_number")}
        self.error = stream_error(found or error_facts(told))


def _identity(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key in ("id", "model") if isinstance(value := answer.get(key), str)}


if TYPE_CHECKING:
    _Handler = Callable[[StreamDecoder, dict[str, Any], list[StreamChunk]], None]

_HANDLERS: dict[str, _Handler] = {
    "response.created": StreamDecoder._began,
    "response.output_item.added": StreamDecoder._added,
    "response.output_item.done": StreamDecoder._item_done,
    "response.output_text.annotation.added": StreamDecoder._annotated,
    "response.failed": StreamDecoder._failed,
    **dict.fromkeys(_ENDS, StreamDecoder._ended),
}
