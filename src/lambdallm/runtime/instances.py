"""Managed Instances: an environment that gets several invocations at once, each worked on by a process of its own.

This process forks the workers before the function is loaded, as AWS's client does, so that each loads its own; then it
only waits. A worker that ends after it had invocations is followed by a new one; one that never got any (its function
can't be loaded, Lambda has gone) is not. SIGTERM is handed on to all of them. `/tmp` is theirs together.

It knows neither functions nor events: what a worker does is given to it.

Source: "Lambda Managed Instances runtimes" in the AWS Lambda Developer Guide; `awslambdaric` 4.2,
`lambda_multi_concurrent_utils` and `LambdaMultiConcurrentRuntimeClient`.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType
    from typing import NoReturn

    Work = Callable[[Callable[[], None]], object]
    """What a worker does until it ends; it calls what it is given once it has an invocation."""

_PROVED = b"."
_OUTPUTS = (1, 2)


def workers_wanted(environ: Mapping[str, str]) -> int | None:
    """How many invocations Lambda sends at once, where this is a Managed Instance; otherwise `None`."""
    text = environ.get("AWS_LAMBDA_MAX_CONCURRENCY")
    return None if text is None else max(1, int(text))


def run_workers(count: int, work: Work, environ: dict[str, str] | os._Environ[str] = os.environ) -> NoReturn:
    """Do `work` in `count` processes until they have ended. Raises `SystemExit`, here and in each of them.

    Their output goes to the socket that Lambda names, a connection for each stream of each worker, so that it can tell
    whose lines are whose.
    """
    _announce(count, environ)
    _leave_log_descriptor(environ)
    pool = _Pool(work, environ.get("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET"))
    pool.listen()
    for _ in range(count):
        pool.add()
    raise SystemExit(pool.wait())


class _Pool:
    """The workers of this process, each with the pipe by which it says that it has had an invocation."""

    def __init__(self, work: Work, output: str | None) -> None:
        self._work, self._output = work, output
        self._pid = os.getpid()
        self._proofs: dict[int, int] = {}
        self._ending = False

    def listen(self) -> None:
        """Hand SIGTERM on."""
        from signal import SIGTERM, signal

        signal(SIGTERM, self._terminate)

    def add(self) -> None:
        """Fork a worker. In the worker this raises `SystemExit` once its work has ended."""
        proof, prove = os.pipe()
        pid = os.fork()
        if pid:
            os.close(prove)
            self._proofs[pid] = proof
            if self._ending:
                self._end(pid)
        else:
            os.close(proof)
            self._begin(prove)

    def wait(self) -> int:
        """Wait until all workers have ended, and give the exit status for this process."""
        status = 0
        while self._proofs:
            pid, ended = os.wait()
            proof = self._proofs.pop(pid, None)
            if proof is None:
                continue  # a child of somebody else's
            code = os.waitstatus_to_exitcode(ended)
            proved = _take(proof)
            if self._ending:
                continue
            _tell(pid, code, proved)
            if proved:
                self.add()
            else:
                status = status or int(code != 0)
        return status

    def _begin(self, prove: int) -> NoReturn:
        from signal import SIG_DFL, SIGTERM, signal

        signal(SIGTERM, SIG_DFL)
        for proof in self._proofs.values():
            os.close(proof)
        if self._output:
            _redirect(self._output)
        self._work(lambda: _prove(prove))
        raise SystemExit(0)

    def _terminate(self, signum: int, frame: FrameType | None) -> None:
        if os.getpid() != self._pid:
            raise SystemExit(0)  # a worker that has not yet begun
        self._ending = True
        for pid in list(self._proofs):
            self._end(pid)

    def _end(self, pid: int) -> None:
        from signal import SIGTERM

        try:
            os.kill(pid, SIGTERM)
        except ProcessLookupError:
            return  # it has ended by itself


def _prove(pipe: int) -> None:
    os.write(pipe, _PROVED)


def _take(proof: int) -> bool:
    """Whether a worker that has ended had invocations."""
    os.set_blocking(proof, False)
    try:
        return os.read(proof, 1) == _PROVED
    except BlockingIOError:
        return False  # what it forked itself holds the other end
    finally:
        os.close(proof)


def _tell(pid: int, code: int, replaced: bool) -> None:
    ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit status {code}"
    what = "A new one takes its place." if replaced else "It had no invocation, so that none takes its place."
    os.write(2, f"The worker process {pid} {ended}. {what}\n".encode())


def _redirect(path: str) -> None:
    """Have what this process prints go to Lambda by connections of its own."""
    import socket

    for descriptor in _OUTPUTS:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(path)
            os.dup2(connection.fileno(), descriptor)


def _announce(count: int, environ: Mapping[str, str]) -> None:
    """Log what AWS's client does before it forks, for whoever reads records of the level DEBUG."""
    if environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper() not in ("DEBUG", "TRACE"):
        return
    from logging import getLogger

    from . import logs

    descriptor = environ.get("_LAMBDA_TELEMETRY_LOG_FD")
    logs.start()
    most = {"workerCount": count, "executionEnvironmentMaxConcurrency": count}
    getLogger().debug({"event": "runtime_worker_pool_initializing", **most})
    getLogger().handlers.clear()  # workers set up their own
    if descriptor:
        os.close(int(descriptor))  # `logs` has taken it out of the environment


def _leave_log_descriptor(environ: dict[str, str] | os._Environ[str]) -> None:
    """The framed log that a single process has is no workers' business: they could write into each other's frames."""
    descriptor = environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
    if descriptor is not None:
        os.close(int(descriptor))
