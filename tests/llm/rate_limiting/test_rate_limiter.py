"""What a rate limiter answers, in this process's memory: the same for blocking and awaiting callers."""

import asyncio

import pytest

from lambdallm.llm.errors import ConfigurationError, LLMRateLimitError, ProviderServerError
from lambdallm.llm.flow import Sleep
from lambdallm.llm.protocols import QuotaBackendProtocol
from lambdallm.llm.rate_limiting import RateLimiter, sync
from lambdallm.llm.result import Err, Ok
from lambdallm.testing.script import Script

from .worlds import BEGUN

DAY = 86400


def admitted(world, limiter, *args, **kwargs):
    return world.run(limiter.admit(*args, **kwargs)).is_ok()


def test_a_rested_bucket_holds_a_minutes_worth(world):
    limiter = RateLimiter(requests_per_minute=3)
    assert [admitted(world, limiter, "openai") for _ in range(4)] == [True, True, True, False]
    world.now += 20
    assert [admitted(world, limiter, "openai") for _ in range(2)] == [True, False]


def test_the_error_says_which_limit_and_when_and_that_no_call_was_made(world):
    limiter = RateLimiter(requests_per_minute=1)
    world.run(limiter.admit("openai"))
    world.now += 15
    error = world.run(limiter.admit("openai")).error
    assert isinstance(error, LLMRateLimitError)
    assert (error.retry_after, error.sent, error.retryable, error.code) == (45.0, False, True, "requests/minute")
    assert str(error) == (
        "The limit of 1 requests a minute for 'openai' is reached; there is room in 45 s. No call was made."
        " Wait and try again."
    )


def test_a_long_wait_is_told_in_whole_seconds(world):
    limiter = RateLimiter(requests_per_minute=1 / 60)
    world.run(limiter.admit("openai"))
    assert "there is room in 3600 s." in str(world.run(limiter.admit("openai")).error)


def test_keys_have_buckets_of_their_own(world):
    limiter = RateLimiter(requests_per_minute=1)
    assert admitted(world, limiter, "openai")
    assert admitted(world, limiter, "groq")
    assert not admitted(world, limiter, "openai")


@pytest.mark.parametrize(
    ("key", "made"),
    [("provider", "openai"), ("model", "openai/gpt"), ("all", "all"), (lambda p, m: f"{m}@{p}", "gpt@openai")],
)
def test_what_is_limited_is_chosen(key, made):
    assert RateLimiter(1, key=key).key_of("openai", "gpt") == made


def test_requests_and_tokens_are_all_or_nothing(world):
    limiter = RateLimiter(requests_per_minute=10, tokens_per_minute=100)
    assert admitted(world, limiter, "k", 90)
    refused = world.run(limiter.admit("k", 20)).error
    assert (refused.code, refused.retry_after) == ("tokens/minute", pytest.approx(6.0))
    assert [admitted(world, limiter, "k", 1) for _ in range(10)] == [True] * 9 + [False], "the refusal cost a request"


def test_a_burst_of_ones_own(world):
    limiter = RateLimiter(requests_per_minute=60, request_burst=2)
    assert [admitted(world, limiter, "k") for _ in range(3)] == [True, True, False]


def test_a_rate_below_one_a_minute_still_lets_one_through(world):
    limiter = RateLimiter(requests_per_minute=0.5)
    assert [admitted(world, limiter, "k") for _ in range(2)] == [True, False]
    world.now += 120
    assert admitted(world, limiter, "k")


def test_a_call_larger_than_the_bucket_is_never_retried(world):
    limiter = RateLimiter(tokens_per_minute=1000, max_wait_seconds=3600)
    error = world.run(limiter.admit("openai", 1001)).error
    assert (error.retryable, error.sent, error.retry_after) == (False, False, None)
    assert "needs 1001 tokens" in str(error)
    assert "is 1000 at once" in str(error)
    assert world.slept == []


def test_what_was_not_used_is_given_back(world):
    limiter = RateLimiter(tokens_per_minute=1000)
    permit = world.run(limiter.admit("k", 1000)).unwrap()
    assert not admitted(world, limiter, "k", 600)
    world.run(permit.settle(400))
    assert admitted(world, limiter, "k", 600)
    assert not admitted(world, limiter, "k", 1)


def test_what_was_used_beyond_is_charged(world):
    limiter = RateLimiter(tokens_per_minute=60)
    permit = world.run(limiter.admit("k", 10)).unwrap()
    world.run(permit.settle(90))
    assert world.run(limiter.admit("k", 1)).error.retry_after == pytest.approx(31.0)


def test_unknown_use_counts_as_reserved(world):
    limiter = RateLimiter(tokens_per_minute=60)
    world.run(world.run(limiter.admit("k", 60)).unwrap().settle(None))
    assert not admitted(world, limiter, "k", 1)


