"""Leave to make one call, and the account of it: what was reserved, and in the end what was used."""

from __future__ import annotations

from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..flow import Flow
    from .quota import Taken

    class Accounts(Protocol):
        """What a permit tells in the end: its limiter."""

        def account(self, taken: Taken, used: tuple[float, ...]) -> Flow[None]:
            """Say how much was used."""

        def owe(self, taken: Taken, used: tuple[float, ...]) -> None:
            """The same, later: with the next call's own request."""


class Permit:
    """What `RateLimiter.admit` gives. End it once, by one of its methods; what comes after that says nothing new.

    `taken` is what a shared store took; `None` where there was nothing to take from.
    """

    __slots__ = ("_accounts", "_open", "taken")

    def __init__(self, accounts: Accounts, taken: Taken | None) -> None:
        self._accounts, self.taken = accounts, taken
        self._open = taken is not None

    def settle(self, actual_tokens: float | None) -> Flow[None]:
        """The call was made and used that many tokens; `None` where that is unknown: then what was reserved counts.

        More than was reserved is charged now; what was not used is given back. A call that failed used 0. Raises
        `ConfigurationError` for less than 0.
        """
        if actual_tokens is not None:
            checked_tokens(actual_tokens)
        taken = self._end()
        if taken is not None and actual_tokens is not None:
            yield from self._accounts.account(taken, _used(taken, actual_tokens))

    def cancel(self) -> Flow[None]:
        """No call was made: everything is given back, the request too."""
        taken = self._end()
        if taken is not None:
            yield from self._accounts.account(taken, (0.0,) * len(taken.receipts))

    def drop(self, actual_tokens: float = 0.0, *, sent: bool = True) -> None:
        """End it where a flow is being closed and can't do anything any more: a call that was broken off.

        What was not used is given back with the limiter's next call: the tokens, and the request if it was not `sent`.
        """
        taken = self._end()
        if taken is not None:
            self._accounts.owe(taken, _used(taken, actual_tokens) if sent else (0.0,) * len(taken.receipts))

    def _end(self) -> Taken | None:
        taken = self.taken if self._open else None
        self._open = False
        return taken

    def __repr__(self) -> str:
        return f"Permit({self.taken!r}{'' if self._open else ', ended'})"


def checked_tokens(tokens: float) -> float:
    """The number, if it can be one of tokens. Raises `ConfigurationError`: less than 0 would widen a limit."""
    if not 0 <= tokens < float("inf"):
        raise ConfigurationError(f"The number of tokens is {tokens!r}.", fix="Give a number, 0 or more.")
    return tokens


def _used(taken: Taken, tokens: float) -> tuple[float, ...]:
    """What was used of each charge: tokens as said, requests as taken."""
    charges = (receipt.charge for receipt in taken.receipts)
    return tuple(tokens if charge.limit.unit == "tokens" else charge.amount for charge in charges)
