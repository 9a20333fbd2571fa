"""Streams of the Gemini protocol: events that are answers in small, as server-sent events or one growing JSON array.

A stream has no end mark: it is whole when every candidate has given its reason to finish, or the prompt was blocked.
Text is joined to blocks as long as nothing stands beside it; a part with a signature is a block of its own, since it
must go back as it came. Function calls come whole, or value by value (`partial_args`).

Sources: Gemini API reference, "Method: models.streamGenerateContent"; "Thought signatures", streaming.
"""

from __future__ import annotations

import json

from ...errors import StreamError
from ...types import ReasoningPart, StreamChunk, TextPart, ToolCall, ToolCallDelta
from ..framing import FramingError
from ..repeat import Repeat
from ..sse import SseDecoder
from .array import JsonArrayDecoder
from .fields import finish_reason, records, rest_of, usage_of, word
from .response import (
    ANSWER_FIELDS,
    CANDIDATE_FIELDS,
    CallIds,
    call_metadata,
    decode_part,
    has_error,
    is_blocked,
    noted,
    parts_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ...errors import LLMError
    from ...types import Metadata, Part, Usage
    from .partial_args import PartialArgs

_SHOWN = 80
_IN_PIECES = ("logprobsResult", "citationMetadata")
"""Fields whose lists follow one another, unless an event repeats what came before it."""

_SPACE = b" \t\r\n\xef\xbb\xbf"
_NAMES = {"id": "responseId", "model": "modelVersion"}
_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # the C scanner: not in the stubs
_ANEW = ("candidates", "usageMetadata")
_IRREGULAR = (KeyError, TypeError, ValueError, AttributeError, StopIteration, RecursionError)
_COUNTED = ("promptTokenCount", "candidatesTokenCount", "totalTokenCount", "thoughtsTokenCount")


class StreamDecoder:
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.done = False
        self._frames: _SseFrames | _ArrayFrames | None = None
        self._candidates: dict[int, _Candidate] = {}
        self._ids = CallIds()
        self._told: dict[str, Any] = {}
        self._usage: Usage | None = None
        self._uncounted: dict[str, Any] = {}
        self._blocked = False
        self._repeat = Repeat()

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        chunks: list[StreamChunk] = []
        if self._is_over():
            return chunks
        if self._frames is None:
            data = data.lstrip(_SPACE)
        try:
            if data and (frames := self._framing(data)):
                self._events(frames.feed(data), chunks)
                if frames.done and not self._is_over():
                    self._finish(chunks)
        except FramingError as reason:
            self._fail(f"The stream is malformed: {reason}.")
        return chunks

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        chunks: list[StreamChunk] = []
        if not self._is_over():
            self._events(self._frames.close() if self._frames is not None else (), chunks)
        if not self._is_over():
            self._finish(chunks)
        return chunks

    def _is_over(self) -> bool:
        return self.done or self.error is not None

    def _framing(self, data: bytes) -> _SseFrames | _ArrayFrames:
        """The framing that the first byte tells."""
        if self._frames is None:
            self._frames = _ArrayFrames() if data[:1] in b"[{" else _SseFrames()
        return self._frames

    def _events(self, payloads: Iterable[bytes], chunks: list[StreamChunk]) -> None:
        for payload in payloads:
            if not self._is_repeat(payload, chunks) and not self._is_text(payload, chunks):
                self._payload(payload, chunks)
            if self._is_over():
                break

    def _is_repeat(self, payload: bytes, chunks: list[StreamChunk]) -> bool:
        """Take an event that differs from an earlier one only in its text, unless its block has ended since."""
        said = self._repeat.text(payload)
        if said is None or not (first := self._candidates[0]).continues_text(self._repeat.index):
            return False
        if said:
            chunks.append(StreamChunk(said, "", (), None, None, None, None, first.block))
        return True

    def _is_text(self, payload: bytes, chunks: list[StreamChunk]) -> bool:
        """Take an event that says nothing new but a text and new counts, as nearly all do."""
        try:
            body = payload.decode()
            event, end = _scan(body, 0)
            (candidate,) = event["candidates"]
            (part,) = candidate["content"]["parts"]
            said, first = part["text"], self._candidates[0]
            plain = len(part) == 1 and (len(candidate) == 1 or (len(candidate) == 2 and candidate["index"] == 0))
            if not plain or end != len(body) or type(said) is not str or not self._is_known(event):
                return False
        except _IRREGULAR:
            return False
        usage = self._new_usage(event.get("usageMetadata"))
        first.text(said, usage, chunks)
        self._repeat.learn(payload, said, first.block)
        return True

    def _is_known(self, event: dict[str, Any]) -> bool:
        """Whether what stands beside the candidates was told before."""
        told = self._told
        for key, value in event.items():  # noqa: SIM110 - a generator takes twice the time
            if key not in _ANEW and told.get(key) != value:
                return False
        return True

    def _payload(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        text = payload.decode("utf-8", "replace").strip()
        if not text or text == "[DONE]":
            return
        try:
            event = json.loads(text)
            for one in event if isinstance(event, list) else (event,):
                self._event(one, chunks)
        except (ValueError, RecursionError):
            self._fail(f"The stream is malformed: {text[:_SHOWN]!r} can't be read as JSON.")

    def _event(self, event: Any, chunks: list[StreamChunk]) -> None:
        if self._is_over():
            return
        if has_error(event):
            from .error import stream_error

            self.error = stream_error(event, self._usage)
        elif isinstance(event, dict):
            self._metadata(event, chunks)
            for place, candidate in enumerate(records(event.get("candidates"))):
                self._candidate(candidate, place, chunks)
            self._take_usage(event.get("usageMetadata"), chunks)
        else:
            self._fail(f"The stream is malformed: {str(event)[:_SHOWN]!r} is no event of this protocol.")

    def _metadata(self, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Tell at once whose answer it is, and that it is blocked; what else is known of it comes at the end."""
        if is_blocked(event) and not self._blocked:
            self._blocked = True
            chunks.append(StreamChunk(finish_reason="content_filter"))
        named = {"id": word(event.get("responseId")), "model": word(event.get("modelVersion"))}
        news = {key: name for key, name in named.items() if name and self._told.get(_NAMES[key]) != name}
        if news:
            self._ids.answer_id = news.get("id", self._ids.answer_id)
            chunks.append(StreamChunk(metadata=news))
        self._told |= {_NAMES[key]: name for key, name in news.items()} | rest_of(event, ANSWER_FIELDS)

    def _candidate(self, candidate: dict[str, Any], place: int, chunks: list[StreamChunk]) -> None:
        index = candidate.get("index")
        index = index if type(index) is int else place
        state = self._candidates.get(index)
        if state is None:
            state = self._candidates[index] = _Candidate(index, self._ids)
        state.add(candidate, chunks)

    def _take_usage(self, native: Any, chunks: list[StreamChunk]) -> None:
        if (usage := self._new_usage(native)) is not None:
            chunks.append(StreamChunk(usage=usage))

    def _new_usage(self, native: Any) -> Usage | None:
        """Counts are totals so far. A record without counts (`trafficType` alone) is told only if none ever comes."""
        if native is None or (self._usage is not None and native == self._usage.native):
            return None
        usage = usage_of(native)
        if usage is None:
            return None
        if not any(name in native for name in _COUNTED):
            self._uncounted = native
            return None
        self._usage = usage
        return usage

    def _finish(self, chunks: list[StreamChunk]) -> None:
        """The end, as it should be or not; what is only known now is told either way."""
        for state in self._candidates.values():
            state.end(chunks)
        if told := {index: state.extras for index, state in self._candidates.items() if state.extras}:
            chunks.append(StreamChunk(metadata={"choices": {index: noted(extras) for index, extras in told.items()}}))
        if own := rest_of(self._told, ANSWER_FIELDS):
            chunks.append(StreamChunk(metadata=dict(noted(own))))
        if self._usage is None and self._uncounted:
            chunks.append(StreamChunk(usage=usage_of(self._uncounted)))
        if not (self._candidates or self._blocked):
            self._fail("The stream ended without an answer.")
        elif not (self._blocked or all(state.finished for state in self._candidates.values())):
            self._fail("The stream broke off before its end.")
        else:
            self.done = True

    def _fail(self, message: str) -> None:
        self.error = StreamError(message, usage=self._usage)


class _SseFrames:
    """Server-sent events. An error that the API throws in between has no `data:` before its lines of JSON."""

    def __init__(self) -> None:
        self._sse = SseDecoder(bare_json=True)
        self.done = False

    def feed(self, data: bytes) -> list[bytes]:
        return [payload for _, payload in self._sse.feed(data)]

    def close(self) -> list[bytes]:
        return [payload for _, payload in self._sse.close()]


class _ArrayFrames(JsonArrayDecoder):
    def close(self) -> list[bytes]:
        return []


class _Candidate:
    """One candidate: its blocks, its calls, and what is told at its end."""

    def __init__(self, index: int, ids: CallIds) -> None:
        self.index = index
        self.finished = False
        self.block = 0
        self.extras: dict[str, Any] = {}
        self._ids = ids
        self._open = ""
        self._calls = 0
        self._partial: tuple[int, PartialArgs] | None = None

    def continues_text(self, block: int) -> bool:
        """Whether text would still belong to that block."""
        return self._open == "text" and self.block == block

    def add(self, candidate: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Take an event's candidate."""
        for record in parts_of(candidate):
            call = record.get("functionCall")
            if isinstance(call, dict) and (self._partial or call.get("willContinue") or call.get("partialArgs")):
                self._piece_of_call(record, call, chunks)
            elif (part := decode_part(record, self._ids)) is not None:
                self._part(part, chunks)
        if extras := rest_of(candidate, CANDIDATE_FIELDS):
            _grow(self.extras, extras)
        reason, raw = finish_reason(candidate.get("finishReason"), called=self._calls > 0)
        if raw is not None:
            self.end(chunks)
            self.finished = True
            chunks.append(StreamChunk(finish_reason=reason, raw_finish_reason=raw, index=self.index))

    def end(self, chunks: list[StreamChunk]) -> None:
        """Tell the arguments of a call that came in pieces and was never said to be whole."""
        if self._partial is not None:
            number, args = self._partial
            self._partial = None
            self._delta(ToolCallDelta(number, arguments=_json(args.whole())), chunks)

    def text(self, text: str, usage: Usage | None, chunks: list[StreamChunk]) -> None:
        """Take text with nothing beside it but the counts so far."""
        if text:
            block = self._block("text", alone=False)
            chunks.append(StreamChunk(text, "", (), None, None, usage, None, block, self.index))
        elif usage is not None:
            chunks.append(StreamChunk(usage=usage))

    def _part(self, part: Part, chunks: list[StreamChunk]) -> None:
        if isinstance(part, TextPart):
            beside = TextPart("", (), part.metadata) if part.metadata else None
            block = self._block("text", alone=beside is not None)
            chunks.append(StreamChunk(part.text, part=beside, block=block, index=self.index))
        elif isinstance(part, ReasoningPart):
            thought = part.replace(text="") if part.metadata else None
            block = self._block("thinking", alone=thought is not None)
            chunks.append(StreamChunk(thinking=part.text, part=thought, block=block, index=self.index))
        elif isinstance(part, ToolCall):
            call = ToolCallDelta(self._next_call(), part.id, part.name, _json(part.arguments), part.metadata)
            self._delta(call, chunks)
        else:
            chunks.append(StreamChunk(part=part, block=self._block("whole", alone=True), index=self.index))

    def _block(self, kind: str, *, alone: bool) -> int:
        """The block that a part belongs to: the open one of its kind, or a new one."""
        if alone or kind != self._open:
            self.block += 1
        self._open = "" if alone else kind
        return self.block

    def _next_call(self) -> int:
        self._open = ""
        self._calls += 1
        return self._calls - 1

    def _delta(self, call: ToolCallDelta, chunks: list[StreamChunk]) -> None:
        chunks.append(StreamChunk(tool_calls=(call,), index=self.index))

    def _piece_of_call(self, record: dict[str, Any], call: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """A piece of a call: the first has its name, the last says that nothing continues."""
        if self._partial is None or word(call.get("name")):
            self.end(chunks)
            from .partial_args import PartialArgs

            self._partial = (self._next_call(), PartialArgs())
            id = word(call.get("id"))
            metadata: Metadata = call_metadata(record, call | {"args": {}}, has_id=id is not None)
            start = ToolCallDelta(self._partial[0], id or self._ids.next(), word(call.get("name")), "", metadata)
            self._delta(start, chunks)
        args = self._partial[1]
        if isinstance(whole := call.get("args"), dict):
            args.args |= whole
        args.add(call.get("partialArgs"))
        if not call.get("willContinue"):
            self.end(chunks)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _grow(whole: dict[str, Any], piece: dict[str, Any]) -> None:
    """Add a candidate's unmodelled fields: objects merge field by field, what comes in pieces is joined."""
    for key, value in piece.items():
        known = whole.get(key)
        if not (isinstance(known, dict) and isinstance(value, dict)):
            whole[key] = dict(value) if isinstance(value, dict) else value
            continue
        for field, more in value.items():
            before = known.get(field) if key in _IN_PIECES else None
            if isinstance(before, list) and isinstance(more, list) and more[: len(before)] != before:
                before.extend(more)
            else:
                known[field] = more
