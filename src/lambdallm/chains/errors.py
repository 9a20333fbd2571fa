"""What resuming a chain can fail with.

    LambdaLLMError
    ├── CheckpointError (CallerError)    there is no such checkpoint, or it is not of this run
    │   └── ChainChanged                 it was written by a chain that looked otherwise
    └── CheckpointBusy                   another run has it; `retry_after` says for how many seconds at most
        └── CheckpointLost               this run had it, and another one has taken it over

What a step fails with is raised as it is, with a note that names the step; `error.chain_result` is what was done.
"""

from __future__ import annotations

from ..llm.errors import CallerError, LambdaLLMError


class CheckpointError(CallerError):
    """There is no such checkpoint, or it is not of this run."""

    http_status = 409
    fix = "Check the id; a checkpoint is forgotten when its time (ttl_hours) has passed."


class ChainChanged(CheckpointError):
    """The checkpoint was written by a chain that looked otherwise. `changes` says what is different."""

    def __init__(self, message: str, *, changes: tuple[str, ...], fix: str = "") -> None:
        super().__init__(message, fix=fix or "Finish it with the version that began it, or begin a new run.")
        self.changes = changes


class CheckpointBusy(LambdaLLMError):
    """Another run has the checkpoint: it goes on there. `retry_after` is in seconds."""

    http_status = 409
    fix = "Leave it to that run, try again when its time has passed, or resume with take_over=True if it is dead."

    def __init__(self, message: str, *, retry_after: float | None = None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.retry_after = retry_after


class CheckpointLost(CheckpointBusy):
    """This run had the checkpoint, and another one has taken it over: what this one does is not recorded any more."""

    fix = "Leave it to the other run."
