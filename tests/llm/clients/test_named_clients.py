"""The documented clients, those that await and those that block, against a provider on loopback: the same cases."""

import asyncio
import inspect

import pytest

from lambdallm.llm.caching import LLMCache
from lambdallm.llm.clients import base, named, sync
from lambdallm.llm.clients.provider import OpenAICompatibleClient, ProviderClient
from lambdallm.llm.config import ClientConfig
from lambdallm.llm.di import create_llm_client
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import (
    CircuitOpenError,
    ConfigurationError,
    LLMAuthenticationError,
    LLMModelNotFoundError,
    LLMRateLimitError,
    MissingKeyError,
    ProviderServerError,
    StreamError,
    TokenLimitError,
    UnknownProviderError,
)
from lambdallm.llm.flow import Sleep
from lambdallm.llm.protocols import LLMClientProtocol, ProviderRegistryProtocol
from lambdallm.llm.registry import ProviderRegistry
from lambdallm.llm.registry.provider_registry import NAMED
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import ChatMessage, Choice, Completion, StreamChunk, Thinking, ToolDefinition

FIFTEEN = (
    "OpenAI", "Anthropic", "Gemini", "Ollama", "Groq", "Mistral", "Cohere", "OpenRouter", "Bedrock", "Vertex", "Azure",
    "Cloudflare", "DeepSeek", "Together", "Fireworks",
)  # fmt: skip
ANSWER = {
    "id": "c1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
STREAM = [
    b'data: {"choices":[{"index":0,"delta":{"content":"H"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"i."},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
OVERLOADED = (503, {}, {"error": {"message": "Overloaded.", "type": "server_error"}})
REFUSED = (400, {}, {"error": {"message": "No.", "type": "invalid_request_error"}})


made = []


@pytest.fixture(autouse=True)
def _closed():
    yield
    while made:
        made.pop().close()


class Blocking:
    """Plays a client that blocks."""

    def __init__(self, name="OpenAIClient", cls=None, **options):
        self.slept = []
        driver = Driver()
        driver._perform[Sleep] = lambda effect: self.slept.append(effect.seconds)
        self.client = (cls or getattr(sync, name))(driver=driver, **options)
        made.append(self.client)

    def complete(self, *args, **kwargs):
        return self.client.complete(*args, **kwargs)

    def chat(self, *args, **kwargs):
        return self.client.chat(*args, **kwargs)

    def stream(self, *args, **kwargs):
        """The chunks, and the stream itself for what it knows after them."""
        with self.client.stream_chat(*args, **kwargs) as stream:
            return list(stream), stream

    def health(self, timeout=5.0):
        return self.client.health_check(timeout)


class Awaiting:
    """Plays a client that awaits, each call in an event loop of its own."""

    def __init__(self, name="OpenAIClient", cls=None, **options):
        self.slept = []
        driver = AsyncDriver()

        async def sleep(effect):
            self.slept.append(effect.seconds)

        driver._perform[Sleep] = sleep
        self.client = (cls or getattr(named, name))(driver=driver, **options)

    def run(self, call):
        async def main():
            async with self.client:
                return await call()

        return asyncio.run(main())

    def complete(self, *args, **kwargs):
        return self.run(lambda: self.client.complete(*args, **kwargs))

    def chat(self, *args, **kwargs):
        return self.run(lambda: self.client.chat(*args, **kwargs))

    def stream(self, *args, **kwargs):
        async def read():
            async with self.client.stream_chat(*args, **kwargs) as stream:
                return [chunk async for chunk in stream], stream

        return self.run(read)

    def health(self, timeout=5.0):
        return self.run(lambda: self.client.health_check(timeout))


both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


def client(kind, provider, **options):
    return kind(api_key="k", base_url=provider.url, model="gpt-4o", **options)


@pytest.mark.parametrize("module", [named, sync])
@pytest.mark.parametrize("name", FIFTEEN)
def test_fifteen_providers_have_a_client_by_name(module, name):
    made = getattr(module, f"{name}Client")()
    assert made.config.provider == name.lower()
    assert made.get_models() or name in ("Azure", "Ollama")
    if module is named:
        assert isinstance(made, LLMClientProtocol)
        assert isinstance(made, base.AbstractLLMClient)


@pytest.mark.parametrize("name", ["DeepSeek", "Together", "Fireworks"])
def test_those_that_speak_openai_extend_its_client(name):
    assert issubclass(getattr(named, f"{name}Client"), OpenAICompatibleClient)
    assert issubclass(getattr(sync, f"{name}Client"), sync.OpenAICompatibleClient)


def test_the_twins_have_the_same_methods():
    for name in (*(f"{name}Client" for name in FIFTEEN), "ProviderClient", "AbstractLLMClient"):
        one = getattr(sync, name)
        other = getattr(named, name, None) or {"ProviderClient": ProviderClient}.get(name, base.AbstractLLMClient)
        for method in ("complete", "stream_chat", "chat", "health_check", "close", "_do_complete", "_do_stream_chat"):
            assert (
                inspect.signature(getattr(one, method)).parameters.keys()
                == inspect.signature(getattr(other, method)).parameters.keys()
            )


@both
def test_a_whole_answer(kind, provider):
    provider.replies = [ANSWER]
    answer = client(kind, provider, options={"temperature": 0.5}).complete("Say hi", max_tokens=5).unwrap()
    assert (answer.text, answer.provider, answer.attempts) == ("Hi.", "openai", 1)
    assert answer.cost_usd == pytest.approx(9 * 2.5e-6 + 2 * 10e-6)
    assert answer.latency_ms > 0
    ((path, headers, body),) = provider.received
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", "Bearer k")
    assert (body["messages"], body["temperature"]) == ([{"role": "user", "content": "Say hi"}], 0.5)


@both
def test_messages_and_tools_may_be_those_of_openai(kind, provider):
    provider.replies = [ANSWER, ANSWER]
    asked = [{"role": "user", "content": [{"type": "text", "text": "Weather?"}]}]
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "weather", "parameters": schema}}
    its = client(kind, provider)
    its.chat(asked, [tool], tool_choice="required").unwrap()
    its.chat("Weather?", [ToolDefinition("weather", parameters=schema)], tool_choice="required").unwrap()
    assert provider.received[0][2] == provider.received[1][2] | {"messages": provider.received[0][2]["messages"]}
    assert provider.received[0][2]["tools"] == [tool]


