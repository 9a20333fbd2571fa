"""A `BaseProvider` for any provider of the catalog: the same client library behind the small interface."""

from __future__ import annotations

from ..llm.call import CallSettings
from ..llm.models import ModelResponse
from ..llm.types import ChatMessage, ChatRequest, ResponseFormat
from .base import BaseProvider

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..llm.clients.wire import WireClient
    from ..llm.models import ModelConfig
    from ..llm.types import Completion


class WireProvider(BaseProvider):
    """Calls the models of one provider of the catalog, by name. `options` are the fields of `CallSettings`."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self._settings = CallSettings(**options)

    def invoke(self, prompt: str, config: ModelConfig) -> ModelResponse:
        """The whole answer. Raises `LLMError` and `ConfigurationError`."""
        client = self._client(config)
        return response_of(client.send(_request(prompt, config, client)).unwrap(), config.model_id)

    def stream(self, prompt: str, config: ModelConfig) -> Iterator[str]:
        """The answer's text as it comes. Raises `LLMError` and `ConfigurationError`."""
        client = self._client(config)
        with client.open(_request(prompt, config, client)) as chunks:
            yield from chunks.texts()

    def supports_streaming(self) -> bool:
        """Always: every protocol of the catalog streams."""
        return True

    def supports_schema(self) -> bool:
        """Always: the schema goes with the request."""
        return True

    def _client(self, config: ModelConfig) -> WireClient:
        from ..llm.clients.wire import WireClient

        settings = self._settings.replace(total=config.timeout_seconds or self._settings.total)
        return WireClient(f"{self.name}/{config.model_id}", settings=settings)


def _request(prompt: str, config: ModelConfig, client: WireClient) -> ChatRequest:
    system = (ChatMessage("system", config.system_prompt),) if config.system_prompt else ()
    schema = config.output_schema
    return ChatRequest(
        client.target.model.id,
        (*system, ChatMessage("user", prompt)),
        max_tokens=config.max_tokens,
        temperature=config.temperature,
        response_format=None if schema is None else ResponseFormat("json_schema", schema),
        extra=config.extra,
    )


def response_of(answer: Completion, model_id: str) -> ModelResponse:
    """A completion as the small interface's answer."""
    usage = answer.usage
    return ModelResponse(
        answer.text,
        model_id,
        tokens_in=usage.input_tokens if usage else 0,
        tokens_out=usage.output_tokens if usage else 0,
        latency_ms=answer.latency_ms or 0.0,
        cost_usd=answer.cost_usd,
        finish_reason=answer.finish_reason,
        usage=usage,
        metadata=answer.metadata,
    )
