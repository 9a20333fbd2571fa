"""Leaving a backend that is down alone for a while, and saying so in the log: once per while, not once per call.

outage = Outage("rate limits", "calls go on without limits")
if not outage.resting(now):
    try: ...
    except BackendError as error: outage.failed(error, now)
    else: outage.answered()
"""

from __future__ import annotations

from _thread import allocate_lock

from ..._hooks import kept_out_of_snapshots
from ..forks import renewed_in_children

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errors import BackendError


class Outage:
    """Whether a backend failed lately. Safe to share between threads; times are readings of the monotonic clock.

    After a failure the backend is left alone for `rest_seconds`; then one caller tries it, and the others go on resting
    until that one has told. `purpose` and `consequence` are the words of the log: what the backend is for, and what
    happens without it. Warnings go to the logger `lambdallm.backends`, at most one per `log_seconds`.
    """

    def __init__(self, purpose: str, consequence: str, *, rest_seconds: float = 5.0, log_seconds: float = 60.0) -> None:
        self.purpose, self.consequence = purpose, consequence
        self.rest_seconds, self.log_seconds = rest_seconds, log_seconds
        self.error: BackendError | None = None
        """Why it is left alone; `None` while it answers."""
        self._until = self._logged = float("-inf")
        self._silent = 0
        self._lock = allocate_lock()
        renewed_in_children(self)
        kept_out_of_snapshots(self)

    def renew(self) -> None:
        """Take a new lock."""
        self._lock = allocate_lock()

    def forget(self) -> None:
        """Take it for healthy: how it was before a snapshot says nothing about the time after it."""
        self.error = None
        self._until = self._logged = float("-inf")

    def resting(self, now: float) -> bool:
        """Whether to do without it now. The first caller after the rest is told to try, and must tell how it went."""
        if self.error is None:
            return False
        with self._lock:
            rests = now < self._until
            if not rests:
                self._until = now + self.rest_seconds
            return rests

    def failed(self, error: BackendError, now: float) -> None:
        """It did not answer, or refused."""
        with self._lock:
            self.error, self._until = error, now + self.rest_seconds
            if now - self._logged < self.log_seconds:
                self._silent += 1
                return
            self._logged, silent, self._silent = now, self._silent, 0
        more = f" {silent} further failures were not logged." if silent else ""
        _log("warning", f"The backend of {self.purpose} fails: {error} Meanwhile {self.consequence}.{more}")

    def answered(self) -> None:
        """It did what it was asked."""
        if self.error is None:
            return
        with self._lock:
            ended, self.error, self._until = self.error is not None, None, float("-inf")
        if ended:
            _log("info", f"The backend of {self.purpose} answers again.")


def _log(level: str, message: str) -> None:
    import logging

    getattr(logging.getLogger("lambdallm.backends"), level)(message)
