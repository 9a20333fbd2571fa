"""Streams of Nova: each payload holds an event of ConverseStream under the event's name.

Its usage has names of its own for cached tokens, and comes before the metrics in the same payload.
"""

from __future__ import annotations

from ...types import StreamChunk
from ..bedrock_converse.stream import StreamDecoder
from .frames import malformed
from .metrics import PREFIX, usage_of
from .stream import PayloadDecoder, record_of, told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ...errors import LLMError


def decoder() -> PayloadDecoder:
    """A fresh decoder for one stream."""
    return PayloadDecoder(lambda _record: EventReader())


class EventReader:
    """Reads the payloads of one stream; see `stream.Reader`."""

    def __init__(self) -> None:
        self.error: LLMError | None = None
        self.done = False
        self.counts: dict[str, Any] = {}
        self._events = StreamDecoder()

    def take(self, payload: bytes, chunks: list[StreamChunk]) -> None:
        """Append the chunks of one payload."""
        try:
            record = record_of(payload)
        except (ValueError, RecursionError) as reason:
            self.error = malformed(reason)
            return
        for name, event in record.items():
            if isinstance(event, dict) and not name.startswith(PREFIX):
                self._event(name, event, chunks)
        self.error = self._events.error

    def _event(self, name: str, event: dict[str, Any], chunks: list[StreamChunk]) -> None:
        if name != "metadata":
            self._events.take(name, event, chunks)
            return
        native = event.get("usage")
        rest = {key: value for key, value in event.items() if key != "usage" and value}
        usage = usage_of(native, {}) if isinstance(native, dict) else None
        chunks.append(StreamChunk(usage=usage, metadata=told(rest)))

    def end(self, _chunks: list[StreamChunk]) -> LLMError | None:
        """Nothing is held back."""
        return None
