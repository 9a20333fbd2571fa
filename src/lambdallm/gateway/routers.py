"""Routers whose methods are flows: several clients behind a strategy, asked one after another or beside one another.

Who is asked after whom is `llm/routing`'s to decide; here its flow runs those of the clients in their place.
"""

from __future__ import annotations

from ..llm.errors import LambdaLLMError
from ..llm.flow import NOW
from ..llm.result import Err
from ..llm.routing.template import RouterTemplate
from .inlined import FlowStream, inlined, settling

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ..llm.caching.cache import AnswerCache
    from ..llm.errors import LLMError
    from ..llm.flow import Flow
    from ..llm.result import Result
    from ..llm.routing.flow import Asked as Routed
    from ..llm.routing.plan import RoutedCall
    from ..llm.routing.record import RoutingRecord
    from ..llm.types import Completion

    Given = Mapping[str, Any]


class FlowRouter(RouterTemplate):
    """A router over clients whose methods are flows; the arguments are those of `LLMRouter`.

    Its answers in a `cache` are kept apart by its `scope`: other routers may have candidates of the same names, set up
    in another way.
    """

    def __init__(
        self,
        candidates: Iterable[Any],
        strategy: Any = None,
        *,
        cache: AnswerCache | None = None,
        scope: str = "",
        **options: Any,
    ) -> None:
        super().__init__(candidates, strategy, calls=_Flows(), blocking=True, **options)
        self._answers, self._scope = cache, scope

    def complete(self, messages: Any, **options: Any) -> Flow[Result[Completion, LLMError]]:
        """The whole answer."""
        wanted = options.pop("cache", True)
        return self._cached_flow(self._asked(messages, options), self._record(), wanted)

    def chat(self, messages: Any, tools: Any = None, **options: Any) -> Flow[Result[Completion, LLMError]]:
        """The whole answer of a model that may call `tools`."""
        return self.complete(messages, **options, tools=tools)

    def stream_chat(self, messages: Any, **options: Any) -> FlowStream:
        """The answer piece by piece."""
        wanted = options.pop("cache", True)
        record = self._record()
        asked = self._asked(messages, options, stream=True)
        return FlowStream(self._cached_flow(asked, record, wanted), record)

    def _cached_flow(self, asked: Routed, record: RoutingRecord, wanted: bool) -> Flow[Result[Any, LLMError]]:
        if self._answers is None or not wanted:
            return (yield from self._flow(asked, record))
        from ..llm.routing.cached import cached_route

        asked = asked.begun((yield NOW).monotonic)
        names = " ".join((self._scope, *sorted(self._routing.clients)))
        return (yield from cached_route(self._answers, names, asked, lambda: self._flow(asked, record), record))

    def _flow(self, asked: Routed, record: RoutingRecord) -> Flow[Result[Any, LLMError]]:
        return settling(inlined(self._routed(asked, record)), lambda: [leg.stream for leg in record.opened])


class _Flows:
    """How clients are called whose methods are flows."""

    @staticmethod
    def whole(client: Any, call: RoutedCall, options: Given) -> Flow[Any]:
        given = dict(options)
        tools = given.pop("tools", None)
        try:
            return (yield from client.chat(call.messages, tools, **given))
        except LambdaLLMError as error:
            return Err(error)

    @staticmethod
    def begin(client: Any, call: RoutedCall, options: Given) -> Any:
        try:
            return client.stream_chat(call.messages, **options)
        except LambdaLLMError as error:
            return Err(error)

    @staticmethod
    def following(stream: FlowStream) -> Callable[[], Any]:
        return lambda: _errors_as_results(stream)

    @staticmethod
    def drop(stream: FlowStream) -> None:
        """Nothing: it has ended, or settles its accounts when its reader has left; see `settling`."""

    @staticmethod
    def close(stream: FlowStream) -> None:
        stream.close()


def _errors_as_results(stream: FlowStream) -> Any:
    following = stream.next_chunk()
    return _told(following) if hasattr(following, "send") else following


def _told(following: Flow[Any]) -> Flow[Any]:
    try:
        return (yield from following)
    except LambdaLLMError as error:
        return Err(error)
