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

    from ..errors import LLMError
    from ..flow import Flow
    from ..notices import Listener, Notice, Operation
    from ..result import Result
    from ..types import ChatRequest, Completion


def heard(
    listeners: Sequence[Listener],
    operation: Operation,
    asked: tuple[str, str],
    request: ChatRequest,
    call: Flow[Result[Any, LLMError]],
    come: Callable[[], Completion] | None = None,
) -> Flow[Result[Any, LLMError]]:
    """The call, its listeners told, also where it is cancelled. Of a stream, `come` gives what has come so far.

    `asked` names the provider and the model.
    """
    clock = yield NOW
    begun = CallStarted(new_call_id(), operation, *asked, clock.wall, request)
    yield from _tell(listeners, begun)
    try:
        result = yield from call
    except ReaderLeft as left:
        milliseconds = yield from _since(clock.monotonic)
        error = _error(left.__cause__)
        yield from _tell(listeners, CallFailed(begun, error, milliseconds, None if come is None else come()))
        raise
    except Exception as raised:
        yield from _tell(listeners, CallFailed(begun, _error(raised), (yield from _since(clock.monotonic))))
        raise
    milliseconds = yield from _since(clock.monotonic)
    if isinstance(result, Err):
        yield from _tell(listeners, CallFailed(begun, result.error, milliseconds, result.error.partial))
    else:
        yield from _tell(listeners, CallCompleted(begun, result.value if come is None else come(), milliseconds))
    return result


def _error(reason: BaseException | None) -> LambdaLLMError | None:
    """What a call was broken off by, as listeners are told; a cancellation is no error."""
    if reason is None or isinstance(reason, LambdaLLMError):
        return reason
    return LambdaLLMError(f"The call was broken off by {reason!r}.") if isinstance(reason, Exception) else None


def _since(begun: float) -> Flow[float]:
    now: float = (yield NOW).monotonic
    return (now - begun) * 1000


def _tell(listeners: Sequence[Listener], notice: Notice) -> Flow[None]:
    for listener in listeners:
        yield Tell(listener, notice)
