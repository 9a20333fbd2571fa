"""What the meter lets through, what it charges, and what it does while its store is down."""

import logging
from contextlib import closing

import pytest

from lambdallm.gateway.caller import Caller
from lambdallm.gateway.usage import Meter, UsageQuery
from lambdallm.gateway.usage.memory import MemoryUsage
from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.flow import ReaderLeft

from .worlds import DAY, Unsteady, World, limited


@pytest.fixture
def world():
    world = World()
    yield world
    world.driver.close()


@pytest.fixture
def meter():
    return Meter()


def headers_of(error):
    return dict(error.headers)


class TestReserving:
    def test_a_key_without_limits_is_only_counted(self, world, meter):
        reservation = world.reserve(meter, limited(), cost=None)
        assert reservation.headers == ()
        world.settle(meter, reservation, 0.25)
        total = world.total(meter)
        assert (total["requests"], total["cost_usd"], total["total_tokens"]) == (1, 0.25, 100)

    def test_what_is_left_is_told_with_the_answer(self, world, meter):
        caller = limited(requests_per_minute=60, tokens_per_minute=1000)
        assert dict(world.reserve(meter, caller, tokens=250).headers) == {
            "x-ratelimit-limit-requests": "60",
            "x-ratelimit-remaining-requests": "59",
            "x-ratelimit-reset-requests": "1s",
            "x-ratelimit-limit-tokens": "1000",
            "x-ratelimit-remaining-tokens": "750",
            "x-ratelimit-reset-tokens": "15s",
            "anthropic-ratelimit-requests-limit": "60",
            "anthropic-ratelimit-requests-remaining": "59",
            "anthropic-ratelimit-tokens-limit": "1000",
            "anthropic-ratelimit-tokens-remaining": "750",
        }

    def test_a_limit_a_minute_refuses_and_says_when_to_come_again(self, world, meter):
        caller = limited(requests_per_minute=2)
        for _ in range(2):
            world.reserve(meter, caller)
        error = world.refusal(meter, caller)
        assert (error.status, error.type, error.code) == (429, "requests", "rate_limit_exceeded")
        assert error.message == "This key's limit of 2 requests a minute is reached. Try again in 30s."
        told = headers_of(error)
        assert (told["retry-after"], told["x-ratelimit-remaining-requests"]) == ("30", "0")
        assert told["x-ratelimit-reset-requests"] == "1m0s"
        assert told["anthropic-ratelimit-requests-reset"] == "2026-11-21T12:01:01Z"
        assert "x-should-retry" not in told
        world.wall += 30
        world.reserve(meter, caller)

    def test_tokens_that_were_not_used_can_be_used_again(self, world, meter):
        caller = limited(tokens_per_minute=150)
        reservation = world.reserve(meter, caller)
        error = world.refusal(meter, caller)
        assert (error.type, headers_of(error)["x-ratelimit-remaining-tokens"]) == ("tokens", "50")
        world.settle(meter, reservation, tokens=(10, 20))
        world.reserve(meter, caller)

    @pytest.mark.parametrize("limits", [{"tokens_per_minute": 99}, {"requests_per_minute": 0}])
    def test_what_no_waiting_makes_possible_is_not_tried_again(self, world, meter, limits):
        error = world.refusal(meter, limited(**limits))
        assert (error.status, error.code) == (429, "rate_limit_exceeded")
        assert headers_of(error) == {"x-should-retry": "false"}

    def test_tokens_a_minute_of_none_allow_no_call(self, world, meter):
        assert world.refusal(meter, limited(tokens_per_minute=0), tokens=0).status == 429

    def test_a_budget_refuses_until_its_day_is_over(self, world, meter):
        caller = limited(daily_budget_usd=0.015)
        world.reserve(meter, caller)
        error = world.refusal(meter, caller)
        assert (error.status, error.type, error.code) == (429, "insufficient_quota", "insufficient_quota")
        assert error.message.startswith(
            "A call of up to 0.01 US dollars is more than is left of this key's budget of 0.015 US dollars a day. "
            "The next day begins in 12h0m0s"
        )
        assert headers_of(error) == {"retry-after": "43200", "x-should-retry": "false"}
        world.wall += 43_200
        world.reserve(meter, caller)

    def test_a_months_budget_outlives_its_days(self, world, meter):
        caller = limited(daily_budget_usd=0.02, monthly_budget_usd=0.025)
        for _ in range(2):
            world.settle(meter, world.reserve(meter, caller))
        world.wall += 86_400
        assert "a month" in world.refusal(meter, caller).message
        world.wall += 86_400 * 10
        world.reserve(meter, caller)

    def test_a_call_larger_than_the_whole_budget_is_told_so(self, world, meter):
        error = world.refusal(meter, limited(monthly_budget_usd=0.005))
        assert "whole budget of 0.005 US dollars a month" in error.message
        assert headers_of(error) == {"x-should-retry": "false"}

    def test_refusals_are_counted_beside_requests_with_what_is_told_next(self, world):
        store, caller = Unsteady(), limited(requests_per_minute=1)
        meter = Meter(store)
        begun = world.reserve(meter, caller)
        for _ in range(5):
            world.refusal(meter, caller)
        assert store.asked == ["take"] * 6
        world.settle(meter, begun)
        total = world.total(meter)
        assert (total["requests"], total["refused"], total["failed"]) == (1, 5, 0)

    def test_keys_do_not_share(self, world, meter):
        world.reserve(meter, Caller("a", "ada", requests_per_minute=1))
        world.reserve(meter, Caller("b", "ada", requests_per_minute=1))

    def test_a_limit_that_is_raised_counts_at_once(self, world, meter):
        world.reserve(meter, limited(daily_budget_usd=0.01))
        world.refusal(meter, limited(daily_budget_usd=0.01))
        world.reserve(meter, limited(daily_budget_usd=0.02))

    def test_a_model_without_a_price_is_refused_to_a_key_with_a_budget(self, world, meter):
        error = world.refusal(meter, limited(daily_budget_usd=1.0), cost=None)
        assert (error.status, error.code, error.param) == (403, "model_without_price", "model")

    def test_it_may_be_allowed_until_the_budget_is_spent(self, world):
        meter, caller = Meter(unpriced="allow"), limited(daily_budget_usd=0.01)
        world.settle(meter, world.reserve(meter, caller, cost=None), 0.02)
        assert world.refusal(meter, caller, cost=None).code == "insufficient_quota"


