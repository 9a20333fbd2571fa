"""Where one process of a function runs: apart from all else where that can be, else with a folder for its own files."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from secrets import token_hex

from . import sandbox
from .process import Process
from .variables import variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .function import Function
    from .host import Host


class Place:
    """A place on a host, for one process. `clear` removes what the process leaves."""

    def __init__(self, function: Function, host: Host) -> None:
        self._function, self._host, self._scratch = function, host, ""

    def launch(self, address: str) -> Process:
        """Start the process, whose Runtime API is at this address. Raises `OSError`."""
        function, before = self._function, self._isolated()
        stream = f"{datetime.now(UTC):%Y/%m/%d}/[{function.version}]{token_hex(16)}"
        seen = variables(function, api=address, region=self._host.region, stream=stream, scratch=self._scratch)
        process = Process(function.command, before, seen, function.code)
        self._host.guard.add(process.pid)
        return process

    def clear(self) -> None:
        """Remove its folder, where it has one."""
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _isolated(self) -> tuple[str, ...]:
        before = sandbox.prefix(self._function, self._host.folder()) if self._host.isolate else ()
        if not before:
            self._scratch = os.path.join(self._host.folder(), token_hex(8))
            os.mkdir(self._scratch)
        return before
