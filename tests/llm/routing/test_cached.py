"""A cache before a router: one answer does, whoever gave it."""

import asyncio

import pytest

from lambdallm.llm.caching import LLMCache
from lambdallm.llm.result import Ok
from lambdallm.llm.routing import Candidate, LLMRouter, sync
from lambdallm.llm.streaming.stream import AsyncStream, Stream
from lambdallm.llm.types import ChatMessage, Choice, Completion, StreamChunk, Usage

CHUNKS = (StreamChunk("H"), StreamChunk("i.", finish_reason="stop", usage=Usage(10, 5)))


def answer(text):
    return Completion((Choice(ChatMessage("assistant", text), "stop"),), Usage(10, 5), cost_usd=0.5)


class Client:
    """Answers with the number of the call."""

    def __init__(self):
        self.calls = 0

    def complete(self, messages, **options):
        assert "cache" not in options
        self.calls += 1
        return Ok(answer(str(self.calls)))

    chat = complete

    def stream_chat(self, messages, **options):
        self.calls += 1
        return Stream(chunk for chunk in CHUNKS)

    def close(self):
        pass


class Awaited(Client):
    async def complete(self, messages, **options):
        return super().complete(messages, **options)

    chat = complete

    def stream_chat(self, messages, **options):
        self.calls += 1

        async def chunks():
            for chunk in CHUNKS:
                yield chunk

        return AsyncStream(chunks())

    async def close(self):
        pass


class Blocking:
    def __init__(self, **options):
        self.client = Client()
        self.router = sync.LLMRouter([Candidate(self.client, "one")], cache=LLMCache(), **options)

    def complete(self, *given, **options):
        return self.router.complete(*given, **options).unwrap()

    def read(self, *given, **options):
        with self.router.stream_chat(*given, **options) as stream:
            return [chunk.delta for chunk in stream if chunk.delta], stream.completion

    def leave(self, *given):
        with self.router.stream_chat(*given) as stream:
            next(stream)


class Awaiting:
    def __init__(self, **options):
        self.client = Awaited()
        self.router = LLMRouter([Candidate(self.client, "one")], cache=LLMCache(), **options)

    def complete(self, *given, **options):
        return asyncio.run(self.router.complete(*given, **options)).unwrap()

    def read(self, *given, **options):
        async def read():
            async with self.router.stream_chat(*given, **options) as stream:
                return [chunk.delta async for chunk in stream if chunk.delta], stream.completion

        return asyncio.run(read())

    def leave(self, *given):
        async def leave():
            async with self.router.stream_chat(*given) as stream:
                await anext(stream)

        asyncio.run(leave())


both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


@both
def test_the_second_answer_costs_nothing(kind):
    its = kind()
    first, second = its.complete("Hello"), its.complete("Hello")
    assert (first.cache, first.cost_usd, first.routing.chosen) == (None, 0.5, "one")
    assert (second.text, second.cache, second.cost_usd) == ("1", "hit", 0.0)
    assert its.client.calls == 1


@both
def test_a_call_may_pass_it_by_or_renew_it(kind):
    its = kind()
    its.complete("Hello")
    assert its.complete("Hello", cache=False).text == "2"
    assert its.complete("Hello", cache="refresh").text == "3"
    assert its.complete("Hello").text == "3"


@both
def test_another_question_is_another_one(kind):
    its = kind()
    its.complete("Hello")
    assert its.complete("Goodbye").text == "2"
    assert its.complete("Hello", temperature=1).text == "3"
    assert its.complete("Hello", model="one").text == "4"


@both
def test_a_stream_is_replayed_as_one(kind):
    its = kind()
    pieces, first = its.read("Hello")
    again, second = its.read("Hello")
    assert pieces == again == ["H", "i."]
    assert (first.cache, first.routing.chosen) == (None, "one")
    assert (second.cache, second.cost_usd, second.text) == ("hit", 0.0, "Hi.")
    assert its.client.calls == 1


@both
def test_a_stream_that_was_left_is_not_kept(kind):
    its = kind()
    its.leave("Hello")
    assert its.read("Hello")[1].cache is None
