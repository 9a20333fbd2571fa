"""What the function's time ends: whether it was that, and which error it is."""

from __future__ import annotations

from ..llm.errors import DeadlineExceededError
from ..llm.flow import NOW
from ..llm.retry import backoff_seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..llm.errors import LambdaLLMError, LLMError
    from ..llm.flow import Flow
    from .context import LambdaLLMContext

_SOON_SECONDS = 0.05
"""What ends so shortly before the deadline was ended by it: timers are not exact."""
_FIX = "Raise the function's timeout, lower max_tokens or timeout_buffer, or set timeout_strategy='truncate'."


def has_passed(limit: float | None, now: float) -> bool:
    """Whether a deadline has passed, or as good as."""
    return limit is not None and now >= limit - _SOON_SECONDS


def is_late(context: LambdaLLMContext, error: LLMError | DeadlineExceededError, max_retries: int) -> Flow[bool]:
    """Whether the function's time is why a call failed: it ended it, or leaves no room for the next try.

    The second counts where a later invocation goes on; else the provider's own error says more.
    """
    limit = context.deadline
    if isinstance(error, DeadlineExceededError):
        return has_passed(limit, (yield NOW).monotonic)
    if limit is None or not error.retryable:
        return False
    now: float = (yield NOW).monotonic
    if has_passed(limit, now):
        return True
    if context.journal is None or error.attempts > max_retries:
        return False
    wait = backoff_seconds(max(error.attempts - 1, 0)) if error.retry_after is None else error.retry_after
    return now + wait >= limit


def out_of_time(context: LambdaLLMContext, error: LambdaLLMError) -> DeadlineExceededError:
    """The error of an invocation that has run out of time; one that can be gone on from says so."""
    left = context.remaining_time_ms / 1000
    message = f"No time is left for a call to a model: {left:.1f} s, which the handler keeps back."
    if context.journal is None:
        late = DeadlineExceededError(message, fix=_FIX)
    else:
        from .journal import OutOfTime

        late = OutOfTime(message, checkpoint_id=context.journal.id)
    late.__cause__ = error
    return late
