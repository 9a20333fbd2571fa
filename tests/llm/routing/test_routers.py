"""The router that awaits and the one that blocks are one client each: the same cases, under real drivers."""

import asyncio
import threading

import pytest

from lambdallm.llm.auth import keys
from lambdallm.llm.clients.base import AbstractLLMClient
from lambdallm.llm.clients.sync import AbstractLLMClient as BlockingLLMClient
from lambdallm.llm.config import ClientConfig, LLMConfig
from lambdallm.llm.errors import (
    ConfigurationError,
    LLMRateLimitError,
    ProviderConnectionError,
    ProviderServerError,
    ProviderTimeoutError,
    StreamError,
)
from lambdallm.llm.protocols import LLMClientProtocol
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.routing import Candidate, LLMRouter, ParallelRaceStrategy, router_of, strategy_named, sync
from lambdallm.llm.streaming.stream import AsyncStream, Stream
from lambdallm.llm.types import HealthCheckResult, StreamChunk, ToolDefinition

from .worlds import completion, outcomes

BROKE = ProviderServerError("Broke.")


class BlockingFake:
    """Somebody's own client, which blocks. A gated one answers when its `gate` is open; `after` is called first."""

    def __init__(self, answer="Hi.", gated=False, after=None):
        self.answer, self.calls, self.closed, self.left, self.after = answer, [], 0, 0, after
        self.gate, self.called = threading.Event(), threading.Event()
        if not gated:
            self.gate.set()

    def wait(self):
        self.called.set()
        if self.after is not None:
            self.after.called.wait(10)
        self.gate.wait(10)

    def complete(self, messages, **options):
        self.calls.append((messages, options))
        self.wait()
        return Err(self.answer) if isinstance(self.answer, Exception) else Ok(completion(self.answer))

    def chat(self, messages, tools=None, **options):
        return self.complete(messages, **options, tools=tools)

    def stream_chat(self, messages, **options):
        self.calls.append((messages, options))
        return Stream(self.chunks())

    def chunks(self):
        try:
            for item in self.answer:
                self.wait()
                if isinstance(item, Exception):
                    raise item
                yield StreamChunk(item)
        finally:
            self.left += 1

    def health_check(self, timeout=5.0):
        return HealthCheckResult(not isinstance(self.answer, Exception), "fake", 1.0)

    def close(self):
        self.closed += 1


class AwaitingFake:
    """Somebody's own client, which is awaited."""

    def __init__(self, answer="Hi.", gated=False, after=None):
        self.answer, self.calls, self.closed, self.left, self.gated = answer, [], 0, 0, gated
        self.after = after

    async def wait(self):
        while self.after is not None and not self.after.calls:
            await asyncio.sleep(0)
        if self.gated:
            await asyncio.Event().wait()

    async def complete(self, messages, **options):
        self.calls.append((messages, options))
        await self.wait()
        return Err(self.answer) if isinstance(self.answer, Exception) else Ok(completion(self.answer))

    async def chat(self, messages, tools=None, **options):
        return await self.complete(messages, **options, tools=tools)

    def stream_chat(self, messages, **options):
        self.calls.append((messages, options))
        return AsyncStream(self.chunks())

    async def chunks(self):
        try:
            for item in self.answer:
                await self.wait()
                if isinstance(item, Exception):
                    raise item
                yield StreamChunk(item)
        finally:
            self.left += 1

    async def health_check(self, timeout=5.0):
        return HealthCheckResult(not isinstance(self.answer, Exception), "fake", 1.0)

    async def close(self):
        self.closed += 1


class Blocking:
    """Plays a router that blocks."""

    Fake = BlockingFake

    def __init__(self, clients, strategy=None, **options):
        self.clients = clients
        self.router = sync.LLMRouter([Candidate(one, name) for name, one in clients.items()], strategy, **options)

    def ask(self, messages="Hi", **options):
        try:
            return self.router.complete(messages, **options)
        finally:
            self.open_gates()

    def chat(self, *args, **options):
        return self.router.chat(*args, **options)

    def stream(self, most=None, **options):
        """The texts, and the stream; `most` is how many chunks are read before it is left."""
        with self.router.stream_chat("Hi", **options) as stream:
            texts = [chunk.delta for _, chunk in zip(range(most or 99), stream, strict=False)]
        self.open_gates()
        return texts, stream

    def health(self, timeout=5.0):
        return self.router.health_check(timeout)

    def close(self):
        with self.router:
            pass

    def open_gates(self):
        for client in self.clients.values():
            if isinstance(client, BlockingFake):
                client.gate.set()


