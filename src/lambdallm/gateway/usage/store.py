"""What a store of usage does, whichever it is: the port. Every operation is a flow and raises `BackendError`."""

from __future__ import annotations

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Literal, Protocol

    from ...llm.flow import Flow
    from ...llm.rate_limiting.quota import Charge, Short, State, Taken
    from .hold import Hold, Settlement
    from .rows import Row

    class UsageStore(Protocol):
        """Limits, holds and counts by key, shared by all who use the store."""

        gives_flows: Literal[True]

        def take(self, hold: Hold, charges: Sequence[Charge]) -> Flow[Taken | Short]:
            """Take all charges and keep the hold, or do nothing. The same hold is taken once, however often asked."""

        def settle(self, settlement: Settlement) -> Flow[bool]:
            """Let a hold go, charge what was used and count it, as `hold.due` says; whether there was anything to do.

            Of several who settle one hold, one finds something to do. What is charged and that the hold is gone are
            true together; a store that can't count in the same write counts after it, once at most.
            """

        def count(self, rows: Sequence[Row]) -> Flow[None]:
            """Add counts to rows, once at most."""

        def account(self, key: str) -> Flow[Account]:
            """A key's states and holds."""

        def keys(self) -> Flow[list[str]]:
            """The keys that have accounts, sorted."""

        def rows(self, first: str, last: str, key: str | None = None) -> Flow[list[Row]]:
            """The rows from one day to another, both included; of one key, or of all."""

        def close(self) -> None:
            """Close what is open. The store can be used again."""


class Account(Value):
    """A key's limits as a store has them, by the limits' names, and its calls under way."""

    states: Mapping[str, State]
    holds: tuple[Hold, ...] = ()
