"""`RateLimitMiddleware`: how often each caller may call, for all environments together."""

from __future__ import annotations

from math import ceil

from ..llm.errors import ConfigurationError
from ..llm.rate_limiting.template import RateLimiterTemplate
from ..llm.result import Err
from .base import FlowMiddleware
from .errors import TooManyRequestsError
from .parts import reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ..llm.backends import DynamoDBBackend, RedisBackend
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from .context import InvocationContext
    from .parts import Part


class RateLimitMiddleware(FlowMiddleware):
    """Refuses events of callers that send too many, with 429 and `Retry-After`.

        RateLimitMiddleware(requests_per_minute=60, backend=DynamoDBBackend("lambdallm"))
        RateLimitMiddleware(requests_per_day=1000, key="header:x-tenant", backend=RedisBackend("redis://cache"))

    `key` says whose events are counted together: a part of the event (see `middleware.parts`), by default who
    `AuthMiddleware` found the caller to be, else the address. Events without a key are counted together. `burst` is
    what a caller who has rested may send at once, by default a minute's worth. `name` separates limits that share a
    backend. Everything else is as in `RateLimiter`: without a `backend` each environment counts for itself, and while
    it is down events pass (`on_backend_failure="open"`) or are refused (`"closed"`).
    """

    def __init__(
        self,
        requests_per_minute: float | None = None,
        *,
        requests_per_day: float | None = None,
        requests_per_month: float | None = None,
        burst: float | None = None,
        key: Part | None = None,
        name: str = "events",
        backend: RedisBackend | DynamoDBBackend | Any = None,
        on_backend_failure: Literal["open", "closed"] = "open",
    ) -> None:
        self._limiter = RateLimiterTemplate(
            requests_per_minute,
            requests_per_day=requests_per_day,
            requests_per_month=requests_per_month,
            request_burst=burst,
            backend=backend,
            on_backend_failure=on_backend_failure,
        )
        if not self._limiter.limits:
            fix = "Give requests_per_minute, requests_per_day or requests_per_month."
            raise ConfigurationError("RateLimitMiddleware has no limit.", fix=fix)
        self._key = _caller if key is None else reader(key)
        self.name = name

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """Count the event. Raises `TooManyRequestsError`."""
        who = self._key(event, context)
        admitted = yield from self._limiter.admit(f"{self.name}:{'' if who is None else who}")
        if isinstance(admitted, Err):
            raise _refusal(admitted.error)


def _caller(event: Any, context: Any) -> Any:
    principal = reader("principal")(event, context)
    return f"principal:{principal}" if principal is not None else reader("ip")(event, context)


def _refusal(error: LLMError) -> TooManyRequestsError:
    """The limit's own error as the caller may see it: whose key it was is nobody's business."""
    seconds = max(1, ceil(error.retry_after or 1.0))
    refusal = TooManyRequestsError(f"There are too many requests: try again in {seconds} s.", retry_after=seconds)
    refusal.__cause__ = error
    return refusal
