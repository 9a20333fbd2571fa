"""The log of calls to models: one line of JSON for each, without what was said unless it is asked for.

from lambdallm.llm.inference import InferenceLogger

log = InferenceLogger(sink=print, slow_ms=10_000, sample=0.1)     # a listener: call it with a notice
log(CallCompleted(call, completion, latency_ms=812.0))
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .logger import InferenceLogger

__all__ = ["InferenceLogger"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import logger

    value: object = getattr(logger, name)
    return value


def __dir__() -> list[str]:
    return __all__
