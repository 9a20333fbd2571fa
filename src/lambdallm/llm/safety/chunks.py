"""The chunks of a stream on their way through the filters: what can be let go goes, the rest follows in its place."""

from __future__ import annotations

from ..types import EMPTY, ReasoningPart, RefusalPart, StreamChunk, TextPart, ToolCallDelta
from .arguments import ArgumentsChannel
from .channel import Channel, leaves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..types import Part
    from .screen import Screen

    Key = tuple[str, int]

_KIND_OF: dict[type, str] = {TextPart: "text", ReasoningPart: "thinking", RefusalPart: "refusal"}


class ChunkScreen:
    """One stream's channels. `feed` and `finish` raise what blocks, as soon as a match is certain."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._choices: dict[int, _Channels] = {}

    def feed(self, chunk: StreamChunk) -> list[StreamChunk]:
        """The chunks that this one lets go."""
        channels = self._choices.get(chunk.index)
        if channels is None:
            channels = self._choices[chunk.index] = _Channels(self._screen, chunk.index)
        passed = chunk
        let_go: list[StreamChunk] = []
        if chunk.delta or chunk.thinking or chunk.tool_calls or chunk.part is not None:
            let_go, passed = channels.take(chunk)
        if chunk.metadata:
            passed = passed.replace(metadata=self._screen.beside(chunk.metadata))
        if chunk.finish_reason is None:
            return [*let_go, *_worth(passed, chunk)]
        rest = list(channels.close())
        if not rest:
            return [*let_go, passed]
        return [*let_go, *_worth(_without_end(passed), chunk), *rest, _end(passed)]

    def finish(self) -> list[StreamChunk]:
        """What is still held, of a stream that ended."""
        return [chunk for channels in self._choices.values() for chunk in channels.close()]


def _worth(passed: StreamChunk, given: StreamChunk) -> list[StreamChunk]:
    """The chunk, unless all it said is held back."""
    return [] if passed is not given and passed == StreamChunk(block=passed.block, index=passed.index) else [passed]


def _without_end(chunk: StreamChunk) -> StreamChunk:
    return chunk.replace(finish_reason=None, raw_finish_reason=None, usage=None, metadata=EMPTY)


def _end(chunk: StreamChunk) -> StreamChunk:
    return chunk.replace(delta="", thinking="", tool_calls=(), part=None)


class _Open:
    """A channel with what its rest is told by: the kind of text, its block, and the type of part that brings it."""

    def __init__(self, channel: Channel | ArgumentsChannel, kind: str, number: int, block: int) -> None:
        self.channel, self.kind, self.number, self.block = channel, kind, number, block
        self.part: Any = None

    def rest(self, index: int) -> Iterator[StreamChunk]:
        """The chunk that says what was held."""
        text = self.channel.finish()
        if not text:
            return
        if self.kind == "tool_call":
            delta = ToolCallDelta(self.number, arguments=text)
            yield StreamChunk(tool_calls=(delta,), block=self.block, index=index)
        elif self.part is not None:
            yield StreamChunk(part=self.part(text=text), block=self.block, index=index)
        elif self.kind == "thinking":
            yield StreamChunk(thinking=text, block=self.block, index=index)
        else:
            yield StreamChunk(text, block=self.block, index=index)


class _Channels:
    """The channels of one choice: its texts by kind and block, its tool calls by their index."""

    def __init__(self, screen: Screen, index: int) -> None:
        self._screen, self._index = screen, index
        self._texts: dict[Key, _Open] = {}
        self._tools: dict[int, _Open] = {}
        self._changed: set[int] = set()

    def take(self, chunk: StreamChunk) -> tuple[list[StreamChunk], StreamChunk]:
        """What other blocks still held, then the chunk with what it may say."""
        let_go = list(self._ended(chunk))
        return let_go, chunk.replace(
            delta=self._fed("text", chunk.block, chunk.delta),
            thinking=self._fed("thinking", chunk.block, chunk.thinking),
            tool_calls=tuple(self._calls(chunk)),
            part=None if chunk.part is None else self._part(chunk.part, chunk.block),
        )

    def close(self) -> Iterator[StreamChunk]:
        """What all of them still held."""
        for key in list(self._texts):
            yield from self._close(key)
        while self._tools:
            yield from self._tools.pop(next(iter(self._tools))).rest(self._index)

    def _ended(self, chunk: StreamChunk) -> Iterator[StreamChunk]:
        """The rests of texts that are over: another block has begun, or this one is signed."""
        signed = isinstance(chunk.part, ReasoningPart) and chunk.part.signature is not None and not chunk.part.text
        for kind, number in list(self._texts):
            if number != chunk.block or (signed and kind == "thinking" and not chunk.thinking):
                yield from self._close((kind, number))

    def _close(self, key: Key) -> Iterator[StreamChunk]:
        opened = self._texts.pop(key, None)
        if opened is None:
            return
        yield from opened.rest(self._index)
        if opened.kind == "thinking" and opened.channel.changed:
            self._changed.add(opened.block)

    def _fed(self, kind: str, block: int, text: str, part: type | None = None) -> str:
        stages = self._screen.stages[kind]
        if not text or not stages:
            return text
        opened = self._texts.get((kind, block))
        if opened is None:
            opened = self._texts[kind, block] = _Open(Channel(stages), kind, block, block)
        opened.part = part
        return opened.channel.feed(text)

    def _part(self, part: Part, block: int) -> Part | None:
        kind = _KIND_OF.get(type(part))
        if kind is None:
            return self._screen.part(part)
        told: Any = part
        stages = self._screen.stages[kind]
        changes: dict[str, Any] = {"text": self._fed(kind, block, told.text, type(part))}
        changes["metadata"] = leaves(stages, told.metadata)
        if isinstance(part, TextPart):
            changes["citations"] = leaves(stages, part.citations)
        if isinstance(part, ReasoningPart) and part.signature is not None:
            changes |= self._signed(part.signature, block, changes["text"])
        passed: Part = told.replace(**changes)
        return None if told.text and passed == type(told)(text="") else passed

    def _signed(self, signature: str, block: int, text: str) -> dict[str, Any]:
        """The end of a block's thinking, and its signature where that still proves it."""
        text += "".join(rest.thinking or getattr(rest.part, "text", "") for rest in self._close(("thinking", block)))
        return {"text": text, "signature": None if block in self._changed else signature}

    def _calls(self, chunk: StreamChunk) -> Iterator[ToolCallDelta]:
        stages = self._screen.stages["tool_call"]
        if not stages:
            yield from chunk.tool_calls
            return
        for delta in chunk.tool_calls:
            if delta.index not in self._tools:
                self._tools[delta.index] = _Open(ArgumentsChannel(stages), "tool_call", delta.index, chunk.block)
            text = self._tools[delta.index].channel.feed(delta.arguments)
            passed = delta.replace(arguments=text, metadata=leaves(stages, delta.metadata))
            if passed != ToolCallDelta(delta.index) or not delta.arguments:
                yield passed
