"""Who asks: the key a request was let in by, as the rest of the gateway sees it."""

from __future__ import annotations

from .._value import Value
from ..runtime.events import NOTHING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Caller(Value):
    """A key's holder and what it may do. Limits and budgets are `None` where there is none.

    `models` are names or patterns with `*` of what may be asked; empty means all.
    """

    key_id: str
    user: str
    name: str = ""
    models: tuple[str, ...] = ()
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    daily_budget_usd: float | None = None
    monthly_budget_usd: float | None = None
    labels: Mapping[str, str] = NOTHING
    admin: bool = False
