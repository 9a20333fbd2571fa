"""The life of a client's call as the library documents it: breaker, token limit, then attempts with backoff.

Each attempt may be hedged by a second one when it is late; each takes a slot where slots are limited, passes the rate
limit, and is told to the breaker. Flows over hooks: `attempt` is whatever makes one attempt, given the record it writes
to. This is the one place that knows the order of these policies; none of them knows another.
"""

from __future__ import annotations

from .._value import Value
from .concurrent import first_of
from .errors import DeadlineExceededError, LambdaLLMError, ProviderTimeoutError, TokenLimitError
from .flow import NOW, Emit, Perform, ReaderLeft
from .pipeline import broken_off
from .result import Err, Ok
from .retry import RetryPolicy, retried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .errors import LLMError
    from .flow import Flow
    from .health.breakers import CallBreaker
    from .rate_limiting.concurrency import ConcurrencyTemplate
    from .rate_limiting.template import RateLimiterTemplate
    from .result import Result
    from .streaming.record import StreamRecord
    from .types import ChatMessage

    Attempt = Callable[[StreamRecord], Flow[Result[Any, LLMError]]]
    Exceeds = Callable[[Sequence[ChatMessage]], bool]


class Guards(Value):
    """What stands before and around the attempts of a call.

    `asked_tokens` are what the limiter reserves for one attempt. A second attempt is made beside the first where that
    has given nothing for `hedge_seconds`.
    """

    breaker: CallBreaker
    exceeds_token_limit: Exceeds
    policy: RetryPolicy = RetryPolicy()
    limiter: RateLimiterTemplate | None = None
    limit_key: str = ""
    asked_tokens: Callable[[], int] = int
    slots: ConcurrencyTemplate | None = None
    hedge_seconds: float | None = None


def guarded(
    attempt: Attempt, messages: Sequence[ChatMessage], guards: Guards, record: StreamRecord
) -> Flow[Result[Any, LLMError]]:
    """Run `attempt` behind the guards, until it succeeds, fails for good, or the breaker opens.

    Raises `DeadlineExceededError` where no time is left to begin.
    """
    breaker, deadline = guards.breaker, guards.policy.deadline
    clock = yield NOW
    if deadline is not None and clock.monotonic >= deadline:
        raise DeadlineExceededError("No time is left for a call to a model.")
    if breaker.refuses(clock.monotonic):
        return Err(breaker.refusal(clock.monotonic))
    if guards.exceeds_token_limit(messages):
        message = "The messages have more tokens than the model's context window holds."
        return Err(TokenLimitError(message, sent=False))
    limiter = guards.limiter
    tokens = guards.asked_tokens() if limiter is not None and limiter.counts_tokens else 0
    flow = retried(
        lambda: _hedged(attempt, guards, record, tokens),
        guards.policy,
        emitted=record.has_begun,
        unless=lambda: breaker.state == "open",
    )
    return (yield from flow)


def _hedged(attempt: Attempt, guards: Guards, record: StreamRecord, tokens: int) -> Flow[Result[Any, LLMError]]:
    """One attempt, and a second one beside it where the first is late; whichever answers first is the answer."""
    if guards.hedge_seconds is None:
        return (yield from _admitted(attempt, guards, record, tokens))
    records = (record.twin(), record.twin())
    flows: list[Any] = [lambda record=each: _admitted(attempt, guards, record, tokens) for each in records]
    raced = yield from first_of(flows, stagger_seconds=guards.hedge_seconds, replace_failed=False)
    winner = _told_best(raced.results) if raced.winner is None else raced.winner
    ended = dict(enumerate(raced.results))
    record.follow(records[winner], records[1 - winner], ended.get(1 - winner))
    if raced.rest is not None:
        return (yield from raced.rest)
    result = ended[winner]
    assert result is not None, "whoever has no result yet has not won"
    return result


def _told_best(results: Sequence[Result[Any, LLMError] | None]) -> int:
    """Of attempts that all failed, the last that was sent."""
    sent = [n for n, result in enumerate(results) if isinstance(result, Err) and result.error.sent]
    return sent[-1] if sent else 0


