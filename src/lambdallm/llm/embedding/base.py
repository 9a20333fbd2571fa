"""`AbstractEmbeddingAdapter`: the extension point for embeddings that no definition in the catalog can describe."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..errors import LambdaLLMError, LLMError, ProviderTimeoutError
from ..result import Err, Ok
from ..types import Embeddings, HealthCheckResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, ClassVar

    from ..result import Result


class AbstractEmbeddingAdapter(ABC):
    """Turns texts into vectors. A subclass writes `embed`; the rest follows from it.

    class AcmeEmbeddingAdapter(AbstractEmbeddingAdapter):
        provider, default_model = "acme", "acme-embed-1"

        async def embed(self, texts, **options):
            return [await acme.vector(text) for text in texts]
    """

    provider: ClassVar[str] = ""
    default_model: ClassVar[str] = ""

    def __init__(self, model: str | None = None) -> None:
        self.model = model or self.default_model

    @abstractmethod
    async def embed(self, texts: Sequence[str], **options: Any) -> list[list[float]]:
        """A vector for each text, in their order. Raises `LLMError`."""

    async def embed_result(self, texts: Sequence[str], **options: Any) -> Result[Embeddings, LLMError]:
        """The vectors with what is known of the call; what a provider or the network does wrong comes as `Err`."""
        try:
            vectors = await self.embed(texts, **options)
        except LLMError as error:
            return Err(error)
        return Ok(Embeddings(tuple(map(tuple, vectors)), model=self.model, provider=self.provider))

    def get_models(self) -> list[str]:
        """The models that can be asked for."""
        return [self.model] if self.model else []

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether one word gets a vector within `timeout` seconds."""
        import asyncio
        from time import monotonic

        begun = monotonic()
        error: LambdaLLMError | None = None
        try:
            async with asyncio.timeout(timeout):
                await self.embed(["ping"])
        except LambdaLLMError as reason:
            error = reason
        except TimeoutError:
            error = ProviderTimeoutError(f"No vector came within {timeout} s.")
        return HealthCheckResult(error is None, self.provider, (monotonic() - begun) * 1000, error)