class Awaiting:
    """Plays a router that awaits, each call in an event loop of its own."""

    Fake = AwaitingFake

    def __init__(self, clients, strategy=None, **options):
        self.clients = clients
        self.router = LLMRouter([Candidate(one, name) for name, one in clients.items()], strategy, **options)

    def ask(self, messages="Hi", **options):
        return asyncio.run(self.router.complete(messages, **options))

    def chat(self, *args, **options):
        return asyncio.run(self.router.chat(*args, **options))

    def stream(self, most=None, **options):
        async def main():
            texts = []
            async with self.router.stream_chat("Hi", **options) as stream:
                async for chunk in stream:
                    texts.append(chunk.delta)
                    if len(texts) == most:
                        break
            return texts, stream

        return asyncio.run(main())

    def health(self, timeout=5.0):
        return asyncio.run(self.router.health_check(timeout))

    def close(self):
        async def main():
            async with self.router:
                pass

        asyncio.run(main())


both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


def routed(kind, answers, strategy=None, **options):
    clients = {name: kind.Fake(answer) for name, answer in answers.items()}
    return kind(clients, strategy, **options)


def with_a_late_one(kind, late, other, strategy=None, **options):
    """A router of one client that never answers, and of another that does when the first has been asked."""
    waiting = kind.Fake(late, gated=True)
    return kind({"late": waiting, "b": kind.Fake(other, after=waiting)}, strategy, **options)


@both
def test_a_router_is_a_client(kind):
    its = routed(kind, {"a": "Hi."})
    assert isinstance(its.router, LLMClientProtocol)
    answer = its.ask("Hello", temperature=0.5).unwrap()
    assert (answer.text, answer.routing.chosen, answer.routing.strategy) == ("Hi.", "a", "sequential")
    (messages, options) = its.clients["a"].calls[0]
    assert (messages[0].text, options) == ("Hello", {"temperature": 0.5})


@both
def test_a_router_may_stand_behind_a_router(kind):
    inner = routed(kind, {"x": BROKE, "y": "Y."})
    answer = kind({"inner": inner.router}).ask().unwrap()
    assert (answer.text, answer.routing.chosen, answer.attempts) == ("Y.", "inner", 2)


@both
def test_tools_are_handed_on(kind):
    its = routed(kind, {"a": "Hi."})
    its.chat("Hi", [ToolDefinition("f")])
    assert its.clients["a"].calls[0][1] == {"tools": (ToolDefinition("f"),)}


@both
def test_a_failure_is_followed_by_the_next(kind):
    its = routed(kind, {"a": BROKE, "b": "Hi."})
    assert outcomes(its.ask().unwrap().routing) == {"a": "failed", "b": "chosen"}


@both
def test_nobody_answering_is_an_error(kind):
    error = routed(kind, {"a": BROKE, "b": LLMRateLimitError("Slow.")}).ask().error
    assert isinstance(error, LLMRateLimitError)
    assert outcomes(error.routing) == {"a": "failed", "b": "failed"}


@both
def test_a_race_does_not_wait_for_its_loser(kind):
    its = with_a_late_one(kind, "Late.", "B.", "race")
    answer = its.ask().unwrap()
    assert (answer.text, outcomes(answer.routing)) == ("B.", {"late": "cancelled", "b": "chosen"})


@both
def test_a_hedge_overtakes_who_is_late(kind):
    its = with_a_late_one(kind, "Late.", "B.", hedge_seconds=0.001)
    assert its.ask().unwrap().routing.chosen == "b"


@both
def test_a_stream(kind):
    its = routed(kind, {"a": [BROKE], "b": ["Hel", "lo"]})
    texts, stream = its.stream()
    assert (texts, stream.completion.text) == (["Hel", "lo"], "Hello")
    assert outcomes(stream.completion.routing) == {"a": "failed", "b": "chosen"}


@both
def test_a_stream_that_breaks_off(kind):
    its = routed(kind, {"a": ["Hel", ProviderConnectionError("Reset.")], "b": ["Hi"]})
    with pytest.raises(StreamError) as caught:
        its.stream()
    assert (caught.value.partial.text, caught.value.routing.chosen) == ("Hel", "a")
    assert its.clients["b"].calls == []


@both
def test_a_stream_that_is_left_early_is_closed(kind):
    its = routed(kind, {"a": ["1", "2", "3"]})
    texts, stream = its.stream(most=1)
    assert (texts, stream.completion.text, its.clients["a"].left) == (["1"], "1", 1)
    assert outcomes(stream.completion.routing) == {"a": "chosen"}


@both
def test_streams_race(kind):
    its = with_a_late_one(kind, ["L"], ["B", "b"], ParallelRaceStrategy())
    texts, stream = its.stream()
    assert (texts, outcomes(stream.completion.routing)) == (["B", "b"], {"late": "cancelled", "b": "chosen"})


@both
def test_nothing_happens_before_a_stream_is_read(kind):
    its = routed(kind, {"a": ["1"]})
    stream = its.router.stream_chat("Hi")
    assert (its.clients["a"].calls, stream.completion.routing.chosen) == ([], None)


