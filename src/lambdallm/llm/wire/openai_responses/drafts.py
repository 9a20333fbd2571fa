"""The items of an answer while they are streamed to a client: each announces itself, tells its pieces and closes."""

from __future__ import annotations

from ...types import EMPTY, ReasoningPart, RefusalPart, TextPart, ToolCall
from ..notes import form
from .fields import NAME
from .messages import is_custom, is_own
from .output import (
    answer_annotations,
    begins,
    call_item,
    call_notes,
    message_item,
    text_content,
    text_notes,
    thought_item,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from ...types import Metadata

    class Stream(Protocol):
        """Where drafts write their events."""

        def send(self, kind: str, **fields: Any) -> None:
            """Write one event."""

        def place(self) -> int:
            """The place of the next item in the output."""
            ...

        def announce(self, item: dict[str, Any], place: int) -> dict[str, Any]:
            """An item, with an id, announced."""
            ...

        def finish(self, item: dict[str, Any], place: int) -> None:
            """An item whole."""


class Draft:
    """An item that is announced and not closed yet."""

    def __init__(self, stream: Stream, item: dict[str, Any]) -> None:
        self.stream = stream
        self.status = "completed"
        self.place = stream.place()
        self.id: str = stream.announce(item | {"status": "in_progress"}, self.place)["id"]

    def tell(self, kind: str, **fields: Any) -> None:
        """Send an event about this item."""
        self.stream.send(kind, item_id=self.id, output_index=self.place, **fields)

    def close(self) -> None:
        """Send what closes the item."""
        self._close()

    def _close(self) -> None:
        raise NotImplementedError

    def finish(self, item: dict[str, Any], notes: Iterable[dict[str, Any]] = ()) -> None:
        """Send the whole item, and after it the items that keep what it can't hold."""
        self.stream.finish({"id": self.id} | {key: v for key, v in item.items() if key != "id"}, self.place)
        for note in notes:
            place = self.stream.place()
            self.stream.finish(self.stream.announce(note, place), place)


class MessageDraft(Draft):
    """A message: its content parts one after the other."""

    def __init__(self, stream: Stream, first: TextPart | RefusalPart | None) -> None:
        self._first: Any = first or TextPart("")
        super().__init__(stream, message_item(self._first, []))
        self._content: list[dict[str, Any]] = []
        self._parts: list[TextPart | RefusalPart] = []
        self._block: int | None = None
        self._kind = ""
        self._texts: list[str] = []
        self._wholes: list[Any] = []
        self._cited = 0

    def takes(self, block: int, part: TextPart | RefusalPart | None) -> bool:
        """Whether text of a block goes on in this message."""
        if block == self._block or part is None or not self._wholes:
            return True
        return not begins(part, self._wholes[-1])

    def add(self, part: TextPart | RefusalPart, block: int) -> None:
        """A part of what is being told: its text, citations, notes."""
        kind = "refusal" if isinstance(part, RefusalPart) else "output_text"
        self._turn(kind, block)
        self._wholes.append(part)
        self.text(kind, block, part.text)
        if isinstance(part, TextPart) and part.citations:
            for annotation in answer_annotations(part, "".join(self._texts)):
                told = {"annotation_index": self._cited, "annotation": annotation}
                self.tell("response.output_text.annotation.added", content_index=len(self._content), **told)
                self._cited += 1

    def text(self, kind: str, block: int, text: str) -> None:
        """The next text of a content part."""
        self._turn(kind, block)
        if text:
            self._texts.append(text)
            logprobs: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
            self.tell(f"response.{kind}.delta", content_index=len(self._content), delta=text, **logprobs)

    def _turn(self, kind: str, block: int) -> None:
        """Go on to another content part, if it is another."""
        if (kind, block) == (self._kind, self._block):
            return
        self._close_part()
        self._kind, self._block = kind, block
        part = text_content(RefusalPart("") if kind == "refusal" else TextPart(""))
        self.tell("response.content_part.added", content_index=len(self._content), part=part)

    def _close_part(self) -> None:
        if not self._kind:
            return
        part = self._whole()
        content, index = text_content(part), len(self._content)
        field = "refusal" if self._kind == "refusal" else "text"
        logprobs = {"logprobs": content["logprobs"]} if field == "text" else {}
        self.tell(f"response.{self._kind}.done", content_index=index, **{field: part.text}, **logprobs)
        self.tell("response.content_part.done", content_index=index, part=content)
        self._content.append(content)
        self._parts.append(part)
        self._kind, self._texts, self._wholes, self._cited = "", [], [], 0

    def _whole(self) -> TextPart | RefusalPart:
        text, metadata = "".join(self._texts), _merged(self._wholes)
        if self._kind == "refusal":
            return RefusalPart(text, metadata)
        return TextPart(text, tuple(citation for part in self._wholes for citation in part.citations), metadata)

    def _close(self) -> None:
        self._close_part()
        notes = (note for part in self._parts for note in text_notes(part))
        first = self._parts[0] if self._parts else self._first
        self.finish(message_item(first, self._content, self.status), notes)


class ThoughtDraft(Draft):
    """A thought: one summary, or one content where it came as that.

    `before` are the parts of it that came in an item that is closed; then this one tells it again.
    """

    def __init__(
        self, stream: Stream, block: int, first: ReasoningPart | None, before: list[ReasoningPart] | None
    ) -> None:
        self.block = block
        self._again = before is not None
        self.pieces = list(before or ())
        self._texts: list[str] = []
        self._in_content = first is not None and form(first.metadata, NAME).get("piece") == "content"
        own = {"id": first.id} if first is not None and first.id and is_own(first) else {}
        super().__init__(stream, {"type": "reasoning", "summary": [], **own})

    def add(self, part: ReasoningPart) -> None:
        """A part of the thought: text, its proof, notes."""
        self.pieces.append(part)
        if part.text:
            self.think(part.text)

    def think(self, text: str) -> None:
        """The next text of the thought."""
        if not self._texts:
            self._open_text()
        self._texts.append(text)
        if self._in_content:
            self.tell("response.reasoning_text.delta", content_index=0, delta=text)
        else:
            self.tell("response.reasoning_summary_text.delta", summary_index=0, delta=text)

    def _open_text(self) -> None:
        if self._in_content:
            part = {"type": "reasoning_text", "text": ""}
            self.tell("response.content_part.added", content_index=0, part=part)
        else:
            part = {"type": "summary_text", "text": ""}
            self.tell("response.reasoning_summary_part.added", summary_index=0, part=part)

    def _close_text(self, text: str) -> None:
        if self._in_content:
            self.tell("response.reasoning_text.done", content_index=0, text=text)
            part = {"type": "reasoning_text", "text": text}
            self.tell("response.content_part.done", content_index=0, part=part)
        else:
            self.tell("response.reasoning_summary_text.done", summary_index=0, text=text)
            part = {"type": "summary_text", "text": text}
            self.tell("response.reasoning_summary_part.done", summary_index=0, part=part)

    def _close(self) -> None:
        text = "".join(self._texts)
        if text:
            self._close_text(text)
        self.finish(thought_item(self._whole(text), again=self._again))

    def _whole(self, text: str) -> ReasoningPart:
        def last(name: str) -> Any:
            return next((v for part in reversed(self.pieces) if (v := getattr(part, name)) is not None), None)

        return ReasoningPart(text, last("signature"), last("encrypted"), last("id"), _merged(self.pieces))


class CallDraft(Draft):
    """A call of a function or of a custom tool."""

    def __init__(self, stream: Stream, call: ToolCall) -> None:
        self._call = call
        self._texts: list[str] = []
        self._custom = is_custom(call.metadata)
        item = call_item(call)
        super().__init__(stream, item | ({"input": ""} if self._custom else {"arguments": ""}))

    def more(self, text: str) -> None:
        """The next text of what the tool is called with."""
        if text:
            self._texts.append(text)
            kind = "custom_tool_call_input" if self._custom else "function_call_arguments"
            self.tell(f"response.{kind}.delta", delta=text)

    def note(self, metadata: Metadata) -> None:
        """Notes on the call."""
        if metadata:
            self._call = self._call.replace(metadata={**self._call.metadata, **metadata})

    def _close(self) -> None:
        if not self._custom and not "".join(self._texts).strip():
            self.more("{}")
        text = "".join(self._texts)
        if self._custom:
            self.tell("response.custom_tool_call_input.done", input=text)
        else:
            self.tell("response.function_call_arguments.done", name=self._call.name, arguments=text)
        self.finish(call_item(self._call.replace(arguments_json=text), self.status), call_notes(self._call))


def _merged(parts: Iterable[Any]) -> Metadata:
    """Metadata, newer over older; a protocol's notes and their `form` grow field by field."""
    merged: dict[str, Any] = {}
    for part in parts:
        _grow(merged, part.metadata, 2)
    return merged or EMPTY


def _grow(whole: dict[str, Any], more: Metadata, depth: int) -> None:
    for key, value in more.items():
        if depth and isinstance(value, dict):
            known = whole.get(key)
            whole[key] = dict(known) if isinstance(known, dict) else {}
            _grow(whole[key], value, depth - 1)
        else:
            whole[key] = value
