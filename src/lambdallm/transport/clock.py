"""How long each wait of one request may last: `Timeouts` turned into readings of `time.monotonic()`."""

from __future__ import annotations

from time import monotonic

from .errors import WaitTimeout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .types import Timeouts


class Clock:
    """The limits of one request, counted from now."""

    __slots__ = ("_timeouts", "end")

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self.end = timeouts.deadline
        if timeouts.total is not None:
            end = monotonic() + timeouts.total
            self.end = end if self.end is None or end < self.end else self.end

    def is_over(self) -> bool:
        """Whether the whole request has run out of time."""
        return self.end is not None and monotonic() >= self.end

    def until_connected(self) -> float | None:
        """When a connection must stand, tunnel and TLS included."""
        return self._earlier(self._timeouts.connect)

    def until_read(self) -> float | None:
        """When the next piece must have arrived."""
        return self._earlier(self._timeouts.read)

    def _earlier(self, seconds: float | None) -> float | None:
        if seconds is None:
            return self.end
        until = monotonic() + seconds
        return until if self.end is None or until < self.end else self.end

    def expired(self, phase: str, peer: str, *, sent: bool) -> WaitTimeout:
        """The error for a wait that ran out; the whole request's limit wins over the phase's."""
        if self.is_over():
            return WaitTimeout(_message("total", peer, self._timeouts), phase="total", sent=sent)
        return WaitTimeout(_message(phase, peer, self._timeouts), phase=phase, sent=sent)


def _message(phase: str, peer: str, timeouts: Timeouts) -> str:
    if phase == "connect":
        return f"No connection to {peer} within {timeouts.connect} s. Check the address and the network's route to it."
    if phase == "read":
        return f"{peer} sent nothing for {timeouts.read} s. Raise Timeouts.read if it is known to think that long."
    limit = "the deadline" if timeouts.total is None else f"{timeouts.total} s"
    return f"The exchange with {peer} did not end within {limit}. Ask for less, or allow more time."
