"""The environments of one version of a function: a warm one where there is one, a new one up to the limit, else no."""

from __future__ import annotations

import threading

from .environment import Environment
from .errors import TooManyRequestsError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .function import Function
    from .host import Host
    from .job import Job


class Pool:
    """Gives invocations to environments. Once retired, its environments end when they have finished."""

    def __init__(self, function: Function, host: Host) -> None:
        self.function, self._host = function, host
        self._lock = threading.Lock()
        self._all: set[Environment] = set()
        self._free: list[Environment] = []
        self._retired = False

    def run(self, job: Job) -> None:
        """Give the invocation to an environment. Raises `TooManyRequestsError` when all that may run are busy."""
        while (environment := self._next_free()) is not None:
            if environment.assign(job):
                return
            self.ended(environment)
        self._start(job)

    def warm(self) -> dict[str, Any] | None:
        """Have an environment ready before it is asked for; the error of one that could not be loaded."""
        with self._lock:
            if len(self._all) >= self.function.concurrency:
                return None
            environment = self._made(None)
            self._free.append(environment)
        environment.start()
        environment.started.wait()
        return environment.failure

    def retire(self) -> None:
        """Take no more work; end what is free."""
        with self._lock:
            self._retired = True
            free, self._free = self._free, []
        for environment in free:
            environment.end("replaced")

    # What environments tell.

    def ready(self, environment: Environment) -> None:
        """It waits for work. The one that was used last is used first, so that the others may end idle."""
        with self._lock:
            retired = self._retired
            if not retired and environment in self._all and environment not in self._free:
                self._free.append(environment)
        if retired:
            environment.end("replaced")

    def again(self, job: Job) -> None:
        """An environment could not be loaded: try once more, in the invocation's own time."""
        with self._lock:
            environment = Environment(self.function, self._host, self, job, "invoke")
            self._all.add(environment)
        environment.start()

    def ended(self, environment: Environment) -> None:
        """It takes no more work."""
        with self._lock:
            self._all.discard(environment)
            if environment in self._free:
                self._free.remove(environment)

    def _next_free(self) -> Environment | None:
        with self._lock:
            return self._free.pop() if self._free else None

    def _start(self, job: Job) -> None:
        with self._lock:
            if len(self._all) >= self.function.concurrency:
                raise TooManyRequestsError("Rate Exceeded.")
            environment = self._made(job)
        environment.start()

    def _made(self, job: Job | None) -> Environment:
        environment = Environment(self.function, self._host, self, job)
        self._all.add(environment)
        return environment