class TestSettling:
    def test_the_true_cost_takes_the_place_of_the_reserved_one(self, world, meter):
        caller = limited(daily_budget_usd=1.0)
        for cost in (0.002, 0.03):
            world.settle(meter, world.reserve(meter, caller), cost)
        assert world.spent(meter, caller) == pytest.approx(0.032)

    def test_an_unknown_cost_counts_as_reserved_and_is_called_unknown(self, world, meter):
        caller = limited(daily_budget_usd=1.0)
        world.settle(meter, world.reserve(meter, caller), None)
        assert world.spent(meter, caller) == pytest.approx(0.01)
        total = world.total(meter)
        assert (total["cost_usd"], total["unpriced_requests"]) == (None, 1)
        world.settle(meter, world.reserve(meter, caller), 0.5)
        total = world.total(meter)
        assert (total["requests"], total["cost_usd"], total["unpriced_requests"]) == (2, 0.5, 1)

    def test_a_refused_call_costs_nothing(self, world, meter):
        caller = limited(daily_budget_usd=1.0, tokens_per_minute=150)
        world.settle(meter, world.reserve(meter, caller), None, tokens=None, ok=False, status=503)
        assert world.spent(meter, caller) == 0
        world.reserve(meter, caller)
        total = world.total(meter)
        assert (total["failed"], total["unpriced_requests"], total["cost_usd"]) == (1, 0, 0)
        assert total["errors"] == {"upstream": 1}

    @pytest.mark.parametrize(("status", "kind"), [(200, "cut"), (499, "client_left"), (504, "timeout")])
    def test_a_call_that_broke_off_counts_as_reserved(self, world, meter, status, kind):
        caller = limited(daily_budget_usd=1.0)
        world.settle(meter, world.reserve(meter, caller), None, tokens=None, ok=False, status=status)
        assert world.spent(meter, caller) == pytest.approx(0.01)
        total = world.total(meter)
        assert (total["errors"], total["unpriced_requests"], total["latency_ms"]) == ({kind: 1}, 1, None)

    def test_what_a_cut_stream_is_known_to_have_used_counts(self, world, meter):
        caller = limited(daily_budget_usd=1.0)
        world.settle(meter, world.reserve(meter, caller), 0.004, tokens=(60, 7), ok=False, status=200)
        assert world.spent(meter, caller) == pytest.approx(0.004)
        assert world.total(meter)["output_tokens"] == 7

    def test_an_answer_from_the_cache_costs_nothing(self, world, meter):
        caller = limited(daily_budget_usd=1.0)
        world.settle(meter, world.reserve(meter, caller), 0.0, tokens=(0, 0), cached=True)
        assert world.spent(meter, caller) == 0
        assert (world.total(meter)["cache_hits"], world.total(meter)["cost_usd"]) == (1, 0)

    def test_a_call_that_was_not_made_gives_everything_back(self, world, meter):
        caller = limited(requests_per_minute=1, daily_budget_usd=0.01)
        world.run(meter.cancel(world.reserve(meter, caller)))
        world.reserve(meter, caller)
        assert world.total(meter)["requests"] == 0

    def test_a_flow_that_is_closed_owes_and_the_next_call_pays(self, world, meter):
        caller = limited(daily_budget_usd=0.01)
        reservation = world.reserve(meter, caller)
        meter.owe(reservation, None, 0.004, model="m", ok=False, latency_ms=1.0, status=499)
        world.run(meter.flush())
        assert world.spent(meter, caller) == pytest.approx(0.004)

    def test_a_call_over_midnight_is_paid_by_the_day_it_began_in(self, world, meter):
        caller = limited(daily_budget_usd=0.01)
        world.wall += 43_190
        reservation = world.reserve(meter, caller)
        world.wall += 20
        world.settle(meter, reservation, 0.008)
        world.reserve(meter, caller)
        assert world.total(meter)["requests"] == 1


