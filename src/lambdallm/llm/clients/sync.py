"""The blocking clients, under the same names as those that await: what a Lambda handler uses, without an event loop.

    from lambdallm.llm.clients.sync import OpenAIClient

Both run the same flows around the same hooks; here a hook is a plain method.
"""

from __future__ import annotations

from ..drivers import Driver
from ..errors import LambdaLLMError, LLMError, StreamError
from ..health.probe import probe
from ..pipeline import chat, count_tokens, stream_chat
from ..result import Err
from ..streaming.record import StreamRecord
from ..streaming.stream import ChatStream
from ..types import HealthCheckResult
from .provider import CatalogTemplate, compatible_definition
from .template import ClientTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from types import TracebackType
    from typing import Any, ClassVar, Self

    from ..catalog.definition import ProviderDefinition
    from ..coerce import Messages, Tool
    from ..config import ClientConfig
    from ..result import Result
    from ..types import ChatMessage, Completion, StreamChunk, TokenCount, ToolDefinition
    from .policies import Asked


class AbstractLLMClient(ClientTemplate):
    """The blocking twin of `clients.base.AbstractLLMClient`: the same hooks, as plain methods."""

    def __init__(self, config: ClientConfig | None = None, *, driver: Driver | None = None, **options: Any) -> None:
        super().__init__(config, **options)
        self._driver = driver or Driver()

    def complete(self, messages: Messages, **kwargs: Any) -> Result[Completion, LLMError]:
        """The whole answer. `kwargs` are `model` and the fields of `ChatRequest`.

        Raises `ConfigurationError` and its kin for what is wrong before anything is sent.
        """
        return self._driver.run(
            self._whole(
                lambda asked: self._do_complete(asked.messages, **self._given(asked)), self._asked(messages, kwargs)
            )
        )

    def chat(
        self, messages: Messages, tools: Iterable[Tool] | None = None, **kwargs: Any
    ) -> Result[Completion, LLMError]:
        """The whole answer of a model that may call `tools`."""
        asked = self._asked(messages, {**kwargs, "tools": tools})
        return self._driver.run(self._whole(self._chatted, asked))

    def _chatted(self, asked: Asked) -> Any:
        options = self._given(asked)
        called: Any = options.pop("tools", ())
        return self._do_chat(asked.messages, called, **options)

    def stream_chat(self, messages: Messages, **kwargs: Any) -> ChatStream:
        """The answer piece by piece. Nothing is sent before the first piece is asked for; errors surface there."""
        record = StreamRecord(self._target(kwargs.get("model")))
        return ChatStream(self._streamed(messages, kwargs, record), record)

    def _streamed(
        self, messages: Messages, kwargs: dict[str, Any], record: StreamRecord
    ) -> Generator[StreamChunk, None, None]:
        def begin(asked: Asked) -> _Pieces:
            return _Pieces(iter(self._do_stream_chat(asked.messages, **self._given(asked))))

        yield from self._driver.iterate(self._pieces(begin, self._asked(messages, kwargs), record))

    def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the provider answers: here, a one-word question. A blocking hook is not broken off at `timeout`."""
        from time import monotonic

        begun = monotonic()
        error: Exception | None = None
        try:
            result = self._do_complete((self._ping(),), max_tokens=16)
            error = result.error if isinstance(result, Err) else None
        except (LambdaLLMError, OSError) as failure:
            error = failure
        return self._health(error, (monotonic() - begun) * 1000)

    def close(self) -> None:
        """Close the connections."""
        self._driver.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _do_complete(self, messages: tuple[ChatMessage, ...], **options: Any) -> Result[Completion, LLMError]:
        """One attempt at a whole answer."""
        raise NotImplementedError(f"{type(self).__name__} must implement _do_complete.")

    def _do_chat(
        self, messages: tuple[ChatMessage, ...], tools: tuple[ToolDefinition, ...], **options: Any
    ) -> Result[Completion, LLMError]:
        """One attempt at a whole answer of a model that may call tools."""
        return self._do_complete(messages, **options, **({"tools": tools} if tools else {}))

    def _do_stream_chat(self, messages: tuple[ChatMessage, ...], **options: Any) -> Iterator[StreamChunk]:
        """One attempt at a streamed answer; without an override, the whole answer as one piece."""
        yield from self._in_one_piece(self._do_complete(messages, **options).unwrap())


class _Pieces:
    """The chunks of one attempt, one a call, `None` at the end; closed by the flow that reads them, in its thread."""

    __slots__ = ("_chunks", "close")

    def __init__(self, chunks: Iterator[StreamChunk]) -> None:
        self._chunks = chunks
        self.close: Callable[[], object] = getattr(chunks, "close", _nothing)

    def __call__(self) -> StreamChunk | None:
        try:
            return next(self._chunks, None)
        except (LLMError, OSError):
            raise
        except Exception as bug:
            raise StreamError(f"The stream failed: {bug!r}") from bug


def _nothing() -> None:
    """Stand in for `close` where an iterator has none."""


class ProviderClient(CatalogTemplate, AbstractLLMClient):
    """A blocking client of a provider in the catalog.

    with ProviderClient(provider="groq", model="llama-3.3-70b-versatile") as client:
        print(client.complete("Say hello").unwrap().text)
    """

    def _do_complete(self, messages: tuple[ChatMessage, ...], **options: Any) -> Result[Completion, LLMError]:
        request, target = self._request(messages, options)
        return self._driver.run(chat(request, target, self._settings(options)))

    def _do_chat(
        self, messages: tuple[ChatMessage, ...], tools: tuple[ToolDefinition, ...], **options: Any
    ) -> Result[Completion, LLMError]:
        return self._do_complete(messages, **options, tools=tools)

    def _do_stream_chat(self, messages: tuple[ChatMessage, ...], **options: Any) -> Iterator[StreamChunk]:
        request, target = self._request(messages, options)
        return self._driver.iterate(stream_chat(request, target, self._settings(options), StreamRecord(target)))

    def count_tokens(self, messages: Messages, **kwargs: Any) -> Result[TokenCount, LLMError]:
        """How many tokens the input has, as the provider counts them; nothing is generated."""
        asked = self._asked(messages, kwargs)
        request, target = self._request(asked.messages, asked.options)
        settings = self._settings().replace(max_retries=self.config.max_retries)
        try:
            return self._driver.run(count_tokens(request, target, settings))
        except LLMError as error:
            return Err(error)

    def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the provider answers within `timeout` seconds, and takes the key."""
        return self._driver.run(probe(self._target(None), self._settings(), timeout))


