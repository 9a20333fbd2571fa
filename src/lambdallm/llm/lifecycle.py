"""The life of a client's call as the library documents it: breaker, token limit, attempts that the breaker hears of.

Flows over hooks: `attempt` is whatever makes one attempt. The synchronous and the asynchronous clients run the same.
"""

from __future__ import annotations

from .._value import Value
from .errors import TokenLimitError
from .flow import NOW, Emit, Perform
from .pipeline import broken_off
from .result import Err, Ok
from .retry import RetryPolicy, retried

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .errors import LLMError
    from .flow import Flow
    from .health.circuit_breaker import ProviderCircuitBreaker
    from .result import Result
    from .streaming.record import StreamRecord
    from .types import ChatMessage

    Attempt = Callable[[], Flow[Result[Any, LLMError]]]
    Exceeds = Callable[[Sequence[ChatMessage]], bool]


class Guards(Value):
    """What stands before and around the attempts of a client."""

    breaker: ProviderCircuitBreaker
    exceeds_token_limit: Exceeds
    policy: RetryPolicy = RetryPolicy()


def guarded(
    attempt: Attempt, messages: Sequence[ChatMessage], guards: Guards, *, may_emit: bool = False
) -> Flow[Result[Any, LLMError]]:
    """Run `attempt` behind the guards, until it succeeds, fails for good, or the breaker opens."""
    clock = yield NOW
    if not guards.breaker.is_available(clock.monotonic):
        return Err(guards.breaker.refusal(clock.monotonic))
    if guards.exceeds_token_limit(messages):
        guards.breaker.give_back()
        return Err(TokenLimitError("The messages have more tokens than the model's context window holds."))
    breaker = guards.breaker
    flow = retried(
        lambda: _told(attempt, breaker), guards.policy, may_emit=may_emit, unless=lambda: breaker.state == "open"
    )
    return (yield from flow)


def _told(attempt: Attempt, breaker: ProviderCircuitBreaker) -> Flow[Result[Any, LLMError]]:
    """One attempt, its outcome told to the breaker."""
    try:
        result = yield from attempt()
    except BaseException:
        breaker.give_back()
        raise
    clock = yield NOW
    breaker.record(result, clock.monotonic)
    return result


def performed(hook: Callable[[], Any], seconds: float | None = None) -> Flow[Result[Any, LLMError]]:
    """One attempt that is one call of a hook."""
    result: Result[Any, LLMError] = yield Perform(hook, seconds)
    return result


def relayed(begin: Callable[[], Next], record: StreamRecord, seconds: float | None) -> Flow[Result[None, LLMError]]:
    """One attempt that is a stream: emits what a hook's iterator gives, each piece within `seconds`."""
    record.attempts += 1
    following = begin()
    while True:
        chunk = yield Perform(following, seconds)
        if isinstance(chunk, Err):
            return Err(broken_off(chunk.error, record))
        if chunk is None:
            return Ok(None)
        if record.first_chunk is None:
            record.first_chunk = (yield NOW).monotonic
        record.add((chunk,))
        yield Emit((chunk,))


if TYPE_CHECKING:
    Next = Callable[[], Any]
    """Gives the next chunk of a stream, `None` at its end."""