def test_a_permit_is_ended_once(world):
    limiter = RateLimiter(tokens_per_minute=60)
    permit = world.run(limiter.admit("k", 60)).unwrap()
    world.run(permit.settle(30))
    world.run(permit.settle(0))
    world.run(permit.cancel())
    permit.drop()
    assert admitted(world, limiter, "k", 30)
    assert not admitted(world, limiter, "k", 1)


def test_a_cancelled_permit_gives_back_its_request_too(world):
    limiter = RateLimiter(requests_per_minute=1, tokens_per_minute=60)
    world.run(world.run(limiter.admit("k", 60)).unwrap().cancel())
    assert admitted(world, limiter, "k", 60)


def test_a_dropped_permit_is_settled_by_the_next_call(world):
    limiter = RateLimiter(requests_per_minute=2, tokens_per_minute=60)
    world.run(limiter.admit("k", 60)).unwrap().drop(20)
    assert admitted(world, limiter, "k", 40)
    assert not admitted(world, limiter, "k", 0), "the request of the dropped call counts"


def test_a_late_refund_fills_no_bucket_twice(world):
    """Time has paid off the reservation: giving it back on top would let a second burst through."""
    limiter = RateLimiter(tokens_per_minute=60)
    slow = world.run(limiter.admit("k", 60)).unwrap()
    world.now += 60
    assert admitted(world, limiter, "k", 60)
    world.run(slow.settle(0))
    assert not admitted(world, limiter, "k", 1)


def test_a_refund_counts_those_that_others_had_meanwhile(world):
    """What the first gave back moved the second's debt forward: by now, time has paid for it."""
    limiter = RateLimiter(tokens_per_minute=60)
    first, second = (world.run(limiter.admit("k", 30)).unwrap() for _ in range(2))
    world.run(first.settle(0))
    world.now += 30
    assert admitted(world, limiter, "k", 30)
    world.run(second.settle(0))
    assert not admitted(world, limiter, "k", 31)


def test_days_and_months_are_those_of_the_calendar(world):
    limiter = RateLimiter(requests_per_day=2, requests_per_month=3)
    assert [admitted(world, limiter, "k") for _ in range(3)] == [True, True, False]
    refused = world.run(limiter.admit("k")).error
    assert (refused.code, refused.retry_after) == ("requests/day", 57600.0)  # 1_800_000_000 is 08:00 UTC
    world.now += 57600
    assert [admitted(world, limiter, "k") for _ in range(2)] == [True, False]
    refused = world.run(limiter.admit("k")).error
    assert refused.code == "requests/month"
    assert "3 requests a month" in str(refused)
    world.now += refused.retry_after - 1
    assert not admitted(world, limiter, "k")
    world.now += 1
    assert admitted(world, limiter, "k")


def test_a_days_tokens_are_given_back_on_that_day_only(world):
    limiter = RateLimiter(tokens_per_day=100)
    early, late = (world.run(limiter.admit("k", 50)).unwrap() for _ in range(2))
    world.run(early.settle(20))
    assert admitted(world, limiter, "k", 30)
    assert not admitted(world, limiter, "k", 1)
    world.now += DAY
    assert admitted(world, limiter, "k", 90)
    world.run(late.settle(0))
    assert not admitted(world, limiter, "k", 11)


def test_a_call_waits_its_turn_where_the_wait_fits(world):
    limiter = RateLimiter(requests_per_minute=60, request_burst=1, max_wait_seconds=2.5)
    assert [admitted(world, limiter, "k") for _ in range(4)] == [True] * 4
    assert world.slept == [pytest.approx(1.0)] * 3


def test_those_who_wait_are_let_through_in_their_order():
    """Each takes its turn when it comes, so that nobody wakes up to find another was quicker."""
    limiter = RateLimiter(requests_per_minute=60, request_burst=1, max_wait_seconds=2.5)
    waits = []

    async def run():
        from lambdallm.llm.drivers import AsyncDriver

        driver = AsyncDriver()

        async def slept(effect):
            waits.append(effect.seconds)
            await asyncio.sleep(0)

        driver._perform[Sleep] = slept
        return await asyncio.gather(*(driver.run(limiter.admit("k")) for _ in range(5)))

    results = asyncio.run(run())
    assert [result.is_ok() for result in results] == [True, True, True, False, False]
    assert waits == [pytest.approx(1.0, abs=0.1), pytest.approx(2.0, abs=0.1)]


def test_no_wait_reaches_the_deadline(world):
    limiter = RateLimiter(requests_per_minute=60, request_burst=1, max_wait_seconds=100)
    world.run(limiter.admit("k"))
    assert world.run(limiter.admit("k", deadline=BEGUN + 1.0)).is_err()
    assert world.slept == []
    assert world.run(limiter.admit("k", deadline=BEGUN + 1.1)).is_ok()


