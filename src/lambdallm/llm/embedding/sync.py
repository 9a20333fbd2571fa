"""The adapters that block, under the names of those that await: for Lambda handlers, without an event loop.

from lambdallm.llm.embedding.sync import OpenAIEmbeddingAdapter
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..drivers import shared_driver
from ..errors import LambdaLLMError, LLMError
from ..result import Err, Ok
from ..types import Embeddings, HealthCheckResult
from . import kinds
from .flow import embed, probe
from .template import CatalogTemplate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar

    from ..drivers import Driver
    from ..result import Result


class AbstractEmbeddingAdapter(ABC):
    """The blocking twin of `embedding.AbstractEmbeddingAdapter`: a subclass writes `embed`, as a plain method."""

    provider: ClassVar[str] = ""
    default_model: ClassVar[str] = ""

    def __init__(self, model: str | None = None) -> None:
        self.model = model or self.default_model

    @abstractmethod
    def embed(self, texts: Sequence[str], **options: Any) -> list[list[float]]:
        """A vector for each text, in their order. Raises `LLMError`."""

    def embed_result(self, texts: Sequence[str], **options: Any) -> Result[Embeddings, LLMError]:
        """The vectors with what is known of the call; what a provider or the network does wrong comes as `Err`."""
        try:
            vectors = self.embed(texts, **options)
        except LLMError as error:
            return Err(error)
        return Ok(Embeddings(tuple(map(tuple, vectors)), model=self.model, provider=self.provider))

    def get_models(self) -> list[str]:
        """The models that can be asked for."""
        return [self.model] if self.model else []

    def health_check(self, timeout: float = 5.0) -> HealthCheckResult:  # the twin's signature
        """Whether one word gets a vector; a plain method can't be broken off after `timeout` seconds."""
        from time import monotonic

        begun = monotonic()
        error: LambdaLLMError | None = None
        try:
            self.embed(["ping"])
        except LambdaLLMError as reason:
            error = reason
        return HealthCheckResult(error is None, self.provider, (monotonic() - begun) * 1000, error)


class CatalogEmbeddingAdapter(CatalogTemplate, AbstractEmbeddingAdapter):
    """Embeddings of a provider in the catalog. Options are those of `CatalogTemplate`."""

    def __init__(self, model: str | None = None, *, driver: Driver | None = None, **options: Any) -> None:
        super().__init__(model, **options)
        self._driver = driver or shared_driver()

    def embed(self, texts: Sequence[str], **options: Any) -> list[list[float]]:
        """A vector for each text, in their order. Raises `LLMError`, and `ConfigurationError` before a call."""
        answer = self.embed_result(texts, **options).unwrap()
        return [list(vector) for vector in answer.vectors]

    def embed_result(self, texts: Sequence[str], **options: Any) -> Result[Embeddings, LLMError]:
        """The whole answer: vectors, usage, cost, warnings."""
        try:
            request = self._request(texts, options)
            return self._driver.run(embed(request, self.target, self.settings, self.batch_size))
        except LLMError as error:
            return Err(error)

    def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether one word gets a vector within `timeout` seconds."""
        try:
            return self._driver.run(probe(self.target, self.settings, timeout))
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
