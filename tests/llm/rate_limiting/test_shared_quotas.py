"""Quotas in Redis and DynamoDB: the same answers as in memory, on real servers, with several processes at once."""

import multiprocessing
import time
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import servers
from lambdallm.llm.backends import DynamoDBBackend, RedisBackend
from lambdallm.llm.drivers import Driver
from lambdallm.llm.rate_limiting import MemoryQuotas, RateLimiter, Short
from lambdallm.llm.rate_limiting import redis as in_redis

from .worlds import EPOCH, World

LIMITS = RateLimiter(60, 600, request_burst=5, requests_per_day=9, tokens_per_month=1500).limits


@pytest.fixture(params=["redis", "dynamodb"])
def store(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def scripted_time(redis, monkeypatch):
    """Redis's own clock can't be set: here its scripts read the time from a key."""
    for name in ("TAKE", "SETTLE"):
        source = getattr(in_redis, name).replace("redis.call('TIME')", "{redis.call('GET', 'test:now'), 0}")
        monkeypatch.setattr(in_redis, name, source)


def charges_of(tokens):
    from lambdallm.llm.rate_limiting import Charge

    return tuple(Charge(limit, tokens if limit.unit == "tokens" else 1) for limit in LIMITS)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("passes"), st.floats(0, 30)),
        st.tuples(st.just("day"), st.integers(1, 20)),
        st.tuples(st.just("take"), st.integers(0, 600), st.sampled_from([0.0, 0.0, 3.0])),
        st.tuples(st.just("settle"), st.integers(0, 5), st.integers(0, 700)),
        st.tuples(st.just("cancel"), st.integers(0, 5)),
    ),
    min_size=8,
    max_size=40,
)
runs = iter(range(10**9))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=steps)
def test_shared_stores_answer_as_memory_does(store, scripted_time, redis, steps):
    """Two takers of one store, which each remember what they saw last, and one account in memory."""
    with closing(World()) as world:
        _compared(world, f"parity{next(runs)}", store, redis, steps)


def _compared(world, key, store, redis, steps):
    memory, takers = MemoryQuotas(), [store.quotas(), store.quotas()]
    taken = []
    for number, step in enumerate(steps):
        shared = takers[number % 2]
        world.run(redis.command("SET", "test:now", repr(EPOCH + world.now)))
        if step[0] in ("passes", "day"):
            world.now += step[1] * (86_400 if step[0] == "day" else 1)
        elif step[0] == "take":
            expected = world.run(memory.take(key, charges_of(step[1]), step[2]))
            answer = world.run(shared.take(key, charges_of(step[1]), step[2]))
            assert type(answer) is type(expected)
            assert answer.wait_seconds == pytest.approx(expected.wait_seconds, abs=1e-4)
            if isinstance(answer, Short):
                assert answer.charge == expected.charge
            else:
                taken.append((expected, answer))
        elif taken:
            in_memory, in_store = taken.pop(step[1] % len(taken))
            used = [0.0] * len(LIMITS) if step[0] == "cancel" else [c.amount for c in charges_of(step[2])]
            world.run(memory.settle(in_memory, used))
            world.run(shared.settle(in_store, used))


def backend_of(kind, url):
    return (
        RedisBackend(url, timeout_seconds=20)
        if kind == "redis"
        else DynamoDBBackend("limits", endpoint=url, timeout_seconds=60)
    )


def racer(kind, url, key, calls, start, told):
    """A process that makes calls as fast as it can; tells when each was admitted, by the machine's clock."""
    import os

    os.environ.update(servers.AWS)
    limiter = RateLimiter(
        requests_per_minute=1200, request_burst=20, tokens_per_day=100_000, backend=backend_of(kind, url),
        on_backend_failure="closed",
    )  # fmt: skip
    driver, times = Driver(), []
    start.wait(60)
    for _ in range(calls):
        before = time.time()
        result = driver.run(limiter.admit(key, 10))
        if result.is_ok():
            times.append((before, time.time()))
            driver.run(result.value.settle(7))
        elif result.error.code == "backend":
            raise result.error
    told.put(times)


@pytest.mark.parametrize("kind", ["redis", "dynamodb"])
def test_racing_processes_exceed_no_limit_and_lose_no_update(kind, redis_url, dynamodb, ministack):
    """Three processes want far more than 20 at once and 20 a second; what they got is what the store counted."""
    url, key = (redis_url if kind == "redis" else ministack), f"race-{time.time()}"
    context = multiprocessing.get_context("spawn")
    start, told = context.Event(), context.Queue()
    racers = [context.Process(target=racer, args=(kind, url, key, 60, start, told)) for _ in range(3)]
    for process in racers:
        process.start()
    start.set()
    admitted = sorted(pair for _ in racers for pair in told.get(timeout=120))
    for process in racers:
        process.join(30)
        assert process.exitcode == 0
    assert len(admitted) >= 20
    for first, (before, _) in enumerate(admitted):
        for count, (_, after) in enumerate(admitted[first:], 1):
            assert count <= 20 + (after - before) * 20 + 1e-6
    assert tokens_today(kind, url, key) == 7 * len(admitted)


def tokens_today(kind, url, key):
    store, driver = backend_of(kind, url), Driver()
    if kind == "redis":
        kept = driver.run(store.command("HGET", f"lambdallm:quota:{key}", "tokens/day:1"))
        store.close()
        return float(kept)
    item = driver.run(store.table.get(f"quota:{key}"))
    driver.close()
    return item["tokens/day:1"]


def test_idle_quotas_leave_redis(redis):
    driver = Driver()
    limiter = RateLimiter(60, request_burst=2, backend=redis)
    driver.run(limiter.admit("idle"))
    left = driver.run(redis.command("PTTL", "lambdallm:quota:idle"))
    assert 2_000 < left <= 4_000


def test_a_limit_keeps_what_a_longer_one_needs(redis):
    """Two limiters of one key: the minute's must not shorten the life of the month's count."""
    driver = Driver()
    driver.run(RateLimiter(requests_per_month=5, backend=redis).admit("both"))
    driver.run(RateLimiter(60, backend=redis).admit("both"))
    assert driver.run(redis.command("PTTL", "lambdallm:quota:both")) > 120_000


def test_idle_quotas_leave_dynamodb(dynamodb):
    driver = Driver()
    driver.run(RateLimiter(60, backend=dynamodb).admit("idle"))
    item = driver.run(dynamodb.table.get("quota:idle"))
    assert item["expires_at"] > time.time() + 31 * 86_400
    driver.close()


def test_dynamodb_is_asked_once_in_the_common_case(dynamodb):
    from lambdallm.llm.flow import Send

    driver = Driver()
    sent, send = [], driver._perform[Send]
    driver._perform[Send] = lambda effect: sent.append(dict(effect.request.headers)["X-Amz-Target"]) or send(effect)
    limiter = RateLimiter(600, 60_000, backend=dynamodb)
    for _ in range(3):
        driver.run(driver.run(limiter.admit(f"once-{id(driver)}", 100)).unwrap().settle(40))
    assert sent == ["DynamoDB_20120810.UpdateItem"] * 6
    driver.close()
