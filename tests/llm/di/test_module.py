"""The library configured in one line: in our container, in another one, or in none."""

import asyncio

import pytest

from lambdallm.llm import di
from lambdallm.llm.caching import LLMCache
from lambdallm.llm.clients import named, sync
from lambdallm.llm.config import ClientConfig, LLMConfig
from lambdallm.llm.di import Container, LLMProvider, LLMRoutingProvider, Provider
from lambdallm.llm.errors import ConfigurationError, MissingKeyError
from lambdallm.llm.module import LLMModule
from lambdallm.llm.parsers import ParserRegistry
from lambdallm.llm.pricing.tokens import TokenCounterRegistry
from lambdallm.llm.protocols import (
    BlockingLLMClientProtocol,
    LLMCacheProtocol,
    LLMClientProtocol,
    ProviderRegistryProtocol,
    TokenCounterProtocol,
)
from lambdallm.llm.registry import ProviderRegistry
from lambdallm.llm.routing import LLMRouter
from lambdallm.llm.routing.sync import LLMRouter as BlockingRouter

CONFIG = ClientConfig(provider="openai", model="gpt-4o", api_key="k")


def run(main):
    return asyncio.run(main())


class TestOneClient:
    def test_is_found_under_its_protocol(self):
        async def main():
            async with LLMModule.configure(CONFIG) as llm:
                assert isinstance(llm.client, named.OpenAIClient)
                assert llm.resolve(LLMClientProtocol) is llm.client
                assert llm.client.config == CONFIG

        run(main)

    def test_blocks_where_there_is_no_event_loop(self):
        with LLMModule.configure(CONFIG) as llm:
            assert isinstance(llm.client, sync.OpenAIClient)

    def test_answers(self):
        with LLMModule.configure(ClientConfig(provider="echo")) as llm:
            assert "Hello" in llm.client.complete("Hello").unwrap().text

    def test_answers_in_an_event_loop(self):
        async def main():
            async with LLMModule.configure(ClientConfig(provider="echo")) as llm:
                assert "Hello" in (await llm.client.complete("Hello")).unwrap().text

        run(main)

    def test_is_gone_when_the_module_has_stopped(self):
        module = LLMModule.configure(CONFIG)
        with module:
            pass
        with pytest.raises(ConfigurationError, match=r"not running.*async with"):
            _ = module.client

    def test_can_be_started_again(self):
        module = LLMModule.configure(CONFIG)
        with module as llm:
            first = llm.client
        with module as llm:
            assert llm.client is not first

    def test_is_of_the_kind_that_the_module_was_entered_for(self):
        """Of one module, whichever way it was entered before."""
        module = LLMModule.configure(CONFIG)
        with module as llm:
            assert llm.resolve(BlockingLLMClientProtocol) is llm.client

        async def main():
            async with module as llm:
                assert isinstance(llm.client, named.OpenAIClient)
                with pytest.raises(ConfigurationError, match="BlockingLLMClientProtocol"):
                    llm.resolve(BlockingLLMClientProtocol)

        run(main)

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"config": LLMConfig()}, r"'LLMConfig'.*routing="),
            ({"config": {"api_key": "k"}}, "'dict'"),
            ({"routing": {"providers": ["echo"]}}, r"'dict'.*LLMConfig\.of"),
        ],
    )
    def test_is_not_made_of_something_else(self, given, words):
        with pytest.raises(ConfigurationError, match=words):
            LLMModule.configure(**given)


def test_what_belongs_to_the_client_is_registered_too():
    with Container([LLMProvider(CONFIG, blocking=True, enable_cache=True)]) as container:
        client = container.resolve(LLMClientProtocol)
        registry = container.resolve(ProviderRegistry)
        assert container.resolve(ProviderRegistryProtocol) is registry
        assert registry.client("openai") is client
        assert container.resolve(ClientConfig) == CONFIG
        assert isinstance(container.resolve(TokenCounterProtocol), TokenCounterProtocol)
        assert isinstance(container.resolve(TokenCounterRegistry), TokenCounterRegistry)
        assert isinstance(container.resolve(ParserRegistry), ParserRegistry)
        assert isinstance(container.resolve("llm_cache"), LLMCache)
        assert container.resolve(LLMCacheProtocol) is container.resolve("llm_cache")


class TestTheCache:
    def test_is_off_unless_it_is_asked_for(self):
        with Container([LLMProvider(CONFIG, blocking=True)]) as container:
            assert "llm_cache" not in container

    @pytest.mark.parametrize("options", [{"enable_cache": True}, {"cache": LLMCache()}])
    def test_answers_the_second_time(self, options):
        with LLMModule.configure(ClientConfig(provider="echo"), **options) as llm:
            llm.client.complete("Hello")
            assert llm.client.complete("Hello").unwrap().cache == "hit"

    def test_stands_before_a_router(self):
        routing = LLMConfig(providers=("echo",))
        with LLMModule.configure(routing=routing, enable_cache=True) as llm:
            llm.client.complete("Hello")
            assert llm.client.complete("Hello").unwrap().cache == "hit"


