"""From a configuration to a client."""

from __future__ import annotations

from ..config import ClientConfig
from ..registry import ProviderRegistry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def create_llm_client(
    config: ClientConfig | str | None = None,
    *,
    registry: ProviderRegistry | None = None,
    blocking: bool = False,
    **options: Any,
) -> Any:
    """A client: of a configuration, of a provider's name, or of options alone.

        create_llm_client(ClientConfig(provider="openai", model="gpt-4o"))
        create_llm_client("openai", model="gpt-4o")
        create_llm_client("anthropic/claude-haiku-4-5", blocking=True)

    `options` are fields of `ClientConfig`, over those of `config`. Raises `UnknownProviderError` naming the nearest
    provider for a name that neither the registry nor the catalog knows.
    """
    if isinstance(config, str):
        provider, _, model = config.partition("/")
        options = {"provider": provider, **({"model": model} if model else {}), **options}
        config = None
    from ..options import check_options

    check_options(options, ClientConfig._fields)
    config = (config or ClientConfig()).replace(**options)
    return (registry or ProviderRegistry(blocking=blocking)).create(config)