@both
def test_a_router_is_as_healthy_as_its_healthiest_client(kind):
    health = routed(kind, {"a": BROKE, "b": "Hi."}).health()
    assert (health.healthy, health.provider) == (True, "router")
    assert {name: result.healthy for name, result in health.details.items()} == {"a": False, "b": True}
    assert not routed(kind, {"a": BROKE}).health().healthy


@both
def test_a_health_check_that_hangs_is_not_waited_for(kind):
    its, hangs, released = routed(kind, {"a": "Hi."}), threading.Event(), threading.Event()

    def blocking(timeout):
        hangs.set()
        released.wait(10)

    async def awaiting(timeout):
        hangs.set()
        await asyncio.Event().wait()

    its.clients["a"].health_check = blocking if kind is Blocking else awaiting
    health = its.health(0.05)
    released.set()
    assert hangs.is_set()
    assert not health.healthy
    assert isinstance(health.error, ProviderTimeoutError)


@both
def test_closing_a_router_closes_its_clients(kind):
    its = routed(kind, {"a": "Hi.", "b": "Hi."})
    its.close()
    assert [client.closed for client in its.clients.values()] == [1, 1]


@both
def test_an_open_circuit_is_noticed(kind):
    its = routed(kind, {"a": "Hi."})
    clients = [broken(kind), its.clients["a"]]
    router = (sync.LLMRouter if kind is Blocking else LLMRouter)(clients)
    run = (lambda result: result) if kind is Blocking else asyncio.run
    assert run(router.complete("Hi")).unwrap().routing.attempts[0].outcome == "failed"
    assert run(router.complete("Hi")).unwrap().routing.attempts[0].outcome == "unused"


def broken(kind):
    class AwaitingBroken(AbstractLLMClient):
        provider, default_model = "acme", "acme-1"

        async def _do_complete(self, messages, **options):
            return Err(ProviderServerError("Broke."))

    class BlockingBroken(BlockingLLMClient):
        provider, default_model = "acme", "acme-1"

        def _do_complete(self, messages, **options):
            return Err(ProviderServerError("Broke."))

    cls = BlockingBroken if kind is Blocking else AwaitingBroken
    return cls(max_retries=0, failure_threshold=1, recovery_seconds=3600.0)


class TestConfiguration:
    def test_plain_values_are_enough(self):
        config = LLMConfig.of({
            "providers": ["openai/gpt-4o-mini", {"provider": "anthropic", "priority": -1, "weight": 2.0}],
            "strategy": "latency",
            "options": {"explore": 0.05},
            "fallback": {"LLMRateLimitError": "stop"},
            "timeout": 20.0,
        })  # fmt: skip
        router = router_of(config)
        assert type(router) is LLMRouter
        assert [one.provider for one in router.facts] == ["openai", "anthropic"]
        assert (router.candidates[1].priority, router.candidates[1].weight) == (-1, 2.0)
        assert router.strategy.name == "latency"

    def test_the_blocking_twin_has_its_own(self):
        router = sync.router_of(LLMConfig((ClientConfig("openai", "gpt-4o"),)), hedge_seconds=1.0)
        assert type(router) is sync.LLMRouter
        assert [one.name for one in router.candidates] == ["openai/gpt-4o"]

    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            ({"provider": ["openai"]}, "'providers'"),
            ({"providers": ["openai"], "strategy": "latancy"}, "'latency'"),
            ({"providers": ["openai"], "strategy": "latency", "options": {"expolre": 1}}, "'explore'"),
            ({"providers": ["openai"], "strategy": "sequential", "options": {"explore": 1}}, "'explore'"),
            ({"providers": ["openai"], "fallback": {"LLMRateLimitError": "nxt"}}, "'next'"),
            ({"providers": [{"provider": "openai", "wieght": 1}]}, "'weight'"),
            ({"providers": ["opnai"]}, "'openai'"),
        ],
    )
    def test_what_is_misspelt_is_refused_with_the_word_that_was_meant(self, given, meant):
        with pytest.raises(ConfigurationError, match=meant):
            router_of(LLMConfig.of(given))

    def test_without_providers_those_whose_keys_are_there(self, monkeypatch):
        monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        assert [one.provider for one in router_of(LLMConfig()).facts] == ["openai", "anthropic"]

    def test_without_providers_and_keys_it_says_what_to_set(self):
        with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
            router_of(LLMConfig())

    def test_a_key_in_the_projects_settings_is_one(self, monkeypatch):
        monkeypatch.setattr(keys, "_project", [{"anthropic": "secret:app/llm#anthropic"}])
        assert [one.provider for one in router_of(LLMConfig()).facts] == ["anthropic"]

    @pytest.mark.parametrize("name", ["sequential", "race", "cost", "latency", "weighted"])
    def test_every_strategy_has_a_name(self, name):
        assert strategy_named(name).name == name

    def test_keys_are_not_shown(self):
        config = LLMConfig.of({"providers": [{"provider": "openai", "api_key": "visible"}], "strategy": "cost"})
        assert repr(config) == "LLMConfig(providers=({'provider': 'openai'},), strategy='cost')"
