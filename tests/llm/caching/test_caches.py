"""The caches on real servers, blocking and awaiting: the same cases for memory, Redis, DynamoDB and one's own."""

import asyncio
import base64
import os
import subprocess
import sys
import uuid

import pytest

from caching_play import CHUNKS, Provider, Reader, answer, asking, query, together
from lambdallm.llm import caching
from lambdallm.llm.caching import LLMCache, as_cache, sync
from lambdallm.llm.caching.caches import closed
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.flow import Sleep
from lambdallm.llm.protocols import CacheBackendProtocol, LLMCacheProtocol
from lambdallm.llm.result import Ok
from lambdallm.llm.types import ImagePart
from lambdallm.testing.world import World
from servers import AWS, free_port


class Blocking:
    """Runs flows and methods in this thread."""

    module = sync

    def __init__(self):
        self.driver = Driver()

    def run(self, flow):
        return self.driver.run(flow)

    def read(self, reader):
        return list(self.driver.iterate(reader._flow))

    def call(self, method, *arguments):
        return method(*arguments)

    def close(self):
        self.driver.close()


class Awaiting:
    """Runs each in an event loop of its own, as warm invocations do."""

    module = caching

    def __init__(self):
        self.driver = AsyncDriver()

    def run(self, flow):
        return self.call(self.driver.run, flow)

    def read(self, reader):
        async def chunks():
            return [chunk async for chunk in self.driver.iterate(reader._flow)]

        return self.call(chunks)

    def call(self, method, *arguments):
        async def main():
            try:
                outcome = method(*arguments)
                return await outcome if hasattr(outcome, "__await__") else outcome
            finally:
                await self.driver.aclose()

        return asyncio.run(main())

    def close(self):
        """Its driver closes what a loop opened at the end of that loop."""


class OneS:
    """Somebody's own cache of answers."""

    def __init__(self):
        self.held = {}

    def lookup(self, key):
        return self.held.get(key)

    def store(self, key, completion, ttl_seconds=None):
        self.held[key] = completion

    def forget(self, key):
        self.held.pop(key, None)


class OneSAsync(OneS):
    """One that awaits."""

    async def lookup(self, key):
        return super().lookup(key)

    async def store(self, key, completion, ttl_seconds=None):
        super().store(key, completion, ttl_seconds)


class Bytes:
    """Somebody's own backend of bytes."""

    def __init__(self):
        self.held = {}

    def get(self, key):
        return self.held.get(key)

    def set(self, key, value, ttl_seconds=None):
        self.held[key] = value

    def delete(self, key):
        self.held.pop(key, None)


@pytest.fixture(params=[Blocking, Awaiting])
def way(request):
    way = request.param()
    yield way
    way.close()


@pytest.fixture
def made():
    """The caches that a test has made, which it leaves closed."""
    made = []
    yield made
    for cache in made:
        closed(cache.backend)


@pytest.fixture
def aws(monkeypatch, request):
    for name, value in {**AWS, "AWS_ENDPOINT_URL_DYNAMODB": request.getfixturevalue("ministack")}.items():
        monkeypatch.setenv(name, value)


def redis_cache(way, request):
    url = request.getfixturevalue("redis_url")
    cache = way.module.RedisLLMCache(url, prefix=f"{uuid.uuid4()}:", timeout_seconds=5.0, driver=way.driver)
    request.getfixturevalue("made").append(cache)
    return cache


def dynamodb_cache(way, request):
    request.getfixturevalue("aws")
    cache = way.module.DynamoDBLLMCache("answers", prefix=f"{uuid.uuid4()}:", timeout_seconds=20.0, driver=way.driver)
    return way.call(cache.ensure_table)


KINDS = {
    "memory": lambda way, request: way.module.LLMCache(),
    "redis": redis_cache,
    "dynamodb": dynamodb_cache,
    "own": lambda way, request: OneS() if way.module is sync else OneSAsync(),
    "bytes": lambda way, request: Bytes(),
    "shared": lambda way, request: way.module.SharedCache(Bytes()),
}


@pytest.fixture(params=KINDS)
def given(request, way):
    """A cache as somebody gives it to a client."""
    return KINDS[request.param](way, request)


