"""Clients whose methods are flows: one target, and filters around a client. Several behind a strategy are `routers`.

What stands around a call (cache, breaker, limits, retries, hedges) is the client library's; here it is put together so
that the host's own driver performs it, whether that blocks or awaits.
"""

from __future__ import annotations

from ..llm.call import CallSettings
from ..llm.clients.policies import Asked
from ..llm.clients.provider import CatalogTemplate
from ..llm.flow import NOW
from ..llm.lifecycle import guarded
from ..llm.pipeline import chat, stream_chat
from ..llm.result import Err, Ok
from ..llm.streaming.record import StreamRecord
from ..llm.types import EMPTY, ChatRequest
from .inlined import FlowStream, inlined, settling
from .keyed import with_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from ..llm.catalog.definition import ProviderDefinition
    from ..llm.catalog.resolve import Target
    from ..llm.clients.behind import Behind
    from ..llm.config import ClientConfig
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.safety.secured import Filters
    from ..llm.types import ChatMessage, Completion

    Attempt = Callable[[CallSettings, StreamRecord], Flow[Result[Any, LLMError]]]

_OPTIONS = tuple(name for name in ChatRequest._fields if name not in ("model", "messages", "stream"))


def options_in(request: ChatRequest) -> dict[str, Any]:
    """What a request says beside its model and messages."""
    defaults = request._defaults
    return {name: value for name in _OPTIONS if (value := getattr(request, name)) != defaults[name]}


class FlowClient(CatalogTemplate):
    """A client of one target. Its key is `config.api_key`, a reference too, else as the provider's definition says.

    A key that is kept elsewhere is read again, once, where the provider refuses it: it may have been changed.
    """

    def __init__(self, target: Target, config: ClientConfig, *, cache: object | None = None) -> None:
        self._only = target
        super().__init__(config.replace(provider=target.provider.name, model=target.model.id), cache=cache)

    def _definition(self) -> ProviderDefinition:
        return self._only.provider

    def _found_target(self, model: str | None) -> Target:
        return self._only

    @property
    def target(self) -> Target:
        """Who answers."""
        return self._only

    @property
    def settings(self) -> CallSettings:
        """How one attempt is made."""
        return self._settings()

    def complete(self, messages: Any, **options: Any) -> Flow[Result[Completion, LLMError]]:
        """The whole answer."""
        return inlined(self._whole(self._sent, self._asked(messages, options)))

    def chat(self, messages: Any, tools: Any = None, **options: Any) -> Flow[Result[Completion, LLMError]]:
        """The whole answer of a model that may call `tools`."""
        return self.complete(messages, **options, tools=tools)

    def stream_chat(self, messages: Any, **options: Any) -> FlowStream:
        """The answer piece by piece."""
        record = StreamRecord(self._only)
        return FlowStream(self._pieces(_nothing_to_open, self._asked(messages, options), record), record)

    def around(
        self, attempt: Attempt, messages: Sequence[ChatMessage], record: StreamRecord, deadline: float | None = None
    ) -> Flow[Result[Any, LLMError]]:
        """An attempt of somebody else's within this client's breaker, limits and retries, with its key.

        `attempt` is given the settings of the call. For requests that pass through without being read.
        """
        asked = Asked(tuple(messages), EMPTY, False, deadline)
        settings = self._settings({"deadline": deadline})
        keyed = lambda record: self._keyed(settings, record, attempt)  # noqa: E731
        return guarded(keyed, asked.messages, self._guards(asked), record)

    def _sent(self, asked: Asked) -> Flow[Result[Completion, LLMError]]:
        request, target = self._request(asked.messages, asked.options)
        once: Attempt = lambda settings, _: chat(request, target, settings)  # noqa: E731
        return self._keyed(self._settings({"deadline": asked.deadline}), StreamRecord(target), once)

    def _streamed_pieces(
        self, begin: Callable[[Asked], Any], asked: Asked, record: StreamRecord
    ) -> Flow[Result[None, LLMError]]:
        """As the template's, with the pipeline's own stream in the place of a hook's iterator."""
        request, target = self._request(asked.messages, asked.options)
        settings = self._settings({"deadline": asked.deadline})
        once: Attempt = lambda settings, record: stream_chat(request, target, settings, record)  # noqa: E731
        begun = record.begun
        attempt = lambda record: self._keyed(settings, record, once)  # noqa: E731
        result = yield from guarded(attempt, asked.messages, self._guards(asked), record)
        record.begun, record.ended = begun, (yield NOW).monotonic
        if isinstance(result, Err):
            return Err(record.explained(result.error.located(target.provider.name, target.model.id)))
        return Ok(None)

    def _keyed(self, settings: CallSettings, record: StreamRecord, attempt: Attempt) -> Flow[Result[Any, LLMError]]:
        call = lambda key: attempt(settings.replace(api_key=key), record)  # noqa: E731
        return with_key(self._only.provider, settings.api_key, call, unless=record.has_begun)


def _nothing_to_open(_asked: Asked) -> Any:
    """Stand in for what opens a hook's iterator."""


class FlowFilter:
    """Filters around a client whose methods are flows."""

    keeps_deadlines = True

    def __init__(self, client: Any, filters: Filters) -> None:
        self.client, self._filters = client, filters

    def behind(self, model: str | None = None) -> tuple[Behind, ...]:
        """The client inside, which answers."""
        from ..llm.clients.behind import Behind

        return (Behind(self.client, model),)

    def complete(self, messages: Any, **options: Any) -> Flow[Result[Completion, LLMError]]:
        """The whole answer, filtered."""
        from ..llm.safety.secured import SecuredCall, whole

        ask = lambda asked: self.client.complete(asked, **options)  # noqa: E731
        return inlined(whole(SecuredCall(self._filters), messages, ask))

    def chat(self, messages: Any, tools: Any = None, **options: Any) -> Flow[Result[Completion, LLMError]]:
        """The whole answer of a model that may call `tools`, filtered."""
        return self.complete(messages, **options, tools=tools)

    def stream_chat(self, messages: Any, **options: Any) -> FlowStream:
        """The answer piece by piece, filtered."""
        from ..llm.safety.secured import SecuredCall, SecuredRecord, streamed

        call = SecuredCall(self._filters)
        record = SecuredRecord(call)

        def begin(asked: tuple[ChatMessage, ...]) -> Callable[[], Any]:
            record.source = stream = self.client.stream_chat(asked, **options)
            return stream.next_chunk  # type: ignore[no-any-return]  # a FlowStream's, by the line above

        opened = lambda: () if record.source is None else (record.source,)  # noqa: E731
        return FlowStream(settling(inlined(streamed(call, messages, begin, record)), opened), record)
