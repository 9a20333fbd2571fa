"""Limits on how much is asked of a provider: requests and tokens per minute, day and month, and calls at a time.

    limiter = RateLimiter(requests_per_minute=600, tokens_per_minute=200_000, max_wait_seconds=2.0)
    permit = (await limiter.acquire("openai", tokens=1_200)).unwrap()   # LLMRateLimitError before any network call
    answer = await client.complete(...)
    await limiter.release(permit, answer.unwrap().usage.total_tokens)   # what was not used can be used by others

`lambdallm.llm.rate_limiting.sync` has the same names without `await`. With `backend=RedisBackend(…)` or
`DynamoDBBackend(…)` all environments of a function share the limits. `ConcurrencyLimit` bounds the calls at a time.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "Bucket": "bucket",
    "Charge": "quota",
    "ConcurrencyLimit": "limiter",
    "MemoryQuotas": "memory",
    "Permit": "permit",
    "RateLimiter": "limiter",
    "Receipt": "quota",
    "Short": "quota",
    "Taken": "quota",
    "Window": "bucket",
}

__all__ = [
    "Bucket",
    "Charge",
    "ConcurrencyLimit",
    "MemoryQuotas",
    "Permit",
    "RateLimiter",
    "Receipt",
    "Short",
    "Taken",
    "Window",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .bucket import Bucket, Window
    from .limiter import ConcurrencyLimit, RateLimiter
    from .memory import MemoryQuotas
    from .permit import Permit
    from .quota import Charge, Receipt, Short, Taken

__getattr__, __dir__ = door(__name__, _HOMES)
