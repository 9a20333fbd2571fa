"""Streams of Claude: each payload is an event of `anthropic_messages`, or a piece of an old text completion."""

from __future__ import annotations

from ...errors import StreamError
from ..anthropic_messages.stream import EventDecoder
from .anthropic_text import ANSWER
from .shape_stream import ShapeReader
from .stream import PayloadDecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...errors import LLMError
    from ...types import StreamChunk
    from .stream import Reader


def decoder() -> PayloadDecoder:
    """A fresh decoder for one stream."""
    return PayloadDecoder(_reader)


def _reader(record: dict[str, Any]) -> Reader:
    return ShapeReader(ANSWER) if "completion" in record else MessageReader()


class MessageReader:
    """Reads the payloads of one stream; see `stream.Reader`."""

    def __init__(self) -> None:
        self.counts: dict[str, Any] = {}
        self._events = EventDecoder()

    @property
    def error(self) -> LLMError | None:
        """What the stream failed with."""
        return self._events.error

    @property
    def done(self) -> bool:
        """Whether `message_stop` has come."""
        return self._events.done

    def take(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        """Append the chunks of one payload."""
        self._events.take("", payload, chunks)

    def end(self, _chunks: list[StreamChunk]) -> LLMError | None:
        """A message is whole when its own end has come."""
        return None if self._events.done else StreamError("The stream ended before the message did.")
