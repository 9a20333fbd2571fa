"""A circuit breaker: after enough failures in a row no call is made for a while, then one call tries whether to go on.

    closed ──(failure_threshold failures in a row)──▶ open
    open ──(recovery_seconds later: one probe is let through)──▶ half-open
    half-open ──(the probe succeeds)──▶ closed,  ──(it fails)──▶ open

What counts as a failure is an error that may pass (overload, 5xx, a rate limit), and having no connection, for whatever
reason. An error that says the request is wrong proves that the provider is there, and counts as a success. One for
which nothing was sent proves nothing, and is not for `record`.
"""

from __future__ import annotations

import time
from _thread import allocate_lock

from ..._hooks import kept_out_of_snapshots
from ..errors import CircuitOpenError, ProviderConnectionError
from ..forks import renewed_in_children
from ..result import Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal

    from ..errors import LLMError
    from ..result import Result

    State = Literal["closed", "open", "half_open"]


class ProviderCircuitBreaker:
    """The breaker of one provider, or of one of its models. Safe to share between threads and tasks.

    Times are readings of the monotonic clock, in seconds; where none is given, the clock is read. A probe that never
    reports (its caller was cancelled) is given up after `recovery_seconds`.
    """

    def __init__(
        self, name: str = "", *, failure_threshold: int = 5, recovery_seconds: float = 30.0, success_threshold: int = 1
    ) -> None:
        self.name = name
        self.failure_threshold = failure_threshold
        self.recovery_seconds = recovery_seconds
        self.success_threshold = success_threshold
        self._lock = allocate_lock()
        renewed_in_children(self)
        kept_out_of_snapshots(self)
        self._failures = self._successes = 0
        self._opened: float | None = None
        self._probing: float | None = None

    def renew(self) -> None:
        """Take a new lock, and let the next call probe: the parent's probe is not ours."""
        self._lock = allocate_lock()
        self._probing = None

    @property
    def state(self) -> State:
        """Where it stands now; `half_open` while a probe is under way."""
        if self._opened is None:
            return "closed"
        return "open" if self._probing is None else "half_open"

    @property
    def failures(self) -> int:
        """The failures since the last success."""
        return self._failures

    def is_available(self, now: float | None = None) -> bool:
        """Whether a call may be made. An open breaker that has waited long enough lets one caller through: this one."""
        if self._opened is None:
            return True
        with self._lock:
            return self._let_through(time.monotonic() if now is None else now)

    def refuses(self, now: float | None = None) -> bool:
        """Whether a call would be refused now; asking lets nobody through."""
        if self._opened is None:
            return False
        since = self._opened if self._probing is None else self._probing
        return (time.monotonic() if now is None else now) - since < self.recovery_seconds

    def _let_through(self, now: float) -> bool:
        if self._opened is None:
            return True
        since = self._opened if self._probing is None else self._probing
        if now - since < self.recovery_seconds:
            return False
        self._probing = now
        return True

    def record_success(self) -> None:
        """Tell it that the provider answered."""
        if self._opened is None and not self._failures:
            return
        with self._lock:
            self._failures = 0
            if self._opened is None:
                return
            self._successes += 1
            self._probing = None
            if self._successes >= self.success_threshold:
                self._opened, self._successes = None, 0
            else:
                self._opened -= self.recovery_seconds

    def record_failure(self, now: float | None = None) -> None:
        """Tell it that the provider failed."""
        with self._lock:
            self._failures += 1
            if self._opened is not None or self._failures >= self.failure_threshold:
                self._opened = time.monotonic() if now is None else now
                self._probing, self._successes = None, 0

    def give_back(self, now: float) -> None:
        """Take back the probe that was let through at `now` and came to nothing: the next caller may make it."""
        with self._lock:
            if self._probing == now and self._opened is not None:
                self._opened, self._probing = now - self.recovery_seconds, None

    def record(self, result: Result[Any, LLMError], now: float | None = None) -> None:
        """Tell it how a call ended."""
        if isinstance(result, Err) and (result.error.retryable or isinstance(result.error, ProviderConnectionError)):
            self.record_failure(now)
        else:
            self.record_success()

    def refusal(self, now: float | None = None) -> CircuitOpenError:
        """The error for a call that is not made, with the seconds until the next one may be."""
        now = time.monotonic() if now is None else now
        since = self._probing if self._probing is not None else self._opened
        wait = 0.0 if since is None else max(0.0, since + self.recovery_seconds - now)
        failed = f"{self.name or 'The provider'} failed {self._failures} times in a row"
        return CircuitOpenError(f"{failed}; no call is made for another {wait:.0f} s.", retry_after=wait)

    def reset(self) -> None:
        """Close it, whatever has happened."""
        with self._lock:
            self._failures = self._successes = 0
            self._opened = self._probing = None

    forget = reset

    def __repr__(self) -> str:
        return f"ProviderCircuitBreaker({self.name!r}, state={self.state!r}, failures={self._failures})"
