"""An environment's log: what its process prints and what Lambda says, each line with the invocation it belongs to."""

from __future__ import annotations

from .logs import Line, Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .job import Job
    from .report import Report


class Journal:
    """Keeps each invocation's lines with it, and tells every line to `tell`.

    What is printed while the function is loaded belongs to the invocation that waits for it, though not by its id.
    """

    def __init__(self, function: str, tell: Callable[[Line], None]) -> None:
        self._function, self._tell = function, tell
        self._lines = Lines()
        self._job: Job | None = None
        self._early: list[Line] = []

    def attach(self, job: Job) -> None:
        """From now on lines belong to this invocation."""
        self._job = job
        job.lines += self._early
        self._early = []

    def detach(self) -> None:
        """Lines belong to no invocation; those of the past to none that comes."""
        self._job = None
        self._early = []

    def printed(self, data: bytes) -> None:
        """The process has printed."""
        for text in self._lines.feed(data):
            self._log(text, "function")

    def rest(self) -> None:
        """Nothing follows the open line."""
        for text in self._lines.rest():
            self._log(text, "function")

    def say(self, *texts: str) -> None:
        """Lambda says something."""
        for text in texts:
            self._log(text, "platform")

    def begin(self, job: Job, version: str) -> None:
        """An invocation goes to the process."""
        job.told = True
        self.say(f"START RequestId: {job.id} Version: {version}")

    def end(self, job: Job, report: Report) -> None:
        """An invocation is over."""
        self.say(f"END RequestId: {job.id}", str(report))

    def _log(self, text: str, source: str) -> None:
        job = self._job
        line = Line(text, self._function, job.id if job is not None and job.told else "", source)
        (self._early if job is None else job.lines).append(line)
        self._tell(line)
