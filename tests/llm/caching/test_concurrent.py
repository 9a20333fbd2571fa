"""One call for all who ask at once, under the real drivers: threads, event loops, and both together."""

import asyncio
import gc
import threading
import time

import pytest

from caching_play import CHUNKS, TARGET, answer, query
from lambdallm.llm.caching import LLMCache, cached, cached_stream, queried
from lambdallm.llm.call import CallSettings
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import StreamError
from lambdallm.llm.flow import Await, Emit
from lambdallm.llm.pipeline import chat, stream_chat
from lambdallm.llm.result import Ok
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.task import Signal
from lambdallm.llm.types import ChatMessage, ChatRequest

ASKED = ChatRequest("gpt-4o", (ChatMessage("user", "Hi"),))


class Gated:
    """A provider whose answer, or each of whose chunks, comes when the test says so."""

    def __init__(self, pieces=1):
        self.calls = 0
        self.gates = [Signal() for _ in range(pieces)]

    def call(self):
        self.calls += 1
        yield Await((self.gates[0],))
        return Ok(answer())

    def streaming(self, record):
        def begin():
            self.calls += 1
            for gate, chunk in zip(self.gates, CHUNKS, strict=True):
                yield Await((gate,))
                record.add((chunk,))
                yield Emit((chunk,))
            return Ok(None)

        return begin