@both
def test_a_streamed_answer(kind, provider):
    provider.replies = [STREAM]
    chunks, stream = client(kind, provider).stream("Say hi")
    assert "".join(chunk.delta for chunk in chunks) == "Hi."
    assert (stream.completion.text, stream.completion.finish_reason) == ("Hi.", "stop")
    assert stream.completion.time_to_first_token_ms > 0


def test_a_stream_sends_nothing_before_it_is_read(provider):
    with sync.OpenAIClient(api_key="k", base_url=provider.url, model="gpt-4o") as its:
        its.stream_chat("Say hi").close()
        its.stream_chat("Say hi")
    assert provider.received == []


@both
def test_what_passes_is_tried_again_with_the_documented_backoff(kind, provider):
    provider.replies = [OVERLOADED, OVERLOADED, ANSWER]
    its = client(kind, provider)
    assert its.complete("Say hi").unwrap().attempts == 3
    assert its.slept == [1.0, 2.1]


@both
def test_what_does_not_pass_is_returned_at_once(kind, provider):
    provider.replies = [(401, {}, {"error": {"message": "Bad key.", "code": "invalid_api_key"}})]
    error = client(kind, provider).complete("Say hi").error
    assert isinstance(error, LLMAuthenticationError)
    assert (error.provider, error.model, error.attempts) == ("openai", "gpt-4o", 1)


@both
def test_an_error_of_a_stream_surfaces_with_its_first_piece(kind, provider):
    provider.replies = [(429, {"Retry-After": "7"}, {"error": {"message": "Slow down."}})]
    its = client(kind, provider, max_retries=0)
    with pytest.raises(LLMRateLimitError) as failure:
        its.stream("Say hi")
    assert failure.value.retry_after == 7
    assert its.client.circuit_breaker.failures == 1


