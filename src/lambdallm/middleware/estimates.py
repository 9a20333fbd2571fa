"""What a call will cost at most, and what one that has ended did cost, as a budget counts it. Pure.

Unknown is `None`, never 0. What may have been charged though nobody said so counts as estimated.
"""

from __future__ import annotations

from .._value import Value
from ..llm.errors import ProviderResponseError, ProviderTimeoutError, StreamError
from ..llm.types import Completion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..llm.errors import LLMError
    from ..llm.pricing import PricingManager
    from ..llm.types import ChatRequest

MAY_BE_CHARGED = (ProviderTimeoutError, ProviderResponseError, StreamError)
"""Failures after which the provider may have worked, though it said nothing of what was used."""


class Charged(Value):
    """What a call is counted with in US dollars; `None` where neither its cost nor an estimate is known."""

    usd: float | None
    estimated: bool = False


class Estimates:
    """Costs by a `PricingManager`; a request without `max_tokens` is taken to get `assumed_output_tokens`."""

    def __init__(self, prices: PricingManager | None, assumed_output_tokens: int) -> None:
        self._prices, self._output = prices, assumed_output_tokens
        self._given = prices is not None

    @property
    def prices(self) -> PricingManager:
        """Prices given, or the catalog's."""
        if self._prices is None:
            from ..llm.pricing import PricingManager

            self._prices = PricingManager()
        return self._prices

    def before(self, request: ChatRequest, model: str) -> float | None:
        """What the call will cost if its answer is as long as it may be; each of `n` answers counts."""
        most = (request.max_tokens or self._output) * max(1, request.n or 1)
        return self.prices.estimate(request, model, most)

    def after(self, outcome: Completion | LLMError, model: str, estimate: float | None) -> Charged:
        """What a call that has ended cost: by prices that were given, else as it says itself, else by the catalog's.

        Where none of them knows, it is what was estimated, unless no call was made or it was refused.
        """
        if isinstance(outcome, Completion) and outcome.cache is not None:
            return Charged(0.0)
        known = self._known(outcome, model)
        if known is not None:
            return Charged(known)
        if isinstance(outcome, Completion):
            return Charged(estimate, True)
        refused = not outcome.sent or (outcome.status is not None and outcome.status >= 300)
        if refused or not isinstance(outcome, MAY_BE_CHARGED):
            return Charged(0.0)
        return Charged(estimate, True)

    def _known(self, outcome: Completion | LLMError, model: str) -> float | None:
        priced = self.prices.cost(outcome.usage, model)
        first, second = (priced, outcome.cost_usd) if self._given else (outcome.cost_usd, priced)
        return second if first is None else first
