"""What stands around the calls of one client: its breakers, limits and cache, made of its configuration.

Only what a configuration asks for is loaded.
"""

from __future__ import annotations

from ..._value import Value
from ..health.breakers import CircuitBreakers
from ..health.circuit_breaker import ProviderCircuitBreaker
from ..lifecycle import Guards
from ..retry import RetryPolicy
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Literal

    from ..caching.cache import AnswerCache
    from ..catalog.resolve import Target
    from ..config import ClientConfig
    from ..health.breakers import CallBreaker
    from ..rate_limiting.concurrency import ConcurrencyTemplate
    from ..rate_limiting.template import RateLimiterTemplate
    from ..types import ChatMessage

_EXPECTED_OUTPUT_TOKENS = 512
"""What a call is expected to answer that names no limit, until it has answered."""


class Asked(Value):
    """A call as its caller wants it: messages and options in their final form, and what concerns the call alone.

    `cache` is whether a cache may answer; `refresh` asks the model and stores the answer. `deadline` is a reading of
    the monotonic clock that no attempt and no wait goes beyond.
    """

    messages: tuple[ChatMessage, ...]
    options: Mapping[str, Any] = EMPTY
    cache: bool | Literal["refresh"] = True
    deadline: float | None = None

    @property
    def model(self) -> str | None:
        """The model it names."""
        model: str | None = self.options.get("model")
        return model


class ClientPolicies:
    """The breakers, limits and cache of one client."""

    def __init__(
        self,
        config: ClientConfig,
        name: str,
        *,
        circuit_breaker: ProviderCircuitBreaker | None = None,
        rate_limiter: RateLimiterTemplate | None = None,
        cache: object | None = None,
    ) -> None:
        self.config = config
        self.breakers = CircuitBreakers(
            circuit_breaker
            or ProviderCircuitBreaker(
                name, failure_threshold=config.failure_threshold, recovery_seconds=config.recovery_seconds
            ),
            alone=circuit_breaker is not None,
        )
        self.limiter = rate_limiter or _limiter(config)
        self.slots = _slots(config)
        self.cache = None if cache is None else _cache(cache)

    def breaker(self, target: Target) -> CallBreaker:
        """The breaker of a model."""
        return self.breakers.of(target.model.id)

    def guards(
        self, target: Target, deadline: float | None, exceeds: Callable[..., bool], tokens: Callable[[], int]
    ) -> Guards:
        """What stands around the attempts of one call; `tokens` counts its input."""
        return Guards(
            self.breaker(target),
            exceeds,
            RetryPolicy(self.config.max_retries, deadline),
            self.limiter,
            "" if self.limiter is None else self.limiter.key_of(target.provider.name, target.model.id),
            tokens,
            self.slots,
            self.config.hedge_seconds,
        )


def asked_tokens(input_tokens: int, options: Mapping[str, Any]) -> int:
    """What a call may use: its input, and for each answer as much as it may write."""
    each = options.get("max_tokens") or _EXPECTED_OUTPUT_TOKENS
    return input_tokens + int(each) * int(options.get("n") or 1)


def _limiter(config: ClientConfig) -> RateLimiterTemplate | None:
    if config.requests_per_minute is None and config.tokens_per_minute is None:
        return None
    from ..rate_limiting import RateLimiter

    return RateLimiter(config.requests_per_minute, config.tokens_per_minute)


def _slots(config: ClientConfig) -> ConcurrencyTemplate | None:
    if config.max_concurrency is None:
        return None
    from ..rate_limiting import ConcurrencyLimit

    return ConcurrencyLimit(config.max_concurrency)


def _cache(given: object) -> AnswerCache:
    from ..caching.cache import as_cache

    return as_cache(given)