class OpenAICompatibleClient(ProviderClient):
    """A blocking client of any server that speaks OpenAI's chat protocol."""

    provider = "openai_compatible"
    base_url: ClassVar[str] = ""
    api_key_env: ClassVar[str] = ""

    def _definition(self) -> ProviderDefinition:
        return compatible_definition(self)


class OpenAIClient(OpenAICompatibleClient):
    """OpenAI."""

    provider = "openai"


class AnthropicClient(ProviderClient):
    """Anthropic."""

    provider = "anthropic"


class GeminiClient(ProviderClient):
    """Google's Gemini API."""

    provider = "gemini"


class OllamaClient(ProviderClient):
    """Ollama."""

    provider = "ollama"


class GroqClient(OpenAICompatibleClient):
    """Groq."""

    provider = "groq"


class MistralClient(OpenAICompatibleClient):
    """Mistral."""

    provider = "mistral"


class CohereClient(ProviderClient):
    """Cohere."""

    provider = "cohere"


class OpenRouterClient(OpenAICompatibleClient):
    """OpenRouter."""

    provider = "openrouter"


class BedrockClient(ProviderClient):
    """Amazon Bedrock."""

    provider = "bedrock"


class VertexClient(ProviderClient):
    """Google Vertex AI."""

    provider = "vertex"


class AzureClient(OpenAICompatibleClient):
    """Azure OpenAI."""

    provider = "azure"


class CloudflareClient(OpenAICompatibleClient):
    """Cloudflare Workers AI."""

    provider = "cloudflare"


class DeepSeekClient(OpenAICompatibleClient):
    """DeepSeek."""

    provider = "deepseek"


class TogetherClient(OpenAICompatibleClient):
    """Together AI."""

    provider = "together"


class FireworksClient(OpenAICompatibleClient):
    """Fireworks AI."""

    provider = "fireworks"
