"""Answers with a shape for an invocation: the client library's extraction, over the models that invocations call.

What is remembered is the environment's: output models, and what a provider has refused. What belongs to one invocation
(who is asked, deadline, who is told of each call) comes with the call.
"""

from __future__ import annotations

from ..llm.flow import Perform
from ..llm.structured.flow import extract
from ..llm.structured.template import ExtractorTemplate
from .flows import through

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..llm.clients.behind import Behind
    from ..llm.errors import LLMError
    from ..llm.flow import Effect, Flow
    from ..llm.result import Result
    from ..llm.structured.extraction import Extraction
    from ..llm.structured.flow import Messages
    from ..llm.structured.modes import Ask
    from .calls import Route

    Call = Callable[[Messages, Ask], Flow[Any]]


class _Model:
    """The model that is asked, as an extractor knows its client."""

    def __init__(self, route: Route) -> None:
        self._route = route

    def behind(self, _model: str) -> tuple[Behind, ...]:
        """The way to it; see `HandsOnProtocol`."""
        return (self._route.end,)


class _Shapes(ExtractorTemplate):
    """What an environment remembers of the shapes it asks for; each call has a client of its own."""

    def __init__(self) -> None:
        super().__init__(None, None, "auto", max_retries=2)

    def wanted(self, route: Route, messages: Messages, shape: object, deadline: float | None) -> Any:
        """What is asked of one model."""
        return self._wanted(messages, shape, route.model, None, None, None, deadline, client=_Model(route))


_shapes = _Shapes()


def shaped(
    route: Route, messages: Messages, shape: object, deadline: float | None, call: Call
) -> Flow[Result[Extraction[Any], LLMError]]:
    """The value that a model gives; it is asked again while its answer is wrong. `call` is the flow of one call.

    Raises `ConfigurationError` for a shape that means none.
    """
    wanted = _shapes.wanted(route, messages, shape, deadline)
    return (yield from through(extract(wanted, call), _inlined))


def _inlined(effect: Effect) -> Flow[Any]:
    """What an extraction would have performed as a function is a flow here."""
    if type(effect) is Perform:
        return (yield from effect.function())
    return (yield effect)
