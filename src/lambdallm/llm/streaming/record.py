"""What a stream has delivered and when, kept by its flow while it runs, so that reading a chunk costs nothing more."""

from __future__ import annotations

from ..call import labelled
from ..pricing.cost import cost_of, total
from ..result import Ok
from ..types import Usage
from .accumulator import Accumulator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Literal

    from ..catalog.resolve import Target
    from ..errors import LLMError
    from ..result import Result
    from ..types import Completion, StreamChunk


class StreamRecord:
    """The chunks and times of one stream; times are readings of the monotonic clock, in seconds.

    Without a `target` the completion names no provider and has no price.
    """

    def __init__(self, target: Target | None) -> None:
        self._target = target
        self._chunks: list[StreamChunk] = []
        self.begun = 0.0
        self.first_chunk: float | None = None
        self.ended: float | None = None
        self.attempts = 0
        self.warnings: tuple[str, ...] = ()
        self.spent: list[Usage] = []
        """What failed attempts used."""
        self.running = False
        """Whether an attempt that writes to it is under way."""
        self.cancelled = 0
        """The attempts that were given up for another one while they ran."""
        self.cache: Literal["hit", "semantic", "shared"] | None = None
        """How a cache answers, where one does: its chunks were paid for by another call."""
        self.ready: Completion | None = None
        """The whole answer, where it is known apart from its chunks."""
        self.surcharge_usd: float | None = 0.0
        """What was paid beside the call, such as for a semantic cache's vector; `None` when unknown."""

    def turn_to(self, target: Target) -> None:
        """Start over with another model; for a stream that has delivered nothing yet."""
        self._target = target
        self.attempts = 0

    def add(self, chunks: Iterable[StreamChunk]) -> None:
        """Keep the next chunks."""
        self._chunks.extend(chunks)

    def has_begun(self) -> bool:
        """Whether anything has been delivered."""
        return self.first_chunk is not None

    def twin(self) -> StreamRecord:
        """A record for one of several attempts of which one will be followed."""
        twin = StreamRecord(self._target)
        twin.begun = self.begun
        return twin

    def follow(self, twin: StreamRecord, other: StreamRecord, ended: Result[Any, LLMError] | None) -> None:
        """Become the record of one of two attempts, also of what it has yet to deliver.

        `ended` is the result of the other one: a failure, or an answer that came too late; `None` where it was given up
        while it ran, if it had begun.
        """
        self._chunks, self.first_chunk, self.warnings = twin._chunks, twin.first_chunk, twin.warnings
        self.attempts += twin.attempts + other.attempts
        self.spent += [*twin.spent, *other.spent]
        if isinstance(ended, Ok) and (usage := getattr(ended.value, "usage", None) or other.usage) is not None:
            self.spent.append(usage)
        self.cancelled += ended is None and other.attempts > 0

    @property
    def usage(self) -> Usage | None:
        """What the provider says was used, as far as it has said."""
        return next((chunk.usage for chunk in reversed(self._chunks) if chunk.usage is not None), None)

    def completion(self) -> Completion:
        """The whole answer from what has come so far."""
        if self.ready is not None:
            return self.ready
        accumulator = Accumulator()
        accumulator.add(self._chunks)
        answer = accumulator.completion().replace(
            latency_ms=_milliseconds(self.begun, self.ended),
            time_to_first_token_ms=_milliseconds(self.begun, self.first_chunk),
            attempts=self.attempts,
            warnings=self.warnings,
        )
        if self._target is not None:
            answer = self.counted(labelled(answer, self._target))
        if self.cache is not None:
            answer = answer.replace(cache=self.cache, cost_usd=0.0)
        return self._surcharged(answer)

    def _surcharged(self, answer: Completion) -> Completion:
        if self.surcharge_usd == 0.0:
            return answer
        return answer.replace(cost_usd=total((answer.cost_usd, self.surcharge_usd)))

    def counted(self, answer: Completion) -> Completion:
        """The answer with what the other attempts at it used and cost, each counted once.

        One that was cancelled can't say what it used: it is counted with its input, which was the same, and a warning.
        """
        if not self.spent and not self.cancelled:
            return answer
        known = Usage() if answer.usage is None else answer.usage
        others = [*self.spent, *[Usage(input_tokens=known.input_tokens)] * self.cancelled]
        costs = [cost_of(usage, self._target) for usage in others] if self._target is not None else [None]
        warning = f"{self.cancelled} attempt(s) were cancelled for a faster one; of them the input alone is counted."
        return answer.replace(
            usage=None if answer.usage is None else sum(others, known),
            cost_usd=total((answer.cost_usd, *costs)),
            warnings=(*answer.warnings, warning) if self.cancelled else answer.warnings,
        )

    def explained(self, error: LLMError) -> LLMError:
        """The error a stream ended with, told what had come before it, if anything had."""
        if self.first_chunk is not None:
            error.partial = self.completion()
            error.usage, error.cost_usd = error.partial.usage, error.partial.cost_usd
        elif self.spent:
            error.usage = sum(self.spent[1:], self.spent[0])
            if self._target is not None:
                error.cost_usd = total(cost_of(usage, self._target) for usage in self.spent)
        return error


def _milliseconds(start: float, end: float | None) -> float | None:
    return None if end is None else (end - start) * 1000
