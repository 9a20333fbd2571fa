"""The client library: any model of any provider through one typed protocol.

    from lambdallm.llm import create_llm_client

    async with create_llm_client("anthropic/claude-haiku-4-5") as client:
        answer = (await client.complete("Say hello")).unwrap()

`lambdallm.llm.clients.sync` has the clients that block, under the same names. Every name is found when it is first used
(PEP 562).
"""

from __future__ import annotations

from .._door import door

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .caching import DynamoDBLLMCache, LLMCache, RedisLLMCache, SemanticCache
    from .clients.base import AbstractLLMClient
    from .clients.behind import Behind
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
    from .config import ClientConfig, LLMConfig
    from .di import Container, LLMProvider, LLMRoutingProvider
    from .di.factories import create_llm_client
    from .errors import (
        CircuitOpenError,
        ConfigurationError,
        ExtractionError,
        ExtractionMaxRetriesError,
        ExtractionParseError,
        ExtractionValidationError,
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
    from .inference import InferenceLogger
    from .module import LLMModule
    from .parsers import CSVParser, EnumParser, JSONParser, ParserRegistry, PydanticParser
    from .pricing.manager import PricingManager
    from .pricing.protocol import PricingSourceProtocol
    from .pricing.tokens import (
        EstimatingCounter,
        HuggingFaceCounter,
        ProviderTokenCounter,
        TiktokenCounter,
        TokenCounterRegistry,
    )
    from .protocols import (
        BlockingLLMClientProtocol,
        CacheBackendProtocol,
        ContainerProtocol,
        EmbeddingClientProtocol,
        HandsOnProtocol,
        InferenceLoggerProtocol,
        LLMCacheProtocol,
        LLMClientProtocol,
        ProviderRegistryProtocol,
        QuotaBackendProtocol,
        RoutingStrategyProtocol,
        TokenCounterProtocol,
    )
    from .rate_limiting import ConcurrencyLimit, RateLimiter
    from .registry.provider_registry import ProviderRegistry
    from .result import Err, Ok
    from .routing import (
        Candidate,
        CostOptimizedStrategy,
        LatencyOptimizedStrategy,
        LLMRouter,
        ParallelRaceStrategy,
        RoutingDecision,
        SequentialCascadeStrategy,
        WeightedStrategy,
        router_of,
    )
    from .safety import (
        BlocklistFilter,
        InputFilter,
        MaxLengthFilter,
        OutputFilter,
        PersonalDataFilter,
        RegexFilter,
        SecretsFilter,
        SecureLLMClient,
    )
    from .streaming import (
        AbstractStreamingAdapter,
        ParallelStreamAggregator,
        SSEStreamAdapter,
        StreamingResponse,
        to_sse,
    )
    from .streaming.stream import AsyncStream, Stream
    from .structured import Extraction, StructuredExtractor, extract_json_block, validate_against_model
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
        PromptCache,
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
    "AbstractLLMClient", "AbstractStreamingAdapter", "AnthropicClient", "AsyncStream", "AsyncWireClient", "AudioPart",
    "AzureClient", "BedrockClient", "Behind", "BlockingLLMClientProtocol", "BlocklistFilter", "CSVParser",
    "CacheBackendProtocol", "Candidate", "ChatMessage", "ChatRequest", "Choice", "CircuitOpenError", "ClientConfig",
    "CloudflareClient", "CohereClient", "Completion", "ConcurrencyLimit", "ConfigurationError", "Container",
    "ContainerProtocol", "CostOptimizedStrategy", "DeepSeekClient", "DocumentPart", "DynamoDBLLMCache",
    "EmbeddingClientProtocol", "Embeddings", "EnumParser", "Err", "EstimatingCounter", "Extraction", "ExtractionError",
    "ExtractionMaxRetriesError", "ExtractionParseError", "ExtractionValidationError", "FireworksClient", "GeminiClient",
    "GroqClient", "HandsOnProtocol", "HealthCheckResult", "HuggingFaceCounter", "ImagePart", "InferenceLogger",
    "InferenceLoggerProtocol", "InputFilter", "InvalidRequestError", "JSONParser", "LLMAuthenticationError", "LLMCache",
    "LLMCacheProtocol", "LLMClientProtocol", "LLMConfig", "LLMContentFilterError", "LLMError", "LLMModelNotFoundError",
    "LLMModule", "LLMProvider", "LLMQuotaExceededError", "LLMRateLimitError", "LLMRouter", "LLMRoutingProvider",
    "LatencyOptimizedStrategy", "MaxLengthFilter", "MistralClient", "Ok", "OllamaClient", "OpenAIClient",
    "OpenAICompatibleClient", "OpenRouterClient", "OutputFilter", "ParallelRaceStrategy", "ParallelStreamAggregator",
    "ParserRegistry", "PersonalDataFilter", "PricingManager", "PricingSourceProtocol", "PromptCache",
    "ProviderCircuitBreaker", "ProviderClient", "ProviderConnectionError", "ProviderRegistry",
    "ProviderRegistryProtocol", "ProviderServerError", "ProviderTimeoutError", "ProviderTokenCounter", "PydanticParser",
    "QuotaBackendProtocol", "RateLimiter", "ReasoningPart", "RedisLLMCache", "RegexFilter", "ResponseFormat",
    "RoutingDecision", "RoutingStrategyProtocol", "SSEStreamAdapter", "SecretsFilter", "SecureLLMClient",
    "SemanticCache", "SequentialCascadeStrategy", "Stream", "StreamChunk", "StreamError", "StreamingResponse",
    "StructuredExtractor", "TextPart", "Thinking", "TiktokenCounter", "TogetherClient", "TokenCount",
    "TokenCounterProtocol", "TokenCounterRegistry", "TokenLimitError", "ToolCall", "ToolChoice", "ToolDefinition",
    "ToolResult", "UnsupportedParameterError", "Usage", "VertexClient", "WeightedStrategy", "WireClient",
    "create_llm_client", "extract_json_block", "router_of", "to_sse", "validate_against_model",
]  # fmt: skip

