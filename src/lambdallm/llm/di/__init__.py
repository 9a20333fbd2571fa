"""Making clients from their configuration, in a container or without any.

    container = Container([LLMProvider(ClientConfig(provider="anthropic"))])
    async with container:
        client = container.resolve(LLMClientProtocol)

Any other container does: `ContainerProtocol` is one method.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "Container": "container",
    "Provider": "container",
    "ProviderPriority": "container",
    "LLMProvider": "provider",
    "LLMRoutingProvider": "provider",
    "create_llm_client": "factories",
}

__all__ = ["Container", "LLMProvider", "LLMRoutingProvider", "Provider", "ProviderPriority", "create_llm_client"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .container import Container, Provider, ProviderPriority
    from .factories import create_llm_client
    from .provider import LLMProvider, LLMRoutingProvider

__getattr__, __dir__ = door(__name__, _HOMES)
