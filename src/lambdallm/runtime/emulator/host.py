"""What all environments of an emulator share: where they are, what they may take, who hears what they print."""

from __future__ import annotations

import os
import tempfile
import threading
import warnings

from . import sandbox
from .errors import NotIsolatedWarning
from .guard import Guard
from .watch import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .environment import Environment
    from .function import Function
    from .limits import Limits
    from .logs import Line

_OPEN = (
    "Functions can write their code here, and /tmp is not private to them: this machine gives no unprivileged user "
    "namespaces (`unshare`), or the code is /tmp itself. On AWS both writes fail or vanish. Allow namespaces, or say "
    "Emulator(isolate=False) to have it so."
)


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
        self._warned = False

    def folder(self) -> str:
        """A folder for what environments need, made when it is first asked for."""
        with self._lock:
            if self._folder is None:
                self._folder = self.new_folder("lambdallm-")
            return self._folder

    def new_folder(self, prefix: str) -> str:
        """A folder that is gone when the emulator is, however it ends."""
        folder = tempfile.mkdtemp(prefix=prefix)
        self.guard.keep(folder)
        return folder

    def warn_of(self, function: Function) -> None:
        """Say once that functions can't be isolated here, though they were to be."""
        if not self.isolate or self._warned or not os.path.isdir(function.code):
            return
        if not sandbox.prefix(function, self.folder()):
            self._warned = True
            warnings.warn(_OPEN, NotIsolatedWarning, stacklevel=4)

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
