"""What happens to a call to a model, as values for whoever listens: begun, completed, failed.

A listener is a function of one notice. It hears of a call once at its beginning and once at its end, whatever retries,
routes and caches did between the two; what they did is on the completion or on the error. Notices hold the request and
the answer themselves: a listener that keeps content is told so by whoever set it up, none gets it in its `repr`.
"""

from __future__ import annotations

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, TypeAlias

    from .errors import LambdaLLMError
    from .types import ChatRequest, Completion

    Operation = Literal["chat", "stream"]


class _Quiet(Value):
    """A value whose `repr` shows no content."""

    def __repr__(self) -> str:
        quiet = ("request", "completion", "error")
        shown = (f"{name}={getattr(self, name)!r}" for name in self._fields if name not in quiet)
        return f"{type(self).__name__}({', '.join(shown)})"


class CallStarted(_Quiet):
    """A call has begun. `wall` is when, in seconds since the epoch; `model` is the one that was asked for."""

    id: str
    operation: Operation
    provider: str
    model: str
    wall: float
    request: ChatRequest | None = None


class CallCompleted(_Quiet):
    """A call has its answer: usage, cost, attempts, times, finish reason, cache and route are the completion's.

    `latency_ms` is the time from the call's beginning to its end, as the caller saw it.
    """

    call: CallStarted
    completion: Completion
    latency_ms: float


class CallFailed(_Quiet):
    """A call has failed: status, request id, attempts, usage and cost are the error's.

    A reader who leaves a stream early, or a caller who cancels, is no failure of the call: `error` is then `None`, and
    `completion` what had come.
    """

    call: CallStarted
    error: LambdaLLMError | None
    latency_ms: float
    completion: Completion | None = None


if TYPE_CHECKING:
    Notice: TypeAlias = CallStarted | CallCompleted | CallFailed
    Listener: TypeAlias = Callable[[Notice], object]


def new_call_id() -> str:
    """An id for a call: 16 hexadecimal digits, unlike any other's for all that matters."""
    from os import urandom

    return urandom(8).hex()
