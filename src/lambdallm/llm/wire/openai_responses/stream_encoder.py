"""Streams of the Responses protocol, to a client: typed events, numbered, each item announced, told and closed.

A message or a thought is closed when anything else begins. Calls stay open until the end, since pieces of several may
come mixed. Item ids are derived from the answer's id, so the same chunks give the same bytes.

Source: OpenAI, "Streaming events"; its SDK's `ResponseStreamState` says what a reader relies on: the answer's id never
changes, an item's id neither, and every item that is announced is closed before the answer is.
"""

from __future__ import annotations

from ...errors import LLMError
from ...types import ReasoningPart, RefusalPart, TextPart, ToolCall
from ..notes import own_fields
from ..openai_error_told import error_object
from .drafts import CallDraft, Draft, MessageDraft, ThoughtDraft
from .fields import NAME
from .output import ItemIds, identified, whole_item
from .reply import Reply, ending, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ...errors import LambdaLLMError
    from ...types import ChatRequest, FinishReason, Part, StreamChunk, ToolCallDelta, Usage


class StreamEncoder:
    """Turns the chunks of one streamed answer into bytes; see `codec.Encoder`."""

    def __init__(self, request: ChatRequest, *, id: str, created: int) -> None:
        self._request, self._id, self._created = request, id, created
        self._reply: Reply | None = None
        self._events: list[bytes] = []
        self._number = 0
        self._ids = ItemIds(id)
        self._output: dict[int, dict[str, Any]] = {}
        self._places = 0
        self._open: Draft | None = None
        self._calls: dict[int, CallDraft] = {}
        self._thoughts: dict[int, ThoughtDraft] = {}
        self._usage: Usage | None = None
        self._reason: FinishReason | None = None
        self._raw: str | None = None
        self._own: dict[str, Any] = {}

    def feed(self, chunks: Sequence[StreamChunk]) -> bytes:
        """The bytes for these chunks; the first call's begin with what opens a stream of the protocol."""
        self._begin(chunks)
        for chunk in chunks:
            if chunk.index == 0:
                self._chunk(chunk)
        return self._taken()

    def close(self) -> bytes:
        """The bytes that end the stream normally."""
        reply = self._begin(())
        self._close_all()
        output = [self._output[place] for place in sorted(self._output)]
        ended = reply.ended(self._reason, self._raw, output, self._usage, self._own)
        status = ended["status"] if ended["status"] in ("incomplete", "failed") else "completed"
        self.send(f"response.{status}", response=ended)
        return self._taken()

    def fail(self, error: LambdaLLMError) -> bytes:
        """The bytes that end a stream with an error: an `error` event, which SDKs raise, and the failed answer."""
        reply = self._begin(())
        told = error_object(error)
        usage = error.usage if isinstance(error, LLMError) else None
        self.send("error", code=told["code"], message=told["message"], param=told["param"], error=told)
        output = [self._output[place] for place in sorted(self._output)]
        self.send("response.failed", response=reply.failed(told, output, usage or self._usage))
        return self._taken()

    def send(self, kind: str, **fields: Any) -> None:
        """Write one event."""
        body = write({"type": kind, "sequence_number": self._number, **fields})
        self._events.append(b"event: %s\ndata: %s\n\n" % (kind.encode(), body))
        self._number += 1

    def place(self) -> int:
        """The place of the next item in the output."""
        self._places += 1
        return self._places - 1

    def announce(self, item: dict[str, Any], place: int) -> dict[str, Any]:
        """An item, with an id, announced."""
        item = identified(item, self._ids, place)
        self.send("response.output_item.added", output_index=place, item=item)
        return item

    def finish(self, item: dict[str, Any], place: int) -> None:
        """An item whole."""
        self._output[place] = item
        self.send("response.output_item.done", output_index=place, item=item)

    def _taken(self) -> bytes:
        events, self._events = self._events, []
        return b"".join(events)

    def _begin(self, chunks: Sequence[StreamChunk]) -> Reply:
        if self._reply is None:
            known = {key: value for chunk in chunks for key, value in chunk.metadata.items()}
            id, model = known.get("id") or self._id, known.get("model") or self._request.model
            self._reply = Reply(self._request, id=id, model=model, created=self._created)
            self.send("response.created", response=self._reply.begun())
            self.send("response.in_progress", response=self._reply.begun())
        return self._reply

    def _chunk(self, chunk: StreamChunk) -> None:
        if chunk.metadata:
            self._own |= own_fields(chunk.metadata, NAME)
            if self._reply is not None and isinstance(model := chunk.metadata.get("model"), str) and model:
                self._reply.model = model
        if chunk.part is not None:
            self._part(chunk.part, chunk.block)
        if chunk.thinking:
            self._thought(chunk.block, None).think(chunk.thinking)
        if chunk.delta:
            self._message(chunk.block, None).text("output_text", chunk.block, chunk.delta)
        for call in chunk.tool_calls:
            self._call(call)
        self._usage = chunk.usage or self._usage
        if chunk.finish_reason is not None:
            self._reason, self._raw = chunk.finish_reason, chunk.raw_finish_reason

    def _part(self, part: Part, block: int) -> None:
        if isinstance(part, ReasoningPart):
            if (news := self._news(part, block)) is not None:
                self._thought(block, news).add(news)
        elif isinstance(part, (TextPart, RefusalPart)):
            self._message(block, part).add(part, block)
        elif isinstance(part, ToolCall):
            self._close_open()
            draft = CallDraft(self, ToolCall(part.id, part.name, metadata=part.metadata))
            draft.more(part.arguments_json if part.arguments_json is not None else _object_text(part))
            draft.close()
        else:
            self._close_open()
            place = self.place()
            self.finish(self.announce(whole_item(part), place), place)

    def _news(self, part: ReasoningPart, block: int) -> ReasoningPart | None:
        """What a part adds to its thought: of one that is closed, only proof and other protocols' notes."""
        if block not in self._thoughts or (isinstance(self._open, ThoughtDraft) and self._open.block == block):
            return part
        if NAME in part.metadata:
            return part.replace(metadata={NAME: {}}) if part.text or part.encrypted else None
        return part

    def _message(self, block: int, part: TextPart | RefusalPart | None) -> MessageDraft:
        """The message that text of this block belongs to."""
        draft = self._open
        if isinstance(draft, MessageDraft) and draft.takes(block, part):
            return draft
        self._close_open()
        self._open = made = MessageDraft(self, part)
        return made

    def _thought(self, block: int, part: ReasoningPart | None) -> ThoughtDraft:
        """The thought that reasoning of this block belongs to."""
        draft = self._open
        if isinstance(draft, ThoughtDraft) and draft.block == block:
            return draft
        self._close_open()
        known = self._thoughts.get(block)
        before = known.pieces if known is not None and not (part is not None and NAME in part.metadata) else None
        self._open = made = self._thoughts[block] = ThoughtDraft(self, block, part, before)
        return made

    def _call(self, delta: ToolCallDelta) -> None:
        draft = self._calls.get(delta.index)
        if draft is None:
            self._close_open()
            id = delta.id or f"call_{self._id}_{delta.index}"
            draft = self._calls[delta.index] = CallDraft(self, ToolCall(id, delta.name or "", metadata=delta.metadata))
        draft.more(delta.arguments)
        draft.note(delta.metadata)

    def _close_open(self) -> None:
        if self._open is not None:
            draft, self._open = self._open, None
            draft.close()

    def _close_all(self) -> None:
        drafts = [*self._calls.values(), *([self._open] if self._open else [])]
        if drafts and ending(self._reason, None)[0] == "incomplete":
            drafts[-1].status = "incomplete"
        self._close_open()
        for draft in self._calls.values():
            draft.close()


def _object_text(call: ToolCall) -> str:
    return "" if call.arguments is None else write(call.arguments).decode()
