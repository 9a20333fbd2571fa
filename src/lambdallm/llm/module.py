"""`LLMModule`: the client library configured in one line, for a container or without any."""

from __future__ import annotations

from .config import ClientConfig, LLMConfig
from .di.container import Container
from .di.provider import LLMProvider, LLMRoutingProvider
from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from .protocols import BlockingLLMClientProtocol, LLMClientProtocol


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
        self._blocking = provider.blocking

    @classmethod
    def configure(
        cls, config: ClientConfig | None = None, *, routing: LLMConfig | None = None, **options: Any
    ) -> LLMModule:
        """A module for one client, or for several with `routing`. `options` are those of `LLMProvider`."""
        if config is not None and routing is not None:
            fix = "Name the client's model among the routing's candidates."
            raise ConfigurationError("LLMModule.configure got both a client and a routing.", fix=fix)
        _check("config", config, ClientConfig, "Give a ClientConfig; an LLMConfig is given as routing=….")
        _check("routing", routing, LLMConfig, "Give an LLMConfig; LLMConfig.of(…) makes one of plain values.")
        return cls(LLMProvider(config, **options) if routing is None else LLMRoutingProvider(routing, **options))

    @property
    def providers(self) -> list[LLMProvider]:
        """What a container registers, boots and shuts down."""
        return [self.provider]

    @property
    def client(self) -> Any:
        """The client, while the module runs. Raises `ConfigurationError` while it does not."""
        from .protocols import LLMClientProtocol

        if LLMClientProtocol not in self.container:
            raise ConfigurationError("The module is not running.", fix="Enter it first: 'async with' or 'with'.")
        return self.container.resolve(LLMClientProtocol)

    def resolve(self, key: Any) -> Any:
        """What the container has under a type or a name."""
        return self.container.resolve(key)

    async def __aenter__(self) -> AwaitingModule:
        await self.container.start()
        return self  # type: ignore[return-value]  # what its client is, only the way it was entered says

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.container.stop()

    def __enter__(self) -> BlockingModule:
        self.provider.blocking = True
        try:
            self.container.__enter__()
        except BaseException:
            self.provider.blocking = self._blocking
            raise
        return self  # type: ignore[return-value]  # as above

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.provider.blocking = self._blocking
        self.container.__exit__(kind, error, at)


if TYPE_CHECKING:

    class AwaitingModule(LLMModule):
        """A module entered with `async with`."""

        @property
        def client(self) -> LLMClientProtocol:
            """The client that awaits."""
            ...

    class BlockingModule(LLMModule):
        """A module entered with `with`."""

        @property
        def client(self) -> BlockingLLMClientProtocol:
            """The client that blocks."""
            ...


def _check(name: str, given: object, kind: type[object], fix: str) -> None:
    """Raises `ConfigurationError` for what is not of the kind; the value may hold a key, so its type is told alone."""
    if given is not None and not isinstance(given, kind):
        raise ConfigurationError(f"{name} is a {type(given).__name__!r}.", fix=fix)
