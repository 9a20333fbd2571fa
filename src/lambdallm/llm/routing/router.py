"""`LLMRouter`: several clients behind the protocol of one. Its blocking twin is in `sync`."""

from __future__ import annotations

from ..drivers import AsyncDriver
from ..errors import LambdaLLMError
from ..result import Err
from ..streaming.stream import AsyncChatStream
from .template import RouterTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any, Self

    from ..coerce import Messages, Tool
    from ..config import ClientConfig
    from ..errors import LLMError
    from ..notices import Listener
    from ..protocols import LLMClientProtocol, RoutingStrategyProtocol, TokenCounterProtocol
    from ..result import Result
    from ..types import Completion, HealthCheckResult, StreamChunk
    from .candidate import Candidate
    from .flow import Asked
    from .plan import RoutedCall
    from .record import RoutingRecord


class LLMRouter(RouterTemplate):
    """A client over several: for each call a strategy says whom to ask, and where one fails the next is asked.

        async with LLMRouter(["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"], "cost") as router:
            answer = (await router.complete("Say hello", timeout=20)).unwrap()
        print(answer.routing.chosen, answer.cost_usd)

    A candidate is a model's name (it retries once), a `ClientConfig`, a client (ours, or anything with `complete`,
    `chat` and `stream_chat`), or a `Candidate` of one of these. The `strategy` is an object or a name: `sequential`
    (the default), `race`, `cost`, `latency`, `weighted`. `fallback` is laid over the table of what follows which error:
    `{LLMRateLimitError: "stop"}`. Where the first candidate has given nothing for `hedge_seconds`, the second is asked
    beside it. `timeout` is the longest call in seconds, with all of its candidates. Without a `token_counter`, input is
    taken to have a token for every four bytes: enough to choose by, and cheap. A `cache` answers before anybody is
    asked, whoever it was that answered before. `listeners` hear of each call once, at its beginning and its end; of the
    candidates' own calls their own listeners do.

    A call takes the fields of `ChatRequest`, and `model` (only candidates of that name or model), `timeout`, and
    `deadline` (a reading of the monotonic clock). The answer's `usage`, `cost_usd` and `attempts` count every candidate
    that was asked, its `routing` says how the choice was made; so do an error's. Leaving the `async with` block, or
    `close`, closes the clients.
    """

    def __init__(
        self,
        candidates: Iterable[Candidate | ClientConfig | LLMClientProtocol | str],
        strategy: RoutingStrategyProtocol | str | None = None,
        *,
        fallback: Mapping[type[LambdaLLMError] | str, str] | None = None,
        timeout: float | None = None,
        hedge_seconds: float | None = None,
        token_counter: TokenCounterProtocol | None = None,
        cache: object | None = None,
        listeners: Iterable[Listener] = (),
        driver: AsyncDriver | None = None,
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
            calls=_Awaited(),
            blocking=False,
        )
        self._driver = driver or AsyncDriver()

    async def complete(self, messages: Messages, **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer. Raises `ConfigurationError` and its kin where nobody could be asked for that reason."""
        return await self._driver.run(self._routed(self._asked(messages, kwargs), self._record()))

    async def chat(
        self, messages: Messages, tools: Iterable[Tool] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call `tools`."""
        return await self.complete(messages, **kwargs, tools=tools)

    def stream_chat(self, messages: Messages, **kwargs: Any) -> AsyncChatStream:
        """The answer piece by piece. Nobody is asked before the first piece is; errors surface there."""
        record = self._record()
        chunks = self._streamed(self._asked(messages, kwargs, stream=True), record)
        return AsyncChatStream(chunks, record)  # type: ignore[arg-type]  # asked for its completion alone

    async def _streamed(self, asked: Asked, record: RoutingRecord) -> AsyncGenerator[StreamChunk, None]:
        chunks = self._driver.iterate(self._routed(asked, record))
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()
            for leg in record.opened:
                await _Awaited.close(leg.stream)

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether any candidate answers within `timeout` seconds; `details` has the result of each, by name."""
        return await self._driver.run(self._checked(timeout))

    async def close(self) -> None:
        """Close the clients."""
        for client in self._routing.clients.values():
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


class _Awaited:
    """How clients are called that are awaited."""

    @staticmethod
    async def whole(client: Any, call: RoutedCall, options: Mapping[str, Any]) -> Any:
        given = dict(options)
        tools = given.pop("tools", None)
        try:
            if tools:
                return await client.chat(call.messages, tools, **given)
            return await client.complete(call.messages, **given)
        except LambdaLLMError as error:
            return Err(error)

    @staticmethod
    async def begin(client: Any, call: RoutedCall, options: Mapping[str, Any]) -> Any:
        try:
            return client.stream_chat(call.messages, **options)
        except LambdaLLMError as error:
            return Err(error)

    @staticmethod
    def following(stream: Any) -> Callable[[], Awaitable[Any]]:
        chunks = aiter(stream)

        async def next_chunk() -> Any:
            try:
                return await anext(chunks, None)
            except LambdaLLMError as error:
                return Err(error)

        return next_chunk

    @staticmethod
    def drop(stream: Any) -> None:
        """Nothing: it has to be awaited."""

    @staticmethod
    async def close(stream: Any) -> None:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
