"""Several streams as one, read by real threads and by real tasks. What merging decides is in `test_merge`."""

import asyncio
import gc
import json

import pytest

from lambdallm.llm.clients.wire import AsyncWireClient, WireClient
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError, LLMRateLimitError, ProviderServerError, StreamError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming import ParallelStreamAggregator
from lambdallm.llm.types import StreamChunk, Usage
from lambdallm.transport.aio import AsyncioTransport
from lambdallm.transport.sync import SyncTransport

END = StopIteration()
HELLO = (StreamChunk("Hel"), StreamChunk("lo."), StreamChunk(finish_reason="stop", usage=Usage(5, 2)))
BONJOUR = (StreamChunk("Bonjour."), StreamChunk(finish_reason="stop", usage=Usage(5, 3)))


def event(text, **more):
    return b"data: %s\n\n" % json.dumps({"choices": [{"index": 0, "delta": {"content": text}, **more}]}).encode()


def streamed(*texts):
    """What a provider streams."""
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":4}}\n\n'
    return [*map(event, texts), event("", finish_reason="stop"), usage, b"data: [DONE]\n\n"]


@pytest.fixture
def merged(twin):
    """Makes aggregators; nothing that one has begun goes on after the test."""
    yield twin.ParallelStreamAggregator
    assert not twin.is_left()


def test_every_chunk_says_where_it_came_from(twin, merged):
    a, b = twin.feed(), twin.feed()
    stream = merged({"a": a, "b": b})
    told = []
    for feed, text in ((a, "a1"), (b, "b1"), (b, "b2"), (a, "a2")):
        feed.give(StreamChunk(text))
        item = twin.next(stream)
        told.append((item.source, item.chunk.delta, item.error))
    assert told == [("a", "a1", None), ("b", "b1", None), ("b", "b2", None), ("a", "a2", None)]
    a.give(END)
    b.give(END)
    assert twin.list(stream) == []


def test_streams_without_a_name_are_called_by_their_places(twin, merged):
    items = twin.list(merged([twin.stream(*HELLO), twin.stream(*BONJOUR)]))
    assert {item.source for item in items} == {"0", "1"}


def test_each_streams_answer_is_known_at_the_end(twin, merged):
    stream = merged({"en": twin.stream(*HELLO), "fr": twin.stream(*BONJOUR)})
    results = twin.result(stream.collect())
    assert {name: result.value.text for name, result in results.items()} == {"en": "Hello.", "fr": "Bonjour."}
    assert list(stream.completions) == ["en", "fr"]
    assert stream.responses["en"].total_chunks == 3
    assert stream.usage == Usage(10, 5)


def test_one_failing_stream_leaves_the_others(twin, merged):
    failing = twin.stream(StreamChunk("Hel"), StreamError("It broke."))
    stream = merged({"bad": failing, "good": twin.stream(*BONJOUR)})
    items = twin.list(stream)
    [failed] = [item for item in items if item.error is not None]
    assert (failed.source, failed.chunk.finish_reason) == ("bad", "error")
    assert stream.results == {"bad": Err(failed.error), "good": Ok(stream.completions["good"])}
    assert stream.completions["bad"].text == "Hel"
    assert failed.error.partial.text == "Hel"


def test_a_stream_that_cannot_even_begin_leaves_the_others(twin, merged):
    stream = merged({"bad": twin.stream(ConfigurationError("No key.")), "good": twin.stream(*BONJOUR)})
    results = twin.result(stream.collect())
    assert isinstance(results["bad"].error, ConfigurationError)
    assert results["good"].value.text == "Bonjour."
    assert stream.usage == Usage(5, 3)


def test_a_failure_may_end_all_and_closes_the_others(twin, merged):
    bad, good = twin.feed(), twin.feed()
    stream = merged({"bad": bad, "good": good}, on_error="raise")
    good.give(StreamChunk("a"))
    assert twin.next(stream).source == "good"
    bad.give(StreamError("It broke."))
    with pytest.raises(StreamError, match="It broke"):
        twin.next(stream)
    good.give(END)
    assert good.closed.wait(20)
    assert bad.closed.wait(20)


def test_the_first_to_speak_is_the_one_stream(twin, merged):
    slow, fast = twin.feed(), twin.feed()
    stream = merged({"slow": slow, "fast": fast}, mode="first")
    fast.give(StreamChunk(metadata={"id": "f"}), *HELLO, END)
    items = twin.list(stream)
    assert {item.source for item in items} == {"fast"}
    assert "".join(item.chunk.delta for item in items) == "Hello."
    assert stream.winner == "fast"
    assert list(stream.results) == ["fast"]
    slow.give(END)
    assert slow.closed.wait(20)


def test_when_all_fail_a_race_raises(twin, merged):
    stream = merged([twin.stream(LLMRateLimitError("Slow down."))], mode="first")
    with pytest.raises(LLMRateLimitError):
        twin.list(stream)
    assert stream.winner is None
    assert (stream.usage, stream.cost_usd) == (Usage(), 0.0)


def test_a_slow_reader_does_not_let_a_stream_run_away(twin, merged):
    feed, other = twin.feed(), twin.feed()
    feed.give(*[StreamChunk(str(n)) for n in range(100)], END)
    stream = merged({"a": feed, "b": other}, buffer=4)
    for n in range(10):
        assert twin.next(stream).chunk.delta == str(n)
        assert feed.read <= n + 1 + 4
    other.give(END)
    assert [item.chunk.delta for item in twin.list(stream)] == [str(n) for n in range(10, 100)]