_NAMES = {
    "caching": "DynamoDBLLMCache LLMCache RedisLLMCache SemanticCache",
    "clients.base": "AbstractLLMClient",
    "clients.behind": "Behind",
    "clients.named": (
        "AnthropicClient AzureClient BedrockClient CloudflareClient CohereClient DeepSeekClient FireworksClient "
        "GeminiClient GroqClient MistralClient OllamaClient OpenAIClient OpenRouterClient TogetherClient "
        "VertexClient"
    ),
    "clients.provider": "OpenAICompatibleClient ProviderClient",
    "clients.wire": "AsyncWireClient WireClient",
    "config": "ClientConfig LLMConfig",
    "di": "Container LLMProvider LLMRoutingProvider",
    "di.factories": "create_llm_client",
    "errors": (
        "CircuitOpenError ConfigurationError ExtractionError ExtractionMaxRetriesError ExtractionParseError "
        "ExtractionValidationError InvalidRequestError LLMAuthenticationError LLMContentFilterError LLMError "
        "LLMModelNotFoundError LLMQuotaExceededError LLMRateLimitError ProviderConnectionError ProviderServerError "
        "ProviderTimeoutError StreamError TokenLimitError UnsupportedParameterError"
    ),
    "health.circuit_breaker": "ProviderCircuitBreaker",
    "inference": "InferenceLogger",
    "module": "LLMModule",
    "parsers": "CSVParser EnumParser JSONParser ParserRegistry PydanticParser",
    "pricing.manager": "PricingManager",
    "pricing.protocol": "PricingSourceProtocol",
    "pricing.tokens": "EstimatingCounter HuggingFaceCounter ProviderTokenCounter TiktokenCounter TokenCounterRegistry",
    "protocols": (
        "BlockingLLMClientProtocol CacheBackendProtocol ContainerProtocol EmbeddingClientProtocol HandsOnProtocol "
        "InferenceLoggerProtocol LLMCacheProtocol LLMClientProtocol ProviderRegistryProtocol QuotaBackendProtocol "
        "RoutingStrategyProtocol TokenCounterProtocol"
    ),
    "rate_limiting": "ConcurrencyLimit RateLimiter",
    "registry.provider_registry": "ProviderRegistry",
    "result": "Err Ok",
    "routing": (
        "Candidate CostOptimizedStrategy LLMRouter LatencyOptimizedStrategy ParallelRaceStrategy RoutingDecision "
        "SequentialCascadeStrategy WeightedStrategy router_of"
    ),
    "safety": (
        "BlocklistFilter InputFilter MaxLengthFilter OutputFilter PersonalDataFilter RegexFilter SecretsFilter "
        "SecureLLMClient"
    ),
    "streaming": "AbstractStreamingAdapter ParallelStreamAggregator SSEStreamAdapter StreamingResponse to_sse",
    "streaming.stream": "AsyncStream Stream",
    "structured": "Extraction StructuredExtractor extract_json_block validate_against_model",
    "types": (
        "AudioPart ChatMessage ChatRequest Choice Completion DocumentPart Embeddings HealthCheckResult ImagePart "
        "PromptCache ReasoningPart ResponseFormat StreamChunk TextPart Thinking TokenCount ToolCall ToolChoice "
        "ToolDefinition ToolResult Usage"
    ),
}
"""Where the names live."""

_HOMES = {name: home for home, names in _NAMES.items() for name in names.split()}

__getattr__, __dir__ = door(__name__, _HOMES)
