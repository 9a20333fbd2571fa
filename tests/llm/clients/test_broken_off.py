"""Attempts beside one another and calls that are broken off, under the real drivers: nobody reads another's chunks,
nobody is left waiting, and listeners hear of an end.
"""

import asyncio
import logging
import threading

import pytest

from lambdallm.llm.clients.base import AbstractLLMClient as Awaiting
from lambdallm.llm.clients.sync import AbstractLLMClient as Blocking
from lambdallm.llm.errors import LambdaLLMError
from lambdallm.llm.notices import CallFailed, CallStarted
from lambdallm.llm.result import Ok
from lambdallm.llm.types import ChatMessage, Choice, Completion, StreamChunk, Usage

USED = Usage(1, 3)
LAST = StreamChunk("", finish_reason="stop", usage=USED)
LONG = 10.0


class TwoStreams:
    """Two streams of which the second begins while the first has given nothing; who goes first is told."""

    provider, default_model = "openai", "gpt-4o"

    def __init__(self, winner):
        super().__init__(hedge_seconds=0.001)
        self.winner, self.streams = winner, 0
        self.second_begun, self.done = threading.Event(), threading.Event()

    def begun(self):
        self.streams += 1
        if self.streams == 2:
            self.second_begun.set()
        return self.streams


class BlockingStreams(TwoStreams, Blocking):
    def _do_stream_chat(self, messages, **options):
        number = self.begun()
        (self.second_begun if number == self.winner else self.done).wait(LONG)
        yield StreamChunk(f"{number}a ")
        yield StreamChunk(f"{number}b ")
        yield LAST

    def read(self):
        stream = self.stream_chat("Hello")
        text = "".join(stream.texts())
        self.done.set()
        return text, stream.completion


class AwaitingStreams(TwoStreams, Awaiting):
    async def _do_stream_chat(self, messages, **options):
        number = self.begun()
        while not (self.second_begun if number == self.winner else self.done).is_set():
            await asyncio.sleep(0)
        yield StreamChunk(f"{number}a ")
        yield StreamChunk(f"{number}b ")
        yield LAST

    def read(self):
        async def reading():
            stream = self.stream_chat("Hello")
            return "".join([text async for text in stream.texts()]), stream.completion

        return asyncio.run(reading())


@pytest.mark.parametrize("winner", [1, 2])
@pytest.mark.parametrize("kind", [BlockingStreams, AwaitingStreams])
def test_a_hedged_stream_is_that_of_one_attempt(kind, winner):
    """The other one may still be in the middle of waiting for its first chunk, and can't be closed while it is."""
    text, completion = kind(winner).read()
    assert text == f"{winner}a {winner}b "
    assert completion.attempts == 2
    assert completion.usage.output_tokens == USED.output_tokens
    assert completion.finish_reason == "stop"


class Endless(Awaiting):
    """A client whose calls and streams never end by themselves."""

    provider, default_model = "openai", "gpt-4o"

    def __init__(self, **options):
        super().__init__(**options)
        self.waits = asyncio.Event()

    async def _do_complete(self, messages, **options):
        self.waits.set()
        await asyncio.Event().wait()

    async def _do_stream_chat(self, messages, **options):
        yield StreamChunk("a")
        await self._do_complete(messages)


async def _read(client):
    async for _ in client.stream_chat("Hello"):
        pass


@pytest.mark.parametrize(
    ("call", "come"), [(lambda client: client.complete("Hello"), None), (_read, "a")], ids=["whole", "stream"]
)
def test_a_cancelled_call_is_told_of_and_no_failure(call, come):
    notices = []

    async def cancelled():
        client = Endless(listeners=[notices.append], max_concurrency=1, tokens_per_minute=100_000)
        task = asyncio.ensure_future(call(client))
        await client.waits.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert client._policies.slots.busy == 0

    asyncio.run(cancelled())
    begun, ended = notices
    assert isinstance(begun, CallStarted)
    assert isinstance(ended, CallFailed)
    assert (ended.call, ended.error) == (begun, None)
    assert (ended.completion and ended.completion.text) == come


class Raising(Blocking):
    provider, default_model = "openai", "gpt-4o"
    error = ZeroDivisionError("a bug")

    def _do_complete(self, messages, **options):
        raise self.error


def test_an_interrupted_call_is_told_of():
    notices = []
    client = Raising(listeners=[notices.append])
    client.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        client.complete("Hello")
    assert [type(notice) for notice in notices] == [CallStarted, CallFailed]
    assert notices[1].error is None


def test_a_hook_s_bug_is_told_of_and_raised():
    notices = []
    with pytest.raises(ZeroDivisionError):
        Raising(listeners=[notices.append]).complete("Hello")
    assert isinstance(notices[1].error, LambdaLLMError)
    assert "a bug" in notices[1].error.message


def test_an_asynchronous_listener_is_refused_in_the_log(caplog):
    class Answering(Blocking):
        provider, default_model = "openai", "gpt-4o"

        def _do_complete(self, messages, **options):
            return Ok(Completion((Choice(ChatMessage("assistant", "Hi."), "stop"),), USED))

    async def listener(notice):
        raise AssertionError("nobody awaits it")

    with caplog.at_level(logging.ERROR, "lambdallm"):
        assert Answering(listeners=[listener]).complete("Hello").unwrap().text == "Hi."
    assert "give a plain function" in caplog.text
