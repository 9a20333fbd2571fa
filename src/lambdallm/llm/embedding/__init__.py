"""Texts to vectors: adapters by provider, their registry, batching, and a model on this machine.

    adapter = OpenAIEmbeddingAdapter(dimensions=256)
    vectors = await adapter.embed(["rain in Bergen", "sun in Nice"])

`lambdallm.llm.embedding.sync` has the same names without `await`, for Lambda handlers. To add a provider of your own,
subclass `AbstractEmbeddingAdapter` and register it in an `EmbeddingProviderRegistry`; one that speaks a known protocol
needs no class at all: describe it in the catalog, and create it by its name.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "AbstractEmbeddingAdapter": "base",
    "CatalogEmbeddingAdapter": "adapters",
    "OpenAIEmbeddingAdapter": "adapters",
    "CohereEmbeddingAdapter": "adapters",
    "VoyageEmbeddingAdapter": "adapters",
    "JinaEmbeddingAdapter": "adapters",
    "LocalEmbeddingAdapter": "adapters",
    "GeminiEmbeddingAdapter": "adapters",
    "VertexEmbeddingAdapter": "adapters",
    "TitanEmbeddingAdapter": "adapters",
    "BedrockCohereEmbeddingAdapter": "adapters",
    "OllamaEmbeddingAdapter": "adapters",
    "MistralEmbeddingAdapter": "adapters",
    "EmbeddingClientProtocol": "protocol",
    "EmbeddingProviderRegistry": "registry",
}

__all__ = [
    "AbstractEmbeddingAdapter",
    "BedrockCohereEmbeddingAdapter",
    "CatalogEmbeddingAdapter",
    "CohereEmbeddingAdapter",
    "EmbeddingClientProtocol",
    "EmbeddingProviderRegistry",
    "GeminiEmbeddingAdapter",
    "JinaEmbeddingAdapter",
    "LocalEmbeddingAdapter",
    "MistralEmbeddingAdapter",
    "OllamaEmbeddingAdapter",
    "OpenAIEmbeddingAdapter",
    "TitanEmbeddingAdapter",
    "VertexEmbeddingAdapter",
    "VoyageEmbeddingAdapter",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .adapters import (
        BedrockCohereEmbeddingAdapter,
        CatalogEmbeddingAdapter,
        CohereEmbeddingAdapter,
        GeminiEmbeddingAdapter,
        JinaEmbeddingAdapter,
        LocalEmbeddingAdapter,
        MistralEmbeddingAdapter,
        OllamaEmbeddingAdapter,
        OpenAIEmbeddingAdapter,
        TitanEmbeddingAdapter,
        VertexEmbeddingAdapter,
        VoyageEmbeddingAdapter,
    )
    from .base import AbstractEmbeddingAdapter
    from .protocol import EmbeddingClientProtocol
    from .registry import EmbeddingProviderRegistry

__getattr__, __dir__ = door(__name__, _HOMES)
