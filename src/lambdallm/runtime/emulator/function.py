"""A function as the emulator knows it: where its code is, how its process starts, what it may use."""

from __future__ import annotations

import sys
from types import MappingProxyType

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    UrlMode = Literal["RESPONSE_STREAM", "BUFFERED"]
    Architecture = Literal["x86_64", "arm64"]

NOTHING: Mapping[str, str] = MappingProxyType({})
OUR_RUNTIME = (sys.executable, "-m", "lambdallm.runtime")


class Function(Value):
    """One version of a function. `command` is any program that speaks Lambda's Runtime API."""

    name: str
    code: str
    """The folder that is `LAMBDA_TASK_ROOT` and the working directory."""
    handler: str = "app.lambda_handler"
    command: tuple[str, ...] = OUR_RUNTIME
    environment: Mapping[str, str] = NOTHING
    """The function's own variables, 4 KB of them. AWS's reserved ones are the platform's, except region and keys."""
    memory_mb: int = 128
    timeout: float = 3.0
    """Seconds for one invocation."""
    concurrency: int = 10
    """Invocations at once, each in an environment of its own; a further one is refused with 429."""
    tmp_mb: int = 512
    url_mode: UrlMode = "RESPONSE_STREAM"
    version: str = "$LATEST"
    architecture: Architecture = "x86_64"
    """What the cost is computed for; the process runs on this machine whatever it says."""
    shell: Mapping[str, str] = NOTHING
    """Variables that Lambda would not set and no limit counts, such as a developer's own keys."""
    mounts: tuple[str, ...] = ()
    """Further folders, read only, as layers are: those in `/tmp` can't be seen otherwise where that is private."""
    snapstart: bool = False
    """Start as a restored snapshot does: the hooks run, but memory is the process's own."""
    init_again: bool = True
    """Whether a failed start is tried once more in the invocation's own time, as AWS does."""
    sigterm: bool = False
    """Whether the process hears SIGTERM before it is killed, as it does where it has an extension."""

    def __post_init__(self) -> None:
        from os.path import abspath

        self._set("code", abspath(self.code))
        self._set("command", tuple(self.command))
        self._set("environment", MappingProxyType(dict(self.environment)))
        self._set("shell", MappingProxyType(dict(self.shell)))
