"""What a function calls models with: the methods that block. Their twins that await are in `awaiting`."""

from __future__ import annotations

from ..llm.errors import ConfigurationError, DeadlineExceededError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
    from typing import Any, TypeVar, overload

    from ..llm.coerce import Messages, Tool
    from ..llm.flow import Flow
    from ..llm.streaming.stream import ChatStream
    from ..llm.types import Completion, Embeddings, StreamChunk
    from .prompt import Prompt

    T = TypeVar("T")


class Invoking:
    """The blocking methods of `LambdaLLMContext`."""

    if TYPE_CHECKING:
        awaits: bool
        streams: list[Any]

    def run(self, flow: Flow[T]) -> T:
        """Perform a flow. Raises `ConfigurationError` in an async handler, whose event loop it would block."""
        if self.awaits:
            flow.close()
            fix = "Await the method of the same name with an 'a' before it: await context.ainvoke(…)."
            raise ConfigurationError("An async handler can't wait with a method that blocks.", fix=fix)
        from ..llm.drivers.blocking import shared_driver

        try:
            return shared_driver().run(flow)
        except DeadlineExceededError as error:
            raise paused(error) from error.__cause__

    def invoke(self, prompt: str | Prompt, /, **kwargs: Any) -> str:
        """Ask the model and return its text.

            context.invoke("Hello {name}", name="World")

        Keywords are the template's variables; those that are none may be `system_prompt`, `model`, `max_tokens`,
        `temperature`, `max_retries`, `timeout` (seconds), `cache` and `session`. Raises `PromptError`, `LLMError`,
        `DeadlineExceededError`.
        """
        from .requests import text

        return self.run(text(self, prompt, kwargs))

    if TYPE_CHECKING:

        @overload
        def invoke_structured(self, prompt: str | Prompt, schema: type[T], /, **kwargs: Any) -> T: ...

        @overload
        def invoke_structured(
            self, prompt: str | Prompt, schema: Mapping[str, Any] | None = None, /, **kwargs: Any
        ) -> dict[str, Any]: ...

        @overload
        def invoke_structured(self, prompt: str | Prompt, schema: object, /, **kwargs: Any) -> Any: ...

    def invoke_structured(self, prompt: str | Prompt, schema: object = None, /, **kwargs: Any) -> Any:
        """Ask the model for data that matches `schema`, and ask again while its answer does not.

            context.invoke_structured("Rate {it}", {"score": float}, it="this")     # {"score": 0.9}
            context.invoke_structured("Rate {it}", Review, it="this")               # Review(score=0.9)

        `schema` is the shorthand, a JSON Schema, or a type (see `lambdallm.llm.structured`); without it the prompt's
        own shape. Raises as `invoke` does, and `ExtractionError`: cut off, or no valid structure in three tries.
        """
        from .requests import structure

        return self.run(structure(self, prompt, schema, kwargs))

    def invoke_prompt(self, prompt: Prompt, values: Mapping[str, Any]) -> Any:
        """Ask with a `Prompt`: text, or what its shape says."""
        from .requests import of_prompt

        return self.run(of_prompt(self, prompt, values))

    def chat(
        self,
        messages: Messages,
        tools: Iterable[Tool | Callable[..., Any]] | None = None,
        *,
        session: bool = False,
        **options: Any,
    ) -> Completion:
        """The model's whole answer to a conversation; it may call `tools`, which are not run here.

            answer = context.chat("What is the weather in Rome?", tools=[weather])
            for call in answer.tool_calls:
                print(call.name, call.arguments)

        A tool is a `ToolDefinition`, OpenAI's dictionary, or a function with a docstring and types. With `session` the
        model hears what was said before, and the session keeps both sides. `options` are `model`, `max_retries`,
        `timeout` (seconds), `cache`, and the fields of `ChatRequest`. Raises as `invoke` does.
        """
        from .requests import completion

        return self.run(completion(self, messages, tools, session, options))

    def stream(self, prompt: str | Prompt, /, **kwargs: Any) -> ChatStream:
        """Ask the model and read its answer as it comes; keywords as for `invoke`.

        for text in context.stream("Summarise: {text}", text=text).texts():
            ...
        """
        from ..llm.streaming.stream import ChatStream
        from .requests import Streaming

        streaming = Streaming(self, prompt, kwargs)
        return ChatStream(self._chunks(streaming.flow), streaming.record)

    def _chunks(self, flow: Callable[[], Flow[Any]]) -> Generator[StreamChunk, None, None]:
        if self.awaits:
            raise ConfigurationError("An async handler can't wait for a stream.", fix="Use context.astream(…).")
        from ..llm.drivers.blocking import shared_driver

        chunks = shared_driver().iterate(flow())
        self.streams.append(chunks)
        try:
            yield from chunks
        except DeadlineExceededError as error:
            raise paused(error) from error.__cause__
        finally:
            if chunks in self.streams:
                self.streams.remove(chunks)

    def embed(self, texts: str | Sequence[str], model: str | None = None, **options: Any) -> Embeddings:
        """A vector for each text, in their order, in `vectors`.

        `model` is an embedding model, or a provider for its default one; without it the handler's `embedding_model`,
        else the default one of its model's provider. `options` are `dimensions`, `input_type` and `extra`. Raises
        `LLMError`, `DeadlineExceededError`, `ConfigurationError`.
        """
        from .vectors import vectors

        return self.run(vectors(self, texts, model, options))

    def each_record(self, function: Callable[[Any], Any]) -> dict[str, Any]:
        """Run a function for each record of a batch, and say which ones have to come again.

            @handler
            def lambda_handler(event, context):
                return context.each_record(lambda record: context.invoke("Summarise: {text}", text=record.text))

        Gives `{"batchItemFailures": […]}`, which Lambda reads where the event source has `ReportBatchItemFailures`;
        without that it takes failed records for done. See `batch` for what order and time do.
        """
        from .batch import processed

        return self.run(processed(self, function))


def paused(error: DeadlineExceededError) -> BaseException:
    """What a function gets that has run out of time: a pause where a later invocation goes on, else the error."""
    id = getattr(error, "checkpoint_id", None)
    if id is None:
        return error
    from .journal import Pause

    return Pause(id)
