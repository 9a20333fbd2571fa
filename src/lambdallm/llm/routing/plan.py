"""What a strategy is asked, what it answers, what it is told afterwards: the values of its protocol."""

from __future__ import annotations

from ..._value import Value
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal, TypeAlias

    from ..errors import LambdaLLMError
    from ..types import ChatMessage
    from .candidate import CandidateFacts

    Reasons: TypeAlias = Mapping[str, str] | Callable[[CandidateFacts], str]

EXPECTED_OUTPUT_TOKENS = 500
"""How long an answer is taken to be where nothing says."""


class RoutedCall(Value):
    """A call that candidates are wanted for.

    `options` are the fields of `ChatRequest` that it sets. `needs` are the words of `CandidateFacts.can` without which
    it can't be answered. `input_tokens` is an estimate. `now` is a reading of the monotonic clock, in seconds.
    """

    messages: tuple[ChatMessage, ...]
    options: Mapping[str, Any] = EMPTY
    needs: frozenset[str] = frozenset()
    input_tokens: int = 0
    stream: bool = False
    now: float = 0.0

    @property
    def max_tokens(self) -> int | None:
        """The most tokens that the answer may have; `None` where the call does not say."""
        most: int | None = self.options.get("max_tokens")
        return most


class Plan(Value):
    """In which order to ask, and how many at once.

        Plan((fast, cheap), {"fast": "It answered within a second so far."}, left_out={"old": "It is to be retired."})

    `reasons` say of each candidate why it stands where it stands: by its name, or a function that is asked when
    somebody wants to know. The first `at_once` are started together, or `stagger_seconds` after one another, and the
    first to answer wins; where all of them fail, the next `at_once` follow. What is neither in `order` nor in
    `left_out` is not asked either.
    """

    order: Sequence[CandidateFacts]
    reasons: Reasons = EMPTY
    at_once: int = 1
    stagger_seconds: float = 0.0
    left_out: Mapping[str, str] = EMPTY

    def reason(self, candidate: CandidateFacts) -> str:
        """Why the candidate stands where it stands."""
        return self.reasons(candidate) if callable(self.reasons) else self.reasons.get(candidate.name, "")


class Observation(Value):
    """What one attempt was like: `ok`, `failed`, or `cancelled` because another was quicker.

    `latency_ms` is the whole time, `first_token_ms` that to the first token of a stream, which is told when that token
    comes; a stream that breaks off later is told again, as failed. `now` is a reading of the monotonic clock.
    """

    candidate: CandidateFacts
    outcome: Literal["ok", "failed", "cancelled"]
    stream: bool
    latency_ms: float
    first_token_ms: float | None = None
    error: LambdaLLMError | None = None
    now: float = 0.0
