"""The client of any provider that a definition in the catalog describes; the named clients are this with a name."""

from __future__ import annotations

from ..call import CallSettings
from ..catalog.loader import catalog
from ..errors import LLMError
from ..health.probe import probe
from ..options import check_options
from ..pipeline import chat, count_tokens, stream_chat
from ..result import Err
from ..streaming.record import StreamRecord
from ..types import EMPTY, ChatRequest
from .base import AbstractLLMClient
from .template import ClientTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from typing import Any, ClassVar

    from ..catalog.definition import ProviderDefinition
    from ..catalog.resolve import Target
    from ..coerce import Messages
    from ..result import Result
    from ..types import ChatMessage, Completion, HealthCheckResult, StreamChunk, TokenCount, ToolDefinition
    from .policies import Asked


class CatalogTemplate(ClientTemplate):
    """What calling a catalog's provider takes: its definition, the request, the settings of one attempt."""

    def _request(self, messages: tuple[ChatMessage, ...], options: Mapping[str, Any]) -> tuple[ChatRequest, Target]:
        settings = {name: value for name, value in options.items() if name not in ("model", "deadline")}
        check_options(settings, ChatRequest._fields)
        target = self._target(options.get("model"))
        return ChatRequest(target.model.id, messages, **settings), target

    def _definition(self) -> ProviderDefinition:
        """The provider's definition. Raises `UnknownProviderError` for a name that has none."""
        return catalog().provider(self.config.provider)

    def _given(self, asked: Asked) -> dict[str, Any]:
        """What a hook is given: here the deadline too, which the transport keeps."""
        return {**asked.options, "deadline": asked.deadline}

    def _settings(self, options: Mapping[str, Any] = EMPTY) -> CallSettings:
        """The settings of one attempt: retries are the template's."""
        config = self.config
        return CallSettings(
            api_key=config.api_key,
            base_url=config.base_url,
            wire=config.wire,
            headers=config.headers,
            connect_timeout=config.connect_timeout,
            timeout=config.timeout,
            chunk_timeout=config.chunk_timeout,
            total=config.total_timeout,
            deadline=options.get("deadline"),
            max_retries=0,
        )

    def _normalize_thinking(self, completion: Completion) -> Completion:
        """Itself: the pipeline has done it, for the models whose facts say that they write tags."""
        return completion

    def _chunk_limits(self, asked: Asked) -> tuple[float | None, float | None]:
        """No limits here: the pipeline keeps them where it reads, at no cost for each chunk."""
        return None, None


class ProviderClient(CatalogTemplate, AbstractLLMClient):
    """A client of a provider in the catalog.

    async with ProviderClient(provider="groq", model="llama-3.3-70b-versatile") as client:
        answer = (await client.complete("Say hello")).unwrap()
        async for chunk in client.stream_chat("Tell me a story"):
            print(chunk.delta, end="")
    """

    async def _do_complete(self, messages: tuple[ChatMessage, ...], **options: Any) -> Result[Completion, LLMError]:
        request, target = self._request(messages, options)
        return await self._driver.run(chat(request, target, self._settings(options)))

    async def _do_chat(
        self, messages: tuple[ChatMessage, ...], tools: tuple[ToolDefinition, ...], **options: Any
    ) -> Result[Completion, LLMError]:
        return await self._do_complete(messages, **options, tools=tools)

    async def _do_stream_chat(self, messages: tuple[ChatMessage, ...], **options: Any) -> AsyncIterator[StreamChunk]:
        request, target = self._request(messages, options)
        chunks = self._driver.iterate(stream_chat(request, target, self._settings(options), StreamRecord(target)))
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            await chunks.aclose()

    async def count_tokens(self, messages: Messages, **kwargs: Any) -> Result[TokenCount, LLMError]:
        """How many tokens the input has, as the provider counts them; nothing is generated."""
        asked = self._asked(messages, kwargs)
        request, target = self._request(asked.messages, asked.options)
        settings = self._settings().replace(max_retries=self.config.max_retries)
        try:
            return await self._driver.run(count_tokens(request, target, settings))
        except LLMError as error:
            return Err(error)

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the provider answers within `timeout` seconds, and takes the key."""
        return await self._driver.run(probe(self._target(None), self._settings(), timeout))


class OpenAICompatibleClient(ProviderClient):
    """A client of any server that speaks OpenAI's chat protocol.

        OpenAICompatibleClient(base_url="http://localhost:8000/v1", model="my-model")

    Or as a class of one's own, with its key in the environment variable `api_key_env`:

        class AcmeClient(OpenAICompatibleClient):
            provider = "acme"
            base_url, api_key_env = "https://api.acme.example/v1", "ACME_API_KEY"
            default_model = "acme-large"
    """

    provider = "openai_compatible"
    base_url: ClassVar[str] = ""
    api_key_env: ClassVar[str] = ""

    def _definition(self) -> ProviderDefinition:
        return compatible_definition(self)


def compatible_definition(client: Any) -> ProviderDefinition:
    """The definition of an OpenAI-compatible client's provider: the catalog's, or the generic one with its own URL."""
    found = catalog().find(client.config.provider)
    if found is None or client.base_url:
        from ..catalog.definition import AuthScheme

        generic = catalog().provider("openai_compatible")
        env = (client.api_key_env,) if client.api_key_env else ()
        auth = (AuthScheme("bearer", env=env), *(() if env else (AuthScheme("none"),)))
        found = generic.replace(
            name=client.config.provider, title="", endpoint=client.base_url or generic.endpoint, auth=auth
        )
    return found
