"""`EmbeddingProviderRegistry`: adapter classes by their provider's name.

The named adapters are known from the start, and imported when one is asked for. A provider that only the catalog knows
has the general adapter.
"""

from __future__ import annotations

from ..catalog.definition import suggestion
from ..catalog.loader import catalog
from ..errors import ConfigurationError, UnknownProviderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMED = {
    "openai": "OpenAIEmbeddingAdapter",
    "cohere": "CohereEmbeddingAdapter",
    "voyage": "VoyageEmbeddingAdapter",
    "jina": "JinaEmbeddingAdapter",
    "local": "LocalEmbeddingAdapter",
    "gemini": "GeminiEmbeddingAdapter",
    "vertex": "VertexEmbeddingAdapter",
    "titan": "TitanEmbeddingAdapter",
    "bedrock": "TitanEmbeddingAdapter",
    "bedrock-cohere": "BedrockCohereEmbeddingAdapter",
    "ollama": "OllamaEmbeddingAdapter",
    "mistral": "MistralEmbeddingAdapter",
}
"""The names of the adapters that come with the library."""


class EmbeddingProviderRegistry:
    """Adapter classes by name.

        registry = EmbeddingProviderRegistry()
        registry.register("acme", AcmeEmbeddingAdapter)
        adapter = registry.create("acme")

    With `blocking=True` it knows the adapters that block, which have the same names.
    """

    def __init__(self, *, blocking: bool = False) -> None:
        self._blocking = blocking
        self._classes: dict[str, type[Any]] = {}

    def register(self, name: str, adapter: type[Any]) -> None:
        """Make an adapter class known under a name, in place of what was known under it."""
        if not name or not isinstance(adapter, type):
            fix = "Give a name, and a class such as one derived from AbstractEmbeddingAdapter."
            raise ConfigurationError(f"{adapter!r} can't be registered as {name!r}.", fix=fix)
        self._classes[name] = adapter

    def get(self, name: str) -> type[Any]:
        """The adapter class of that name. Raises `UnknownProviderError` naming the nearest ones."""
        if name in self._classes:
            return self._classes[name]
        if name in NAMED:
            return self._built_in(NAMED[name])
        if self._described(name):
            return self._built_in("CatalogEmbeddingAdapter")
        raise UnknownProviderError(f"No embeddings are called {name!r}.", fix=suggestion(name, self.names()))

    def create(self, name: str, **options: Any) -> Any:
        """An adapter of that name; `options` are its own."""
        adapter = self.get(name)
        if name not in self._classes and name not in NAMED:
            options = {"provider": name, **options}
        return adapter(**options)

    def names(self) -> list[str]:
        """Every known name, sorted."""
        described = (provider.name for provider in catalog().all() if provider.embedding_wire)
        return sorted({*self._classes, *NAMED, *described})

    list = names

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._classes or name in NAMED or self._described(name))

    def _described(self, name: str) -> bool:
        provider = catalog().find(name)
        return provider is not None and provider.embedding_wire is not None

    def _built_in(self, name: str) -> type[Any]:
        if self._blocking:
            from . import sync as home
        else:
            from . import adapters as home  # type: ignore[no-redef]
        found: type[Any] = getattr(home, name)
        return found
