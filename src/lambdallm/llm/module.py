"""`LLMModule`: the client library configured in one line, for a container or without any."""

from __future__ import annotations

from .di.container import Container
from .di.provider import LLMProvider, LLMRoutingProvider
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from .config import ClientConfig, LLMConfig


class LLMModule:
    """A configured client library.

        async with LLMModule.configure(ClientConfig(provider="openai", model="gpt-4o")) as llm:
            answer = await llm.client.complete("Say hello")

    `routing=LLMConfig(…)` makes `client` a router over several providers. With a plain `with` the client is the one
    that blocks. In another container, register `providers`: each has `register`, `boot` and `shutdown`.
    """

    def __init__(self, provider: LLMProvider) -> None:
        self.provider = provider
        self.container = Container([provider])

    @classmethod
    def configure(
        cls, config: ClientConfig | None = None, *, routing: LLMConfig | None = None, **options: Any
    ) -> LLMModule:
        """A module for one client, or for several with `routing`. `options` are those of `LLMProvider`."""
        if config is not None and routing is not None:
            fix = "Name the client's model among the routing's candidates."
            raise ConfigurationError("LLMModule.configure got both a client and a routing.", fix=fix)
        return cls(LLMProvider(config, **options) if routing is None else LLMRoutingProvider(routing, **options))

    @property
    def providers(self) -> list[LLMProvider]:
        """What a container registers, boots and shuts down."""
        return [self.provider]

    @property
    def client(self) -> Any:
        """The client, while the module runs."""
        from .protocols import LLMClientProtocol

        return self.container.resolve(LLMClientProtocol)

    def resolve(self, key: Any) -> Any:
        """What the container has under a type or a name."""
        return self.container.resolve(key)

    async def __aenter__(self) -> LLMModule:
        await self.container.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.container.stop()

    def __enter__(self) -> LLMModule:
        self.provider.blocking = True
        self.container.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.container.__exit__(kind, error, at)
