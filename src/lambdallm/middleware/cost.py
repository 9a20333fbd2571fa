"""`CostTrackingMiddleware`: budgets in US dollars, enforced before a call to a model and settled after it."""

from __future__ import annotations

from _thread import allocate_lock

from ..llm.errors import BudgetExceededError, ConfigurationError
from ..llm.flow import Tell
from .base import FlowMiddleware
from .estimates import Estimates
from .parts import reader
from .spending import Spending, checked_budget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from ..llm.backends import DynamoDBBackend, RedisBackend
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.pricing import PricingManager
    from ..llm.rate_limiting.quota import Taken
    from ..llm.types import ChatRequest, Completion
    from .context import InvocationContext
    from .parts import Part
    from .spending import Budget, BudgetAlert


_MOST_LOGGED = 100
"""Names of models may come from outside."""


class CostTrackingMiddleware(FlowMiddleware):
    """Refuses a call to a model with `BudgetExceededError` before it is made, where it may cost more than is left.

        CostTrackingMiddleware(0.05, daily_budget=50.0, backend=DynamoDBBackend("lambdallm"))
        CostTrackingMiddleware(monthly_budget=lambda tenant: PLANS[tenant], key="principal", backend=…)

    `invocation_budget` bounds one invocation, `daily_budget` and `monthly_budget` all of them (UTC), by `key`: a part
    of the event (see `middleware.parts`). Each of its values has a budget of its own, which may be a function of it
    (`None` for no limit). A `backend` (`RedisBackend`, `DynamoDBBackend`, quotas of one's own) shares the budgets
    between environments; without it each has its own.

    Before a call its cost is estimated by `prices` from the prompt and `max_tokens` (`assumed_output_tokens` where it
    has none), and reserved; after it what it did cost counts, of failed calls and streams too: by `prices` where they
    are given, else as the answer says. An unknown cost counts as the estimate. A model without a price is let through
    and logged, once, or refused (`on_unknown_price="refuse"`).

    When a share of `alert_at` is reached, `on_alert` gets a `BudgetAlert`, once a period; by default it is logged as a
    warning. While the backend is down, calls go on without these limits, or are refused
    (`on_backend_failure="closed"`).
    """

    def __init__(
        self,
        invocation_budget: float | None = None,
        *,
        daily_budget: Budget = None,
        monthly_budget: Budget = None,
        key: Part | None = None,
        backend: RedisBackend | DynamoDBBackend | Any = None,
        prices: PricingManager | None = None,
        assumed_output_tokens: int = 1024,
        alert_at: Sequence[float] = (0.8, 1.0),
        on_alert: Callable[[BudgetAlert], object] | None = None,
        on_unknown_price: Literal["allow", "refuse"] = "allow",
        on_backend_failure: Literal["open", "closed"] = "open",
    ) -> None:
        if on_unknown_price not in ("allow", "refuse"):
            raise ConfigurationError(f"on_unknown_price is {on_unknown_price!r}.", fix="Give 'allow' or 'refuse'.")
        self.invocation_budget = None
        if invocation_budget is not None:
            self.invocation_budget = checked_budget("invocation_budget", invocation_budget)
        self.spending = Spending(daily_budget, monthly_budget, backend, on_backend_failure)
        self.estimates = Estimates(prices, assumed_output_tokens)
        self.alert_at, self.on_alert = tuple(alert_at), on_alert or _log_alert
        self.refuses_unpriced = on_unknown_price == "refuse"
        self._key = None if key is None else reader(key)
        self._unpriced: set[str] = set()

    def beginning(self, event: Any, context: InvocationContext) -> Flow[Any]:
        """Set a guard over the invocation's calls."""
        yield from ()
        key = "" if self._key is None else self._key(event, context)
        context.guards.append(BudgetGuard(self, "" if key is None else str(key), context))

    def unpriced(self, model: str) -> None:
        """A call to a model whose price nobody knows. Raises `BudgetExceededError` where such are refused."""
        if self.refuses_unpriced:
            fix = "Give its price: CostTrackingMiddleware(prices=PricingManager({…}))."
            raise BudgetExceededError(f"The price of {model!r} is unknown, so no budget can hold.", fix=fix)
        if model not in self._unpriced and len(self._unpriced) < _MOST_LOGGED:
            self._unpriced.add(model)
            _log(
                "warning", f"The price of {model!r} is unknown: its calls count for budgets only where they say a cost."
            )


class BudgetGuard:
    """The budgets of one invocation."""

    def __init__(self, owner: CostTrackingMiddleware, key: str, context: InvocationContext) -> None:
        self.key = key
        self.spent_usd = 0.0
        """What ended calls cost, as far as it is known or was estimated."""
        self._owner, self._context = owner, context
        self._reserved: dict[int, tuple[ChatRequest, str, float | None, Taken | None]] = {}
        self._lock = allocate_lock()

    def before_call(self, request: ChatRequest, models: tuple[str, ...]) -> Flow[None]:
        """Reserve what the call may cost. Raises `BudgetExceededError`."""
        estimate = self._owner.estimates.before(request, models[0])
        if estimate is None:
            self._owner.unpriced(models[0])
        self._reserve_here(request, models[0], estimate)
        try:
            taken = yield from self._owner.spending.reserve(self.key, estimate or 0.0)
        except BaseException:
            with self._lock:
                del self._reserved[id(request)]
            raise
        with self._lock:
            self._reserved[id(request)] = (request, models[0], estimate, taken)

    def after_call(self, request: ChatRequest, outcome: Completion | LLMError) -> Flow[None]:
        """Count what it did cost instead."""
        with self._lock:
            _, model, estimate, taken = self._reserved.pop(id(request), (request, request.model, None, None))
        charged = self._owner.estimates.after(outcome, model, estimate)
        usd = charged.usd or 0.0
        with self._lock:
            self.spent_usd += usd
        self._measure(usd, charged.estimated)
        if taken is not None:
            yield from self._owner.spending.settle(taken, usd)
            for alert in (yield from self._owner.spending.reached(self.key, taken, usd, self._owner.alert_at)):
                yield Tell(self._owner.on_alert, alert)

    def _reserve_here(self, request: ChatRequest, model: str, estimate: float | None) -> None:
        budget, usd = self._owner.invocation_budget, estimate or 0.0
        with self._lock:
            reserved = sum(one[2] or 0.0 for one in self._reserved.values())
            left = float("inf") if budget is None else budget - self.spent_usd - reserved
            if usd > left or (estimate is None and left <= 0):
                raise _over(usd, max(0.0, left), budget)
            self._reserved[id(request)] = (request, model, estimate, None)

    def _measure(self, usd: float, estimated: bool) -> None:
        self._context.metrics.record("budget.spent_usd", usd, "None")
        if estimated:
            self._context.metrics.record("budget.estimated_calls", 1)


def _over(usd: float, left: float, budget: float | None) -> BudgetExceededError:
    message = (
        f"A call of up to {usd:.6f} US dollars is more than the {left:.6f} left of the {budget:g} "
        "that one invocation may cost."
    )
    return BudgetExceededError(message, fix="Lower max_tokens, ask less, or raise invocation_budget.")


def _log_alert(alert: BudgetAlert) -> None:
    _log("warning", str(alert))


def _log(level: str, message: str) -> None:
    import logging

    getattr(logging.getLogger("lambdallm.budgets"), level)("%s", message)
