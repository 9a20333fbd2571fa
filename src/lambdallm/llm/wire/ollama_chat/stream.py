"""Ollama's streams: lines of JSON, each a piece of the answer, the last one `done` and with the numbers.

Tool calls come whole, each in a line of its own or several in one. An error in the middle is a line with `error`.
Source: "Streaming", "Errors" (docs/api); `api/types.go`, `ChatResponse`.
"""

from __future__ import annotations

import json

from ...types import EMPTY, StreamChunk, ToolCallDelta
from ..failures import error_inside, stream_error
from ..framed import FramedDecoder
from ..ndjson import NdjsonDecoder
from .response import (
    CHAT_FIELDS,
    MESSAGE_FIELDS,
    call_facts,
    chat_message,
    classified,
    finish_reason,
    leftovers,
    noted,
    read_usage,
    records,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .response import Record

_scan: Any = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # the C scanner: not in the stubs
_SHOWN = 80


class StreamDecoder(FramedDecoder):
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(
        self, message_of: Callable[[Record], Record | None] = chat_message, known: frozenset[str] = CHAT_FIELDS
    ) -> None:
        super().__init__(NdjsonDecoder())
        self._message_of, self._known = message_of, known
        self._model: str | None = None
        self._calls = 0
        self._logprobs: list[Any] = []
        self._extras: Record = {}

    def _chunks(self, lines: Iterable[bytes]) -> list[StreamChunk]:
        chunks: list[StreamChunk] = []
        for line in lines:
            self._line(line, chunks)
            if self.done or self.error is not None:
                break
        return chunks

    def _line(self, line: bytes, chunks: list[StreamChunk]) -> None:
        try:
            text = line.decode()
            record, end = _scan(text, 0)
            if end != len(text):
                record = None
        except (ValueError, StopIteration, RecursionError):
            record = None
        if not isinstance(record, dict):
            shown = line[:_SHOWN].decode("utf-8", "replace")
            self._fail(f"The stream is malformed: {shown!r} is no line of this protocol.")
        elif (found := error_inside(record)) is not None:
            self.error = stream_error(classified(found))
        else:
            self._record(record, chunks)

    def _record(self, record: Record, chunks: list[StreamChunk]) -> None:
        model = record.get("model")
        if model != self._model and isinstance(model, str) and model:
            self._model = model
            chunks.append(StreamChunk(metadata={"model": model}))
        message = self._message_of(record)
        if message is not None:
            self._message(message, chunks)
        if isinstance(logprobs := record.get("logprobs"), list):
            self._logprobs += logprobs
        if record.get("done"):
            self._finish(record, chunks)

    def _message(self, message: Record, chunks: list[StreamChunk]) -> None:
        thinking, text = message.get("thinking"), message.get("content")
        if isinstance(thinking, str) and thinking:
            chunks.append(StreamChunk("", thinking))
        if isinstance(text, str) and text:
            chunks.append(StreamChunk(text))
        if calls := tuple(self._call(call) for call in records(message.get("tool_calls"))):
            chunks.append(StreamChunk(tool_calls=calls))
        self._extras |= leftovers(message, MESSAGE_FIELDS)

    def _call(self, record: Record) -> ToolCallDelta:
        id, name, arguments, metadata = call_facts(record, self._calls)
        number, self._calls = self._calls, self._calls + 1
        return ToolCallDelta(number, id, name, _as_json(arguments), metadata)

    def _finish(self, record: Record, chunks: list[StreamChunk]) -> None:
        reason, raw = finish_reason(record.get("done_reason"), done=True, calls=self._calls > 0)
        metadata = leftovers(record, self._known)
        if self._logprobs:
            metadata["logprobs"] = self._logprobs
        if self._extras:
            metadata["choices"] = {0: {"message": noted(self._extras)}}
        chunks.append(StreamChunk("", "", (), reason, raw, read_usage(record), metadata=metadata or EMPTY))
        self.done = True


def _as_json(arguments: Any) -> str:
    if isinstance(arguments, str):
        return arguments
    try:
        return json.dumps({} if arguments is None else arguments, ensure_ascii=False)
    except RecursionError:
        return ""
