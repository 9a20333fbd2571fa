"""The router that blocks, under the name of the one that awaits: for Lambda handlers, without an event loop.

from lambdallm.llm.routing.sync import LLMRouter
"""

from __future__ import annotations

from ..drivers import Driver
from ..errors import LambdaLLMError
from ..result import Err
from ..streaming.stream import ChatStream
from .template import RouterTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from types import TracebackType
    from typing import Any, Self

    from ..coerce import Messages, Tool
    from ..config import LLMConfig
    from ..errors import LLMError
    from ..notices import Listener
    from ..protocols import RoutingStrategyProtocol, TokenCounterProtocol
    from ..result import Result
    from ..types import Completion, HealthCheckResult, StreamChunk
    from .flow import Asked
    from .plan import RoutedCall
    from .record import RoutingRecord


class LLMRouter(RouterTemplate):
    """The blocking twin of `routing.LLMRouter`, over clients that block.

        with LLMRouter(["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"], "cost") as router:
            answer = router.complete("Say hello", timeout=20).unwrap()

    Who is asked beside another (races, hedges) is asked in a thread of its own; losing, one of our clients closes its
    connection at once, while another's ends when it ends.
    """

    def __init__(
        self,
        candidates: Iterable[Any],
        strategy: RoutingStrategyProtocol | str | None = None,
        *,
        fallback: Mapping[type[LambdaLLMError] | str, str] | None = None,
        timeout: float | None = None,
        hedge_seconds: float | None = None,
        token_counter: TokenCounterProtocol | None = None,
        cache: object | None = None,
        listeners: Iterable[Listener] = (),
        driver: Driver | None = None,
    ) -> None:
        super().__init__(
            candidates,
            strategy,
            fallback=fallback,
            timeout=timeout,
            hedge_seconds=hedge_seconds,
            token_counter=token_counter,
            cache=cache,
            listeners=listeners,
            calls=_Blocking(),
            blocking=True,
        )
        self._driver = driver or Driver()

    def complete(self, messages: Messages, **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer. Raises `ConfigurationError` and its kin where nobody could be asked for that reason."""
        return self._driver.run(self._routed(self._asked(messages, kwargs), self._record()))

    def chat(
        self, messages: Messages, tools: Iterable[Tool] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call `tools`."""
        return self.complete(messages, **kwargs, tools=tools)

    def stream_chat(self, messages: Messages, **kwargs: Any) -> ChatStream:
        """The answer piece by piece. Nobody is asked before the first piece is; errors surface there."""
        record = self._record()
        chunks = self._streamed(self._asked(messages, kwargs, stream=True), record)
        return ChatStream(chunks, record)  # type: ignore[arg-type]  # asked for its completion alone

    def _streamed(self, asked: Asked, record: RoutingRecord) -> Generator[StreamChunk, None, None]:
        yield from self._driver.iterate(self._routed(asked, record))

    def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether any candidate answers within `timeout` seconds; `details` has the result of each, by name."""
        return self._driver.run(self._checked(timeout))

    def close(self) -> None:
        """Close the clients."""
        for client in self._routing.clients.values():
            client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def router_of(config: LLMConfig, **options: Any) -> LLMRouter:
    """The blocking router that a configuration describes; see `routing.router_of`."""
    from .factory import arguments_in, candidates_in

    return LLMRouter(candidates_in(config), **{**arguments_in(config), **options})


class _Blocking:
    """How clients are called that block."""

    @staticmethod
    def whole(client: Any, call: RoutedCall, options: Mapping[str, Any]) -> Any:
        given = dict(options)
        tools = given.pop("tools", None)
        try:
            return client.chat(call.messages, tools, **given) if tools else client.complete(call.messages, **given)
        except LambdaLLMError as error:
            return Err(error)

    @staticmethod
    def begin(client: Any, call: RoutedCall, options: Mapping[str, Any]) -> Any:
        try:
            return client.stream_chat(call.messages, **options)
        except LambdaLLMError as error:
            return Err(error)

    @staticmethod
    def following(stream: Any) -> Callable[[], Any]:
        chunks = iter(stream)

        def next_chunk() -> Any:
            try:
                return next(chunks, None)
            except LambdaLLMError as error:
                return Err(error)

        return next_chunk

    @staticmethod
    def drop(stream: Any) -> None:
        close = getattr(stream, "close", None)
        if close is not None:
            close()

    @staticmethod
    def close(stream: Any) -> None:
        """Nothing: it was closed by whoever read it, in the thread that read it."""
