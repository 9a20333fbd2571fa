"""One process group: started, frozen, thawed, measured, killed. It knows nothing of invocations."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SIGNALS = {1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trace/breakpoint trap"}
_SIGNALS |= {6: "aborted", 7: "bus error", 8: "floating point exception", 9: "killed", 11: "segmentation fault"}
_SIGNALS |= {13: "broken pipe", 14: "alarm clock", 15: "terminated"}
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_READ_BYTES = 65_536


class Process:
    """A running command and all that it starts. Safe to signal from any thread, also after its end.

    `begun` is a descriptor that ends when the command itself runs, after its `prefix`; `exit` one that is readable when
    the process has ended.
    """

    def __init__(
        self, command: Sequence[str], prefix: Sequence[str], environment: Mapping[str, str], folder: str
    ) -> None:
        self.output, output = os.pipe()
        self.begun, stdin = os.pipe()
        os.set_blocking(self.output, False)
        try:
            self._popen = subprocess.Popen(
                [*prefix, *command],
                env=environment,
                cwd=folder,
                stdin=stdin if prefix else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        except BaseException:
            os.close(self.output)
            os.close(self.begun)
            raise
        finally:
            os.close(output)
            os.close(stdin)
        self.pid = self._popen.pid
        self._lock = threading.Lock()
        self._gone = False
        self._peak_mb: int | None = None
        self.exit = _exit_of(self._popen)

    def read(self) -> bytes:
        """What it has printed since; empty when there is nothing now."""
        try:
            return os.read(self.output, _READ_BYTES)
        except BlockingIOError:
            return b""

    def freeze(self) -> None:
        """Stop it, as Lambda does between invocations."""
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it now, with all that it has started: its group, and what has left the group but not its parents."""
        strays = [pid for pid in _family(self.pid) if _group(pid) not in (self.pid, None)]
        self.signal(signal.SIGKILL)
        for pid in strays:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def signal(self, number: int) -> None:
        """Send a signal to the whole group."""
        with self._lock:
            if not self._gone:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.pid, number)

    def reap(self) -> str:
        """Clear up after its end, and say how it ended in the words of AWS; empty for exit code 0."""
        self.kill()
        with self._lock:
            self._gone = True
            _, status, used = os.wait4(self.pid, 0)
        self._popen.returncode = code = os.waitstatus_to_exitcode(status)
        self._peak_mb = used.ru_maxrss >> (20 if sys.platform == "darwin" else 10)
        for descriptor in (self.output, self.begun, self.exit):
            os.close(descriptor)
        if code < 0:
            return f"signal: {_SIGNALS.get(-code, f'signal {-code}')}"
        return f"exit status {code}" if code else ""

    def used_mb(self) -> int:
        """The memory that the group uses now, as far as the system tells."""
        return sum(map(_resident_bytes, _family(self.pid))) >> 20

    def peak_mb(self) -> int | None:
        """The most memory that the process has used so far; `None` where the system does not tell."""
        if self._peak_mb is not None:
            return self._peak_mb
        with suppress(OSError, ValueError), open(f"/proc/{self.pid}/status", "rb") as status:
            return int(status.read().partition(b"VmHWM:")[2].split(None, 1)[0]) >> 10
        return None


def _exit_of(popen: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the process ends."""
    if hasattr(os, "pidfd_open"):
        with suppress(OSError):
            return os.pidfd_open(popen.pid)
    ended, held = os.pipe()

    def wait() -> None:
        with suppress(OSError):
            os.waitid(os.P_PID, popen.pid, os.WEXITED | os.WNOWAIT)
        os.close(held)

    threading.Thread(target=wait, daemon=True, name="emulator exit").start()
    return ended


def _family(pid: int) -> Iterator[int]:
    """A process and its descendants."""
    yield pid
    with suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as children:
                for child in children.read().split():
                    yield from _family(int(child))


def _group(pid: int) -> int | None:
    with suppress(ProcessLookupError, PermissionError):
        return os.getpgid(pid)
    return None


def _resident_bytes(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/statm", "rb") as statm:
        return int(statm.read().split()[1]) * _PAGE_BYTES
    return 0
