"""How a run ends that could not be finished: what the chain's strategy says for the reason that stopped it."""

from __future__ import annotations

from ..llm.errors import DeadlineExceededError, LambdaLLMError
from .errors import CheckpointBusy
from .journalled import journal_of, pause

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..llm.flow import Flow
    from .ledger import Ledger
    from .result import ChainResult
    from .run import Run, Stop


def ended(run: Run, stop: Stop) -> Flow[ChainResult]:
    """What is done so far, where time has stopped the run and the strategy wants that; else the error is raised.

    Where the handler makes checkpoints, a chain that would fail for want of time ends the invocation with one. What is
    done is recorded and the lease let go of first, so that whoever goes on can do so at once.
    """
    if run.ledger is not None and not isinstance(stop.error, CheckpointBusy):
        yield from _let_go(run, run.ledger, stop)
    strategy, journal = run.chain.timeout_strategy, journal_of(run.context)
    if stop.why == "time" and strategy == "fail-fast" and journal is not None:
        pause(journal)
    if stop.why != "time" or strategy == "fail-fast":
        raise (yield from _telling(run, stop.error))
    if run.chain.on_timeout == "requeue":
        return (yield from _requeued(run, stop))
    return (yield from run.told("truncated" if strategy == "truncate" else "checkpointed"))


def _let_go(run: Run, ledger: Ledger, stop: Stop) -> Flow[None]:
    try:
        yield from ledger.end(stop.why)
    except LambdaLLMError as error:
        raise (yield from _telling(run, error)) from stop.error


def _requeued(run: Run, stop: Stop) -> Flow[ChainResult]:
    if not run.finished:
        error = DeadlineExceededError(
            f"Chain {run.chain.name!r} has finished no step in a whole invocation, and is not requeued. "
            f"{getattr(stop.error, 'message', stop.error)}",
            fix="Raise the function's timeout, or make the step smaller.",
        )
        raise (yield from _telling(run, error))
    from .requeue import payload_of, requeue_of

    try:
        yield from requeue_of(run.chain.requeue, run.context).requeue(payload_of(run.context))
    except LambdaLLMError as error:
        raise (yield from _telling(run, error)) from stop.error
    return (yield from run.told("requeued"))


def _telling(run: Run, error: Exception) -> Flow[Exception]:
    """The error, told what was done until then."""
    error.chain_result = yield from run.told("failed")  # type: ignore[attr-defined]  # an attribute of its own
    return error
