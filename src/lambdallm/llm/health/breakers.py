"""The breakers of one provider: one for the way to it, and one for each of its models.

A model that is overloaded says nothing of the models beside it; a connection that fails says everything. So what never
reached the provider counts against the provider, and what it answered counts against the model.
"""

from __future__ import annotations

import time

from ..errors import ProviderConnectionError
from ..result import Err
from .circuit_breaker import ProviderCircuitBreaker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..errors import CircuitOpenError, LLMError
    from ..result import Result
    from .circuit_breaker import State


_MOST_MODELS = 1000
"""Models' names may come from outside: beyond so many, the breakers that have nothing to remember are let go."""


class CircuitBreakers:
    """The breakers behind the calls of one client, made when a model is first called."""

    def __init__(self, provider: ProviderCircuitBreaker, *, alone: bool = False) -> None:
        self.provider = provider
        self._alone = alone
        self._models: dict[str, ProviderCircuitBreaker] = {}

    def of(self, model: str) -> CallBreaker:
        """What a call of a model asks; with `alone`, the provider's breaker hears of everything."""
        if self._alone:
            return CallBreaker(self.provider, self.provider)
        if model not in self._models:
            whole = self.provider
            if len(self._models) >= _MOST_MODELS:
                self._models = {name: kept for name, kept in self._models.items() if kept.failures}
            self._models[model] = ProviderCircuitBreaker(
                f"{whole.name}/{model}",
                failure_threshold=whole.failure_threshold,
                recovery_seconds=whole.recovery_seconds,
                success_threshold=whole.success_threshold,
            )
        return CallBreaker(self.provider, self._models[model])


class CallBreaker:
    """The provider's breaker and the model's, asked and told as one."""

    __slots__ = ("model", "provider")

    def __init__(self, provider: ProviderCircuitBreaker, model: ProviderCircuitBreaker) -> None:
        self.provider, self.model = provider, model

    @property
    def state(self) -> State:
        """The worse of the two."""
        states = (self.provider.state, self.model.state)
        return "open" if "open" in states else "half_open" if "half_open" in states else "closed"

    @property
    def failures(self) -> int:
        """The failures in a row that either has counted."""
        return max(self.provider.failures, self.model.failures)

    def refuses(self, now: float | None = None) -> bool:
        """Whether a call would be refused now; asking lets nobody through."""
        return self.provider.refuses(now) or self.model.refuses(now)

    def is_available(self, now: float | None = None) -> bool:
        """Whether a call may be made; of a half-open breaker, this call is the probe."""
        now = time.monotonic() if now is None else now
        if not self.provider.is_available(now):
            return False
        if self.model is self.provider or self.model.is_available(now):
            return True
        self.provider.give_back(now)
        return False

    def record(self, result: Result[Any, LLMError], now: float, begun: float) -> None:
        """Tell them how the attempt ended that was let through at `begun`; one that was not sent came to nothing."""
        if isinstance(result, Err) and not result.error.sent:
            self.give_back(begun)
        elif self.model is self.provider:
            self.provider.record(result, now)
        elif isinstance(result, Err) and isinstance(result.error, ProviderConnectionError):
            self.provider.record(result, now)
            self.model.give_back(begun)
        else:
            self.provider.record_success()
            self.model.record(result, now)

    def give_back(self, begun: float) -> None:
        """Take back what was let through at `begun` and came to nothing."""
        self.provider.give_back(begun)
        self.model.give_back(begun)

    def refusal(self, now: float | None = None) -> CircuitOpenError:
        """The error for a call that is not made, by the breaker that refuses it."""
        refusing = self.provider if self.provider.state != "closed" else self.model
        return refusing.refusal(now)
