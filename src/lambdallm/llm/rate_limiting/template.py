"""What a rate limiter decides, as flows: its limits, whether to wait, and what to do while the store is down."""

from __future__ import annotations

from ..backends.errors import BackendError
from ..backends.outage import Outage
from ..errors import ConfigurationError
from ..flow import NOW, Sleep
from ..result import Err, Ok
from .limits import chosen_key, limits_of, reached, too_large, unchecked
from .permit import Permit, checked_tokens
from .quota import Charge, Taken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, TypeVar

    from ..backends import DynamoDBBackend, RedisBackend
    from ..errors import LLMError, LLMRateLimitError
    from ..flow import Flow
    from ..protocols import QuotaBackendProtocol
    from ..result import Result
    from .bucket import Limit
    from .limits import KeyOf
    from .quota import Short

    T = TypeVar("T")

_MOST_OWED = 1000
_MARGIN_SECONDS = 0.001
"""Who waits until the very deadline has waited for nothing."""
_CONSEQUENCE = {"open": "calls go on without limits", "closed": "calls are refused"}


class RateLimiterTemplate:
    """A token bucket for requests and one for tokens, and counters for days and months (UTC), for each key.

        RateLimiter(requests_per_minute=600, tokens_per_minute=200_000, backend=RedisBackend("redis://cache:6379/0"))

    A call takes one request and its tokens from all limits, or nothing from any. `request_burst` and `token_burst` are
    what a rested bucket holds: by default a minute's worth, as in the providers' own. `key` says what is limited: each
    `provider`, each `model`, `all` together, or what a function makes of provider and model.

    Where a limit is reached a call waits its turn, for at most `max_wait_seconds`, else it gets `LLMRateLimitError`. A
    `backend` shares the limits: a `RedisBackend`, a `DynamoDBBackend`, or an object of one's own after
    `QuotaBackendProtocol`; without it they are this process's own. While it is down, calls go on without limits
    (`on_backend_failure="open"`) or get `LLMRateLimitError` (`"closed"`), and a warning is logged, once per while.
    Raises `ConfigurationError` for limits that are not above 0.
    """

    gives_flows: Literal[True] = True

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        *,
        requests_per_day: float | None = None,
        tokens_per_day: float | None = None,
        requests_per_month: float | None = None,
        tokens_per_month: float | None = None,
        request_burst: float | None = None,
        token_burst: float | None = None,
        key: Literal["provider", "model", "all"] | KeyOf = "provider",
        backend: QuotaBackendProtocol | RedisBackend | DynamoDBBackend | None = None,
        max_wait_seconds: float = 0.0,
        on_backend_failure: Literal["open", "closed"] = "open",
        backend_timeout_seconds: float = 1.0,
    ) -> None:
        self.limits: tuple[Limit, ...] = (
            *limits_of("requests", requests_per_minute, request_burst, requests_per_day, requests_per_month),
            *limits_of("tokens", tokens_per_minute, token_burst, tokens_per_day, tokens_per_month),
        )
        if on_backend_failure not in _CONSEQUENCE:
            raise ConfigurationError(f"on_backend_failure is {on_backend_failure!r}.", fix="Give 'open' or 'closed'.")
        self.counts_tokens = any(limit.unit == "tokens" for limit in self.limits)
        """Whether `admit` has any use for a number of tokens."""
        self.max_wait_seconds, self.on_backend_failure = max_wait_seconds, on_backend_failure
        self.key_of = chosen_key(key)
        self.outage = Outage("rate limits", _CONSEQUENCE[on_backend_failure])
        self._quotas = _quotas(backend, backend_timeout_seconds)
        self._owed: list[tuple[Taken, tuple[float, ...]]] = []

    def admit(
        self, key: str = "", tokens: float = 0.0, *, deadline: float | None = None
    ) -> Flow[Result[Permit, LLMRateLimitError]]:
        """Leave for one call with that many tokens, before it is made.

        Where a limit is reached it waits up to `max_wait_seconds`, never up to `deadline` (a reading of the monotonic
        clock). The error names the limit, `retry_after` says when there will be room; a call that is larger than a
        bucket can ever hold is not `retryable`. No call was made for any of them: `sent` is false. Raises
        `ConfigurationError` for less than 0 tokens.
        """
        checked_tokens(tokens)
        charges = tuple(Charge(limit, tokens if limit.unit == "tokens" else 1.0) for limit in self.limits)
        for charge in charges:
            if charge.amount > charge.limit.most:
                return Err(too_large(key, charge))
        if not charges:
            return Ok(Permit(self, None))
        yield from self._pay()
        now = (yield NOW).monotonic
        last = now + self.max_wait_seconds
        last = last if deadline is None else min(last, deadline)
        try:
            return (yield from self._admitted(key, charges, now, last))
        except BackendError as error:
            return self._without(key, error)

    def _admitted(
        self, key: str, charges: Sequence[Charge], now: float, last: float
    ) -> Flow[Result[Permit, LLMRateLimitError]]:
        """Take, and wait for one's turn until `last` at most. Raises `BackendError` while the backend is down."""
        while True:
            left = max(0.0, last - now - _MARGIN_SECONDS)
            outcome = yield from self.take(key, charges, left)
            if isinstance(outcome, Taken):
                permit = Permit(self, outcome)
                yield from self._waited(permit, outcome.wait_seconds)
                return Ok(permit)
            if outcome.wait_seconds >= left:
                return Err(reached(key, outcome))
            yield Sleep(outcome.wait_seconds)
            now = (yield NOW).monotonic

    def _waited(self, permit: Permit, seconds: float) -> Flow[None]:
        """Wait for the turn that was taken; whoever is cancelled meanwhile gives it back."""
        if seconds > 0:
            try:
                yield Sleep(seconds)
            except BaseException:
                permit.drop(sent=False)
                raise

    def during(
        self,
        attempt: Callable[[], Flow[Result[T, LLMError]]],
        key: str = "",
        tokens: float = 0.0,
        *,
        used: Callable[[Result[T, LLMError]], float | None],
        deadline: float | None = None,
    ) -> Flow[Result[T, LLMError]]:
        """One attempt under a permit, which is ended however the attempt ends.

        `used` says how many tokens a result used, `None` where that is unknown. An attempt whose error says that
        nothing was sent gets its request back too.
        """
        admitted = yield from self.admit(key, tokens, deadline=deadline)
        if isinstance(admitted, Err):
            return admitted
        permit = admitted.value
        try:
            result = yield from attempt()
            if isinstance(result, Err) and not result.error.sent:
                yield from permit.cancel()
            else:
                yield from permit.settle(used(result))
        finally:
            permit.drop()
        return result

    def take(self, key: str, charges: Sequence[Charge], wait_seconds: float = 0.0) -> Flow[Taken | Short]:
        """Take charges of one's own from the backend, as `QuotaBackendProtocol` says. Raises `BackendError`."""
        outcome: Taken | Short = yield from self._tried(lambda: self._quotas.take(key, charges, wait_seconds))
        return outcome

    def settle(self, taken: Taken, used: Sequence[float]) -> Flow[None]:
        """Say how much was used of what `take` gave. Raises `BackendError`."""
        yield from self._tried(lambda: self._quotas.settle(taken, used))

    def account(self, taken: Taken, used: tuple[float, ...]) -> Flow[None]:
        """The end of a permit. A backend that is down is not told: time gives back what was taken."""
        if used != tuple(receipt.charge.amount for receipt in taken.receipts):
            try:
                yield from self.settle(taken, used)
            except BackendError:
                return  # it is in the log

    def owe(self, taken: Taken, used: tuple[float, ...]) -> None:
        """The end of a permit, told to the backend before the next call. Of very many, the oldest are left to time."""
        self._owed.append((taken, used))
        if len(self._owed) > _MOST_OWED:
            del self._owed[0]

    def _pay(self) -> Flow[None]:
        while self._owed:
            try:
                owed = self._owed.pop()
            except IndexError:
                return  # another thread was quicker
            yield from self.account(*owed)

    def _tried(self, operation: Callable[[], Flow[Any]]) -> Flow[Any]:
        """What the backend answers. Raises `BackendError` for its failure, and at once while it is left alone."""
        if (error := self.outage.error) is not None and self.outage.resting((yield NOW).monotonic):
            raise error
        try:
            answer = yield from operation()
        except BackendError as error:
            self.outage.failed(error, (yield NOW).monotonic)
            raise
        self.outage.answered()
        return answer

    def _without(self, key: str, error: BackendError) -> Result[Permit, LLMRateLimitError]:
        if self.on_backend_failure == "open":
            return Ok(Permit(self, None))
        return Err(unchecked(key, error.message, self.outage.rest_seconds))

    def __repr__(self) -> str:
        shown = ", ".join(str(limit) for limit in self.limits) or "no limits"
        return f"<{type(self).__name__}: {shown}>"


def _quotas(backend: Any, seconds: float) -> Any:
    """The flows of what was given as a backend: a store that has quotas, quotas themselves, or somebody's object."""
    if backend is None:
        from .memory import MemoryQuotas

        return MemoryQuotas()
    if getattr(backend, "gives_flows", False) and hasattr(backend, "quotas"):
        return backend.quotas()
    from .foreign import as_quotas

    return as_quotas(backend, seconds)