@both
def test_a_stream_is_begun_again_only_while_nothing_has_come(kind, provider):
    provider.replies = [OVERLOADED, STREAM, [STREAM[0], None], STREAM]
    its = client(kind, provider)
    assert its.stream("Say hi")[1].completion.attempts == 2
    with pytest.raises(StreamError) as failure:
        its.stream("Say hi")
    assert failure.value.partial.text == "H"
    assert len(provider.replies) == 1


@both
def test_a_stream_that_stalls_is_given_up(kind, provider):
    provider.gated, provider.replies = True, [STREAM]
    provider.gate.release()
    with pytest.raises(StreamError, match="broke off") as failure:
        client(kind, provider, chunk_timeout=0.2).stream("Say hi")
    assert failure.value.partial.text == "H"
    provider.gate.release(5)


@both
def test_a_breaker_opens_after_failures_in_a_row_and_then_nothing_is_sent(kind, provider):
    provider.replies = [OVERLOADED, REFUSED, OVERLOADED, OVERLOADED]
    its = client(kind, provider, failure_threshold=2, recovery_seconds=0.05, max_retries=0)
    its.complete("Say hi")
    its.complete("Say hi")
    assert its.client.circuit_breaker.state == "closed", "a refusal proves that the provider is there"
    its.complete("Say hi")
    its.complete("Say hi")
    error = its.complete("Say hi").error
    assert isinstance(error, CircuitOpenError)
    assert 0 < error.retry_after <= 0.05
    assert len(provider.received) == 4
    with pytest.raises(CircuitOpenError):
        its.stream("Say hi")


@both
def test_a_breaker_that_opens_ends_the_retries(kind, provider):
    provider.replies = [OVERLOADED, OVERLOADED]
    its = client(kind, provider, failure_threshold=2)
    assert isinstance(its.complete("Say hi").error, ProviderServerError)
    assert its.slept == [1.0]


@both
def test_messages_that_can_not_fit_are_not_sent(kind, provider):
    its = client(kind, provider)
    error = its.complete("word " * 130_000).error
    assert isinstance(error, TokenLimitError)
    with pytest.raises(TokenLimitError):
        its.stream("word " * 130_000)
    assert provider.received == []


@both
def test_a_token_counter_decides_exactly(kind, provider):
    class Counter:
        def count(self, text, model=None):
            return len(text)

        def count_messages(self, messages, model=None):
            return 128_001

    error = client(kind, provider, token_counter=Counter()).complete("Hi").error
    assert isinstance(error, TokenLimitError)


@both
def test_a_bad_option_is_an_error_that_names_it(kind, provider):
    with pytest.raises(ConfigurationError, match="temprature"):
        client(kind, provider).complete("Hi", temprature=1)
    with pytest.raises(ConfigurationError, match="modle"):
        kind(modle="x")
    with pytest.raises(ConfigurationError, match="'a lot'"):
        client(kind, provider).complete("Hi", thinking="a lot")


@both
def test_no_key_is_said_before_anything_is_sent(kind):
    with pytest.raises(MissingKeyError, match="OPENAI_API_KEY"):
        kind().complete("Hi")
    assert isinstance(kind().health().error, MissingKeyError)


@both
def test_thinking_between_tags_is_told_apart_where_a_server_writes_it(kind, provider, monkeypatch):
    text = [b'data: {"choices":[{"index":0,"delta":{"content":"<think>hm</think>Hi."},"finish_reason":"stop"}]}\n\n']
    message = {"role": "assistant", "content": "<think>hm</think>Hi."}
    provider.replies = [ANSWER | {"choices": [{"message": message, "finish_reason": "stop"}]}, [*text, STREAM[-1]]]
    its = kind("OpenAICompatibleClient", cls=_compatible(kind), base_url=provider.url, model="r1")
    answer = its.complete("Hi").unwrap()
    assert (answer.thinking, answer.text) == ("hm", "Hi.")
    _, stream = its.stream("Hi")
    assert (stream.completion.thinking, stream.completion.text) == ("hm", "Hi.")


def _compatible(kind):
    return sync.OpenAICompatibleClient if kind is Blocking else OpenAICompatibleClient


