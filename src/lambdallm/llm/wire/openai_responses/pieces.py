"""The items of one stream while they are told: how much of each piece has been handed on, and under which block.

A block of our chunks is one content part of a message, or one whole reasoning item; calls are numbered apart.
"""

from __future__ import annotations

from ...types import EMPTY, ReasoningPart, RefusalPart, StreamChunk, TextPart, ToolCallDelta
from .fields import BETWEEN_THOUGHTS, as_json, noted, records, word
from .items import CALLS, call_id, call_notes, content_part, message_form, other, reasoning

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import Metadata

_INDEXES = ("content_index", "summary_index")
_PARTS_APART = 1 << 20
"""Blocks of one message lie in a range of their own: its number times this, plus the part's."""


def piece_number(event: dict[str, Any]) -> int:
    """Which piece of its item an event is about."""
    return next((number for key in _INDEXES if type(number := event.get(key)) is int), 0)


class Item:
    """An item in the making. `number` tells items apart, `call` calls."""

    def __init__(self, number: int, call: int) -> None:
        self.number, self.call = number, call
        self.done = False
        self.announced: str | None = None
        self._told: dict[tuple[str, int], list[str]] = {}

    def begin(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """The item is announced."""
        self.announced = word(item.get("id"))
        self._begin(item, chunks)

    def delta(self, piece: str, number: int, text: str, chunks: list[StreamChunk]) -> None:
        """The next text of a piece."""
        first = (piece, number) not in self._told
        self._told.setdefault((piece, number), []).append(text)
        self._tell(piece, number, text, first, chunks)

    def whole(self, piece: str, number: int, text: str, chunks: list[StreamChunk]) -> None:
        """All of a piece: what of it has not been told is told now."""
        if rest := self._rest(piece, number, text):
            self.delta(piece, number, rest, chunks)

    def _rest(self, piece: str, number: int, text: str) -> str:
        """What of a whole text has not been told; nothing of one that differs from what has."""
        told = "".join(self._told.get((piece, number), ()))
        return text[len(told) :] if text.startswith(told) else ""

    def end(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """The item is whole."""
        self.done = True
        self._close(item, chunks)

    def _begin(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Keep or hand on what the announcement tells."""

    def _tell(self, piece: str, number: int, text: str, first: bool, chunks: list[StreamChunk]) -> None:
        """Hand on a piece's next text."""

    def _close(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Hand on what only the whole item tells."""


class MessageItem(Item):
    """A message: each content part is a block. Its first chunk says which message it belongs to."""

    def __init__(self, number: int, call: int) -> None:
        super().__init__(number, call)
        self._item: dict[str, Any] = {}
        self._cited: dict[int, int] = {}

    def _begin(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        self._item = item

    def _block(self, number: int) -> int:
        return self.number * _PARTS_APART + number

    def _tell(self, piece: str, number: int, text: str, first: bool, chunks: list[StreamChunk]) -> None:
        metadata: Metadata = noted({}, message_form(self._item, number)) if first else EMPTY
        if piece == "refusal":
            chunks.append(StreamChunk(part=RefusalPart(text, metadata), block=self._block(number)))
        else:
            part = TextPart("", (), metadata) if first else None
            chunks.append(StreamChunk(text, "", (), None, None, None, part, self._block(number)))

    def more_text(self, number: int, text: str) -> int:
        """Go on with a text that has begun; its block."""
        self._told["text", number].append(text)
        return self.number * _PARTS_APART + number

    def cite(self, number: int, annotation: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """An annotation of a text."""
        self._cited[number] = self._cited.get(number, 0) + 1
        chunks.append(StreamChunk(part=TextPart("", (annotation,)), block=self._block(number)))

    def _close(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        content = item.get("content")
        if isinstance(content, str):
            content = [{"type": "output_text", "text": content}]
        for number, record in enumerate(records(content)):
            self._close_part(number, record, item, chunks)

    def _close_part(self, number: int, record: dict[str, Any], item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        part = content_part(record, item, number)
        if isinstance(part, TextPart):
            rest = self._rest("text", number, part.text)
            part = TextPart(rest, part.citations[self._cited.get(number, 0) :], part.metadata)
        elif isinstance(part, RefusalPart):
            part = RefusalPart(self._rest("refusal", number, part.text), part.metadata)
        chunks.append(StreamChunk(part=part, block=self._block(number)))


class ReasoningItem(Item):
    """A thought: its summaries and contents are one block, with an empty line between them.

    One told as a summary and then given whole as content, or the other way round, is the same thought.
    """

    def __init__(self, number: int, call: int) -> None:
        super().__init__(number, call)
        self._id: str | None = None

    def _begin(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        self._id = word(item.get("id")) or None

    def _tell(self, piece: str, number: int, text: str, first: bool, chunks: list[StreamChunk]) -> None:
        part = None
        if first and len(self._told) == 1:
            part = ReasoningPart("", id=self._id, metadata=noted({}, {"piece": piece}))
        elif first:
            text = BETWEEN_THOUGHTS + text
        chunks.append(StreamChunk("", text, (), None, None, None, part, self._block()))

    def _block(self) -> int:
        return self.number * _PARTS_APART

    def _close(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        given = {piece: records(item.get(piece)) for piece in ("summary", "content")}
        told = {piece for piece, _ in self._told}
        for piece, texts in given.items():
            renamed = told and piece not in told and not any(given[other] for other in told)
            for number, record in enumerate(() if renamed else texts):
                self.whole(piece, number, word(record.get("text")), chunks)
        chunks.append(StreamChunk(part=reasoning(item).replace(text=""), block=self._block()))


class CallItem(Item):
    """A call of a function or of a custom tool."""

    def _begin(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        self._told.setdefault(("begun", 0), [])
        self._piece(chunks, id=call_id(item), name=word(item.get("name")), metadata=call_notes(item))

    def _tell(self, piece: str, number: int, text: str, first: bool, chunks: list[StreamChunk]) -> None:
        self._piece(chunks, arguments=text)

    def _piece(self, chunks: list[StreamChunk], **fields: Any) -> None:
        chunks.append(StreamChunk(tool_calls=(ToolCallDelta(self.call, **fields),)))

    def _close(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        if ("begun", 0) not in self._told:
            self.begin(item, chunks)
        piece = CALLS.get(word(item.get("type")), "arguments")
        given = item.get(piece)
        self.whole(piece, 0, given if isinstance(given, str) else "" if given is None else as_json(given), chunks)
        self._piece(chunks, metadata=call_notes(item))


class OtherItem(Item):
    """An item of a kind that only this protocol knows: handed on when it is whole."""

    def _close(self, item: dict[str, Any], chunks: list[StreamChunk]) -> None:
        chunks.append(StreamChunk(part=other(item)))