def test_in_order_one_stream_is_told_after_the_other(twin, merged):
    first, second = twin.feed(), twin.feed()
    stream = merged({"1": first, "2": second}, mode="ordered")
    second.give(StreamChunk("b"), END)
    first.give(StreamChunk("a"), END)
    assert [item.chunk.delta for item in twin.list(stream)] == ["a", "b"]


def test_leaving_early_closes_every_stream(twin, merged):
    feeds = {"a": twin.feed(), "b": twin.feed()}
    stream = merged(feeds)
    feeds["a"].give(StreamChunk("x"))
    twin.next(stream)
    twin.close(stream)
    for feed in feeds.values():
        feed.give(END)
        assert feed.closed.wait(20)
    assert twin.list(stream) == []


def test_what_a_stream_used_that_was_let_go_is_unknown(twin, merged):
    feed = twin.feed()
    stream = merged({"cut": feed, "whole": twin.stream(*BONJOUR)})
    assert (stream.usage, stream.cost_usd) == (Usage(), 0.0)
    feed.give(StreamChunk("x"))
    while stream.completions["cut"].text != "x":
        twin.next(stream)
    twin.close(stream)
    feed.give(END)
    assert (stream.usage, stream.cost_usd) == (None, None)
    assert "cut" not in stream.results


def test_leaving_while_a_stream_waits_for_room_closes_it(twin, merged):
    feed = twin.feed()
    feed.give(*[StreamChunk(str(n)) for n in range(9)])
    stream = merged([feed], buffer=1)
    twin.next(stream)
    twin.close(stream)
    assert feed.closed.wait(20)


def test_forgetting_it_closes_every_stream_too(twin, merged):
    feed = twin.feed()
    feed.give(StreamChunk("x"), StreamChunk("y"))
    stream = merged([feed])
    twin.next(stream)
    del stream
    gc.collect()
    feed.give(END)
    twin.list(twin.stream())  # an event loop closes what was forgotten when it next runs
    assert feed.closed.wait(20)


def test_one_that_was_never_read_closes_its_streams(twin, merged):
    feed = twin.feed()
    stream = merged([feed])
    twin.close(stream)
    assert feed.closed.is_set()


def test_words_that_mean_nothing_are_refused(merged):
    with pytest.raises(ConfigurationError, match=r"mode is 'zip'.*'merge', 'ordered', 'first'"):
        merged([], mode="zip")
    with pytest.raises(ConfigurationError, match=r"on_error is 'ignore'.*'report' or 'raise'"):
        merged([], on_error="ignore")
    with pytest.raises(ConfigurationError, match="buffer is 0"):
        merged([], buffer=0)


def test_a_cancelled_reader_leaves_nothing_behind(twin):
    class Endless:
        closed = False

        def __aiter__(self):
            return self

        async def __anext__(self):
            await asyncio.Event().wait()

        async def aclose(self):
            self.closed = True

    async def main():
        endless = Endless()

        async def read():
            async with ParallelStreamAggregator([endless, endless]) as stream:
                async for _ in stream:
                    raise AssertionError

        task = asyncio.ensure_future(read())
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert endless.closed
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


@pytest.fixture
def client(twin, provider):
    """A client of the provider on loopback."""
    if type(twin).__name__ == "Blocking":
        kind, driver = WireClient, Driver(SyncTransport())
    else:
        kind, driver = AsyncWireClient, AsyncDriver(AsyncioTransport())
    yield kind("openai/gpt-4o", driver=driver, api_key="k", base_url=provider.url, max_retries=0)
    twin.close(driver)


def test_providers_answer_side_by_side_and_are_paid_for(twin, merged, provider, client):
    provider.answer = lambda body: streamed("Re: ", body["messages"][0]["content"])
    stream = merged({text: client.stream(text) for text in ("one", "two", "three")})
    results = twin.result(stream.collect())
    assert {name: result.value.text for name, result in results.items()} == {
        "one": "Re: one", "two": "Re: two", "three": "Re: three"
    }  # fmt: skip
    price = (10 * 2.5 + 4 * 10) / 1e6
    assert stream.cost_usd == pytest.approx(3 * price)
    assert stream.usage.total_tokens == 42


def test_a_provider_that_fails_is_one_result_of_several(twin, merged, provider, client):
    def answer(body):
        return (503, {}, {}) if body["messages"][0]["content"] == "bad" else streamed("Fine.")

    provider.answer = answer
    stream = merged({text: client.stream(text) for text in ("good", "bad")})
    results = twin.result(stream.collect())
    assert results["good"].value.text == "Fine."
    assert isinstance(results["bad"].error, ProviderServerError)
    assert stream.cost_usd == results["good"].value.cost_usd


def test_leaving_early_ends_calls_that_wait_for_the_network(twin, merged, provider, client):
    """Nobody waits for a provider's next byte once nobody wants it."""
    provider.gated = True
    provider.answer = lambda _: streamed("a", "b")
    stream = merged([client.stream("x"), client.stream("y")])
    provider.gate.release()
    twin.next(stream)
    twin.close(stream)
    assert not twin.is_left()
    provider.gate.release(20)
