"""Who sent an event."""

from __future__ import annotations

from .._value import Value
from ..llm.types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Principal(Value):
    """A caller that was recognised: under `context.principal`.

    `kind` says by what (`"api_key"`, `"jwt"`, `"custom"`), `claims` are a token's, and `value` is what a `validate` of
    one's own returned.
    """

    id: str
    kind: str = "custom"
    claims: Mapping[str, Any] = EMPTY
    value: Any = None

    @property
    def scopes(self) -> frozenset[str]:
        """What it may do, by the claims `scope` (words) or `scp` (words or a list)."""
        held = self.claims.get("scope", self.claims.get("scp", ()))
        listed = held if isinstance(held, (list, tuple, set, frozenset)) else ()
        return frozenset(held.split() if isinstance(held, str) else map(str, listed))
