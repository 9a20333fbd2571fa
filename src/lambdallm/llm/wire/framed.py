"""The shell of a stream decoder whose framing gives whole events: over at the end or the first error, never raising.

A subclass turns frames into chunks in `_chunks`, where it sets `done` at its protocol's own end, and `_fail`s at what
is no event of it. Decoders whose speed matters more, or that read more than frames, have a shell of their own.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..errors import StreamError
from .framing import FramingError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Protocol

    from ..errors import LLMError
    from ..types import StreamChunk

    class Framing(Protocol):
        """What cuts bytes into frames: `SseDecoder`, `NdjsonDecoder`."""

        def feed(self, data: bytes) -> list[Any]:
            """The frames that these bytes complete."""
            ...

        def close(self) -> list[Any]:
            """The frames that the end of the bytes completes."""
            ...


class FramedDecoder(ABC):
    """Turns the bytes of one streamed answer into chunks; see `codec.Decoder`."""

    def __init__(self, framing: Framing) -> None:
        self.error: LLMError | None = None
        self.done = False
        self._framing = framing

    def feed(self, data: bytes) -> list[StreamChunk]:
        """The chunks that these bytes complete."""
        if self.done or self.error is not None:
            return []
        try:
            return self._chunks(self._framing.feed(data))
        except FramingError as reason:
            self._fail(f"The stream is malformed: {reason}.")
            return []

    def close(self) -> list[StreamChunk]:
        """The chunks that the end of the bytes completes."""
        if self.done or self.error is not None:
            return []
        chunks = self._chunks(self._framing.close())
        if not self.done and self.error is None:
            self._fail("The stream broke off before its end.")
        return chunks

    @abstractmethod
    def _chunks(self, frames: Iterable[Any]) -> list[StreamChunk]:
        """The chunks of these frames, up to the end or the first error."""

    def _fail(self, message: str) -> None:
        self.error = StreamError(message)
