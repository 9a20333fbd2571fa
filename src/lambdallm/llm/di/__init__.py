"""Making clients from their configuration, in a container or without any.

    container = Container([LLMProvider(ClientConfig(provider="anthropic"))])
    async with container:
        client = container.resolve(LLMClientProtocol)

Any other container does: `ContainerProtocol` is one method.
"""

from __future__ import annotations

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


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(__import__(f"{__name__}.{_HOMES[name]}", fromlist=[name]), name)
    return value
