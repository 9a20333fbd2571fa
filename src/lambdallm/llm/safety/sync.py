"""The secured client that blocks, under the name of the one that awaits: for Lambda handlers, without an event loop.

from lambdallm.llm.safety.sync import SecureLLMClient
"""

from __future__ import annotations

from ..clients.accepted import accepted
from ..clients.behind import Behind
from ..drivers import shared_driver
from ..streaming.source import close, next_of
from ..streaming.stream import ChatStream
from .secured import Filters, SecuredCall, SecuredRecord, streamed, whole

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from types import TracebackType
    from typing import Any, Self

    from ..coerce import Messages, Tool
    from ..errors import LLMError
    from ..protocols import BlockingLLMClientProtocol
    from ..result import Result
    from ..types import ChatMessage, Completion, HealthCheckResult, StreamChunk
    from .filters import InputFilter, OutputFilter
    from .secured import OnBlock


class SecureLLMClient:
    """The blocking twin of `safety.SecureLLMClient`."""

    def __init__(
        self,
        client: BlockingLLMClientProtocol,
        *,
        input_filters: Sequence[InputFilter] = (),
        output_filters: Sequence[OutputFilter] = (),
        on_block: OnBlock = None,
        reversible: bool = False,
    ) -> None:
        self.client = accepted(client, blocking=True)
        self._filters = Filters(input_filters, output_filters, on_block, reversible)
        self._driver = shared_driver()

    def behind(self, model: str | None = None) -> tuple[Behind, ...]:
        """The client inside, which answers; see `HandsOnProtocol`."""
        return (Behind(self.client, model),)

    def complete(self, messages: Messages, **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer, filtered. `kwargs` go to the client as they are."""
        return self._whole(messages, lambda asked: self.client.complete(asked, **kwargs))

    def chat(
        self, messages: Messages, tools: Iterable[Tool] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call `tools`, filtered."""
        given: Any = tools
        return self._whole(messages, lambda asked: self.client.chat(asked, given, **kwargs))

    def _whole(self, messages: Messages, ask: Callable[[tuple[ChatMessage, ...]], Any]) -> Result[Completion, LLMError]:
        return self._driver.run(whole(SecuredCall(self._filters), messages, ask))

    def stream_chat(self, messages: Messages, **kwargs: Any) -> ChatStream:
        """The answer piece by piece, each held back only while it may still become something to replace or block."""
        call = SecuredCall(self._filters)
        record = SecuredRecord(call)
        return ChatStream(self._streamed(call, messages, kwargs, record), record)

    def _streamed(
        self, call: SecuredCall, messages: Messages, kwargs: dict[str, Any], record: SecuredRecord
    ) -> Generator[StreamChunk, None, None]:
        def begin(asked: tuple[ChatMessage, ...]) -> Callable[[], StreamChunk | None]:
            record.source = self.client.stream_chat(asked, **kwargs)
            chunks = iter(record.source)
            return lambda: next_of(chunks)

        try:
            yield from self._driver.iterate(streamed(call, messages, begin, record))
        finally:
            if record.source is not None:
                close(record.source)

    def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the client's provider answers within `timeout` seconds."""
        return self.client.health_check(timeout)

    def close(self) -> None:
        """Close the client."""
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
