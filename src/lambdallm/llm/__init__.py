"""The client library: any model of any provider through one typed protocol.

    from lambdallm.llm import create_llm_client

    async with create_llm_client("anthropic/claude-haiku-4-5") as client:
        answer = (await client.complete("Say hello")).unwrap()

`lambdallm.llm.clients.sync` has the clients that block, under the same names. Every name is found when it is first used
(PEP 562).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .clients.base import AbstractLLMClient
    from .clients.named import (
        AnthropicClient,
        AzureClient,
        BedrockClient,
        CloudflareClient,
        CohereClient,
        DeepSeekClient,
        FireworksClient,
        GeminiClient,
        GroqClient,
        MistralClient,
        OllamaClient,
        OpenAIClient,
        OpenRouterClient,
        TogetherClient,
        VertexClient,
    )
    from .clients.provider import OpenAICompatibleClient, ProviderClient
    from .clients.wire import AsyncWireClient, WireClient
    from .config import ClientConfig
    from .di.factories import create_llm_client
    from .errors import (
        CircuitOpenError,
        ConfigurationError,
        InvalidRequestError,
        LLMAuthenticationError,
        LLMContentFilterError,
        LLMError,
        LLMModelNotFoundError,
        LLMQuotaExceededError,
        LLMRateLimitError,
        ProviderConnectionError,
        ProviderServerError,
        ProviderTimeoutError,
        StreamError,
        TokenLimitError,
        UnsupportedParameterError,
    )
    from .health.circuit_breaker import ProviderCircuitBreaker
    from .protocols import EmbeddingClientProtocol, LLMClientProtocol, ProviderRegistryProtocol, TokenCounterProtocol
    from .registry.provider_registry import ProviderRegistry
    from .result import Err, Ok
    from .streaming.stream import AsyncStream, Stream
    from .types import (
        AudioPart,
        ChatMessage,
        ChatRequest,
        Choice,
        Completion,
        DocumentPart,
        Embeddings,
        HealthCheckResult,
        ImagePart,
        ReasoningPart,
        ResponseFormat,
        StreamChunk,
        TextPart,
        Thinking,
        TokenCount,
        ToolCall,
        ToolChoice,
        ToolDefinition,
        ToolResult,
        Usage,
    )

__all__ = [
    "AbstractLLMClient", "AnthropicClient", "AsyncStream", "AsyncWireClient", "AudioPart", "AzureClient",
    "BedrockClient", "ChatMessage", "ChatRequest", "Choice", "CircuitOpenError", "ClientConfig", "CloudflareClient",
    "CohereClient", "Completion", "ConfigurationError", "DeepSeekClient", "DocumentPart", "EmbeddingClientProtocol",
    "Embeddings", "Err", "FireworksClient", "GeminiClient", "GroqClient", "HealthCheckResult", "ImagePart",
    "InvalidRequestError", "LLMAuthenticationError", "LLMClientProtocol", "LLMContentFilterError", "LLMError",
    "LLMModelNotFoundError", "LLMQuotaExceededError", "LLMRateLimitError", "MistralClient", "Ok", "OllamaClient",
    "OpenAIClient", "OpenAICompatibleClient", "OpenRouterClient", "ProviderCircuitBreaker", "ProviderClient",
    "ProviderConnectionError", "ProviderRegistry", "ProviderRegistryProtocol", "ProviderServerError",
    "ProviderTimeoutError", "ReasoningPart", "ResponseFormat", "Stream", "StreamChunk", "StreamError", "TextPart",
    "Thinking", "TogetherClient", "TokenCount", "TokenCounterProtocol", "TokenLimitError", "ToolCall", "ToolChoice",
    "ToolDefinition", "ToolResult", "UnsupportedParameterError", "Usage", "VertexClient", "WireClient",
    "create_llm_client",
]  # fmt: skip

_NAMES = {
    "clients.base": "AbstractLLMClient",
    "clients.named": (
        "AnthropicClient AzureClient BedrockClient CloudflareClient CohereClient DeepSeekClient "
        "FireworksClient GeminiClient GroqClient MistralClient OllamaClient OpenAIClient OpenRouterClient "
        "TogetherClient VertexClient"
    ),
    "clients.provider": "OpenAICompatibleClient ProviderClient",
    "clients.wire": "AsyncWireClient WireClient",
    "config": "ClientConfig",
    "di.factories": "create_llm_client",
    "errors": (
        "CircuitOpenError ConfigurationError InvalidRequestError LLMAuthenticationError LLMContentFilterError "
        "LLMError LLMModelNotFoundError LLMQuotaExceededError LLMRateLimitError ProviderConnectionError "
        "ProviderServerError ProviderTimeoutError StreamError TokenLimitError UnsupportedParameterError"
    ),
    "health.circuit_breaker": "ProviderCircuitBreaker",
    "protocols": "EmbeddingClientProtocol LLMClientProtocol ProviderRegistryProtocol TokenCounterProtocol",
    "registry.provider_registry": "ProviderRegistry",
    "result": "Err Ok",
    "streaming.stream": "AsyncStream Stream",
    "types": (
        "AudioPart ChatMessage ChatRequest Choice Completion DocumentPart Embeddings HealthCheckResult "
        "ImagePart ReasoningPart ResponseFormat StreamChunk TextPart Thinking TokenCount ToolCall ToolChoice "
        "ToolDefinition ToolResult Usage"
    ),
}
"""Where the names live."""

_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"{__name__}.{home}", fromlist=[name])
    value: object = getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
