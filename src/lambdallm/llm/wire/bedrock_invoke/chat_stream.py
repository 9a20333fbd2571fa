"""Streams of the chat form: each payload is an event of `openai_chat`, without its framing and its end mark."""

from __future__ import annotations

from ..openai_chat import StreamDecoder
from .chat import in_our_words
from .stream import PayloadDecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...errors import LLMError
    from ...types import StreamChunk

_LINES = bytes.maketrans(b"\r\n", b"  ")
"""Line breaks between JSON's tokens, which the framing would take for its own; inside texts they are escaped."""


def decoder() -> PayloadDecoder:
    """A fresh decoder for one stream."""
    return PayloadDecoder(lambda _record: ChatReader())


class ChatReader:
    """Reads the payloads of one stream; see `stream.Reader`."""

    def __init__(self) -> None:
        self.counts: dict[str, Any] = {}
        self._events = StreamDecoder()

    @property
    def error(self) -> LLMError | None:
        """What the stream failed with."""
        return self._events.error

    @property
    def done(self) -> bool:
        """Whether an end mark has come after all."""
        return self._events.done

    def take(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        """Append the chunks of one payload."""
        chunks += self._events.feed(b"data: " + in_our_words(payload).translate(_LINES) + b"\n\n")

    def end(self, chunks: list[StreamChunk]) -> LLMError | None:
        """Append what was held back; a choice without a reason to end is not whole."""
        chunks += self._events.close()
        return self._events.error