class TestARouter:
    ROUTING = LLMConfig(
        providers=("echo", ClientConfig(provider="openai", model="gpt-4o", api_key="k")), strategy="cost"
    )

    def test_is_the_client(self):
        async def main():
            async with LLMModule.configure(routing=self.ROUTING) as llm:
                assert isinstance(llm.client, LLMRouter)
                assert llm.resolve(LLMRouter) is llm.client
                assert llm.resolve(LLMConfig) is self.ROUTING
                assert sorted(llm.resolve(ProviderRegistry).clients()) == ["echo/echo", "openai/gpt-4o"]

        run(main)

    def test_blocks_where_there_is_no_event_loop(self):
        with LLMModule.configure(routing=self.ROUTING) as llm:
            assert isinstance(llm.client, BlockingRouter)

    def test_takes_the_routers_own_options(self):
        """A listener hears of a routed call once, whoever was asked."""
        heard = []
        routing = LLMConfig(providers=("echo", "echo"))
        with LLMModule.configure(routing=routing, listeners=[heard.append], enable_cache=True) as llm:
            for _ in range(2):
                llm.client.complete("Hello").unwrap()
            with llm.client.stream_chat("Hello") as stream:
                list(stream)
        assert [type(notice).__name__ for notice in heard] == ["CallStarted", "CallCompleted"] * 3
        assert [notice.operation for notice in heard[::2]] == ["chat", "chat", "stream"]
        assert (heard[0].provider, heard[0].request.messages[0].text) == ("router", "Hello")
        first, second, streamed = (notice.completion for notice in heard[1::2])
        assert (first.provider, first.cache, second.cache) == ("echo", None, "hit")
        assert streamed.text == first.text

    def test_refuses_options_that_are_no_routers(self):
        with (
            pytest.raises(ConfigurationError, match=r"'hedge'.*'hedge_seconds'"),
            LLMModule.configure(routing=self.ROUTING, hedge=1),
        ):
            pass

    def test_and_a_client_are_not_both_configured(self):
        with pytest.raises(ConfigurationError, match="both"):
            LLMModule.configure(CONFIG, routing=self.ROUTING)

    def test_checks_the_keys_of_all(self):
        routing = LLMConfig(providers=("echo", "groq/llama-3.3-70b-versatile"))
        with pytest.raises(MissingKeyError, match="GROQ_API_KEY"), LLMModule.configure(routing=routing):
            pass


class TestAKey:
    """Checked when the library starts: better than at the first call."""

    def start(self, **config):
        with LLMModule.configure(ClientConfig(**config)):
            pass

    def test_that_is_missing(self):
        with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
            self.start(provider="openai")

    def test_from_the_environment(self, monkeypatch):
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        self.start(provider="openai")

    @pytest.mark.parametrize(
        ("key", "problem"),
        [
            ("", "is empty"),
            ("one two", "spaces or quotes"),
            ('"quoted"', "spaces or quotes"),
            ("Bearer abc", "added when it is sent"),
            ("kéy", "characters that no key has"),
        ],
    )
    def test_that_can_not_be_right(self, key, problem):
        with pytest.raises(ConfigurationError, match=problem) as failure:
            self.start(provider="openai", api_key=key)
        assert not key or key not in str(failure.value)

    def test_of_another_provider(self):
        with pytest.raises(ConfigurationError, match="form of a key of anthropic, not of OpenAI"):
            self.start(provider="openai", api_key="sk-" + "ant-" + "x" * 8)

    def test_goes_anywhere_with_a_server_of_one_s_own(self):
        self.start(provider="openai", api_key="any thing", base_url="http://127.0.0.1:1")

    def test_is_not_needed_where_nobody_asks_for_one(self):
        self.start(provider="echo")
        self.start(provider="bedrock")


class Witness(Provider):
    def __init__(self, log, name, priority, fails=""):
        self.log, self.name, self.priority, self.fails = log, name, priority, fails

    async def register(self, container):
        self.log.append(f"{self.name} registers")

    async def boot(self, container):
        self.log.append(f"{self.name} boots")
        if self.fails == "boot":
            raise RuntimeError("no")

    async def shutdown(self):
        self.log.append(f"{self.name} stops")
        if self.fails == "shutdown":
            raise RuntimeError("no")


class TestAContainer:
    def test_starts_by_priority_and_stops_in_reverse(self):
        log = []
        with Container([Witness(log, "app", 90), Witness(log, "base", 10)]):
            pass
        assert log == ["base registers", "app registers", "base boots", "app boots", "app stops", "base stops"]

    def test_stops_what_it_began_where_one_fails(self):
        log = []
        with pytest.raises(RuntimeError), Container([Witness(log, "a", 1, "boot"), Witness(log, "b", 2)]):
            pass
        assert log[-2:] == ["b stops", "a stops"]

    def test_stops_all_though_one_fails(self):
        log = []
        with pytest.raises(RuntimeError), Container([Witness(log, "a", 1), Witness(log, "b", 2, "shutdown")]):
            pass
        assert log[-1] == "a stops"

    def test_says_what_it_knows(self):
        with (
            Container([LLMProvider(CONFIG, blocking=True)]) as container,
            pytest.raises(ConfigurationError, match="ClientConfig, LLMClientProtocol"),
        ):
            container.resolve("llm")

    def test_needs_a_loop_for_what_awaits(self):
        class Slow(Provider):
            async def boot(self, container):
                await asyncio.sleep(0)

        with pytest.raises(ConfigurationError, match="event loop"), Container([Slow()]):
            pass

    def test_may_be_any_that_takes_singletons(self):
        class Theirs:
            def __init__(self):
                self.registered = {}

            def singleton(self, key, value):
                self.registered[key] = value

        async def main():
            container, provider = Theirs(), LLMRoutingProvider(LLMConfig(providers=("echo",)))
            await provider.register(container)
            await provider.boot(container)
            assert "Hi" in (await container.registered[LLMClientProtocol].complete("Hi")).unwrap().text
            await provider.shutdown()

        run(main)


def test_the_door():
    assert all(getattr(di, name) for name in di.__all__)
