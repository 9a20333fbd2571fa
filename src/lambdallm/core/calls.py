"""Where an invocation's calls go: a plug-in, a model of the catalog, or a client that chooses by itself.

A route makes flows of whole answers and of streams; who is asked after whom, who is told and what time allows is
`asking`'s to decide.
"""

from __future__ import annotations

from ..llm.catalog.definition import ModelFacts, ProviderDefinition
from ..llm.catalog.resolve import Target, resolve
from ..llm.errors import CallerError, LLMModelNotFoundError
from ..llm.pipeline import chat, stream_chat
from ..llm.types import EMPTY
from ..providers.registry import plugged_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeVar

    from ..llm.call import CallSettings
    from ..llm.clients.behind import Behind
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.streaming.record import StreamRecord
    from ..llm.types import ChatRequest, Completion
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

    @property
    def model(self) -> str:
        """The model's id, as requests name it."""
        return self.target.model.id

    @property
    def end(self) -> Behind:
        """Who answers, as an extractor wants to know it."""
        from ..llm.clients.behind import Behind

        return Behind(self)

    def chat(self, request: ChatRequest, settings: CallSettings) -> Flow[Result[Completion, LLMError]]:
        """The flow of a whole answer."""
        if self.plugin is None:
            return chat(request, self.target, settings)
        from ..providers import bridge

        return bridge.chat(self.plugin, request, settings)

    def stream(
        self, request: ChatRequest, settings: CallSettings, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        """The flow of an answer in pieces."""
        if self.plugin is None:
            return stream_chat(request, self.target, settings, record)
        from ..providers import bridge

        return bridge.stream_chat(self.plugin, request, record, settings.deadline)


def worth_another_model(error: LLMError) -> bool:
    """Whether another model may succeed: not where the request itself is at fault."""
    return not isinstance(error, CallerError) or isinstance(error, LLMModelNotFoundError)


def with_last(items: Sequence[T]) -> list[tuple[bool, T]]:
    """Each item, told whether it is the last."""
    return [(at == len(items), item) for at, item in enumerate(items, 1)]


def _plugin_target(provider: BaseProvider, model: str) -> Target:
    name = type(provider).__name__
    return Target(ProviderDefinition(name, "plugin:", "plugin"), ModelFacts(model), EMPTY)
