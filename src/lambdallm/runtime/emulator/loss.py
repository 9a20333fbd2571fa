"""How an invocation fails whose process is lost, in AWS's words; pure."""

from __future__ import annotations

import os
import shutil

from ..._value import Value
from .job import timed_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .function import Function
    from .job import Job


ENDED = {
    "closed": "The emulator was closed",
    "replaced": "New code took over while the function was loaded",
    "stopped": "The invocation was stopped",
}


class Loss(Value):
    """What the caller, the log and the report say."""

    error: dict[str, Any]
    lines: tuple[str, ...]
    status: str
    error_type: str
    body: bytes | None = None
    """The error as a runtime has worded it; `None` where it is ours."""


def loss_of(job: Job, function: Function, why: str, ending: str) -> Loss:
    """Why an invocation failed. `ending` is how the process ended (`exit status 1`, `signal: killed`; empty for 0)."""
    if why == "timeout":
        error = job.failure("Sandbox.Timedout", timed_out(function.timeout))
        return Loss(error, (job.late(function.timeout), ""), "timeout", "")
    if why in ENDED:
        error = job.failure("Sandbox.Failure", ENDED[why])
        return Loss(error, (error["errorMessage"],), "error", "Sandbox.Failure")
    error = job.failure("Runtime.ExitError", exit_reason(ending))
    shown = "Runtime.OutOfMemory" if why == "memory" else "Runtime.ExitError"
    return Loss(error, (error["errorMessage"], "Runtime.ExitError"), "error", shown)


def exit_reason(ending: str) -> str:
    """What is said of a process that ended."""
    return f"Runtime exited with error: {ending}" if ending else "Runtime exited without providing a reason"


def start_error(late: bool, ending: str, init_seconds: float) -> dict[str, Any]:
    """Why a process could not be loaded that has said nothing about it itself."""
    if late:
        said = f"The function was not loaded within {init_seconds:g} seconds."
        return {"errorType": "Sandbox.Timedout", "errorMessage": said}
    return {"errorType": "Runtime.ExitError", "errorMessage": exit_reason(ending)}


def start_loss(job: Job, error: dict[str, Any], body: bytes | None) -> Loss:
    """The loss of an invocation whose process could not be loaded; `body` is what the process itself said of it."""
    error_type = str(error["errorType"])
    if body is not None:
        return Loss(error, (), "error", error_type, body)
    told = job.failure(error_type, str(error["errorMessage"]))
    return Loss(told, (told["errorMessage"], error_type), "error", error_type)


def not_started(error: OSError) -> dict[str, str]:
    """The error of a process that the system does not start."""
    return {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": f"fork/exec: {error.strerror or error}"}


def not_runnable(function: Function) -> dict[str, str] | None:
    """The error of a function that can't be started at all; `None` when it can be tried."""
    if not os.path.isdir(function.code):
        return {"errorType": "Runtime.InvalidWorkingDir", "errorMessage": f"There is no folder {function.code!r}."}
    path = (dict(function.shell) | dict(function.environment)).get("PATH")
    program = function.command[0] if function.command else ""
    if program and (shutil.which(os.path.join(function.code, program)) or shutil.which(program, path=path)):
        return None
    said = f"fork/exec {program}: no such file or directory"
    return {"errorType": "Runtime.InvalidEntrypoint", "errorMessage": said}
