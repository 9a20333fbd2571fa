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

    def may_use(self, model: str) -> bool:
        """Whether a model's name, as clients say it, is one of those that may be asked."""
        return not self.models or any(matches(pattern, model) for pattern in self.models)


def matches(pattern: str, name: str) -> bool:
    """Whether a name is a pattern's, in which `*` stands for any text."""
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    last = rest.pop()
    if not (name.startswith(first) and name.endswith(last) and len(name) >= len(first) + len(last)):
        return False
    place, end = len(first), len(name) - len(last)
    for part in rest:
        found = name.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
