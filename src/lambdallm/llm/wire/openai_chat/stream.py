"""Streams of the OpenAI chat protocol: server-sent events, each a piece of one choice, ended by `[DONE]`.

Almost every event is a few characters of text in a shape seen just before: `feed` recognises those itself, unparsed
where only the text differs (`repeat`), else at a third of a microsecond beyond the JSON; everything else takes the
long way through `events`. Shapes that the long way found plain are remembered by their widths (how many fields the
event and its choice have), so a field that is new sends its event the long way.

Sources: OpenAI, "The chat completion chunk object"; OpenRouter, "Streaming" and "Error handling"; Groq, "Errors";
Mistral, "Reasoning"; Azure, "Content streaming".
"""

from __future__ import annotations

import json

from ...types import EMPTY, ReasoningPart, RefusalPart, StreamChunk, TextPart
from ..failures import error_inside, stream_error
from ..framing import FramingError
from ..notes import own_fields
from ..repeat import Repeat
from .calls import CallTracker
from .events import ChoiceEvents
from .fields import PROTOCOL, as_json, finish_reason, grow, leftovers, noted, reasoning_text, records
from .response import (
    ANSWER_FIELDS,
    CHOICE_FIELDS,
    MESSAGE_FIELDS,
    content_part,
    reasoning_notes,
    replayed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...types import Part

_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # the C scanner: not in the stubs
_IRREGULAR = (KeyError, IndexError, TypeError, AttributeError, ValueError, StopIteration, RecursionError)
_SHOWN = 80


class StreamDecoder(ChoiceEvents):
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self) -> None:
        super().__init__()
        self._choices: dict[int, _Choice] = {}
        self._broken = False
        self._width = self._choice_width = 0
        self._repeat = Repeat()

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
        known = self._choices
        repeat = self._repeat
        for name, payload in events:
            if not name and (said := repeat.text(payload)) is not None:
                if said:
                    chunks.append(StreamChunk(said, "", (), None, None, None, None, 0, repeat.index, EMPTY))
                continue
            try:
                text = payload.decode()
                event, end = _scan(text, 0)
                (choice,) = event["choices"]
                delta = choice["delta"]
                content = delta["content"]
                if (
                    len(event) == self._width
                    and len(choice) == self._choice_width
                    and end == len(text)
                    and type(content) is str
                    and (len(delta) == 1 or (len(delta) == 2 and "role" in delta))
                    and choice["finish_reason"] is None
                    and choice.get("logprobs") is None
                    and event.get("usage") is None
                    and "error" not in event
                    and choice["index"] in known
                ):
                    if content:
                        chunks.append(StreamChunk(content, "", (), None, None, None, None, 0, choice["index"], EMPTY))
                        repeat.learn(payload, content, choice["index"])
                    continue
            except _IRREGULAR:
                pass
            self._payload(name, payload, chunks)
            if self._is_over():
                break
        return chunks

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        chunks: list[StreamChunk] = []
        if self._is_over():
            return chunks
        for name, payload in self._sse.close():
            self._payload(name, payload, chunks, cut=True)
        if not self._is_over():
            whole = all(choice.finished for choice in self._choices.values())
            self._finish(chunks, "" if whole else "The stream broke off before its end.")
        return chunks

    def _any_finished(self) -> bool:
        return any(choice.finished for choice in self._choices.values())

    def _metadata(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Keep the event's width, and tell of the answer what says more than nothing."""
        self._width = len(event)
        fields = leftovers(event, ANSWER_FIELDS)
        fields |= {key: value for key in ("id", "model") if isinstance(value := event.get(key), str)}
        self._tell({key: value for key, value in fields.items() if value != "" or key not in self._told}, chunks)

    def _choice(self, choice: dict[str, Any], chunks: list[StreamChunk]) -> None:
        index = choice.get("index")
        index = index if type(index) is int else 0
        state = self._choices.get(index)
        if state is None:
            state = self._choices[index] = _Choice(index)
        self._choice_width = len(choice) if state.add(choice, chunks) else 0
        if found := error_inside(choice):
            self.error = stream_error(found)
        elif choice.get("finish_reason") == "error":
            self._broken = True  # what broke may be told by the next event

    def _finish(self, chunks: list[StreamChunk], problem: str) -> None:
        """The end, as it should be or not; what is only known now is told either way."""
        told: dict[int, dict[str, Any]] = {}
        for state in self._choices.values():
            state.end(chunks, told)
        if told:
            chunks.append(StreamChunk(metadata={"choices": told}))
        if not self._choices:
            self._fail("The stream ended without an answer.")
        elif self._broken:
            self._fail("The stream broke off with finish reason 'error'.")
        elif problem:
            self._fail(problem)
        else:
            self.done = True


class _Choice:
    """One choice: what tells its tool calls apart, and what is told at its end."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.finished = False
        self._calls = CallTracker()
        self._fields: set[str] = set()
        self._details: list[dict[str, Any]] = []
        self._extras: dict[str, Any] = {}
        self._rest: dict[str, Any] = {}
        self._message: dict[str, Any] = {}

    def add(self, choice: dict[str, Any], chunks: list[StreamChunk]) -> bool:
        """Take an event's choice. Returns whether it held nothing that would be told only at the end."""
        delta = choice.get("delta", choice.get("message"))
        if isinstance(delta, dict):
            self._thoughts(delta, chunks)
            self._content(delta, chunks)
            if calls := self._calls.read(delta):
                chunks.append(StreamChunk(tool_calls=calls, index=self.index))
            self._message |= replayed(delta)
            grow(self._rest, leftovers(delta, MESSAGE_FIELDS))
        extras = leftovers(choice, CHOICE_FIELDS)
        grow(self._extras, extras)
        reason, raw = finish_reason(choice.get("finish_reason"))
        if raw is not None:
            self.finished = True
            chunks.append(StreamChunk(finish_reason=reason, raw_finish_reason=raw, index=self.index))
        return not extras

    def end(self, chunks: list[StreamChunk], told: dict[int, dict[str, Any]]) -> None:
        """Tell what is complete only now."""
        if self._details:
            self._part(ReasoningPart(metadata=reasoning_notes("", joined_details(self._details))), chunks)
        message = {"message": noted(self._message)} if self._message else {}
        own = noted(self._extras | ({"message": self._rest} if self._rest else {}))
        if extras := {**own, **message}:
            told[self.index] = extras

    def _thoughts(self, delta: dict[str, Any], chunks: list[StreamChunk]) -> None:
        text, field = reasoning_text(delta)
        details = records(delta.get("reasoning_details"))
        if text:
            self._thinking(text, field, {}, chunks)
        if details and not self._details:
            self._part(ReasoningPart(metadata=reasoning_notes("", details)), chunks)
        self._details += details

    def _thinking(self, text: str, field: str, rest: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """A piece of reasoning; the first one says which field it came in."""
        form = {} if field in self._fields else {"field": field}
        self._fields.add(field)
        notes = noted(rest, **form)
        part = ReasoningPart(metadata=notes) if notes else None
        chunks.append(StreamChunk(thinking=text, part=part, index=self.index))

    def _content(self, delta: dict[str, Any], chunks: list[StreamChunk]) -> None:
        content = delta.get("content")
        if isinstance(content, str):
            if content:
                chunks.append(StreamChunk(content, index=self.index))
        elif isinstance(content, list):
            for item in content:
                if isinstance(item, (dict, str)):
                    self._item(content_part(item), chunks)
        elif content is not None:
            chunks.append(StreamChunk(as_json(content), index=self.index))
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            self._part(RefusalPart(refusal), chunks)
        if citations := records(delta.get("annotations")):
            self._part(TextPart("", tuple(citations)), chunks)

    def _item(self, part: Part, chunks: list[StreamChunk]) -> None:
        """One item of a content list."""
        if isinstance(part, ReasoningPart) and part.signature is None:
            self._thinking(part.text, "thinking", own_fields(part.metadata, PROTOCOL), chunks)
        elif isinstance(part, TextPart) and not part.metadata:
            chunks.append(StreamChunk(part.text, index=self.index))
        else:
            self._part(part, chunks)

    def _part(self, part: Part, chunks: list[StreamChunk]) -> None:
        chunks.append(StreamChunk(part=part, index=self.index))


def joined_details(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """OpenRouter's `reasoning_details` with the pieces of each block joined, in the order the blocks began."""
    blocks: list[tuple[dict[str, Any], dict[str, list[str]]]] = []
    for piece in pieces:
        if not blocks or not _continues(blocks[-1][0], piece):
            blocks.append(({}, {}))
        record, texts = blocks[-1]
        record.update({key: value for key, value in piece.items() if value is not None or key not in record})
        for key in ("text", "summary"):
            if isinstance(piece.get(key), str):
                texts.setdefault(key, []).append(piece[key])
    return [record | {key: "".join(words) for key, words in texts.items()} for record, texts in blocks]


def _continues(record: dict[str, Any], piece: dict[str, Any]) -> bool:
    same = all(record.get(key) == piece.get(key) for key in ("type", "index"))
    return same and piece.get("type") != "reasoning.encrypted"
