"""The providers that put the client library into a container: one client, or a router over several."""

from __future__ import annotations

import os

from ..catalog.loader import catalog
from ..config import ClientConfig
from ..options import check_options
from ..protocols import (
    BlockingLLMClientProtocol,
    LLMCacheProtocol,
    LLMClientProtocol,
    ProviderRegistryProtocol,
    TokenCounterProtocol,
)
from ..registry.provider_registry import ProviderRegistry
from .container import Provider, ProviderPriority
from .keys import check_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config import LLMConfig
    from ..protocols import ContainerProtocol


class LLMProvider(Provider):
    """Registers one client and what belongs to it.

    Under `LLMClientProtocol` the client, under `ProviderRegistry` (and its protocol) the registry, under
    `TokenCounterProtocol` and `TokenCounterRegistry` the counters, under `ParserRegistry` the parsers, under
    `ClientConfig` the configuration, and with `enable_cache` under `"llm_cache"` and `LLMCacheProtocol` the cache: one
    in memory, or the `cache` given. With `blocking=True` the client is the one that blocks, and known under
    `BlockingLLMClientProtocol` too. `options` go to the client (`listeners`, `rate_limiter`, …).
    """

    name = "llm"
    priority = ProviderPriority.DOMAIN

    def __init__(
        self,
        config: ClientConfig | None = None,
        *,
        enable_cache: bool = False,
        cache: LLMCacheProtocol | None = None,
        blocking: bool = False,
        **options: Any,
    ) -> None:
        self.config = config or ClientConfig()
        self.enable_cache = enable_cache or cache is not None
        self.blocking = blocking
        self._cache, self._options = cache, options
        self._llm_client: Any = None

    async def register(self, container: ContainerProtocol) -> None:
        """Create the registries and the client; nothing is opened, and no key is looked at yet."""
        registry = self._registry = ProviderRegistry(blocking=self.blocking)
        if self.enable_cache:
            self._options["cache"] = self._registered_cache(container)
        self._llm_client = self._client(registry)
        container.singleton(ProviderRegistry, registry)
        container.singleton(ProviderRegistryProtocol, registry)
        container.singleton(LLMClientProtocol, self._llm_client)
        if self.blocking:
            container.singleton(BlockingLLMClientProtocol, self._llm_client)
        self._register_configuration(container)
        _register_tools(container)

    async def boot(self, container: ContainerProtocol) -> None:
        """Check the form of the API key, and make the client known in the registry under its provider's name.

        Raises `MissingKeyError` and `ConfigurationError`: better now than at the first call.
        """
        self._check_keys()
        for name, client in self._clients().items():
            self._registry.add_client(name, client)

    async def shutdown(self) -> None:
        """Close the client's connections."""
        client, self._llm_client = self._llm_client, None
        if client is not None and (closing := client.close()) is not None:
            await closing

    def _client(self, registry: ProviderRegistry) -> Any:
        return registry.create(self.config, **self._options)

    def _clients(self) -> dict[str, Any]:
        return {self.config.provider: self._llm_client}

    def _register_configuration(self, container: ContainerProtocol) -> None:
        container.singleton(ClientConfig, self.config)

    def _check_keys(self) -> None:
        _check(self.config)

    def _registered_cache(self, container: ContainerProtocol) -> LLMCacheProtocol:
        if self._cache is None:
            from ..caching import LLMCache

            self._cache = LLMCache()
        container.singleton("llm_cache", self._cache)
        container.singleton(LLMCacheProtocol, self._cache)
        return self._cache


class LLMRoutingProvider(LLMProvider):
    """Registers a router over several clients as the one client, under `LLMClientProtocol` and `LLMRouter`.

    `options` go to the router (`listeners`, `token_counter`, …); what is each client's own is said in the routing.
    """

    name = "llm_routing"

    def __init__(self, routing: LLMConfig, *, blocking: bool = False, **options: Any) -> None:
        super().__init__(blocking=blocking, **options)
        self.routing = routing

    async def register(self, container: ContainerProtocol) -> None:
        """Create the registries, the clients and the router."""
        await super().register(container)
        container.singleton(type(self._llm_client), self._llm_client)

    def _client(self, registry: ProviderRegistry) -> Any:
        if self.blocking:
            from ..routing.sync import LLMRouter, router_of
        else:
            from ..routing import LLMRouter, router_of  # type: ignore[assignment]
        check_options(self._options, ("strategy", *(LLMRouter.__init__.__kwdefaults__ or ())))
        return router_of(self.routing, **self._options)

    def _clients(self) -> dict[str, Any]:
        return {candidate.name: candidate.client for candidate in self._llm_client.candidates}

    def _register_configuration(self, container: ContainerProtocol) -> None:
        container.singleton(type(self.routing), self.routing)

    def _check_keys(self) -> None:
        for client in self._clients().values():
            if isinstance(config := getattr(client, "config", None), ClientConfig):
                _check(config)


def _register_tools(container: ContainerProtocol) -> None:
    """What counts tokens and reads answers."""
    from ..parsers import ParserRegistry
    from ..pricing.tokens import TokenCounterRegistry

    counters = TokenCounterRegistry()
    container.singleton(TokenCounterRegistry, counters)
    container.singleton(TokenCounterProtocol, counters)
    container.singleton(ParserRegistry, ParserRegistry())


def _check(config: ClientConfig) -> None:
    """Look at the key of a configuration whose requests go where its provider's keys are from."""
    provider = catalog().find(config.provider)
    if provider is not None and config.base_url is None:
        check_key(provider, config.api_key, os.environ)
