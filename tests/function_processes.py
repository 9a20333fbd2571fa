"""Function processes for tests: a module written into a folder, served by our runtime or by AWS's client."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from textwrap import dedent

SOURCE = __import__("lambdallm").__path__[0].rpartition("/")[0]
OURS = (sys.executable, "-m", "lambdallm.runtime", "app.handler")
THEIRS = (sys.executable, "-m", "awslambdaric", "app.handler")


class Function:
    """A running function process. `output` is all that it has printed, once it has ended."""

    def __init__(self, process):
        self.process = process

    def ends(self, seconds=20):
        """The exit status and the output, once the process has ended."""
        output = self.process.communicate(timeout=seconds)[0].decode()
        return self.process.returncode, output


@contextmanager
def function_process(folder, api, code, command=OURS, **environ):
    """A process that serves `app.handler`, until the block ends."""
    (folder / "app.py").write_text(dedent(code))
    settings = {"AWS_LAMBDA_RUNTIME_API": api.address, "LAMBDA_TASK_ROOT": str(folder), "PYTHONPATH": _source(folder)}
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | settings | environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield Function(process)
    finally:
        _end_all(process)


def _end_all(process):
    """End the process and those that it has forked, as Lambda ends a whole environment."""
    with suppress(ProcessLookupError):  # all have ended
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=10)


def _source(folder):
    return f"{folder}:{SOURCE}"
