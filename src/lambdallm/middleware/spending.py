"""What has been spent of budgets, as flows: reserved before a call, settled after it, for all environments together.

Days and months are the calendar's, in UTC. They are counted in millionths of a dollar by the quotas of
`llm.rate_limiting`, one conditional write a call; a budget for one invocation is counted here.
"""

from __future__ import annotations

from .._value import Value
from ..llm.backends.errors import BackendError
from ..llm.errors import BudgetExceededError, ConfigurationError
from ..llm.rate_limiting.bucket import Window
from ..llm.rate_limiting.quota import Charge, Short
from ..llm.rate_limiting.template import RateLimiterTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, TypeAlias

    from ..llm.flow import Flow
    from ..llm.rate_limiting.quota import Receipt, Taken

    Budget: TypeAlias = float | Callable[[str], float | None] | None
    Period: TypeAlias = Literal["day", "month"]

_MICRO = 1_000_000.0
_MOST_REMEMBERED = 10_000


class BudgetAlert(Value):
    """So much of a budget is spent. `share` is the threshold that was reached: 0.8 for four fifths."""

    key: str
    period: Period
    share: float
    spent_usd: float
    budget_usd: float

    def __str__(self) -> str:
        whose = f" of {self.key!r}" if self.key else ""
        return (
            f"{self.share:.0%} of the budget{whose} for this {self.period} is reached: "
            f"{self.spent_usd:.4f} of {self.budget_usd:g} US dollars."
        )


class Spending:
    """The budgets of days and months by key, in a backend that all environments share, or in this one's memory.

    Raises `ConfigurationError` for budgets that are not above 0.
    """

    def __init__(self, day: Budget, month: Budget, backend: Any, on_backend_failure: Literal["open", "closed"]) -> None:
        self._budgets: tuple[tuple[Period, Budget], ...] = (("day", day), ("month", month))
        self._quotas = RateLimiterTemplate(
            backend=backend, on_backend_failure=on_backend_failure, backend_timeout_seconds=2.0
        )
        self._quotas.outage.purpose = "budgets"
        self._told: set[tuple[str, str, float, float]] = set()
        for period, budget in self._budgets:
            if budget is not None and not callable(budget):
                checked_budget(f"the budget of a {period}", budget)

    def reserve(self, key: str, usd: float) -> Flow[Taken | None]:
        """Take an amount from all budgets of a key; `None` where there are none, or they can't be asked and need not.

        Raises `BudgetExceededError`, and `BackendError` while a backend is down that must not be done without.
        """
        charges = tuple(Charge(window, usd * _MICRO) for window in self._windows(key))
        if not charges:
            return None
        for charge in charges:
            if charge.amount > charge.limit.most:
                raise _exceeded(key, charge, None)
        try:
            taken = yield from self._quotas.take(f"budget:{key}", charges)
        except BackendError:
            if self._quotas.on_backend_failure == "closed":
                raise
            return None
        if isinstance(taken, Short):
            raise _exceeded(key, taken.charge, taken.wait_seconds)
        return taken

    def settle(self, taken: Taken, usd: float) -> Flow[None]:
        """Say what a call cost in the end. A backend that is down is not told: then the estimate counts."""
        yield from self._quotas.account(taken, (usd * _MICRO,) * len(taken.receipts))

    def reached(self, key: str, taken: Taken, usd: float, shares: Sequence[float]) -> Flow[list[BudgetAlert]]:
        """The thresholds reached with a call: each is told once a period, by one of all environments."""
        alerts = []
        for receipt in taken.receipts:
            for alert in _thresholds(key, receipt, usd, shares):
                if (yield from self._is_first(receipt, alert)):
                    alerts.append(alert)
        return alerts

    def _is_first(self, receipt: Receipt, alert: BudgetAlert) -> Flow[bool]:
        """Whether nobody has told of it: a quota of one decides that, wherever the budget itself is kept."""
        mark = (alert.key, alert.period, receipt.state[0], alert.share)
        if mark in self._told:
            return False
        if len(self._told) >= _MOST_REMEMBERED:
            self._told.clear()
        self._told.add(mark)
        once = Charge(Window("requests", 1.0, alert.period), 1.0)
        try:
            taken = yield from self._quotas.take(f"budget:{alert.key}:told:{alert.share:g}", (once,))
        except BackendError:
            return True
        return not isinstance(taken, Short)

    def _windows(self, key: str) -> list[Window]:
        windows = []
        for period, budget in self._budgets:
            usd = _chosen(period, budget(key)) if callable(budget) else budget
            if usd is not None:
                windows.append(Window("micro_usd", usd * _MICRO, period))
        return windows


def _chosen(period: Period, usd: Any) -> float | None:
    """What a function says a key's budget is; 0 allows nothing that costs. Raises `ConfigurationError`."""
    if usd is None or (isinstance(usd, (int, float)) and not isinstance(usd, bool) and usd >= 0):
        return None if usd is None else float(usd)
    raise ConfigurationError(f"The budget of a {period} is {usd!r}.", fix="Return US dollars, or None for no limit.")


def checked_budget(name: str, usd: Any) -> float:
    """An amount of money. Raises `ConfigurationError` for what is not above 0."""
    if isinstance(usd, bool) or not isinstance(usd, (int, float)) or not usd > 0:
        raise ConfigurationError(f"{name} is {usd!r}.", fix="Give US dollars, more than 0.")
    return float(usd)


def _thresholds(key: str, receipt: Receipt, usd: float, shares: Sequence[float]) -> list[BudgetAlert]:
    limit, (_, count) = receipt.charge.limit, receipt.state
    spent = count - receipt.charge.amount + usd * _MICRO
    period: Any = getattr(limit, "period", "day")
    return [
        BudgetAlert(key, period, share, spent / _MICRO, limit.most / _MICRO)
        for share in shares
        if 0 < share * limit.most <= spent
    ]


def _exceeded(key: str, charge: Charge, wait_seconds: float | None) -> BudgetExceededError:
    whose = f" of {key!r}" if key else ""
    period = getattr(charge.limit, "period", "day")
    said = "is larger than" if wait_seconds is None else "is more than is left of"
    message = (
        f"A call of up to {charge.amount / _MICRO:.6f} US dollars {said} the budget{whose} for this {period}, "
        f"{charge.limit.most / _MICRO:g} US dollars."
    )
    return BudgetExceededError(message, fix="Lower max_tokens, wait for the next period, or raise the budget.")