class Thread(threading.Thread):
    """Runs a function, and gives what it gave."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.value, self.error = function, None, None
        self.start()

    def run(self):
        try:
            self.value = self.function()
        except BaseException as error:  # noqa: BLE001  # it is raised where the value is taken
            self.error = error

    def taken(self):
        self.join(20)
        assert not self.is_alive(), "It waits for ever."
        if self.error is not None:
            raise self.error
        return self.value


def until(holds, threads):
    """Wait until something holds, while threads work on it."""
    end = time.monotonic() + 20
    while not holds():
        for thread in threads:
            if not thread.is_alive():
                thread.taken()
        assert time.monotonic() < end, "It never comes to hold."
        time.sleep(0.002)


def followed_by(cache, count):
    """Whether so many wait for the flight that is under way."""
    flight = cache.flights._by_key.get(query().key)
    return flight is not None and len(flight._waiting) == count


@pytest.fixture
def cache():
    return LLMCache()


def blocking(cache, provider):
    return Driver().run(cached(cache, query(), provider.call)).unwrap().cache


def awaiting(cache, provider, count=1):
    async def main():
        flows = [AsyncDriver().run(cached(cache, query(), provider.call)) for _ in range(count)]
        return [result.unwrap().cache for result in await asyncio.gather(*flows)]

    return asyncio.run(main())


def test_threads_share_a_call(cache):
    provider = Gated()
    threads = [Thread(lambda: blocking(cache, provider)) for _ in range(8)]
    until(lambda: followed_by(cache, 7), threads)
    provider.gates[0].fire()
    assert sorted(str(thread.taken()) for thread in threads) == ["None"] + ["shared"] * 7
    assert provider.calls == 1
    assert len(cache.flights) == 0


def test_threads_and_event_loops_share_a_call(cache):
    provider = Gated()
    threads = [Thread(lambda: awaiting(cache, provider, 3)) for _ in range(2)]
    threads += [Thread(lambda: [blocking(cache, provider)]) for _ in range(2)]
    until(lambda: followed_by(cache, 7), threads)
    provider.gates[0].fire()
    sources = [source for thread in threads for source in thread.taken()]
    assert sorted(map(str, sources)) == ["None"] + ["shared"] * 7
    assert provider.calls == 1


def test_a_cancelled_leader_is_followed_by_one(cache):
    provider = Gated()

    async def main():
        leader = asyncio.ensure_future(AsyncDriver().run(cached(cache, query(), provider.call)))
        await asyncio.sleep(0)
        others = [asyncio.ensure_future(AsyncDriver().run(cached(cache, query(), provider.call))) for _ in range(4)]
        while len(cache.flights._by_key[query().key]._waiting) < 4:
            await asyncio.sleep(0)
        leader.cancel()
        while provider.calls < 2:
            await asyncio.sleep(0)
        provider.gates[0].fire()
        return [result.unwrap().cache for result in await asyncio.gather(*others)]

    assert sorted(map(str, asyncio.run(asyncio.wait_for(main(), 20)))) == ["None", "shared", "shared", "shared"]
    assert provider.calls == 2


def test_a_stream_is_followed_chunk_by_chunk_from_another_thread(cache):
    cache.follows_streams = True
    provider = Gated(len(CHUNKS))
    got = []

    def read():
        record = StreamRecord(TARGET)
        for chunk in Driver().iterate(cached_stream(cache, query(), provider.streaming(record), record)):
            got.append(chunk)
        return record.completion()

    first = Thread(read)
    until(lambda: provider.calls == 1, [first])
    second = Thread(read)
    for number, gate in enumerate(provider.gates, 1):
        until(lambda: followed_by(cache, 1), [first, second])
        gate.fire()
        until(lambda number=number: len(got) >= 2 * number, [first, second])
    assert {first.taken().cache, second.taken().cache} == {None, "shared"}
    assert sorted(map(repr, got)) == sorted(map(repr, CHUNKS * 2))
    assert provider.calls == 1


def test_a_stream_that_is_dropped_half_way_holds_nobody(cache):
    provider = Gated(len(CHUNKS))
    for gate in provider.gates:
        gate.fire()
    record = StreamRecord(TARGET)
    chunks = Driver().iterate(cached_stream(cache, query(), provider.streaming(record), record))
    next(chunks)
    assert len(cache.flights) == 1
    del chunks
    gc.collect()
    assert len(cache.flights) == 0


def test_an_event_loop_s_stream_that_is_dropped_breaks_off_for_those_in_the_middle(cache):
    cache.follows_streams = True
    provider = Gated(len(CHUNKS))
    provider.gates[0].fire()

    async def read(most):
        record = StreamRecord(TARGET)
        chunks = AsyncDriver().iterate(cached_stream(cache, query(), provider.streaming(record), record))
        got = []
        try:
            async for chunk in chunks:
                got.append(chunk)
                if len(got) == most:
                    break
        except StreamError as error:
            return error
        finally:
            await chunks.aclose()
        return got

    async def main():
        first = asyncio.ensure_future(read(2))
        await asyncio.sleep(0)
        second = asyncio.ensure_future(read(99))
        while not cache.flights._by_key[query().key]._waiting:
            await asyncio.sleep(0)
        provider.gates[1].fire()
        return await asyncio.gather(first, second)

    left, broken = asyncio.run(asyncio.wait_for(main(), 20))
    assert tuple(left) == CHUNKS[:2]
    assert broken.partial.text == "Hello"


def test_two_streams_read_in_turns_by_one_thread_don_t_wait_for_each_other(cache):
    provider = Gated(len(CHUNKS))
    for gate in provider.gates:
        gate.fire()
    records = [StreamRecord(TARGET), StreamRecord(TARGET)]
    streams = [Driver().iterate(cached_stream(cache, query(), provider.streaming(one), one)) for one in records]
    assert [pair[0] for pair in zip(*streams, strict=True)] == list(CHUNKS)
    assert provider.calls == 2


ANSWER = {
    "id": "c1",
    "model": "gpt-4o-2024-08-06",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
}
STREAM = [
    b'data: {"id":"c1","choices":[{"index":0,"delta":{"content":"H"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"i."},"finish_reason":"stop"}]}\n\n',
    b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}\n\n',
    b"data: [DONE]\n\n",
]


class TestOverSockets:
    """The whole way: a request, its query, the pipeline, a provider on loopback."""

    def whole(self, cache, provider):
        settings = CallSettings(api_key="k", base_url=provider.url)

        def flow():
            asked = yield from queried(ASKED, TARGET, base_url=settings.base_url)
            return (yield from cached(cache, asked, lambda: chat(ASKED, TARGET, settings)))

        return flow()

    def stream(self, cache, provider, record):
        settings = CallSettings(api_key="k", base_url=provider.url)

        def flow():
            asked = yield from queried(ASKED, TARGET, base_url=settings.base_url)
            return (
                yield from cached_stream(cache, asked, lambda: stream_chat(ASKED, TARGET, settings, record), record)
            )

        return flow()

    def test_a_call_and_its_repetition(self, cache, provider):
        provider.replies = [ANSWER]
        driver = Driver()
        first, second = (driver.run(self.whole(cache, provider)).unwrap() for _ in range(2))
        driver.close()
        assert (first.text, first.cache, first.attempts) == ("Hi.", None, 1)
        assert second == first.replace(cache="hit", cost_usd=0.0, attempts=0, latency_ms=second.latency_ms)
        assert len(provider.received) == 1

    def test_a_stream_and_its_replay(self, cache, provider):
        provider.replies = [STREAM]
        driver = Driver()
        records = [StreamRecord(TARGET), StreamRecord(TARGET)]
        first, second = (list(driver.iterate(self.stream(cache, provider, record))) for record in records)
        driver.close()
        assert first == second
        assert [record.completion().text for record in records] == ["Hi."] * 2
        assert [record.completion().cache for record in records] == [None, "hit"]
        assert len(provider.received) == 1

    def test_a_stream_answers_a_whole_call(self, cache, provider):
        provider.replies = [STREAM]
        driver, record = Driver(), StreamRecord(TARGET)
        list(driver.iterate(self.stream(cache, provider, record)))
        whole = driver.run(self.whole(cache, provider)).unwrap()
        driver.close()
        assert (whole.text, whole.usage, whole.id) == ("Hi.", record.completion().usage, "c1")
        assert len(provider.received) == 1

    def test_many_at_once_make_one_request(self, cache, provider):
        provider.replies = [ANSWER]

        async def main():
            driver = AsyncDriver()
            try:
                return await asyncio.gather(*[driver.run(self.whole(cache, provider)) for _ in range(20)])
            finally:
                await driver.aclose()

        results = asyncio.run(main())
        assert {result.unwrap().text for result in results} == {"Hi."}
        assert len(provider.received) == 1