def test_what_was_asked_before_is_answered_from_it(given, way):
    cache, provider = as_cache(given), Provider(seconds=0)
    first, second, other = (way.run(asking(cache, provider, query(text))).unwrap() for text in ("a", "a", "b"))
    assert len(provider) == 2
    assert (first.cache, second.cache, other.cache) == (None, "hit", None)
    assert second.choices == first.choices


def test_what_was_streamed_is_replayed(given, way):
    cache, provider = as_cache(given), Provider(CHUNKS, seconds=0)
    first, second = (Reader(cache, provider) for _ in range(2))
    chunks = way.read(first)
    again = way.read(second)
    assert len(provider) == 1
    assert again == chunks or isinstance(given, OneS)
    assert second.completion.choices == first.completion.choices
    assert second.completion.cache == "hit"


class TestByHand:
    """The methods for looking in and cleaning up."""

    def test_an_answer_is_stored_looked_up_and_forgotten(self, given, way):
        if isinstance(given, Bytes):
            return
        way.call(given.store, "k", answer())
        assert way.call(given.lookup, "k").choices == answer().choices
        way.call(given.forget, "k")
        way.call(given.forget, "k")
        assert way.call(given.lookup, "k") is None

    @pytest.mark.parametrize("kind", ["redis", "dynamodb", "shared"])
    def test_the_shared_ones_keep_bytes_too(self, kind, way, request):
        cache = KINDS[kind](way, request)
        way.call(cache.set, "k", b"\x00\xff", 60.0)
        assert way.call(cache.get, "k") == b"\x00\xff"
        way.call(cache.delete, "k")
        assert way.call(cache.get, "k") is None

    def test_memory_can_be_looked_into(self):
        cache = LLMCache(max_entries=2)
        for key in "abc":
            cache.store(key, answer())
        assert (len(cache), cache.evictions) == (2, 1)
        assert cache.size_bytes == sum(1 + len(cache.memory.get(key, 0.0)) for key in "bc")
        cache.clear()
        assert len(cache) == cache.size_bytes == 0


def test_they_are_what_the_protocols_say():
    for module in (caching, sync):
        shared = module.SharedCache(Bytes())
        assert isinstance(shared, LLMCacheProtocol)
        assert isinstance(shared, CacheBackendProtocol)
        assert issubclass(module.RedisLLMCache, module.SharedCache)
        assert isinstance(module.LLMCache(), LLMCacheProtocol)
    assert isinstance(OneSAsync(), LLMCacheProtocol)
    assert isinstance(Bytes(), CacheBackendProtocol)


def test_the_twins_have_the_same_methods():
    for name in ("SharedCache", "RedisLLMCache", "DynamoDBLLMCache", "LLMCache"):
        one, other = getattr(caching, name), getattr(sync, name)
        assert {n for n in dir(one) if not n.startswith("_")} == {n for n in dir(other) if not n.startswith("_")}


def test_what_is_no_cache_is_refused():
    with pytest.raises(ConfigurationError, match="is no cache"):
        as_cache({})
    with pytest.raises(ConfigurationError, match="ttl_seconds is 0"):
        LLMCache(ttl_seconds=0)


def test_an_own_cache_that_gives_something_else_is_told_so():
    own = OneS()
    own.held[query().key] = "Hello!"
    with pytest.raises(ConfigurationError, match="Return a Completion"):
        together(asking(as_cache(own), Provider()))


@pytest.mark.parametrize("kind", ["redis", "dynamodb"])
def test_an_answer_of_megabytes_is_kept_whole(kind, way, request):
    """An image doesn't compress, and an item of DynamoDB holds 400 KB."""
    cache = KINDS[kind](way, request)
    image = answer((ImagePart(data=os.urandom(900_000), media_type="image/png"),))
    way.run(asking(cache, Provider(image, seconds=0)))
    found = way.run(asking(cache, Provider(seconds=0))).unwrap()
    assert (found.cache, found.choices) == ("hit", image.choices)
    way.call(cache.forget, query().key)
    assert way.call(cache.lookup, query().key) is None


