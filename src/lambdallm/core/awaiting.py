"""What an async function calls models with: the twins of the methods in `invoking`, to be awaited."""

from __future__ import annotations

from ..llm.errors import DeadlineExceededError
from .invoking import paused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
    from typing import Any, TypeVar, overload

    from ..llm.coerce import Messages, Tool
    from ..llm.flow import Flow
    from ..llm.streaming.stream import AsyncChatStream
    from ..llm.types import Completion, Embeddings, StreamChunk
    from .prompt import Prompt

    T = TypeVar("T")


class Awaiting:
    """The methods of `LambdaLLMContext` that are awaited. What they take, give and raise is as in `Invoking`."""

    if TYPE_CHECKING:
        streams: list[Any]

    async def arun(self, flow: Flow[T]) -> T:
        """Perform a flow in the running event loop."""
        from ..llm.drivers.awaiting import shared_async_driver

        try:
            return await shared_async_driver().run(flow)
        except DeadlineExceededError as error:
            raise paused(error) from error.__cause__

    async def ainvoke(self, prompt: str | Prompt, /, **kwargs: Any) -> str:
        """Ask the model and return its text."""
        from .requests import text

        return await self.arun(text(self, prompt, kwargs))

    if TYPE_CHECKING:

        @overload
        async def ainvoke_structured(self, prompt: str | Prompt, schema: type[T], /, **kwargs: Any) -> T: ...

        @overload
        async def ainvoke_structured(
            self, prompt: str | Prompt, schema: Mapping[str, Any] | None = None, /, **kwargs: Any
        ) -> dict[str, Any]: ...

        @overload
        async def ainvoke_structured(self, prompt: str | Prompt, schema: object, /, **kwargs: Any) -> Any: ...

    async def ainvoke_structured(self, prompt: str | Prompt, schema: object = None, /, **kwargs: Any) -> Any:
        """Ask the model for data that matches `schema`, and ask again while its answer does not."""
        from .requests import structure

        return await self.arun(structure(self, prompt, schema, kwargs))

    async def ainvoke_prompt(self, prompt: Prompt, values: Mapping[str, Any]) -> Any:
        """Ask with a `Prompt`: text, or what its shape says."""
        from .requests import of_prompt

        return await self.arun(of_prompt(self, prompt, values))

    async def achat(
        self,
        messages: Messages,
        tools: Iterable[Tool | Callable[..., Any]] | None = None,
        *,
        session: bool = False,
        **options: Any,
    ) -> Completion:
        """The model's whole answer to a conversation; it may call `tools`, which are not run here."""
        from .requests import completion

        return await self.arun(completion(self, messages, tools, session, options))

    def astream(self, prompt: str | Prompt, /, **kwargs: Any) -> AsyncChatStream:
        """Ask the model and read its answer as it comes.

        async for text in context.astream("Summarise: {text}", text=text).texts():
            ...
        """
        from ..llm.streaming.stream import AsyncChatStream
        from .requests import Streaming

        streaming = Streaming(self, prompt, kwargs)
        chunks = _chunks(streaming.flow, self.streams)
        return AsyncChatStream(chunks, streaming.record)

    async def aembed(self, texts: str | Sequence[str], model: str | None = None, **options: Any) -> Embeddings:
        """A vector for each text, in their order."""
        from .vectors import vectors

        return await self.arun(vectors(self, texts, model, options))

    async def aeach_record(self, function: Callable[[Any], Any]) -> dict[str, Any]:
        """Run a function, async or not, for each record of a batch, and say which ones have to come again."""
        from .batch import processed

        return await self.arun(processed(self, function))


async def _chunks(flow: Callable[[], Flow[Any]], begun: list[Any]) -> AsyncGenerator[StreamChunk, None]:
    """The chunks of a flow; while they last it is among those `begun`, which the invocation closes at its end."""
    from ..llm.drivers.awaiting import shared_async_driver

    chunks = shared_async_driver().iterate(flow())
    begun.append(chunks)
    try:
        async for chunk in chunks:
            yield chunk
    except DeadlineExceededError as error:
        raise paused(error) from error.__cause__
    finally:
        await chunks.aclose()
        if chunks in begun:
            begun.remove(chunks)