class TestProcessesThatDie:
    def test_their_reservations_expire_and_their_calls_are_counted_as_lost(self, world, meter):
        caller = limited(daily_budget_usd=0.01)
        world.reserve(meter, caller)
        assert world.refusal(meter, caller).code == "insufficient_quota"
        world.wall += 900
        assert world.refusal(meter, caller).code == "insufficient_quota"
        world.wall += 60
        world.reserve(meter, caller)
        total = world.total(meter)
        assert (total["requests"], total["lost"], total["cost_usd"]) == (1, 1, None)

    def test_one_that_was_only_slow_pays_after_all(self, world, meter):
        caller = limited(daily_budget_usd=0.02)
        slow = world.reserve(meter, caller)
        world.wall += 960
        assert world.run(meter.live()) == []
        world.settle(meter, slow, 0.015)
        assert world.spent(meter, caller) == pytest.approx(0.015)
        total = world.total(meter)
        assert (total["requests"], total["lost"], total["cost_usd"]) == (1, 0, 0.015)

    def test_one_that_was_slow_and_answered_by_another_model_leaves_no_trace_of_the_first(self, world, meter):
        slow = world.reserve(meter, limited(), model="first")
        world.wall += 960
        world.run(meter.live())
        world.settle(meter, slow, 0.015, model="second")
        groups = world.run(meter.report(UsageQuery(DAY, DAY, group_by=("model",)))).groups
        assert [(one["model"], one["requests"]) for one in groups] == [("second", 1)]

    def test_calls_under_way_are_seen(self, world, meter):
        first = world.reserve(meter, Caller("a", "ada"))
        world.wall += 1
        world.reserve(meter, Caller("b", "bob"), model="other")
        assert [(hold.key, hold.model) for hold in world.run(meter.live())] == [("a", "openai/gpt-4o"), ("b", "other")]
        world.settle(meter, first)
        assert [hold.key for hold in world.run(meter.live())] == ["b"]
        assert world.run(meter.live("a")) == []

    def test_calls_without_limits_need_not_be_followed(self, world):
        store = Unsteady()
        meter = Meter(store, track_live=False)
        world.settle(meter, world.reserve(meter, limited()))
        assert store.asked == ["count"]
        assert world.total(meter)["requests"] == 1


