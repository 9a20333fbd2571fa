"""Try again what failed for a passing reason: the documented backoff, never past a deadline, never after a chunk."""

from __future__ import annotations

from .._value import Value
from .flow import NOW, Sleep
from .result import Ok

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .errors import LLMError
    from .flow import Flow
    from .result import Result


class RetryPolicy(Value):
    """How often and until when. `deadline` is a reading of the monotonic clock; `longest_wait` is in seconds.

    A provider that asks for a longer wait than `longest_wait` is not waited for: its error is returned.
    """

    max_retries: int = 3
    deadline: float | None = None
    longest_wait: float = 60.0


def backoff_seconds(attempt: int) -> float:
    """The wait after attempt number `attempt` (from 0): `2^attempt + 0.1 · attempt`."""
    return float(2**attempt) + 0.1 * attempt


def retried(
    attempt: Callable[[], Flow[Result[Any, LLMError]]],
    policy: RetryPolicy,
    *,
    emitted: Callable[[], bool] | None = None,
    unless: Callable[[], bool] | None = None,
) -> Flow[Result[Any, LLMError]]:
    """Run `attempt` until it succeeds, fails for good, or the policy ends; an error carries the number of attempts.

    What was refused here, before anything was sent (a rate limit of one's own), is no attempt and is not tried again:
    where an attempt failed before it, that failure is returned. Nothing is tried again once a reader has been given
    something, which `emitted` tells, and when `unless` says so.
    """
    failed = None
    for number in range(policy.max_retries + 1):
        result = yield from attempt()
        if isinstance(result, Ok):
            return result
        if not result.error.sent:
            result.error.attempts = 0
            return failed or result
        failed, result.error.attempts = result, number + 1
        if not result.error.retryable or number == policy.max_retries:
            return result
        if (emitted and emitted()) or (unless and unless()):
            return result
        wait = _wait_seconds(result.error, number)
        clock = yield NOW
        if wait > policy.longest_wait or (policy.deadline is not None and clock.monotonic + wait >= policy.deadline):
            return result
        yield Sleep(wait)
    raise AssertionError("max_retries is negative")


def _wait_seconds(error: LLMError, number: int) -> float:
    return backoff_seconds(number) if error.retry_after is None else error.retry_after
