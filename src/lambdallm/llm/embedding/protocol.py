"""What an embedding client is to those who use it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import HealthCheckResult


@runtime_checkable
class EmbeddingClientProtocol(Protocol):
    """Turns texts into vectors; every embedding adapter does."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in their order. Raises `LLMError`."""
        ...

    def get_models(self) -> list[str]:
        """The models that can be asked for."""
        ...

    async def health_check(self, timeout: float = 5.0) -> HealthCheckResult:
        """Whether the provider answers within `timeout` seconds."""
        ...