@both
def test_a_compatible_server_of_ones_own_is_a_class_of_three_lines(kind, provider, monkeypatch):
    class AcmeClient(_compatible(kind)):
        provider, default_model = "acme", "acme-large"
        base_url, api_key_env = "set below", "ACME_API_KEY"

        def _apply_thinking(self, payload, thinking):
            return {**payload, "extra": {"think_hard": thinking.enabled}}

    AcmeClient.base_url = provider.url
    monkeypatch.setenv("ACME_API_KEY", "secret")
    provider.replies = [ANSWER]
    answer = kind(cls=AcmeClient).complete("Hi", thinking=True).unwrap()
    assert (answer.provider, answer.cost_usd) == ("acme", None)
    _, headers, body = provider.received[0]
    assert (headers["Authorization"], body["model"], body["think_hard"]) == ("Bearer secret", "acme-large", True)


@both
def test_health_is_asked_where_the_definition_says(kind, provider):
    provider.replies = [{"data": []}, (401, {}, {"error": {"message": "Bad key."}})]
    its = client(kind, provider)
    assert its.health().healthy
    result = its.health()
    assert (result.healthy, result.provider) == (False, "openai")
    assert isinstance(result.error, LLMAuthenticationError)
    assert [(path, headers["Authorization"]) for path, headers, _ in provider.received] == [
        ("/v1/models", "Bearer k")
    ] * 2


@both
def test_health_is_a_word_where_a_server_has_no_such_place(kind, provider):
    provider.replies = [ANSWER]
    assert kind(cls=_compatible(kind), base_url=provider.url, model="m").health().healthy
    assert provider.received[0][2]["max_tokens"] == 16


def test_one_hook_makes_a_blocking_client():
    class Acme(sync.AbstractLLMClient):
        provider, default_model = "acme", "large"

        def _do_complete(self, messages, **options):
            text = f"<think>hm</think>{messages[-1].text}{options}"
            return Ok(Completion((Choice(ChatMessage("assistant", text), "stop", "stop"),)))

    its = Acme()
    answer = its.complete("Hi", mood="good").unwrap()
    assert (answer.thinking, answer.text, answer.model) == ("hm", "Hi{'mood': 'good'}", "large")
    with its.stream_chat("Hi") as stream:
        assert [chunk.finish_reason for chunk in stream][-2:] == ["stop", None]
        assert stream.completion.text.endswith("Hi{}")
    assert its.health_check().healthy


def test_hooks_make_an_awaiting_client_whose_failures_are_told():
    class Acme(base.AbstractLLMClient):
        provider, default_model = "acme", "large"

        async def _do_complete(self, messages, **options):
            raise ConnectionResetError("gone")

        async def _do_stream_chat(self, messages, **options):
            yield StreamChunk("H")
            await asyncio.sleep(10)

    async def main():
        async with Acme(max_retries=0, chunk_timeout=0.05) as its:
            error = (await its.complete("Hi")).error
            assert error.retryable
            assert "gone" in error.message
            with pytest.raises(StreamError) as failure:
                [chunk async for chunk in its.stream_chat("Hi")]
            assert failure.value.partial.text == "H"
            assert not (await its.health_check()).healthy

    asyncio.run(main())


def test_a_bug_in_a_hook_is_raised_on():
    class Acme(sync.AbstractLLMClient):
        provider, default_model = "acme", "large"

        def _do_complete(self, messages, **options):
            return {}["nothing"]

    with pytest.raises(KeyError):
        Acme().complete("Hi")


def test_thinking_is_asked_for_in_words_or_numbers():
    asked = []

    class Acme(sync.AbstractLLMClient):
        provider, default_model = "acme", "large"

        def _do_complete(self, messages, **options):
            asked.append(options["thinking"])
            return Err(LLMAuthenticationError("no"))

    for given in (True, False, "high", 2000, Thinking(effort="low")):
        Acme().complete("Hi", thinking=given)
    assert asked == [Thinking(), Thinking(False), Thinking(effort="high"), Thinking(budget_tokens=2000),
                     Thinking(effort="low")]  # fmt: skip


