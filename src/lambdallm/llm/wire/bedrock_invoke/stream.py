"""Streams of any body: payloads out of their frames, handed to the reader of the body that they turn out to be.

A model family may speak more than one body (Claude its messages and its old completions), so the first payload chooses
the reader. Bedrock's own fields are read here, for all bodies: the metrics in the last chunk, which end a stream, and
what a guardrail did. An answer that a guardrail blocked may end without any word of the model's on why.
"""

from __future__ import annotations

import json

from ...errors import StreamError
from ...types import StreamChunk
from .frames import Payloads, malformed
from .metrics import ACTION, INTERVENED, METRICS, PREFIX, TRACE, finish_reason, usage_of
from .settings import MARK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from ...errors import LLMError

    class Reader(Protocol):
        """Reads the payloads of one body."""

        counts: dict[str, Any]
        """The body's own counts so far, for a reader that leaves it to its caller to tell usage."""

        @property
        def error(self) -> LLMError | None:
            """What the stream failed with."""
            ...

        @property
        def done(self) -> bool:
            """Whether the body's own end has come."""
            ...

        def take(self, payload: bytes, chunks: list[StreamChunk]) -> None:
            """Append the chunks of one payload."""
            ...

        def end(self, chunks: list[StreamChunk]) -> LLMError | None:
            """Append what was held back; why the answer is not whole, where the body has a rule for that."""
            ...


_MARK = b'"' + PREFIX.encode()


_STREAMS_OWN = ("choices", "model")
"""Names in a chunk's metadata that mean something to whoever puts chunks together, besides `id`."""


def told(fields: dict[str, Any], id: str | None = None) -> dict[str, Any]:
    """Fields as a chunk's metadata; one with a name that streams have a use for stands under this protocol's."""
    clash = {name: fields[name] for name in _STREAMS_OWN if name in fields}
    metadata = {name: value for name, value in fields.items() if name not in _STREAMS_OWN and name != "id"}
    return metadata | ({MARK: clash} if clash else {}) | ({} if id is None else {"id": id})


def record_of(payload: bytes) -> dict[str, Any]:
    """A payload's object. Raises `ValueError` or `RecursionError` where it is none."""
    record = json.loads(str(payload, "utf-8", "replace"))
    if type(record) is not dict:
        raise ValueError("a payload is no object")
    return record


def bedrocks_own(payload: bytes) -> dict[str, Any]:
    """Bedrock's own fields in a payload that a reader has read; most have none, and are not parsed for it."""
    if _MARK not in payload:
        return {}
    try:
        return {key: value for key, value in record_of(payload).items() if key.startswith(PREFIX)}
    except (ValueError, RecursionError):
        return {}


class PayloadDecoder:
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`.

    `choose` makes the reader of a body from its first payload, parsed.
    """

    def __init__(self, choose: Callable[[dict[str, Any]], Reader]) -> None:
        self.error: LLMError | None = None
        self.done = False
        self._choose = choose
        self._payloads = Payloads()
        self._reader: Reader | None = None
        self._told: dict[str, Any] = {}
        self._finished = self._counted = self._blocked = False

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        chunks: list[StreamChunk] = []
        if self._is_over():
            return chunks
        for payload in self._payloads.feed(data):
            self._take(payload, chunks)
            if self._is_over():
                return chunks
        self.error = self._payloads.error
        return chunks

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        chunks: list[StreamChunk] = []
        if self._is_over():
            return chunks
        self._payloads.close()
        self.error = self._payloads.error
        if self.error is None:
            self._end(chunks)
        return chunks

    def _is_over(self) -> bool:
        return self.done or self.error is not None

    def _take(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        first = self._reader is None
        reader = self._reader if self._reader is not None else self._begin(payload)
        if reader is None:
            return
        before = len(chunks)
        reader.take(payload, chunks)
        self.error = reader.error
        self._notice(chunks, before)
        if self.error is not None:
            return
        said = bedrocks_own(payload)
        self._blocked = said.get(ACTION) == INTERVENED and (TRACE in said or first)
        self._tell(said, chunks)
        if reader.done or METRICS in self._told:
            self._end(chunks)

    def _begin(self, payload: bytes) -> Reader | None:
        try:
            reader = self._choose(record_of(payload))
        except (ValueError, RecursionError) as reason:
            self.error = malformed(reason)
            return None
        self._reader = reader
        return reader

    def _notice(self, chunks: list[StreamChunk], start: int) -> None:
        """Whether the body itself has said why it ended, and what it used."""
        for chunk in chunks[start:]:
            self._finished = self._finished or chunk.finish_reason is not None
            self._counted = self._counted or chunk.usage is not None

    def _tell(self, said: dict[str, Any], chunks: list[StreamChunk]) -> None:
        """Tell each of Bedrock's fields once, and again when it changes."""
        if news := {key: value for key, value in said.items() if self._told.get(key) != value}:
            self._told |= news
            chunks.append(StreamChunk(metadata=news))

    def _end(self, chunks: list[StreamChunk]) -> None:
        """The end, as it should be or not; what is only known now is told either way."""
        before = len(chunks)
        unfinished = self._reader.end(chunks) if self._reader is not None else None
        self._notice(chunks, before)
        self._tell_usage(chunks)
        if self._blocked and not self._finished:
            reason, raw = finish_reason(INTERVENED)
            chunks.append(StreamChunk(finish_reason=reason, raw_finish_reason=raw))
            self._finished, unfinished = True, None
        self.done = self._is_whole(unfinished)
        if not self.done:
            self.error = unfinished or StreamError("The stream ended before the answer did.")

    def _is_whole(self, unfinished: LLMError | None) -> bool:
        """By Bedrock's own end, by the body's, or by a reason to end where the body asks for no more."""
        ended = METRICS in self._told or (self._reader is not None and self._reader.done)
        return ended or (self._finished and unfinished is None)

    def _tell_usage(self, chunks: list[StreamChunk]) -> None:
        if self._counted or self._reader is None:
            return
        metrics = self._told.get(METRICS)
        usage = usage_of(self._reader.counts, metrics if isinstance(metrics, dict) else {})
        if usage is not None:
            chunks.append(StreamChunk(usage=usage))
