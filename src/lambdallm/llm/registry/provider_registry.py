"""`ProviderRegistry`: client classes by their provider's name, and the clients that are running.

The named clients are known from the start, and imported when one is asked for. A provider that only the catalog knows
has the general client.
"""

from __future__ import annotations

from ..catalog.definition import suggestion
from ..catalog.loader import catalog
from ..config import ClientConfig
from ..errors import ConfigurationError, UnknownProviderError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMED = {
    "openai": "OpenAIClient",
    "anthropic": "AnthropicClient",
    "gemini": "GeminiClient",
    "ollama": "OllamaClient",
    "groq": "GroqClient",
    "mistral": "MistralClient",
    "cohere": "CohereClient",
    "openrouter": "OpenRouterClient",
    "bedrock": "BedrockClient",
    "vertex": "VertexClient",
    "azure": "AzureClient",
    "cloudflare": "CloudflareClient",
    "deepseek": "DeepSeekClient",
    "together": "TogetherClient",
    "fireworks": "FireworksClient",
    "openai_compatible": "OpenAICompatibleClient",
}
"""The providers that have a client by name, and its class."""


class ProviderRegistry:
    """Client classes and running clients.

        registry = ProviderRegistry()
        registry.register("acme", AcmeClient)
        client = registry.create(ClientConfig(provider="acme"))

    With `blocking=True` it knows the clients that block, which have the same names.
    """

    def __init__(self, *, blocking: bool = False) -> None:
        self._blocking = blocking
        self._classes: dict[str, type[Any]] = {}
        self._clients: dict[str, Any] = {}

    def register(self, name: str, client: type[Any]) -> None:
        """Make a client class known under a name, in place of what was known under it."""
        if not name or not isinstance(client, type):
            fix = "Give a name, and a class such as one derived from AbstractLLMClient."
            raise ConfigurationError(f"{client!r} can't be registered as {name!r}.", fix=fix)
        self._classes[name] = client

    def get(self, name: str) -> type[Any]:
        """The client class of a provider. Raises `UnknownProviderError` naming the nearest ones."""
        if name in self._classes:
            return self._classes[name]
        if name in NAMED:
            return self._built_in(NAMED[name])
        if catalog().find(name) is not None:
            return self._built_in("ProviderClient")
        raise UnknownProviderError(f"No provider is called {name!r}.", fix=suggestion(name, self.names()))

    def _built_in(self, name: str) -> type[Any]:
        if self._blocking:
            from ..clients import sync as home
        elif name in ("ProviderClient", "OpenAICompatibleClient"):
            from ..clients import provider as home  # type: ignore[no-redef]
        else:
            from ..clients import named as home  # type: ignore[no-redef]
        found: type[Any] = getattr(home, name)
        return found

    def create(self, config: ClientConfig, **options: Any) -> Any:
        """A client of the configuration's provider."""
        return self.get(config.provider)(config, **options)

    def names(self) -> list[str]:
        """Every known name, sorted."""
        return sorted({*self._classes, *NAMED, *catalog().names()})

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._classes or name in NAMED or catalog().find(name) is not None)

    def add_client(self, name: str, client: Any) -> None:
        """Keep a running client under a name, such as a provider's or a role's (`"cheap"`)."""
        self._clients[name] = client

    def client(self, name: str) -> Any:
        """The running client of that name; one is made for a provider that has none yet."""
        if name not in self._clients:
            self._clients[name] = self.create(ClientConfig(provider=name))
        return self._clients[name]

    def clients(self) -> dict[str, Any]:
        """The running clients, by name."""
        return dict(self._clients)