def test_the_registry_knows_the_named_clients_the_catalog_and_ones_own():
    registry = ProviderRegistry()
    assert isinstance(registry, ProviderRegistryProtocol)
    assert registry.get("openai") is named.OpenAIClient
    assert registry.get("bedrock") is named.BedrockClient
    assert registry.get("echo") is ProviderClient
    assert set(NAMED) <= set(registry.names())
    registry.register("acme", named.OpenAIClient)
    assert "acme" in registry
    with pytest.raises(UnknownProviderError, match="anthropic"):
        registry.get("antropic")
    with pytest.raises(ConfigurationError, match="'x'"):
        registry.register("acme", "x")
    first = registry.client("openai")
    assert registry.client("openai") is first
    assert registry.clients() == {"openai": first}


def test_a_client_is_made_of_a_configuration_or_a_name():
    config = ClientConfig(provider="openai", model="gpt-4o", api_key="secret")
    assert "secret" not in repr(config)
    made = create_llm_client(config, timeout=5)
    assert (type(made), made.model, made.config.timeout) == (named.OpenAIClient, "gpt-4o", 5)
    made = create_llm_client("anthropic/claude-haiku-4-5", blocking=True)
    assert (type(made), made.model) == (sync.AnthropicClient, "claude-haiku-4-5")
    assert type(create_llm_client(provider="groq")) is named.GroqClient
    with pytest.raises(ConfigurationError, match=r"'timout'\. Did you mean 'timeout'"):
        create_llm_client("openai", timout=5)


@pytest.mark.parametrize("name", ["openai/gpt-4o-mini", "openai:gpt-4o-mini", "gpt-4o-mini"])
def test_a_client_is_made_of_a_models_name_however_it_is_written(name):
    made = create_llm_client(name)
    assert (type(made), made.model) == (named.OpenAIClient, "gpt-4o-mini")


@pytest.mark.parametrize(
    ("name", "error", "fix"),
    [
        ("opnai", UnknownProviderError, "Did you mean 'openai'"),
        ("acme/large", UnknownProviderError, "No provider is called 'acme'"),
        ("zzz", LLMModelNotFoundError, "provider/model"),
    ],
)
def test_a_name_that_means_nothing_is_told_with_what_to_do(name, error, fix):
    with pytest.raises(error, match=fix):
        create_llm_client(name)


def test_what_a_client_is_made_with_beside_its_configuration_may_be_given_too():
    heard, cache = [], LLMCache()
    for config in ("echo", ClientConfig("echo")):
        with create_llm_client(config, blocking=True, cache=cache, listeners=[heard.append]) as client:
            client.complete("Hi").unwrap()
    assert [type(notice).__name__ for notice in heard] == ["CallStarted", "CallCompleted"] * 2
    assert [notice.completion.cache for notice in heard[1::2]] == [None, "hit"]
    with pytest.raises(ConfigurationError, match=r"'cash'\. Did you mean 'cache'"):
        create_llm_client("echo", cash=cache)


@pytest.mark.parametrize("module", [named, sync])
def test_a_model_is_looked_for_at_the_clients_own_provider(module):
    assert module.OpenRouterClient(model="anthropic/claude-haiku-4.5").model == "anthropic/claude-haiku-4.5"
    assert module.OpenAIClient(model="openai/gpt-4o").model == "gpt-4o"


@both
def test_tokens_are_counted_by_the_provider(kind, provider):
    provider.replies = [{"input_tokens": 12}, (429, {}, {"type": "error", "error": {"type": "rate_limit_error"}})]
    its = kind("AnthropicClient", api_key="k", base_url=provider.url.removesuffix("/v1"), max_retries=0)
    asked = its.client.count_tokens
    count = its.run(lambda: asked("Hi")) if kind is Awaiting else asked("Hi")
    assert (count.unwrap().input_tokens, count.unwrap().provider) == (12, "anthropic")
    assert provider.received[0][0] == "/v1/messages/count_tokens"
    again = its.run(lambda: asked("Hi")) if kind is Awaiting else asked("Hi")
    assert isinstance(again.error, LLMRateLimitError)
