"""How an adapter reads: the flow from pieces of bytes to chunks, and the decoder around a `decode` of one's own."""

from __future__ import annotations

from ..errors import ConfigurationError, LLMError, StreamError
from ..flow import NOW, Emit, Perform
from ..pipeline import broken_off
from ..result import Err, Ok
from ..wire.framed import FramedDecoder
from ..wire.ndjson import NdjsonDecoder
from ..wire.sse import SseDecoder
from .source import anext_of, next_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from typing import Any, Literal

    from ..flow import Flow
    from ..result import Result
    from ..types import StreamChunk
    from ..wire.codec import Decoder
    from ..wire.framed import Framing
    from .record import StreamRecord

_MOST_ERROR_BYTES = 1024 * 1024
_SHOWN = 80


def adapted(decoder: Decoder, record: StreamRecord, following: Callable[[], Any]) -> Flow[Result[None, LLMError]]:
    """Emit the chunks of a source's bytes; `following` gives the next of them, `b""` at their end."""
    record.begun = (yield NOW).monotonic
    record.attempts = 1
    error = yield from _decoded(decoder, record, Perform(following))
    record.ended = (yield NOW).monotonic
    return Ok(None) if error is None else Err(record.explained(error))


def _decoded(decoder: Decoder, record: StreamRecord, read: Perform) -> Flow[LLMError | None]:
    while not decoder.done and decoder.error is None:
        piece = yield read
        if isinstance(piece, Err):
            return broken_off(piece.error, record)
        chunks = decoder.feed(piece) if piece else decoder.close()
        if chunks:
            if record.first_chunk is None:
                record.first_chunk = (yield NOW).monotonic
            record.add(chunks)
            yield Emit(chunks)
        if not piece:
            break
    return decoder.error


def refused(failure: Callable[[bytes], LLMError], following: Callable[[], Any]) -> Flow[Result[None, LLMError]]:
    """Read an answer that is no stream to its end; the error it is."""
    body = b""
    while len(body) < _MOST_ERROR_BYTES:
        piece = yield Perform(following)
        if isinstance(piece, Err) or not piece:
            break
        body += piece
    return Err(failure(body))


def next_piece(pieces: Iterator[object], end: bytes) -> bytes:
    """The next bytes of a source, `end` after each piece; `b""` when there are no more."""
    while (piece := next_of(pieces)) is not None:
        if data := _as_bytes(piece) + end:
            return data
    return b""


async def anext_piece(pieces: AsyncIterator[object], end: bytes) -> bytes:
    """The asynchronous twin of `next_piece`."""
    while (piece := await anext_of(pieces)) is not None:
        if data := _as_bytes(piece) + end:
            return data
    return b""


def _as_bytes(piece: object) -> bytes:
    if isinstance(piece, str):
        return piece.encode("utf-8", "replace")
    if isinstance(piece, (bytes, bytearray, memoryview)):
        return bytes(piece)
    fix = "Give an iterable of bytes or text, such as response.iter_bytes()."
    raise ConfigurationError(f"The source of a stream gave {piece!r}.", fix=fix)


class Decoding(FramedDecoder):
    """A decoder whose events are read by a function that is not ours; see `codec.Decoder`."""

    def __init__(
        self,
        decode: Callable[[bytes, str], Iterable[StreamChunk]],
        framing: Literal["sse", "ndjson"],
        end_mark: bytes | None,
    ) -> None:
        if framing not in _FRAMINGS:
            fix = f"Use one of {', '.join(map(repr, _FRAMINGS))}, or override decoder()."
            raise ConfigurationError(f"No framing is called {framing!r}.", fix=fix)
        super().__init__(_FRAMINGS[framing]())
        self._decode, self._end_mark = decode, end_mark

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        if self._end_mark is not None or self.done or self.error is not None:
            return super().close()
        chunks = self._chunks(self._framing.close())
        self.done = self.error is None
        return chunks

    def _chunks(self, frames: Iterable[Any]) -> list[StreamChunk]:
        chunks: list[StreamChunk] = []
        for frame in frames:
            event, data = ("", frame) if isinstance(frame, bytes) else frame
            if data == self._end_mark:
                self.done = True
                return chunks
            try:
                for chunk in self._decode(data, event):
                    chunks.append(chunk)
            except Exception as reason:  # noqa: BLE001  # it ends the stream, whatever it is
                self.error = _unread(data, reason)
                return chunks
        return chunks


def _unread(data: bytes, reason: Exception) -> LLMError:
    if isinstance(reason, LLMError):
        return reason
    error = StreamError(f"An event can't be read, {data[:_SHOWN]!r}: {reason!r}.")
    error.__cause__ = reason
    return error


_FRAMINGS: dict[str, Callable[[], Framing]] = {"sse": SseDecoder, "ndjson": NdjsonDecoder}
