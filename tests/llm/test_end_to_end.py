"""Both clients over real sockets: the same cases, the same answers, through everything between them."""

import asyncio
import json

import pytest

from lambdallm import AsyncWireClient, ChatMessage, WireClient
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import (
    ConfigurationError,
    LLMRateLimitError,
    ProviderConnectionError,
    ProviderTimeoutError,
    StreamError,
)

ANSWER = {
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1},
}


def event(text=None, **more):
    delta = {"content": text} if text else {}
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta, **more}]}).encode() + b"\n\n"


END = event(finish_reason="stop") + b"data: [DONE]\n\n"


class Sync:
    """`WireClient` behind the face of the tests."""

    def __init__(self, model, **options):
        self.driver = Driver()
        self.client = WireClient(model, driver=self.driver, **options)

    def chat(self, *args, **options):
        return self.client.chat(*args, **options)

    def stream(self, *args, **options):
        stream = self.client.stream(*args, **options)
        return [chunk.delta for chunk in stream if chunk.delta], stream.completion

    def first_of_stream(self, *args):
        with self.client.stream(*args) as stream:
            return next(stream.texts())

    def close(self):
        self.driver.close()


class Async:
    """`AsyncWireClient` behind the same face, on one event loop of its own."""

    def __init__(self, model, **options):
        self.loop = asyncio.new_event_loop()
        self.driver = AsyncDriver()
        self.client = AsyncWireClient(model, driver=self.driver, **options)

    def chat(self, *args, **options):
        return self.loop.run_until_complete(self.client.chat(*args, **options))

    def stream(self, *args, **options):
        async def read():
            stream = self.client.stream(*args, **options)
            return [chunk.delta async for chunk in stream if chunk.delta], stream.completion

        return self.loop.run_until_complete(read())

    def first_of_stream(self, *args):
        async def read():
            async with self.client.stream(*args) as stream:
                return await anext(aiter(stream.texts()))

        return self.loop.run_until_complete(read())

    def close(self):
        self.loop.run_until_complete(self.driver.aclose())
        self.loop.close()


@pytest.fixture(params=[Sync, Async])
def client_for(request):
    made = []

    def make(provider, model="openai/gpt-4o-mini", **options):
        options = {"api_key": "not-a-real-key", "base_url": provider.url, **options}
        made.append(request.param(model, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()


def test_a_whole_answer(provider, client_for):
    provider.replies = [ANSWER]
    answer = client_for(provider).chat("Hi").unwrap()
    assert (answer.text, answer.usage.total_tokens) == ("Hello", 4)
    ((path, headers, body),) = provider.received
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer not-a-real-key"
    assert body["messages"] == [{"role": "user", "content": "Hi"}]


def test_one_connection_serves_many_calls(provider, client_for):
    provider.replies = [ANSWER, ANSWER, [event("a"), END], ANSWER]
    client = client_for(provider)
    client.chat("1")
    client.chat("2")
    client.stream("3")
    assert client.chat("4").unwrap().text == "Hello"
    assert provider.connections == 1


def test_a_stream_comes_in_pieces_and_adds_up(provider, client_for):
    provider.replies = [[event("Hel"), event("lo"), END]]
    deltas, completion = client_for(provider).stream("Hi")
    assert deltas == ["Hel", "lo"]
    assert (completion.text, completion.finish_reason) == ("Hello", "stop")
    assert completion.time_to_first_token_ms <= completion.latency_ms


def test_the_first_piece_is_read_before_the_second_is_sent(provider, client_for):
    """What is held back until the end is no stream."""
    provider.gated = True
    provider.gate.release()
    provider.replies = [[event("first"), event("second"), END]]
    assert client_for(provider).first_of_stream("Hi") == "first"
    provider.gate.release(3)


def test_a_conversation_goes_as_it_is(provider, client_for):
    provider.replies = [ANSWER]
    turns = [ChatMessage("system", "Be brief"), ChatMessage("user", "Hi"), ChatMessage("assistant", "Hello")]
    client_for(provider).chat([*turns, ChatMessage("user", "Bye")], temperature=0.5, max_tokens=9)
    ((_, _, body),) = provider.received
    assert [turn["content"] for turn in body["messages"]] == ["Be brief", "Hi", "Hello", "Bye"]
    assert (body["temperature"], body["max_completion_tokens"]) == (0.5, 9)


def test_the_same_protocols_for_other_providers(provider, client_for):
    text = {"type": "text", "text": "Hi"}
    provider.replies = [
        {"type": "message", "role": "assistant", "content": [text], "stop_reason": "end_turn", "usage": {}},
    ]
    answer = (
        client_for(provider, "anthropic/claude-haiku-4-5", base_url=provider.url.removesuffix("/v1"))
        .chat("Hi")
        .unwrap()
    )
    assert (answer.text, answer.provider) == ("Hi", "anthropic")
    ((path, headers, _),) = provider.received
    assert path == "/v1/messages"
    assert {name.lower(): value for name, value in headers.items()}["x-api-key"] == "not-a-real-key"


def test_a_lost_connection_in_a_stream_keeps_what_had_come(provider, client_for):
    provider.replies = [[event("Hel"), None]]
    with pytest.raises(StreamError) as caught:
        client_for(provider).stream("Hi")
    assert caught.value.partial.text == "Hel"


def test_an_error_is_a_value_of_a_whole_call_and_raised_by_a_stream(provider, client_for):
    limited = (429, {"retry-after": "9"}, {"error": {"message": "slow down", "type": "rate_limit_error"}})
    provider.replies = [limited, limited]
    client = client_for(provider, max_retries=0)
    error = client.chat("Hi").error
    assert isinstance(error, LLMRateLimitError)
    assert error.retry_after == 9
    with pytest.raises(LLMRateLimitError):
        client.stream("Hi")


def test_a_silent_server_is_given_up_on(provider, client_for):
    provider.gated = True
    provider.replies = [[event("never"), END]]
    error = client_for(provider, timeout=0.2, max_retries=0).chat("Hi").error
    assert isinstance(error, ProviderTimeoutError)
    provider.gate.release(2)


def test_nobody_there(provider, client_for):
    error = client_for(provider, base_url="http://127.0.0.1:9/v1", max_retries=0).chat("Hi").error
    assert isinstance(error, ProviderConnectionError)
    assert "127.0.0.1:9" in str(error)
    assert "not-a-real-key" not in str(error)


@pytest.mark.parametrize("url", ["ftp://x/v1", "127.0.0.1/v1", "http://a b/v1"])
def test_an_endpoint_that_is_no_address_is_named(provider, client_for, url):
    with pytest.raises(ConfigurationError):
        client_for(provider, base_url=url).chat("Hi")


def test_a_new_event_loop_needs_no_new_client(provider):
    """On the second warm invocation another loop runs: connections of the first must not be touched."""
    provider.replies = [ANSWER, ANSWER]
    client = AsyncWireClient("openai/gpt-4o-mini", api_key="k", base_url=provider.url, driver=(driver := AsyncDriver()))

    async def once():
        answer = (await client.chat("Hi")).unwrap().text
        await driver.aclose()
        return answer

    assert asyncio.run(once()) == asyncio.run(once()) == "Hello"


def test_the_echo_provider_goes_the_same_way(client_for, provider):
    client = client_for(provider, "echo", api_key=None, base_url=None)
    assert client.chat("one two").unwrap().text == "one two"
    deltas, completion = client.stream("one two")
    assert "".join(deltas) == completion.text == "one two"
    assert completion.cost_usd == 0
