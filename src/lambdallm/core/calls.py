"""How an invocation calls models: plug-in or catalog, retried, with the fallback model behind the first one."""

from __future__ import annotations

from ..llm.catalog.definition import ModelFacts, ProviderDefinition
from ..llm.catalog.resolve import Target, resolve
from ..llm.drivers import shared_driver
from ..llm.errors import CallerError, LLMError, LLMModelNotFoundError
from ..llm.pipeline import chat, stream_chat
from ..llm.types import EMPTY
from ..providers import bridge
from ..providers.registry import plugged_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from typing import TypeVar

    from ..llm.call import CallSettings
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.streaming.record import StreamRecord
    from ..llm.streaming.stream import ChatStream
    from ..llm.types import ChatRequest, Completion, StreamChunk
    from ..providers.base import BaseProvider

    T = TypeVar("T")


class Route:
    """Where one model's calls go: a provider of the catalog, or a plug-in."""

    def __init__(self, model: str) -> None:
        plugged = plugged_in(model)
        self.plugin: BaseProvider | None = plugged[0] if plugged else None
        self.target = _plugin_target(*plugged) if plugged else resolve(model)

    @property
    def structured_modes(self) -> tuple[str, ...]:
        """How a plug-in is asked for a structure; a model of the catalog has facts that say it."""
        if self.plugin is None:
            return ()
        return ("native", "prompted") if self.plugin.supports_schema() else ("prompted",)

    def chat(self, request: ChatRequest, settings: CallSettings) -> Flow[Result[Completion, LLMError]]:
        """The flow of a whole answer."""
        return bridge.chat(self.plugin, request, settings) if self.plugin else chat(request, self.target, settings)

    def stream(
        self, request: ChatRequest, settings: CallSettings, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        """The flow of an answer in pieces."""
        if self.plugin:
            return bridge.stream_chat(self.plugin, request, record)
        return stream_chat(request, self.target, settings, record)


def complete(build: Callable[[Route], ChatRequest], models: tuple[str, ...], settings: CallSettings) -> Completion:
    """The answer of the first model that gives one. `build` makes the request for a route. Raises `LLMError`."""
    for last, model in with_last(models):
        route = Route(model)
        try:
            result = shared_driver().run(route.chat(build(route), settings))
            return result.unwrap()
        except LLMError as error:
            if last or not worth_another_model(error):
                raise
    raise AssertionError("no model was named")


def stream(
    build: Callable[[Route], ChatRequest],
    models: tuple[str, ...],
    settings: CallSettings,
    done: Callable[[Completion], None],
) -> ChatStream:
    """The chunks of the first model that gives any; `done` hears of the completion, also of one left early."""
    from ..llm.streaming.record import StreamRecord
    from ..llm.streaming.stream import ChatStream

    routes = [Route(model) for model in models]
    record = StreamRecord(routes[0].target)

    def chunks() -> Generator[StreamChunk, None, None]:
        for last, route in with_last(routes):
            record.turn_to(route.target)
            try:
                yield from shared_driver().iterate(route.stream(build(route), settings, record))
                return
            except LLMError as error:
                if last or record.first_chunk is not None or not worth_another_model(error):
                    raise
            finally:
                if record.first_chunk is not None:
                    done(record.completion())

    return ChatStream(chunks(), record)


def worth_another_model(error: LLMError) -> bool:
    """Whether another model may succeed: not where the request itself is at fault."""
    return not isinstance(error, CallerError) or isinstance(error, LLMModelNotFoundError)


def with_last(items: Sequence[T]) -> list[tuple[bool, T]]:
    """Each item, told whether it is the last."""
    return [(at == len(items), item) for at, item in enumerate(items, 1)]


def _plugin_target(provider: BaseProvider, model: str) -> Target:
    name = type(provider).__name__
    return Target(ProviderDefinition(name, "plugin:", "plugin"), ModelFacts(model), EMPTY)
