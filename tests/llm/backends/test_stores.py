"""What every shared store does: keeps, gives back, forgets. Against real servers, blocking and in event loops."""

import asyncio
import gc
import threading
import time

import pytest

from lambdallm.llm.backends import BackendError, DynamoDBBackend, RedisBackend, as_flows
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError, MissingKeyError


def test_what_is_saved_is_loaded(store, run):
    run(store.save("greeting", b"hello \x00\xff"))
    assert run(store.load("greeting")) == b"hello \x00\xff"


def test_what_was_never_saved_is_none(store, run):
    assert run(store.load("nothing")) is None


def test_saving_again_replaces(store, run):
    run(store.save("twice", b"one", 100.0))
    run(store.save("twice", b"two"))
    assert run(store.load("twice")) == b"two"


def test_what_is_removed_is_gone_and_removing_nothing_is_fine(store, run):
    run(store.save("gone", b"here"))
    run(store.remove("gone"))
    run(store.remove("gone"))
    assert run(store.load("gone")) is None


def test_a_value_is_gone_after_its_time(store, run):
    run(store.save("short", b"lived", 0.05))
    end = time.monotonic() + 10
    while run(store.load("short")) is not None:
        assert time.monotonic() < end, "it never expires"


def test_large_values_and_empty_ones_come_back_whole(store, run):
    large = bytes(range(256)) * 1200
    for value in (large, b""):
        run(store.save("size", value))
        assert run(store.load("size")) == value


def test_prefixes_keep_users_of_one_store_apart(redis, redis_url, run):
    other = RedisBackend(redis_url, prefix="other:")
    run(redis.save("name", b"mine"))
    assert run(other.load("name")) is None
    other.close()