class TestWhileTheStoreIsDown:
    @pytest.fixture
    def store(self):
        return Unsteady()

    def test_closed_refuses_keys_with_limits_without_its_words(self, world, store, caplog):
        meter, store.down = Meter(store), True
        with caplog.at_level(logging.WARNING):
            error = world.refusal(meter, limited(requests_per_minute=5))
        assert (error.status, error.code, headers_of(error)) == (503, "limits_unavailable", {"retry-after": "5"})
        assert "for a test" not in error.message
        assert "calls of keys with limits are refused" in caplog.text

    def test_closed_lets_keys_without_limits_through(self, world, store):
        meter, store.down = Meter(store), True
        world.reserve(meter, limited())

    def test_open_lets_all_through_and_says_no_limits(self, world, store):
        meter, store.down = Meter(store, when_down="open"), True
        for _ in range(3):
            assert world.reserve(meter, limited(requests_per_minute=1)).headers == ()

    def test_it_is_left_alone_for_a_while(self, world, store):
        meter, store.down = Meter(store, when_down="open"), True
        for _ in range(3):
            world.reserve(meter, limited(requests_per_minute=1))
        assert store.asked == ["take"]
        store.down = False
        world.wall += 6
        assert world.reserve(meter, limited(requests_per_minute=1)).headers

    def test_what_is_settled_meanwhile_is_counted_later(self, world, store):
        meter, caller = Meter(store, when_down="open"), limited(daily_budget_usd=1.0)
        begun = world.reserve(meter, caller)
        store.down = True
        world.settle(meter, begun, 0.25)
        world.settle(meter, world.reserve(meter, caller), 0.5)
        store.down = False
        world.wall += 6
        world.settle(meter, world.reserve(meter, caller), 0.125)
        assert world.spent(meter, caller) == pytest.approx(0.375)
        total = world.total(meter)
        assert (total["requests"], total["cost_usd"]) == (3, 0.875)

    def test_a_reservation_that_was_cancelled_half_way_is_given_back(self, world, store):
        meter, caller = Meter(store), limited(daily_budget_usd=0.01)
        honest = store.take

        def taken_and_cancelled(hold, charges):
            yield from honest(hold, charges)
            raise ReaderLeft

        store.take = taken_and_cancelled
        with pytest.raises(ReaderLeft):
            world.reserve(meter, caller)
        del store.take
        assert world.spent(meter, caller) == pytest.approx(0.01)
        world.run(meter.flush())
        assert world.spent(meter, caller) == 0

    def test_many_calls_meanwhile_crowd_out_nothing(self, world, store):
        meter, caller = Meter(store, when_down="open"), limited(daily_budget_usd=1.0)
        begun = world.reserve(meter, caller)
        store.down = True
        world.settle(meter, begun, 0.25)
        for _ in range(1500):
            world.reserve(meter, caller)
        store.down = False
        world.wall += 6
        world.run(meter.flush())
        assert world.spent(meter, caller) == pytest.approx(0.25)

    def test_a_reservation_whose_answer_was_lost_is_given_back(self, world, store):
        meter, caller = Meter(store), limited(daily_budget_usd=0.01)
        honest = store.take

        def taken_and_lost(hold, charges):
            yield from honest(hold, charges)
            store._reached("answer")

        store.take, store.down = taken_and_lost, False
        store._reached = lambda name: _down(name == "answer")
        assert world.refusal(meter, caller).status == 503
        del store.take, store._reached
        assert world.spent(meter, caller) == pytest.approx(0.01)
        world.wall += 6
        world.run(meter.flush())
        assert world.spent(meter, caller) == 0


def _down(fails):
    from lambdallm.llm.backends import BackendError

    if fails:
        raise BackendError("The answer was lost, for a test.")


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("memory", "MemoryUsage"),
        ("sqlite", "SqliteUsage"),
        ("sqlite:/tmp/u.db", "SqliteUsage"),
        ("redis://h:1/0", "RedisUsage"),
        ("dynamodb", "DynamoDBUsage"),
        ("dynamodb:t", "DynamoDBUsage"),
    ],
)
def test_a_store_may_be_named(place, kind):
    with closing(Meter(place).store) as store:
        assert type(store).__name__ == kind


@pytest.mark.parametrize("place", ["", "redis", "postgres://u:word@h/db"])
def test_a_store_that_is_none_is_named_without_its_password(place):
    with pytest.raises(ConfigurationError) as raised:
        Meter(place)
    assert "word" not in str(raised.value)


def test_a_snapshot_holds_no_usage(world):
    store = MemoryUsage()
    world.reserve(Meter(store), limited())
    assert world.run(store.keys()) == ["k1"]
    store.forget()
    assert world.run(store.keys()) == []
