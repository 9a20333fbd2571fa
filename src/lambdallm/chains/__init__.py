"""Chains: several steps, each a prompt or a function, that hand their outputs on.

    chain = Chain("report", [
        Step("facts", "List the facts in: {text}"),
        Step("summary", "Summarise in one sentence: {facts.output}"),
    ])
    chain.run(context, text="…").output

`plan` decides what runs next, `runner` has it run, checkpointed where there is a store; neither waits or sends.
"""

from __future__ import annotations

from .._door import door

_HOMES = {
    "Chain": "chain",
    "ChainChanged": "errors",
    "ChainResult": "result",
    "ChainRunner": "runner",
    "CheckpointBusy": "errors",
    "CheckpointError": "errors",
    "CheckpointLost": "errors",
    "LambdaRequeue": "requeue",
    "Map": "step",
    "Parallel": "step",
    "SqsRequeue": "requeue",
    "Step": "step",
    "StepResult": "result",
}

__all__ = [
    "Chain",
    "ChainChanged",
    "ChainResult",
    "ChainRunner",
    "CheckpointBusy",
    "CheckpointError",
    "CheckpointLost",
    "LambdaRequeue",
    "Map",
    "Parallel",
    "SqsRequeue",
    "Step",
    "StepResult",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .chain import Chain
    from .errors import ChainChanged, CheckpointBusy, CheckpointError, CheckpointLost
    from .requeue import LambdaRequeue, SqsRequeue
    from .result import ChainResult, StepResult
    from .runner import ChainRunner
    from .step import Map, Parallel, Step

__getattr__, __dir__ = door(__name__, _HOMES)
