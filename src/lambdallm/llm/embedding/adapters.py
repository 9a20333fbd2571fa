"""The adapters that await: one for any provider in the catalog, and the named ones, which are it with a name."""

from __future__ import annotations

from ..drivers import shared_async_driver
from ..errors import LambdaLLMError, LLMError
from ..result import Err
from . import kinds
from .base import AbstractEmbeddingAdapter
from .flow import embed, probe
from .template import CatalogTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..drivers import AsyncDriver
    from ..result import Result
    from ..types import Embeddings, HealthCheckResult


class CatalogEmbeddingAdapter(CatalogTemplate, AbstractEmbeddingAdapter):
    """Embeddings of a provider in the catalog.

        adapter = CatalogEmbeddingAdapter(provider="voyage", input_type="document")
        vectors = await adapter.embed(["rain in Bergen", "sun in Nice"])

    Options are those of `CatalogTemplate`. With a `concurrency` above 1, that many batches are under way at a time.
    """

    def __init__(
        self, model: str | None = None, *, driver: AsyncDriver | None = None, concurrency: int = 1, **options: Any
    ) -> None:
        super().__init__(model, **options)
        self.concurrency = concurrency
        self._driver = driver or shared_async_driver()

    async def embed(self, texts: Sequence[str], **options: Any) -> list[list[float]]:
        """A vector for each text, in their order. Raises `LLMError`, and `ConfigurationError` before a call."""
        answer = (await self.embed_result(texts, **options)).unwrap()
        return [list(vector) for vector in answer.vectors]

    async def embed_result(self, texts: Sequence[str], **options: Any) -> Result[Embeddings, LLMError]:
        """The whole answer: vectors, usage, cost, warnings."""
        try:
            request = self._request(texts, options)
            if self.concurrency > 1:
                from .concurrent import embed_at_once

                return await embed_at_once(self, request)
            return await self._driver.run(embed(request, self.target, self.settings, self.batch_size))
        except LLMError as error:
            return Err(error)

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether one word gets a vector within `timeout` seconds."""
        try:
            return await self._driver.run(probe(self.target, self.settings, timeout))
        except LambdaLLMError as error:
            return self._unready(error)


class OpenAIEmbeddingAdapter(kinds.OpenAI, CatalogEmbeddingAdapter):
    """OpenAI's embeddings."""


class CohereEmbeddingAdapter(kinds.Cohere, CatalogEmbeddingAdapter):
    """Cohere's embeddings. Without an `input_type`, texts are documents."""


class VoyageEmbeddingAdapter(kinds.Voyage, CatalogEmbeddingAdapter):
    """Voyage's embeddings."""


class JinaEmbeddingAdapter(kinds.Jina, CatalogEmbeddingAdapter):
    """Jina's embeddings."""


class LocalEmbeddingAdapter(kinds.Local, CatalogEmbeddingAdapter):
    """Embeddings on this machine: sentence-transformers, or ONNX Runtime without PyTorch."""


class GeminiEmbeddingAdapter(kinds.Gemini, CatalogEmbeddingAdapter):
    """Embeddings of Google's Gemini API."""


class VertexEmbeddingAdapter(kinds.Vertex, CatalogEmbeddingAdapter):
    """Embeddings of Google Vertex AI."""


class TitanEmbeddingAdapter(kinds.Titan, CatalogEmbeddingAdapter):
    """Amazon's Titan embeddings on Bedrock."""


class BedrockCohereEmbeddingAdapter(kinds.BedrockCohere, CatalogEmbeddingAdapter):
    """Cohere's embeddings on Bedrock."""


class OllamaEmbeddingAdapter(kinds.Ollama, CatalogEmbeddingAdapter):
    """Embeddings of an Ollama server."""


class MistralEmbeddingAdapter(kinds.Mistral, CatalogEmbeddingAdapter):
    """Mistral's embeddings."""
