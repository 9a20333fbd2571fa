"""What a stream has delivered and when, kept by its flow while it runs, so that reading a chunk costs nothing more."""

from __future__ import annotations

from ..call import labelled
from .accumulator import Accumulator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..catalog.resolve import Target
    from ..errors import LLMError
    from ..types import Completion, StreamChunk


class StreamRecord:
    """The chunks and times of one stream; times are readings of the monotonic clock, in seconds."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._chunks: list[StreamChunk] = []
        self.begun = 0.0
        self.first_chunk: float | None = None
        self.ended: float | None = None
        self.attempts = 0
        self.warnings: tuple[str, ...] = ()

    def turn_to(self, target: Target) -> None:
        """Start over with another model; for a stream that has delivered nothing yet."""
        self._target = target
        self.attempts = 0

    def add(self, chunks: Iterable[StreamChunk]) -> None:
        """Keep the next chunks."""
        self._chunks.extend(chunks)

    def completion(self) -> Completion:
        """The whole answer from what has come so far."""
        accumulator = Accumulator()
        accumulator.add(self._chunks)
        return labelled(
            accumulator.completion(),
            self._target,
            warnings=self.warnings,
            latency_ms=_milliseconds(self.begun, self.ended),
            time_to_first_token_ms=_milliseconds(self.begun, self.first_chunk),
            attempts=self.attempts,
        )

    def explained(self, error: LLMError) -> LLMError:
        """The error a stream ended with, told what had come before it, if anything had."""
        if self.first_chunk is not None:
            error.partial = self.completion()
            error.usage = error.usage or error.partial.usage
        return error


def _milliseconds(start: float, end: float | None) -> float | None:
    return None if end is None else (end - start) * 1000
