"""A backend that dies mid-way: calls go on or are refused as configured, quickly, and the log says so once."""

import asyncio
import logging
import time

import pytest

import servers
from lambdallm.llm.backends import BackendError, DynamoDBBackend, RedisBackend
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.protocols import QuotaBackendProtocol
from lambdallm.llm.rate_limiting import MemoryQuotas, RateLimiter, Short, Taken


class Failing:
    """Somebody's own quotas, in memory, that can be made to fail. `asked` counts."""

    def __init__(self):
        self.failing, self.asked, self.quotas = False, 0, MemoryQuotas()

    def take(self, key, charges, wait_seconds=0.0):
        self.asked += 1
        if self.failing:
            raise ConnectionResetError("the cable is cut")
        return Driver().run(self.quotas.take(key, charges, wait_seconds))

    def settle(self, taken, used):
        self.asked += 1
        if self.failing:
            raise ConnectionResetError("the cable is cut")
        Driver().run(self.quotas.settle(taken, used))


def warnings_in(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_somebodys_own_quotas_are_asked(world):
    backend = Failing()
    assert isinstance(backend, QuotaBackendProtocol)
    limiter = RateLimiter(requests_per_minute=1, backend=backend)
    assert [world.run(limiter.admit("k")).is_ok() for _ in range(2)] == [True, False]


def test_open_lets_calls_go_on_and_says_so_once(world, caplog):
    backend = Failing()
    limiter = RateLimiter(requests_per_minute=1, backend=backend)
    backend.failing = True
    assert all(world.run(limiter.admit("k")).is_ok() for _ in range(50))
    assert warnings_in(caplog) == [
        "The backend of rate limits fails: Failing.take failed: the cable is cut (ConnectionResetError)."
        " Check that the store runs and can be reached from here. Meanwhile calls go on without limits."
    ]
    assert backend.asked == 1, "it is left alone for a while"


def test_closed_refuses_calls_and_says_why(world, caplog):
    backend = Failing()
    backend.failing = True
    limiter = RateLimiter(requests_per_minute=1, backend=backend, on_backend_failure="closed")
    for _ in range(3):
        error = world.run(limiter.admit("openai")).error
        assert (error.sent, error.retryable, error.code, error.retry_after) == (False, True, "backend", 5.0)
        assert "for 'openai' can't be checked" in str(error)
    assert "calls are refused" in warnings_in(caplog)[0]


def test_a_backend_that_comes_back_is_used_again(world, caplog):
    caplog.set_level(logging.INFO, "lambdallm.backends")
    backend = Failing()
    limiter = RateLimiter(requests_per_minute=1, backend=backend)
    world.run(limiter.admit("k"))
    backend.failing = True
    assert world.run(limiter.admit("k")).is_ok()
    backend.failing = False
    world.now += 5.1
    assert world.run(limiter.admit("k")).is_err(), "what was taken before is remembered"
    assert caplog.records[-1].getMessage() == "The backend of rate limits answers again."


def test_a_long_outage_is_logged_once_a_minute_with_what_was_left_out(world, caplog):
    backend = Failing()
    backend.failing = True
    limiter = RateLimiter(requests_per_minute=1, backend=backend)
    for _ in range(14):
        world.run(limiter.admit("k"))
        world.now += 5.1
    first, second = warnings_in(caplog)
    assert "not logged" not in first
    assert second.endswith("11 further failures were not logged.")


def test_a_permit_that_can_not_be_settled_harms_nobody(world, caplog):
    backend = Failing()
    limiter = RateLimiter(tokens_per_minute=60, backend=backend)
    permit = world.run(limiter.admit("k", 60)).unwrap()
    backend.failing = True
    world.run(permit.settle(10))
    assert "Failing.settle failed" in warnings_in(caplog)[0]


def test_an_answer_that_is_none_is_a_failure(world, caplog):
    class Wrong(Failing):
        def take(self, key, charges, wait_seconds=0.0):
            return True

    limiter = RateLimiter(requests_per_minute=1, backend=Wrong(), on_backend_failure="closed")
    assert "Wrong.take gave True" in str(world.run(limiter.admit("k")).error)


def test_asynchronous_quotas_of_ones_own():
    class Awaited(Failing):
        async def take(self, key, charges, wait_seconds=0.0):
            return Short(charges[0], 3.0)

        async def settle(self, taken, used):
            raise AssertionError("nothing was taken")

    limiter = RateLimiter(requests_per_minute=1, backend=Awaited())
    assert asyncio.run(AsyncDriver().run(limiter.admit("k"))).error.retry_after == 3.0
    with pytest.raises(ConfigurationError, match="is asynchronous"):
        Driver().run(limiter.admit("k"))


@pytest.fixture
def doomed_redis(tmp_path):
    with servers.redis_server(tmp_path) as url:
        yield url


@pytest.mark.parametrize(("policy", "goes_on"), [("open", True), ("closed", False)])
def test_redis_is_killed_mid_way(doomed_redis, policy, goes_on, caplog):
    store = RedisBackend(doomed_redis)
    limiter = RateLimiter(requests_per_minute=2, backend=store, on_backend_failure=policy)
    driver = Driver()
    assert driver.run(limiter.admit("k")).is_ok()
    with pytest.raises(BackendError):
        driver.run(store.command("SHUTDOWN", "NOSAVE", again=False))
    begun = time.monotonic()
    assert [driver.run(limiter.admit("k")).is_ok() for _ in range(200)] == [goes_on] * 200
    assert time.monotonic() - begun < 4, "each call waits for a dead server"
    assert len(warnings_in(caplog)) == 1
    store.close()


def test_a_redis_that_hangs_costs_its_timeout_once(tmp_path):
    """A server that accepts and never answers, as one that swaps or is cut off by a firewall."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = RedisBackend(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout_seconds=0.05)
        limiter = RateLimiter(requests_per_minute=2, backend=store)

        async def calls():
            driver = AsyncDriver()
            return [(await driver.run(limiter.admit("k"))).is_ok() for _ in range(100)]

        begun = time.monotonic()
        assert all(asyncio.run(calls()))
        assert time.monotonic() - begun < 4
        store.close()


def test_a_dynamodb_without_its_table_follows_the_policy_and_names_the_mend(ministack, aws, caplog):
    limiter = RateLimiter(1, backend=DynamoDBBackend("absent", endpoint=ministack), on_backend_failure="closed")
    driver = Driver()
    assert driver.run(limiter.admit("k")).is_err()
    assert "Create the table" in warnings_in(caplog)[0]
    driver.close()


def test_throttling_is_tried_again_within_the_time_allowed(aws):
    from lambdallm.llm.flow import Sleep
    from lambdallm.testing.script import Script
    from lambdallm.transport.types import HttpResponse

    throttled = HttpResponse(400, body=b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException"}')
    item = b'{"Attributes":{"requests/minute:0":{"N":"1700000001"},"requests/minute:1":{"N":"0"}}}'
    store = DynamoDBBackend("t", jitter=lambda: 1.0)
    script = Script([throttled, throttled, HttpResponse(200, body=item)], servers.AWS)
    assert isinstance(script.run(store.quotas().take("k", charges(60))), Taken)
    assert [effect.seconds for effect in script.of(Sleep)] == [0.025, 0.05]

    script = Script([throttled] * 40, servers.AWS)
    with pytest.raises(BackendError, match="ThrottlingException") as failed:
        script.run(store.quotas().take("k", charges(60)))
    assert failed.value.retryable
    assert sum(effect.seconds for effect in script.of(Sleep)) < 2.0


def test_what_is_wrong_for_good_is_not_tried_again(aws):
    from lambdallm.llm.flow import Send
    from lambdallm.testing.script import Script
    from lambdallm.transport.types import HttpResponse

    denied = HttpResponse(400, body=b'{"__type":"x#AccessDeniedException","Message":"no"}')
    script = Script([denied], servers.AWS)
    with pytest.raises(BackendError, match="Allow the function's role"):
        script.run(DynamoDBBackend("t").load("k"))
    assert len(script.of(Send)) == 1


def charges(per_minute):
    from lambdallm.llm.rate_limiting import Charge

    return tuple(Charge(limit, 1.0) for limit in RateLimiter(per_minute).limits)
