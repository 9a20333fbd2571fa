"""The providers that have an adapter by name, and their default models: all that tells one adapter from another."""

from __future__ import annotations


class OpenAI:
    """OpenAI's embeddings."""

    provider = "openai"
    default_model = "text-embedding-3-small"


class Cohere:
    """Cohere's embeddings. Without an `input_type`, texts are documents."""

    provider = "cohere"
    default_model = "embed-english-v3.0"


class Voyage:
    """Voyage's embeddings."""

    provider = "voyage"
    default_model = "voyage-3"


class Jina:
    """Jina's embeddings."""

    provider = "jina"
    default_model = "jina-embeddings-v3"


class Local:
    """Embeddings on this machine: sentence-transformers, or ONNX Runtime without PyTorch."""

    provider = "local"
    default_model = "all-MiniLM-L6-v2"


class Gemini:
    """Embeddings of Google's Gemini API."""

    provider = "gemini"
    default_model = "gemini-embedding-001"


class Vertex:
    """Embeddings of Google Vertex AI."""

    provider = "vertex"
    default_model = "gemini-embedding-001"


class Titan:
    """Amazon's Titan embeddings on Bedrock."""

    provider = "bedrock"
    default_model = "amazon.titan-embed-text-v2:0"


class BedrockCohere:
    """Cohere's embeddings on Bedrock."""

    provider = "bedrock"
    default_model = "cohere.embed-english-v3"


class Ollama:
    """Embeddings of an Ollama server."""

    provider = "ollama"
    default_model = "nomic-embed-text"


class Mistral:
    """Mistral's embeddings."""

    provider = "mistral"
    default_model = "mistral-embed"
