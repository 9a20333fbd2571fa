"""One candidate's part in a call: when it was asked, what came back, what that cost."""

from __future__ import annotations

from ..errors import ConfigurationError, LLMError
from ..result import Err, Ok
from . import bill
from .plan import Observation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..errors import LambdaLLMError
    from ..result import Result
    from ..types import Completion, StreamChunk
    from .bill import Bill
    from .candidate import CandidateFacts
    from .decision import Outcome
    from .plan import RoutedCall


class Leg:
    """Times are readings of the monotonic clock. Written by the flow that asks, read by the record.

    `lost` is when another was quicker; a thread that is being stopped may still note its `result` after that.
    """

    __slots__ = ("begun", "candidate", "chunks", "ended", "first_token", "lost", "passed_over", "result", "stream")

    def __init__(self, candidate: CandidateFacts) -> None:
        self.candidate = candidate
        self.begun: float | None = None
        self.first_token: float | None = None
        self.ended: float | None = None
        self.lost: float | None = None
        self.passed_over = ""
        self.result: Result[Any, LambdaLLMError] | None = None
        self.stream: Any = None
        self.chunks: list[StreamChunk] | None = None
        """What has come of a stream that can't say itself what its completion is."""

    @property
    def error(self) -> LambdaLLMError | None:
        """What it failed with."""
        return self.result.error if isinstance(self.result, Err) else None

    @property
    def was_asked(self) -> bool:
        """Whether a call was made, as far as is known."""
        return self.begun is not None and not is_skip(self.error)

    @property
    def answer(self) -> Completion | None:
        """The whole answer, or what has come of it."""
        if self.stream is not None:
            return self._streamed() if self.first_token is not None or isinstance(self.result, Ok) else None
        return self.result.value if isinstance(self.result, Ok) else None

    def _streamed(self) -> Completion:
        if self.chunks is None:
            whole: Completion = self.stream.completion
            return whole
        from ..streaming.accumulator import Accumulator

        accumulator = Accumulator()
        accumulator.add(self.chunks)
        return accumulator.completion().replace(model=self.candidate.model, provider=self.candidate.provider)

    def bill(self, call: RoutedCall) -> Bill | None:
        """What it used and cost; `None` where nothing is charged."""
        if not self.was_asked:
            return None
        if isinstance(self.error, LLMError):
            return bill.failed(self.candidate, call, self.error)
        if self.error is not None:
            return None
        answer = self.answer if self.lost is None or isinstance(self.result, Ok) else None
        return bill.cancelled(self.candidate, call) if answer is None else bill.answered(self.candidate, answer)

    def outcome(self, *, chosen: bool) -> Outcome:
        """What became of it, in a word."""
        if not self.was_asked:
            return "unused" if self.begun is None and not self.passed_over else "skipped"
        if self.error is not None:
            return "failed"
        return "chosen" if chosen else "cancelled"

    @property
    def latency_ms(self) -> float | None:
        """From asking to the answer's end, to its failure, or to being given up."""
        until = self.lost if self.lost is not None else self.ended
        return None if self.begun is None or until is None else (until - self.begun) * 1000

    def observation(self, outcome: Any, stream: bool, now: float) -> Observation:
        """What a strategy is told of it."""
        begun = now if self.begun is None else self.begun
        first = None if self.first_token is None else (self.first_token - begun) * 1000
        return Observation(self.candidate, outcome, stream, (now - begun) * 1000, first, self.error, now)


def is_skip(error: LambdaLLMError | None) -> bool:
    """Whether a failure means that nothing was sent."""
    return isinstance(error, ConfigurationError) or (isinstance(error, LLMError) and not error.sent)
