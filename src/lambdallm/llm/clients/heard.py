"""Telling listeners of a call: once that it has begun, once how it ended. The call itself knows nothing of them."""

from __future__ import annotations

from ..errors import LambdaLLMError
from ..flow import NOW, ReaderLeft, Tell
from ..notices import CallCompleted, CallFailed, CallStarted, new_call_id
from ..result import Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..catalog.resolve import Target
    from ..errors import LLMError
    from ..flow import Flow
    from ..notices import Listener, Notice, Operation
    from ..result import Result
    from ..types import ChatRequest, Completion


def heard(
    listeners: Sequence[Listener],
    operation: Operation,
    target: Target,
    request: ChatRequest,
    call: Flow[Result[Any, LLMError]],
    come: Callable[[], Completion] | None = None,
) -> Flow[Result[Any, LLMError]]:
    """The call, its listeners told. Of a stream, `come` gives what has come so far."""
    clock = yield NOW
    begun = CallStarted(new_call_id(), operation, target.provider.name, target.model.id, clock.wall, request)
    yield from _tell(listeners, begun)
    try:
        result = yield from call
    except ReaderLeft:
        milliseconds = yield from _since(clock.monotonic)
        yield from _tell(listeners, CallFailed(begun, None, milliseconds, None if come is None else come()))
        raise
    except LambdaLLMError as raised:
        yield from _tell(listeners, CallFailed(begun, raised, (yield from _since(clock.monotonic))))
        raise
    milliseconds = yield from _since(clock.monotonic)
    if isinstance(result, Err):
        yield from _tell(listeners, CallFailed(begun, result.error, milliseconds, result.error.partial))
    else:
        yield from _tell(listeners, CallCompleted(begun, result.value if come is None else come(), milliseconds))
    return result


def _since(begun: float) -> Flow[float]:
    now: float = (yield NOW).monotonic
    return (now - begun) * 1000


def _tell(listeners: Sequence[Listener], notice: Notice) -> Flow[None]:
    for listener in listeners:
        yield Tell(listener, notice)
