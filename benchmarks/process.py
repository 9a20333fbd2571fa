"""Measured processes: started directly, timed from the outside until their first byte, or driven round by round."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SETTINGS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
"""What the peers need in order to stay on this machine."""


def clean_environ(home: Path) -> dict[str, str]:
    """A small environment with nothing of the machine's own settings: no proxies, no profiles, no home."""
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": str(home), **_SETTINGS}


@dataclass(frozen=True)
class Sample:
    """One fresh process: wall time from its start to its first byte, its whole CPU time, and what it wrote after."""

    wall_ms: float
    cpu_ms: float
    said: str


def fresh(command: list[str], environ: dict[str, str]) -> Sample:
    """Start a process and wait for its first byte. Raises `RuntimeError` when it fails."""
    reader, writer = os.pipe()
    begun = time.perf_counter()
    pid = os.posix_spawn(command[0], command, environ, file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)])
    os.close(writer)
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        mark = pipe.read(1)
        wall = time.perf_counter() - begun
        said = pipe.read()
    _, status, used = os.wait4(pid, 0)
    if status or mark != b".":
        raise RuntimeError(f"{' '.join(command)} failed with status {os.waitstatus_to_exitcode(status)}.")
    return Sample(wall * 1000, (used.ru_utime + used.ru_stime) * 1000, said.decode())


class Loop:
    """A process that runs a round whenever it is told to and answers with a number."""

    def __init__(self, command: list[str], environ: dict[str, str]) -> None:
        self._name = " ".join(command)
        self._process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._into, self._outof = self._process.stdin, self._process.stdout

    def round(self, what: str = "") -> float:
        """Run a round, of `what` where the process knows several. Raises `RuntimeError` when the process has died."""
        with suppress(BrokenPipeError):
            self._into.write(f"{what}\n")
        line = self._outof.readline()
        if not line:
            raise RuntimeError(f"{self._name} failed with status {self._process.wait()}.")
        return float(line)

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


class Stub:
    """The server under all measurements; use as a context manager."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.http, self.https = (int(port) for port in self._process.stdout.readline().split())

    def __enter__(self) -> Stub:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
