"""Clears up what an emulator has started when the emulator's own process is gone, however it went.

A small shell reads process groups and folders from a pipe. When nobody holds the other end any more, as after SIGKILL,
it kills the groups that are left and removes the folders. It works wherever there is a shell.
"""

from __future__ import annotations

import subprocess
import threading
from contextlib import suppress

_SCRIPT = """
left=
while read -r word group; do
  others=
  for one in $left; do [ "$one" = "$group" ] || others="$others $one"; done
  left=$others
  [ "$word" = add ] && left="$left $group"
  [ "$word" = folder ] && set -- "$@" "$group"
done
for one in $left; do kill -9 -"$one" 2>/dev/null; done
[ $# -gt 0 ] && rm -rf -- "$@"
"""


class Guard:
    """Knows the process groups and the folders that must not outlive this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shell: subprocess.Popen[bytes] | None = None

    def keep(self, folder: str) -> None:
        """A folder has been made."""
        self._tell("folder", folder)

    def add(self, group: int) -> None:
        """A process group has been started."""
        self._tell("add", group)

    def remove(self, group: int) -> None:
        """A process group has ended, and its number may be another's from now on."""
        self._tell("end", group)

    def close(self) -> None:
        """Nothing is left to guard."""
        with self._lock:
            shell, self._shell = self._shell, None
        if shell is not None:
            assert shell.stdin is not None
            with suppress(OSError):
                shell.stdin.close()
            shell.wait()

    def _tell(self, word: str, what: int | str) -> None:
        with self._lock, suppress(OSError):
            if self._shell is None:
                command = ["/bin/sh", "-c", _SCRIPT]
                self._shell = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
            assert self._shell.stdin is not None
            self._shell.stdin.write(f"{word} {what}\n".encode())
            self._shell.stdin.flush()
