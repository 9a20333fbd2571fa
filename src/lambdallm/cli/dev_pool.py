"""The worker processes of `lambdallm dev`, seen from the server: the one in charge, and those that finish and end.

One event at a time, as in one Lambda environment; a further request waits its turn.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Frame = dict[str, Any]


class Worker:
    """A process with the function loaded. `started` is set when it is `ready` or has `failed` (`first` says which)."""

    def __init__(self, options: dict[str, Any], on_start: Callable[[Worker], None]) -> None:
        command = [sys.executable, "-m", "lambdallm.cli.dev_worker", json.dumps(options)]
        # Bytecode is dated in whole seconds: two saves in one second would run the older one.
        environ = {**os.environ, "AWS_LAMBDA_FUNCTION_NAME": "function", "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ)
        self._timeout = options["timeout"]
        self.turn = threading.Lock()
        self.started = threading.Event()
        self.first: Frame = {}
        self.served = 0
        self.retired = self._ended = False
        threading.Thread(target=self._start, args=(on_start,), daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether events can be sent to it."""
        return not self._ended and self._process.poll() is None

    def invoke(self, request: Frame) -> Iterator[Frame]:
        """The frames that answer a request. Hold `turn` while reading them, and read to the end."""
        self.served += 1
        late = threading.Event()
        clock = threading.Timer(self._timeout, self._stop, (late,))
        clock.daemon = True
        clock.start()
        try:
            yield from self._answers(request, late)
        finally:
            clock.cancel()

    def retire(self) -> None:
        """Let it finish what it does and end; one that has not even started is ended at once."""
        self.retired = True
        if not self.started.is_set():
            self.kill()
        with self.turn:
            self._hang_up()

    def kill(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """End it now, and wait a moment for whoever reads from it."""
        self.retired = True
        self.kill()
        if self.turn.acquire(timeout=1):
            self._hang_up()

    def _hang_up(self) -> None:
        """Close the line, which ends a process that listens. Hold `turn`."""
        self.started.wait()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process.stdout.close()

    def _start(self, on_start: Callable[[Worker], None]) -> None:
        self.first = self._read() or {"kind": "failed", "error": self._gone(), "message": "", "unclear": False}
        self.started.set()
        if not self.retired:
            on_start(self)

    def _stop(self, late: threading.Event) -> None:
        late.set()
        self.kill()

    def _answers(self, request: Frame, late: threading.Event) -> Iterator[Frame]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has gone: reading says so
        while True:
            frame = self._read()
            if frame is None:
                error = _timed_out(self._timeout) if late.is_set() else self._gone()
                yield {"kind": "error", "error": error, "late": late.is_set()}
                return
            yield frame
            if frame["kind"] != "piece":
                return

    def _read(self) -> Frame | None:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        frame: Frame | None = json.loads(line) if line.endswith(b"\n") else None
        self._ended = frame is None
        return frame

    def _gone(self) -> Frame:
        message = f"The function's process ended with exit code {self._process.wait()}."
        return {"errorType": "Runtime.ExitError", "errorMessage": message}


class Pool:
    """The worker in charge and how to replace it."""

    def __init__(self, options: dict[str, Any], on_start: Callable[[Worker], None]) -> None:
        self._options, self.on_start = options, on_start
        self._swap = threading.Lock()
        self.worker = Worker(options, on_start)

    def replace(self) -> None:
        """Put a fresh process in charge; the old one finishes its request."""
        with self._swap:
            old, self.worker = self.worker, Worker(self._options, self.on_start)
        threading.Thread(target=old.retire, daemon=True).start()

    def invoke(self, request: Frame) -> Iterator[Frame]:
        """The frames that answer a request, from whichever worker is in charge when its turn comes."""
        while True:
            worker = self.worker
            with worker.turn:
                worker.started.wait()
                if worker.retired:
                    continue
                if worker.first["kind"] == "failed":
                    yield {"kind": "error", "error": worker.first["error"]}
                    return
                if worker.alive:
                    if worker.served == 0:
                        yield {"kind": "cold", "init_ms": worker.first["init_ms"]}
                    yield from worker.invoke(request)
                    return
            self._revive(worker)

    def close(self) -> None:
        """End the worker."""
        self.worker.end()

    def _revive(self, dead: Worker) -> None:
        with self._swap:
            if self.worker is dead:
                dead.retire()
                self.worker = Worker(self._options, self.on_start)


def _timed_out(seconds: float) -> Frame:
    message = f"Task timed out after {seconds:.2f} seconds. Raise it with --timeout."
    return {"errorType": "Sandbox.Timedout", "errorMessage": message}