def test_a_wait_that_is_broken_off_gives_back_its_turn():
    limiter = RateLimiter(requests_per_minute=60, request_burst=1, max_wait_seconds=10)
    world = Script()
    world.run(limiter.admit("k"))
    flow = limiter.admit("k")
    effect = next(flow)
    while not isinstance(effect, Sleep):
        effect = flow.send(world.clock)
    flow.close()
    world.run(limiter.admit("k"))
    assert [effect.seconds for effect in world.of(Sleep)] == [pytest.approx(1.0)]


def attempt(result):
    """A flow that gives a result and yields nothing."""
    return result
    yield


@pytest.mark.parametrize(
    ("result", "left"),
    [
        (Ok(30), 30),
        (Err(ProviderServerError("It failed.")), 60),
        (Err(ProviderServerError("It was not asked.", sent=False)), 60),
    ],
)
def test_an_attempt_under_a_permit_uses_what_it_says(world, result, left):
    limiter = RateLimiter(tokens_per_minute=60)
    used = lambda outcome: outcome.value if outcome.is_ok() else 0  # noqa: E731
    assert world.run(limiter.during(lambda: attempt(result), "k", 60, used=used)) is result
    assert admitted(world, limiter, "k", left)
    assert not admitted(world, limiter, "k", 1)


def test_an_attempt_that_was_not_sent_gives_back_its_request(world):
    limiter = RateLimiter(requests_per_minute=1)
    unsent = Err(ProviderServerError("The breaker is open.", sent=False))
    for _ in range(3):
        assert world.run(limiter.during(lambda: attempt(unsent), "k", used=lambda _: 0)) is unsent
    assert admitted(world, limiter, "k")


def test_an_attempt_that_breaks_off_gives_back_its_tokens(world):
    limiter = RateLimiter(tokens_per_minute=60)

    def broken():
        raise RuntimeError("a bug")
        yield

    with pytest.raises(RuntimeError, match="a bug"):
        world.run(limiter.during(broken, "k", 60, used=lambda _: None))
    assert admitted(world, limiter, "k", 60)


def test_an_attempt_that_is_not_admitted_is_not_made(world):
    limiter = RateLimiter(requests_per_minute=1)
    world.run(limiter.admit("k"))
    result = world.run(limiter.during(lambda: pytest.fail("it was made"), "k", used=lambda _: 0))
    assert result.error.code == "requests/minute"


def test_no_limits_at_all(world):
    limiter = RateLimiter()
    assert admitted(world, limiter, "k", 10**12)
    assert repr(limiter) == "<RateLimiter: no limits>"


def test_a_limiter_shows_its_limits():
    limiter = sync.RateLimiter(60, 10_000, requests_per_day=5)
    assert repr(limiter) == "<RateLimiter: 60 requests a minute, 5 requests a day, 10000 tokens a minute>"


@pytest.mark.parametrize(
    "options",
    [
        {"requests_per_minute": 0},
        {"tokens_per_minute": -1},
        {"requests_per_day": float("inf")},
        {"tokens_per_month": True},
        {"requests_per_minute": "60"},
        {"requests_per_minute": 60, "request_burst": 0.5},
        {"token_burst": 100},
        {"requests_per_minute": 1, "on_backend_failure": "ajar"},
        {"key": "tenant"},
        {"backend": object()},
    ],
)
def test_nonsense_is_refused_when_the_limiter_is_made(options):
    with pytest.raises(ConfigurationError) as refused:
        RateLimiter(**options)
    assert refused.value.fix


@pytest.mark.parametrize("tokens", [-1, float("nan"), float("inf")])
def test_a_number_of_tokens_that_would_widen_a_limit_is_refused(world, tokens):
    limiter = RateLimiter(tokens_per_minute=10)
    with pytest.raises(ConfigurationError, match="number of tokens"):
        world.run(limiter.admit("k", tokens))
    permit = world.run(limiter.admit("k", 10)).unwrap()
    with pytest.raises(ConfigurationError, match="number of tokens"):
        world.run(permit.settle(tokens))
    assert not admitted(world, limiter, "k", 1)


def test_a_limiter_is_a_quota_backend_itself(world):
    shared = RateLimiter(1)
    assert isinstance(shared, QuotaBackendProtocol)
    assert admitted(world, RateLimiter(1, backend=shared), "k")
    assert not admitted(world, RateLimiter(1, backend=shared), "k")


def test_acquire_and_release_without_a_client():
    blocking = sync.RateLimiter(tokens_per_minute=100)
    blocking.release(blocking.acquire("k", 100).unwrap(), 40)
    assert blocking.acquire("k", 60).is_ok()

    async def use():
        awaiting = RateLimiter(tokens_per_minute=100)
        await awaiting.release((await awaiting.acquire("k", 100)).unwrap(), 40)
        return await awaiting.acquire("k", 60)

    assert asyncio.run(use()).is_ok()
