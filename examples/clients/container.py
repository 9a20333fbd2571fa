"""The client library in a container, in another one, and in none: `python examples/clients/container.py`."""

import asyncio

from lambdallm.llm import ClientConfig, LLMClientProtocol, LLMConfig, LLMModule, LLMRouter
from lambdallm.llm.di import LLMProvider

CONFIG = ClientConfig(provider="echo")


def without_a_container():
    """In a Lambda function: no event loop, and closed at the end."""
    with LLMModule.configure(CONFIG, enable_cache=True) as llm:
        llm.client.complete("Hello").unwrap()
        answer = llm.client.complete("Hello").unwrap()
    print(f"without a container: {answer.text!r}, cache {answer.cache!r}")


async def with_an_event_loop():
    """The same for those who await: several providers behind one client."""
    routing = LLMConfig.of({"providers": [{"provider": "echo", "name": "main"}, "echo"], "strategy": "sequential"})
    async with LLMModule.configure(routing=routing) as llm:
        answer = (await llm.client.complete("Hello")).unwrap()
        print(f"with an event loop: {answer.routing.chosen!r}, {llm.resolve(LLMRouter) is llm.client}")


class Registry(dict):
    """Somebody else's container: types, and what they are."""


class Adapter:
    """All that the library needs of it."""

    def __init__(self, registry):
        self.registry = registry

    def singleton(self, key, value):
        self.registry[key] = value


async def in_another_container():
    """A provider is registered, booted and shut down by whatever runs the application."""
    registry, provider = Registry(), LLMProvider(CONFIG)
    await provider.register(Adapter(registry))
    await provider.boot(Adapter(registry))
    client = registry[LLMClientProtocol]
    print(f"in another container: {(await client.complete('Hello')).unwrap().text!r}")
    await provider.shutdown()


def main():
    without_a_container()
    asyncio.run(with_an_event_loop())
    asyncio.run(in_another_container())


if __name__ == "__main__":
    main()
