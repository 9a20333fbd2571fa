"""What all environments of an emulator share: where they are, what they may take, who hears what they print."""

from __future__ import annotations

import tempfile
import threading

from .guard import Guard
from .watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .environment import Environment
    from .limits import Limits
    from .logs import Line


class Host:
    """The machine, so to say. `close` ends every environment on it."""

    def __init__(
        self,
        *,
        region: str,
        account: str,
        limits: Limits,
        log: Callable[[Line], object],
        freeze: bool,
        isolate: bool,
    ) -> None:
        self.region, self.account, self.limits = region, account, limits
        self.log, self.freeze, self.isolate = log, freeze, isolate
        self.guard, self.watch = Guard(), Watch()
        self.closed = False
        self._lock = threading.Lock()
        self._environments: set[Environment] = set()
        self._folder: str | None = None

    def folder(self) -> str:
        """A folder for what environments need, made when it is first asked for."""
        with self._lock:
            if self._folder is None:
                self._folder = tempfile.mkdtemp(prefix="lambdallm-")
                self.guard.keep(self._folder)
            return self._folder

    def add(self, environment: Environment) -> None:
        """An environment starts."""
        with self._lock:
            self._environments.add(environment)
        self.watch.add(environment)
        if self.closed:
            environment.end("closed")

    def remove(self, environment: Environment) -> None:
        """An environment has ended."""
        self.watch.remove(environment)
        with self._lock:
            self._environments.discard(environment)

    def stop(self, request_id: str) -> bool:
        """End the environment that works on an invocation; whether there was one."""
        with self._lock:
            environments = list(self._environments)
        return any(environment.stop(request_id) for environment in environments)

    def close(self) -> None:
        """End all that runs, and clear up."""
        self.closed = True
        with self._lock:
            environments = list(self._environments)
        for environment in environments:
            environment.end("closed")
        for environment in environments:
            environment.join()
        self.watch.close()
        self.guard.close()
