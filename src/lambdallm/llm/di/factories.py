"""From a configuration to a client."""

from __future__ import annotations

from ..catalog.definition import suggestion
from ..catalog.resolve import resolve
from ..config import ClientConfig
from ..errors import LLMModelNotFoundError
from ..registry import ProviderRegistry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Literal, overload

    from ..clients.base import AbstractLLMClient
    from ..clients.sync import AbstractLLMClient as BlockingLLMClient

if TYPE_CHECKING:

    @overload
    def create_llm_client(
        config: ClientConfig | str | None = None,
        *,
        registry: ProviderRegistry | None = None,
        blocking: Literal[False] = False,
        **options: Any,
    ) -> AbstractLLMClient: ...

    @overload
    def create_llm_client(
        config: ClientConfig | str | None = None,
        *,
        registry: ProviderRegistry | None = None,
        blocking: Literal[True],
        **options: Any,
    ) -> BlockingLLMClient: ...

    @overload
    def create_llm_client(
        config: ClientConfig | str | None = None,
        *,
        registry: ProviderRegistry | None = None,
        blocking: bool,
        **options: Any,
    ) -> AbstractLLMClient | BlockingLLMClient: ...


def create_llm_client(
    config: ClientConfig | str | None = None,
    *,
    registry: ProviderRegistry | None = None,
    blocking: bool = False,
    **options: Any,
) -> Any:
    """A client: of a configuration, of a provider's or a model's name, or of options alone.

        create_llm_client(ClientConfig(provider="openai", model="gpt-4o"))
        create_llm_client("openai", model="gpt-4o", cache=LLMCache())
        create_llm_client("anthropic/claude-haiku-4-5", blocking=True)

    `options` are fields of `ClientConfig`, over those of `config`, and whatever else a client is made with: `cache`,
    `rate_limiter`, `circuit_breaker`, `token_counter`, `listeners`. Raises `UnknownProviderError` naming the nearest
    provider for a name that neither the registry nor the catalog knows, `LLMModelNotFoundError` for one that is no
    model's either.
    """
    registry = registry or ProviderRegistry(blocking=blocking)
    if isinstance(config, str):
        options = {**_named(config, registry), **options}
        config = None
    own = {name: value for name, value in options.items() if name in ClientConfig._fields}
    beside = {name: value for name, value in options.items() if name not in own}
    return registry.create((config or ClientConfig()).replace(**own), **beside)


def _named(name: str, registry: ProviderRegistry) -> dict[str, str]:
    """The provider and the model that a name means: `openai`, `openai/gpt-4o`, or as `catalog.resolve` reads it."""
    provider, slash, model = name.partition("/")
    if provider in registry:
        return {"provider": provider, "model": model} if model else {"provider": provider}
    try:
        target = resolve(name)
    except LLMModelNotFoundError:
        if slash or suggestion(name, registry.names()).startswith("Did"):
            return {"provider": provider}  # for the registry to say what is wrong with it
        raise
    return {"provider": target.provider.name, "model": target.model.id}
