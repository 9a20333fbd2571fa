"""A small container: what is registered under a type or a name is found under it, and started and stopped in order.

The library needs only `ContainerProtocol` of a container, which is one method. To use another library's container, give
it that method:

    class PunqContainer:
        def __init__(self, container: punq.Container) -> None:
            self._container = container

        def singleton(self, key, value):
            self._container.register(key, instance=value)
"""

from __future__ import annotations

from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from types import TracebackType
    from typing import Any, ClassVar, Self

    from ..protocols import ContainerProtocol

    Key = type[Any] | str


class ProviderPriority:
    """When a provider is registered: the lower number first, and stopped last."""

    INFRASTRUCTURE = 10
    DOMAIN = 50
    APPLICATION = 90


class Provider:
    """Something with a life: it registers what it has, is started, and is stopped."""

    name: ClassVar[str] = ""
    priority: ClassVar[int] = ProviderPriority.APPLICATION

    async def register(self, container: ContainerProtocol) -> None:
        """Put into the container what others may ask for. Nothing is opened yet."""

    async def boot(self, container: ContainerProtocol) -> None:
        """Check and start; everybody has registered by now."""

    async def shutdown(self) -> None:
        """Close what `register` made."""


class Container:
    """Finds singletons by type or by name, and runs providers.

        async with Container([LLMProvider(ClientConfig(provider="openai"))]) as container:
            client = container.resolve(LLMClientProtocol)

    With a plain `with` the providers must not need an event loop: `LLMProvider(…, blocking=True)`.
    """

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        self._providers = sorted(providers, key=lambda provider: provider.priority)
        self._begun: list[Provider] = []
        self._singletons: dict[Key, Any] = {}

    def singleton(self, key: Key, value: Any) -> None:
        """Make `value` known under a type, a protocol or a name."""
        self._singletons[key] = value

    def resolve(self, key: Key) -> Any:
        """What is known under the key. Raises `ConfigurationError` naming everything that is known."""
        if key in self._singletons:
            return self._singletons[key]
        known = ", ".join(sorted(map(_shown, self._singletons))) or "nothing yet"
        raise ConfigurationError(f"The container has no {_shown(key)}.", fix=f"Known: {known}.")

    def __contains__(self, key: object) -> bool:
        return key in self._singletons

    async def start(self) -> None:
        """Register every provider, then boot each; what has begun is stopped again where one fails."""
        try:
            for provider in self._providers:
                self._begun.append(provider)
                await provider.register(self)
            for provider in self._providers:
                await provider.boot(self)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Shut down in the reverse order, all of them; raises the first failure at the end."""
        failure: Exception | None = None
        while self._begun:
            try:
                await self._begun.pop().shutdown()
            except Exception as error:  # noqa: BLE001  # the others are to be closed all the same
                failure = failure or error
        self._singletons.clear()
        if failure is not None:
            raise failure

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        without_loop(self.start())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        without_loop(self.stop())


def without_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never waits. Raises `ConfigurationError` for one that does."""
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()
    fix = "Use 'async with', or LLMProvider(…, blocking=True)."
    raise ConfigurationError("A provider needs an event loop to start or stop.", fix=fix)


def _shown(key: object) -> str:
    return key.__name__ if isinstance(key, type) else repr(key)
