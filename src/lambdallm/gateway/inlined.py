"""Functions that give flows: a router or filter over clients whose methods are flows is a flow itself.

The client library's routers and filters ask clients by `Perform`, as clients are somebody else's to them. Where what a
function gives is a flow, it is run in the place of the function, so that one driver performs all of it.
"""

from __future__ import annotations

from ..llm.drivers.failures import as_llm_error
from ..llm.errors import LLMError
from ..llm.flow import Emit, Perform, ReaderLeft, Start
from ..llm.result import Err

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeVar

    from ..llm.errors import LambdaLLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.types import Completion

    T = TypeVar("T")


def inlined(flow: Flow[T]) -> Flow[T]:
    """A flow that runs what its functions give, where that is a flow."""
    outcome: Any = None
    try:
        while True:
            effect: Any = flow.throw(outcome) if type(outcome) is ReaderLeft else flow.send(outcome)
            kind = type(effect)
            try:
                if kind is Perform:
                    outcome = yield from _given(effect)
                else:
                    outcome = yield Start(inlined(effect.flow)) if kind is Start else effect
            except ReaderLeft as left:
                outcome = left
            except Exception as error:
                yield from _dismissed(flow, error)
                raise
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        flow.close()


def _dismissed(flow: Flow[Any], reason: Exception | None = None) -> Flow[None]:
    """Tell a flow that nobody waits for it, or that what it asked for failed for good, as drivers do: it may settle its
    accounts."""
    left = ReaderLeft()
    left.__cause__ = reason
    try:
        effect = flow.throw(left)
        while type(effect) is not Emit:
            effect = flow.send((yield effect))
    except (StopIteration, ReaderLeft):
        return
    finally:
        flow.close()


def settling(flow: Flow[T], opened: Callable[[], Iterable[FlowStream]]) -> Flow[T]:
    """A flow over streams of others; where its reader leaves, theirs have left too, and they settle their accounts."""
    try:
        return (yield from flow)
    except ReaderLeft:
        for stream in opened():
            yield from _dismissed(stream.flow)
        raise


def _given(effect: Perform) -> Flow[Any]:
    """What a function gives, a flow's value for a flow; a failed call as `Err`, as drivers tell it."""
    try:
        given = effect.function()
        if hasattr(given, "send") and not hasattr(given, "__await__"):
            return (yield from given)
    except (LLMError, OSError) as error:
        return Err(as_llm_error(error))
    return (yield Perform(lambda: given, effect.seconds)) if hasattr(given, "__await__") else given


class FlowStream:
    """A streamed answer that is read piece by piece from within another flow; `record` says what has come."""

    def __init__(self, flow: Flow[Result[None, LambdaLLMError]], record: Any) -> None:
        self.flow, self.record = flow, record
        self._ready: list[Any] = []

    @property
    def completion(self) -> Completion:
        """The answer from what has come."""
        answer: Completion = self.record.completion()
        return answer

    def next_chunk(self) -> Any:
        """The next chunk, `None` at the end, `Err` where it fails; or a flow that gives it, where it has to come."""
        return self._ready.pop() if self._ready else self._came()

    def _came(self) -> Flow[Any]:
        outcome: Any = None
        try:
            while True:
                effect = self.flow.send(outcome)
                if type(effect) is Emit:
                    outcome, self._ready = None, list(reversed(effect.items))
                    if self._ready:
                        return self._ready.pop()
                else:
                    outcome = yield effect
        except StopIteration as end:
            return end.value if isinstance(end.value, Err) else None

    def close(self) -> None:
        """Stop reading; what it holds open belongs to whoever performs it."""
        self.flow.close()