@pytest.mark.parametrize("kind", ["redis", "dynamodb"])
def test_an_answer_is_gone_after_its_time(kind, way, request):
    cache = KINDS[kind](way, request)
    way.call(cache.store, "k", answer(), 0.001)
    way.run(iter_sleep(0.02))
    assert way.call(cache.lookup, "k") is None


def iter_sleep(seconds):
    yield Sleep(seconds)


@pytest.mark.parametrize("kind", ["redis", "dynamodb"])
def test_another_process_finds_it(kind, request):
    way = Blocking()
    cache = KINDS[kind](way, request)
    cache.store("k", answer("from here"))
    way.close()
    if kind == "redis":
        again = f"RedisLLMCache({cache.backend._url!r}, prefix={cache.backend.prefix!r}, timeout_seconds=5.0)"
    else:
        again = f"DynamoDBLLMCache('answers', prefix={cache.backend._backend.prefix!r}, timeout_seconds=20.0)"
    script = f"from lambdallm.llm.caching import sync\nprint(sync.{again}.lookup('k').text)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "from here", done.stderr


class TestStoresThatAreDown:
    """The call goes on, and the log says so once."""

    def nowhere(self, way, kind, monkeypatch):
        url = f"127.0.0.1:{free_port()}"
        if kind == "redis":
            return way.module.RedisLLMCache(f"redis://{url}", timeout_seconds=0.2)
        for name, value in {**AWS, "AWS_ENDPOINT_URL_DYNAMODB": f"http://{url}"}.items():
            monkeypatch.setenv(name, value)
        return way.module.DynamoDBLLMCache("answers", timeout_seconds=0.2)

    @pytest.mark.parametrize("kind", ["redis", "dynamodb"])
    def test_calls_are_made_without_it(self, kind, way, monkeypatch, caplog):
        cache, provider = self.nowhere(way, kind, monkeypatch), Provider(seconds=0)
        for _ in range(3):
            assert way.run(asking(cache, provider)).unwrap() == answer()
        assert len(provider) == 3
        assert caplog.text.count("calls are made without the cache") == 1

    def test_it_is_left_alone_for_a_while_and_then_tried_again(self, caplog):
        class Moody(Bytes):
            tries, down = 0, True

            def get(self, key):
                self.tries += 1
                if self.down:
                    raise RuntimeError("gone")
                return super().get(key)

        own, world = Moody(), World(lambda effect: None)
        cache, provider = as_cache(own), Provider(seconds=0)
        for _ in range(5):
            world.run(asking(cache, provider))
        assert own.tries == 1
        own.down = False
        world.run(iter_sleep(10))
        assert [world.run(asking(cache, provider)).value.cache for _ in range(2)] == [None, "hit"]
        assert caplog.text.count("gone") == 1

    def test_one_that_fails_while_storing_costs_no_answer(self):
        class Full(Bytes):
            def set(self, key, value, ttl_seconds=None):
                raise OSError("disk full")

        assert together(asking(as_cache(Full()), Provider()))[0] == Ok(answer())

    def test_by_hand_its_failure_is_raised(self, way, monkeypatch):
        from lambdallm.llm.backends import BackendError

        with pytest.raises(BackendError):
            way.call(self.nowhere(way, "redis", monkeypatch).lookup, "k")


def test_a_damaged_answer_in_redis_is_removed(way, request):
    cache = redis_cache(way, request)
    way.call(cache.set, query().key, base64.b64encode(b"damaged"))
    assert way.run(asking(cache, Provider(answer(reason="other"), seconds=0))).unwrap().cache is None
    assert way.call(cache.get, query().key) is None


def test_one_of_dynamodb_that_misses_a_piece_is_not_there(request):
    way = Blocking()
    cache = dynamodb_cache(way, request)
    cache.set("k", os.urandom(900_000))
    head = way.run(cache.backend._backend.load("k"))
    assert head.startswith(b"\x00pieces 3 ")
    digest = head.split(b" ")[2][:16].decode()
    way.run(cache.backend._backend.remove(f"k#{digest}#1"))
    assert cache.get("k") is None
    cache.set("short", head)
    assert cache.get("short") == head
    way.close()