def test_one_store_serves_many_event_loops_and_threads(store):
    """A warm environment has a new event loop for each invocation: connections must not die with the first."""
    driver = AsyncDriver()

    async def invocation(number):
        await driver.run(store.save(f"loop{number}", b"%d" % number))
        return await asyncio.gather(*(driver.run(store.load(f"loop{number}")) for _ in range(5)))

    def thread(number, found):
        found.append(asyncio.run(invocation(number)))

    assert [asyncio.run(invocation(n)) for n in range(3)] == [[b"%d" % n] * 5 for n in range(3)]
    found = []
    threads = [threading.Thread(target=thread, args=(n, found)) for n in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(found) == [[b"%d" % n] * 5 for n in range(3)]
    asyncio.run(driver.aclose())


def test_a_blocking_client_in_a_running_loop_works_too(store):
    """As in a notebook's cell."""

    async def cell():
        driver = Driver()
        driver.run(store.save("cell", b"1"))
        value = driver.run(store.load("cell"))
        driver.close()
        return value

    assert asyncio.run(cell()) == b"1"


def test_redis_by_a_client_of_ones_own(redis_url, run):
    from redis import Redis

    with Redis.from_url(redis_url) as client:
        store = RedisBackend(client)
        run(store.save("own", b"client"))
        assert run(store.load("own")) == b"client"


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # what each loop leaves behind is redis-py's
def test_an_asynchronous_client_of_ones_own_survives_several_loops(redis_url):
    """The second loop gets connections of its own, where redis-py alone says "Event loop is closed"."""
    from redis.asyncio import Redis

    async def invocation(store, number):
        driver = AsyncDriver()
        await driver.run(store.save("async", b"%d" % number))
        return await driver.run(store.load("async"))

    def invocations(store):
        assert [asyncio.run(invocation(store, n)) for n in range(3)] == [b"0", b"1", b"2"]
        assert len(store._by_loop) == 1, "closed loops are forgotten"

    invocations(RedisBackend(Redis.from_url(redis_url)))
    gc.collect()


def test_an_asynchronous_client_without_an_event_loop_says_so(redis_url):
    from redis.asyncio import Redis

    with pytest.raises(ConfigurationError, match="needs an event loop"):
        Driver().run(RedisBackend(Redis.from_url(redis_url)).load("x"))


def test_a_client_that_gives_text_is_refused(redis_url):
    from redis import Redis

    with Redis.from_url(redis_url, decode_responses=True) as client, pytest.raises(ConfigurationError, match="text"):
        RedisBackend(client)


@pytest.mark.parametrize("server", [object(), None])
def test_what_is_no_client_is_refused(server):
    with pytest.raises(ConfigurationError, match="no Redis client"):
        RedisBackend(server)


def test_a_url_that_is_none_names_it():
    with pytest.raises(ConfigurationError, match="cache:6379"):
        Driver().run(RedisBackend("cache:6379").load("x"))


def test_a_redis_that_is_down_is_a_backend_error_without_the_password(run):
    secret = "pass" + "word"
    store = RedisBackend(f"redis://user:{secret}@127.0.0.1:1/0")
    with pytest.raises(BackendError, match=r"redis://127\.0\.0\.1:1/0") as failed:
        run(store.load("x"))
    assert failed.value.retryable
    assert secret not in str(failed.value)


def test_redis_that_says_no_is_a_backend_error(redis, run):
    run(redis.save("text", b"x"))
    with pytest.raises(BackendError) as failed:
        run(redis.command("LPUSH", "lambdallm:text", "1"))
    assert failed.value.code == "WRONGTYPE"


def test_a_script_is_known_after_its_first_run(redis, run):
    run(redis.command("SCRIPT", "FLUSH"))
    for _ in range(2):
        assert run(redis.script("return {KEYS[1], ARGV[1]}", ["k"], ["v"])) == [b"lambdallm:k", b"v"]


def test_a_connection_that_was_closed_meanwhile_is_opened_again(redis, run):
    run(redis.save("kept", b"yes"))
    run(redis.command("CLIENT", "KILL", "TYPE", "normal"))
    assert run(redis.load("kept")) == b"yes"


def test_a_missing_table_says_how_to_make_it(ministack, aws, run):
    store = DynamoDBBackend("missing", endpoint=ministack)
    with pytest.raises(BackendError, match="Create the table") as failed:
        run(store.load("x"))
    assert not failed.value.retryable
    assert failed.value.code == "ResourceNotFoundException"


def test_no_credentials_are_the_callers_to_mend(ministack, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr("lambdallm.aws.botocore_chain.find_chain", lambda _: None)
    with pytest.raises(MissingKeyError):
        Driver().run(DynamoDBBackend("x", endpoint=ministack).load("x"))


def test_the_table_is_made_once(ministack, aws, run):
    store = DynamoDBBackend("made-twice", endpoint=ministack, timeout_seconds=20.0)
    run(store.ensure_table())
    run(store.ensure_table())
    run(store.save("x", b"1"))
    assert run(store.load("x")) == b"1"


class Dictionary:
    """Somebody's own store, blocking."""

    def __init__(self):
        self.kept = {}

    def get(self, key):
        return self.kept.get(key)

    def set(self, key, value, ttl_seconds):
        self.kept[key] = value

    def delete(self, key):
        del self.kept[key]


class Awaited(Dictionary):
    """The same, asynchronous."""

    async def get(self, key):
        return super().get(key)

    async def set(self, key, value, ttl_seconds):
        super().set(key, value, ttl_seconds)

    async def delete(self, key):
        super().delete(key)


def test_somebodys_blocking_store(run):
    store = as_flows(Dictionary())
    run(store.save("a", b"1", 5.0))
    assert run(store.load("a")) == b"1"
    run(store.remove("a"))
    assert run(store.load("a")) is None


def test_somebodys_asynchronous_store():
    store = as_flows(Awaited())

    async def use():
        driver = AsyncDriver()
        await driver.run(store.save("a", b"1"))
        return await driver.run(store.load("a"))

    assert asyncio.run(use()) == b"1"
    with pytest.raises(ConfigurationError, match=r"Awaited\.get is asynchronous"):
        Driver().run(store.load("a"))


def test_what_somebodys_store_raises_is_a_backend_error(run):
    with pytest.raises(BackendError, match=r"Dictionary.delete failed: 'absent' \(KeyError\)") as failed:
        run(as_flows(Dictionary()).remove("absent"))
    assert isinstance(failed.value.__cause__, KeyError)


def test_an_asynchronous_store_that_hangs_is_given_up():
    class Hanging(Awaited):
        async def get(self, key):
            await asyncio.Event().wait()

    async def use():
        await AsyncDriver().run(as_flows(Hanging(), timeout_seconds=0.01).load("a"))

    with pytest.raises(BackendError, match=r"Hanging\.get failed"):
        asyncio.run(use())


def test_a_blocking_store_that_hangs_holds_up_no_loop():
    gate = threading.Event()

    class Hanging(Dictionary):
        def get(self, key):
            gate.wait(10)

    async def use():
        await AsyncDriver().run(as_flows(Hanging(), timeout_seconds=0.01).load("a"))

    with pytest.raises(BackendError, match="Nothing came within"):
        asyncio.run(use())
    gate.set()


def test_an_object_without_the_methods_is_refused():
    with pytest.raises(ConfigurationError, match="no get and no set"):
        as_flows(type("Half", (), {"delete": lambda self, key: None})())


def test_our_own_stores_are_flows_already(redis):
    assert as_flows(redis) is redis
