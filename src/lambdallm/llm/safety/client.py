"""`SecureLLMClient`: any client, a router too, with filters before and behind it. Its blocking twin is in `sync`."""

from __future__ import annotations

from ..clients.accepted import accepted
from ..clients.behind import Behind
from ..drivers import shared_async_driver
from ..streaming.source import aclose, anext_of
from ..streaming.stream import AsyncChatStream
from .secured import Filters, SecuredCall, SecuredRecord, streamed, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
    from types import TracebackType
    from typing import Any, Self

    from ..coerce import Messages, Tool
    from ..errors import LLMError
    from ..protocols import LLMClientProtocol
    from ..result import Result
    from ..types import ChatMessage, Completion, HealthCheckResult, StreamChunk
    from .filters import InputFilter, OutputFilter
    from .secured import OnBlock


class SecureLLMClient:
    """A client whose messages and answers go through filters; it is an `LLMClientProtocol` itself.

        client = SecureLLMClient(
            OpenAIClient(),
            input_filters=[PersonalDataFilter()], output_filters=[SecretsFilter()], on_block="I can't share that.",
        )
        answer = (await client.complete("Who is ada@example.com?")).unwrap()
        answer.metadata["safety"]     # {"input": {"personal_data": {"EMAIL": 1}}}

    Filters work in their order, on every text of the messages (tool results and the model's own former words too) and
    of the answer (text, thinking, refusals, tool calls' arguments), whole or streamed. Where one blocks, the call ends
    in `LLMContentFilterError` with what was used and what it cost; with `on_block`, a text or a function of the error
    that gives one or `None`, it ends in that text and the finish reason `content_filter`. What a stream had handed on
    before stays said.

    What errors and warnings repeat of an answer is filtered as it is. What the client inside keeps and tells by itself
    (its cache, its listeners, its log) is what the provider said: filters stand behind it. A text that is cut off, by
    `max_tokens` or a broken stream, may end in the beginning of something that no filter knows by its beginning alone.

    With `reversible`, what input filters replace gets numbered placeholders (`[EMAIL_1]`), which are undone in the
    answer (thinking excepted, which stays as it was signed); each call has a vault of its own. Whoever reads the answer
    is then whoever wrote the messages.
    """

    def __init__(
        self,
        client: LLMClientProtocol,
        *,
        input_filters: Sequence[InputFilter] = (),
        output_filters: Sequence[OutputFilter] = (),
        on_block: OnBlock = None,
        reversible: bool = False,
    ) -> None:
        self.client = accepted(client, blocking=False)
        self._filters = Filters(input_filters, output_filters, on_block, reversible)
        self._driver = shared_async_driver()

    def behind(self, model: str | None = None) -> tuple[Behind, ...]:
        """The client inside, which answers; see `HandsOnProtocol`."""
        return (Behind(self.client, model),)

    async def complete(self, messages: Messages, **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer, filtered. `kwargs` go to the client as they are."""
        return await self._whole(messages, lambda asked: self.client.complete(asked, **kwargs))

    async def chat(
        self, messages: Messages, tools: Iterable[Tool] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call `tools`, filtered."""
        given: Any = tools
        return await self._whole(messages, lambda asked: self.client.chat(asked, given, **kwargs))

    async def _whole(
        self, messages: Messages, ask: Callable[[tuple[ChatMessage, ...]], Any]
    ) -> Result[Completion, LLMError]:
        return await self._driver.run(whole(SecuredCall(self._filters), messages, ask))

    def stream_chat(self, messages: Messages, **kwargs: Any) -> AsyncChatStream:
        """The answer piece by piece, each held back only while it may still become something to replace or block."""
        call = SecuredCall(self._filters)
        record = SecuredRecord(call)
        return AsyncChatStream(self._streamed(call, messages, kwargs, record), record)

    async def _streamed(
        self, call: SecuredCall, messages: Messages, kwargs: dict[str, Any], record: SecuredRecord
    ) -> AsyncGenerator[StreamChunk, None]:
        def begin(asked: tuple[ChatMessage, ...]) -> Callable[[], Awaitable[StreamChunk | None]]:
            record.source = self.client.stream_chat(asked, **kwargs)
            chunks = aiter(record.source)
            return lambda: anext_of(chunks)

        passed = self._driver.iterate(streamed(call, messages, begin, record))
        try:
            async for chunk in passed:
                yield chunk
        finally:
            await passed.aclose()
            if record.source is not None:
                await aclose(record.source)

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the client's provider answers within `timeout` seconds."""
        return await self.client.health_check(timeout)

    async def close(self) -> None:
        """Close the client."""
        await self.client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()
