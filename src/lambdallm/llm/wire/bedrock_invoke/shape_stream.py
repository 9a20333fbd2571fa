"""Streams whose payloads are answers in small, as a `Shape` describes them."""

from __future__ import annotations

from ...types import StreamChunk
from .frames import malformed
from .metrics import finish_reason
from .shape import at, id_of, is_chat, own_counts
from .stream import PayloadDecoder, record_of, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...errors import LLMError
    from .shape import Record, Shape
    from .stream import Reader


def decoder_for(shape: Shape) -> PayloadDecoder:
    """A fresh decoder for one stream: of this shape, or of the chat form where the first payload is in it."""

    def choose(record: Record) -> Reader:
        if is_chat(record):
            from .chat_stream import ChatReader

            return ChatReader()
        return ShapeReader(shape)

    return PayloadDecoder(choose)


class ShapeReader:
    """Reads the payloads of one stream; see `stream.Reader`."""

    def __init__(self, shape: Shape) -> None:
        self.error: LLMError | None = None
        self.done = False
        self.counts: dict[str, Any] = {}
        self._shape, self._plain = shape, shape.plain_fields
        self._told: Record = {}
        self._rest: dict[int, Record] = {}

    def take(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        """Append the chunks of one payload."""
        try:
            record = record_of(payload)
        except (ValueError, RecursionError) as reason:
            self.error = malformed(reason)
            return
        self.counts |= own_counts(record)
        for index, candidate in self._shape.found_in(record):
            self._candidate(index, candidate, record, chunks)
        if not record.keys() <= self._plain and (news := self._news(record)):
            chunks.append(StreamChunk(metadata=news))

    def _candidate(self, index: int, candidate: Record, record: Record, chunks: list[StreamChunk]) -> None:
        if text := self._shape.text_of(candidate):
            chunks.append(StreamChunk(text, index=index))
        if candidate is not record and (rest := self._shape.rest_of(candidate)):
            self._rest.setdefault(index, {}).update(rest)
        reason, raw = finish_reason(at(candidate, self._shape.reason))
        if raw is not None:
            chunks.append(StreamChunk(finish_reason=reason, raw_finish_reason=raw, index=index))

    def _news(self, record: Record) -> Record:
        """The answer's other fields, each told once and again when it changes."""
        fields = told(self._shape.rest_beside(record), id_of(record))
        news = {key: value for key, value in fields.items() if self._told.get(key) != value}
        self._told |= news
        return news

    def end(self, chunks: list[StreamChunk]) -> LLMError | None:
        """Tell what else the candidates said."""
        if self._rest:
            chunks.append(StreamChunk(metadata={"choices": self._rest}))
        return None