def _admitted(attempt: Attempt, guards: Guards, record: StreamRecord, tokens: int) -> Flow[Result[Any, LLMError]]:
    """One attempt within the rate limit, of which it reserves `tokens`, and the number of slots."""
    limiter, slots, deadline = guards.limiter, guards.slots, guards.policy.deadline
    permit = None
    if limiter is None and slots is None:
        return (yield from _told(attempt, guards, record))
    if slots is not None and isinstance(entered := (yield from slots.enter(deadline=deadline)), Err):
        return entered
    try:
        if limiter is None:
            return (yield from _told(attempt, guards, record))
        admitted = yield from limiter.admit(guards.limit_key, tokens, deadline=deadline)
        if isinstance(admitted, Err):
            return admitted
        permit = admitted.value
        result = yield from _told(attempt, guards, record)
    except (ReaderLeft, LambdaLLMError) as end:
        reason = end.__cause__ if isinstance(end, ReaderLeft) else end
        if permit is not None:
            nothing_sent = isinstance(reason, LambdaLLMError)  # no key, no such option
            used = None if record.usage is None else record.usage.total_tokens
            yield from permit.cancel() if nothing_sent else permit.settle(used)
        raise
    finally:
        if slots is not None:
            slots.leave()
    refused = isinstance(result, Err) and not result.error.sent
    yield from permit.cancel() if refused else permit.settle(_used_tokens(result, record))
    return result


def _used_tokens(result: Result[Any, LLMError], record: StreamRecord) -> int | None:
    """What an attempt used, `None` where that is unknown; nothing where it was refused."""
    if isinstance(result, Err):
        usage = result.error.usage
        return usage.total_tokens if usage is not None else None if record.first_chunk is not None else 0
    usage = getattr(result.value, "usage", None) or record.usage
    return None if usage is None else usage.total_tokens


def _told(attempt: Attempt, guards: Guards, record: StreamRecord) -> Flow[Result[Any, LLMError]]:
    """One attempt, if its breaker lets it through and time is left; the breaker is told how it ended."""
    breaker, deadline = guards.breaker, guards.policy.deadline
    now = (yield NOW).monotonic
    if deadline is not None and now >= deadline:
        late = "The deadline passed while the call waited for its turn; no call was made."
        return Err(ProviderTimeoutError(late, sent=False, retryable=False))
    if not breaker.is_available(now):
        return Err(breaker.refusal(now))
    record.running = True
    try:
        result = yield from attempt(record)
    except BaseException:
        breaker.give_back(now)
        raise
    record.running = False
    breaker.record(result, (yield NOW).monotonic, now)
    if isinstance(result, Err) and result.error.usage is not None and record.first_chunk is None:
        record.spent.append(result.error.usage)
    return result


def performed(
    hook: Callable[[], Any], record: StreamRecord, deadline: float | None = None
) -> Flow[Result[Any, LLMError]]:
    """One attempt that is one call of a hook, which an asynchronous driver breaks off at the deadline."""
    record.attempts += 1
    seconds = None if deadline is None else max(0.0, deadline - (yield NOW).monotonic)
    result: Result[Any, LLMError] = yield Perform(hook, seconds)
    return result


def relayed(
    begin: Callable[[], Next], record: StreamRecord, seconds: float | None, deadline: float | None = None
) -> Flow[Result[None, LLMError]]:
    """One attempt that is a stream: emits what a hook's iterator gives, each piece within `seconds`."""
    record.attempts += 1
    following = begin()
    try:
        while True:
            limit = seconds
            if deadline is not None:
                left = max(0.0, deadline - (yield NOW).monotonic)
                limit = left if seconds is None else min(seconds, left)
            chunk = yield Perform(following, limit)
            if isinstance(chunk, Err):
                return Err(broken_off(chunk.error, record))
            if chunk is None:
                return Ok(None)
            if record.first_chunk is None:
                record.first_chunk = (yield NOW).monotonic
            record.add((chunk,))
            yield Emit((chunk,))
    finally:
        getattr(following, "close", _nothing)()


def _nothing() -> None:
    """Stand in for `close` where a stream's end has to be awaited: there, its client closes it."""


if TYPE_CHECKING:
    Next = Callable[[], Any]
    """Gives the next chunk of a stream, `None` at its end; where it has a `close`, the flow that reads it closes it."""
