"""The named clients: each is the client of a provider with its name filled in. What differs is in the catalog."""

from __future__ import annotations

from .provider import OpenAICompatibleClient, ProviderClient


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
