"""Answers with a shape for an invocation: the client library's extractor, over the models that invocations call.

The extractor is the environment's: it remembers output models, and what a provider has refused. What belongs to one
invocation (deadline, who hears of each completion) comes with the call.
"""

from __future__ import annotations

from ..llm.call import CallSettings
from ..llm.clients.behind import Behind
from ..llm.drivers import shared_driver
from ..llm.result import Ok
from ..llm.structured.sync import StructuredExtractor
from ..llm.types import ChatRequest
from .calls import Route, with_last, worth_another_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..llm.errors import LLMError
    from ..llm.result import Result
    from ..llm.types import ChatMessage, Completion, ToolDefinition


class Models:
    """The models by name, as an extractor's client; `heard` is told of each completion."""

    def behind(self, model: str) -> tuple[Behind, ...]:
        """The way to a model; see `HandsOnProtocol`."""
        return (Behind(Route(model)),)

    def complete(
        self,
        messages: tuple[ChatMessage, ...],
        *,
        model: str,
        deadline: float | None,
        call_retries: int,
        heard: Callable[[Completion], None],
        **options: Any,
    ) -> Result[Completion, LLMError]:
        """The whole answer; `call_retries` is how often a failed call is tried again. `options` are the request's."""
        route = Route(model)
        request = ChatRequest(route.target.model.id, messages, **options)
        settings = CallSettings(deadline=deadline, max_retries=call_retries)
        result = shared_driver().run(route.chat(request, settings))
        if isinstance(result, Ok):
            heard(result.value)
        return result

    def chat(
        self, messages: tuple[ChatMessage, ...], tools: Iterable[ToolDefinition], **options: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call tools."""
        return self.complete(messages, tools=tuple(tools), **options)


_extractor: Any = StructuredExtractor(Models())  # type: ignore[arg-type]  # for this module alone: it wants more of a call


def extract(messages: tuple[ChatMessage, ...], output_model: object, models: tuple[str, ...], **options: Any) -> Any:
    """The value that the first model gives which gives one; each is asked again while its answer is wrong.

    Raises `LLMError`, of which `ExtractionError` says that no try gave a valid structure.
    """
    for last, model in with_last(models):
        result = _extractor.extract(messages, output_model, model=model, **options)
        if isinstance(result, Ok) or last or not worth_another_model(result.error):
            return result.unwrap()
    raise AssertionError("no model was named")
