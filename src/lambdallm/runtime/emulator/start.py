"""How the start of an environment goes: how long it may take, what it took, and what is said and billed of it."""

from __future__ import annotations

import time

from .report import init_report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from .limits import Limits

    Phase = Literal["init", "invoke"]


class Start:
    """The start of one process, in a phase of its own or in an invocation's time. Times are of `time.monotonic`."""

    def __init__(self, phase: Phase, *, snapstart: bool) -> None:
        self.phase = phase
        self.began = time.monotonic()
        self.loaded = False
        self._snapstart = snapstart
        self._restore_began: float | None = None
        self._cold_ms: float | None = None
        self._restore_ms: float | None = None

    def again(self) -> None:
        """The function's own command runs: the start counts from here."""
        self.began = time.monotonic()

    def restoring(self) -> None:
        """The snapshot is there, and is restored for an invocation."""
        self._restore_began = time.monotonic()

    def done(self, *, awaited: bool) -> tuple[str, ...]:
        """The function is loaded; `awaited` says whether an invocation waits. What Lambda says of it."""
        self.loaded = True
        if self._restore_began is not None:
            self._restore_ms = ms_since(self._restore_began)
            return (f"RESTORE_REPORT Restore Duration: {self._restore_ms:.2f} ms",)
        if self.phase == "invoke":
            return (init_report(ms_since(self.began), "invoke", "success"),)
        if awaited:
            self._cold_ms = ms_since(self.began)
        return ()

    def failed(self, status: str, error_type: str) -> str:
        """The function could not be loaded. What Lambda says of it."""
        return init_report(ms_since(self.began), self.phase, status, error_type)

    def deadline(self, limits: Limits) -> float:
        """When it must be over."""
        if self._restore_began is not None:
            return self._restore_began + limits.init_seconds
        return self.began + (limits.snapshot_seconds if self._snapstart else limits.init_seconds)

    def billed(self) -> tuple[float | None, float | None]:
        """What the first invocation reports: the start and the restore, in milliseconds. Later ones report neither."""
        took = self._cold_ms, self._restore_ms
        self._cold_ms = self._restore_ms = None
        return took


def ms_since(began: float) -> float:
    """Milliseconds from then to now."""
    return (time.monotonic() - began) * 1000
