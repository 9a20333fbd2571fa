"""Budgets: refused before the call, settled after it, by key and period, in one environment."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.backends import BackendError
from lambdallm.llm.errors import (
    BudgetExceededError,
    ConfigurationError,
    LLMError,
    ProviderConnectionError,
    ProviderServerError,
    ProviderTimeoutError,
)
from lambdallm.llm.pricing import PricingManager
from lambdallm.llm.types import ChatMessage, ChatRequest, Choice, Completion, Usage
from lambdallm.middleware import BudgetAlert, CostTrackingMiddleware
from lambdallm.middleware.estimates import Estimates

from .worlds import Place

MODEL = "acme/large"
PRICES = PricingManager({"acme/*": {"input": 0.0, "output": 10_000.0}}, catalog=False)
"""A cent for each token of the answer, so that a call with `max_tokens=100` may cost a dollar."""

DAY = 86_400


def asks(max_tokens=100, **options):
    return ChatRequest("large", (ChatMessage("user", "Hi"),), max_tokens=max_tokens, **options)


def costs(usd, usage=None, **options):
    return Completion((Choice(ChatMessage("assistant", "Hello")),), usage, cost_usd=usd, **options)


class Calls:
    """A function that makes calls, each told to the guards as the handler tells them."""

    def __init__(self, place, layer, *, event=None, model=MODEL, context=None):
        self.place, self.layer, self.model, self.event = place, layer, model, event
        self.context = context

    def __call__(self, *outcomes, max_tokens=100):
        """One invocation with a call for each outcome."""
        context = self.context or self.place.invocation(event=self.event)
        context.guards.clear()

        def function(event, context):
            (guard,) = context.guards
            for outcome in outcomes:
                request = asks(max_tokens)
                self.place.world.run(guard.before_call(request, (self.model,)))
                self.place.world.run(guard.after_call(request, outcome))

        self.place.invoke([self.layer], function, self.event, context)
        return context

    @property
    def spent(self):
        return self.context.guards[0].spent_usd


def middleware(*arguments, **options):
    return CostTrackingMiddleware(*arguments, **{"prices": PRICES, **options})


class TestInvocation:
    def test_a_call_that_may_cost_more_than_is_left_is_refused(self, place):
        calls = Calls(place, middleware(2.5))
        calls(costs(1.0), costs(1.0))
        with pytest.raises(BudgetExceededError, match=r"up to 1\.000000 US dollars is more than the 0\.500000 left"):
            calls(costs(1.0), costs(1.0), costs(1.0))

    def test_what_a_call_did_cost_counts_instead_of_its_estimate(self, place):
        Calls(place, middleware(1.2))(costs(0.1), costs(0.1))

    def test_a_call_costs_more_than_estimated(self, place):
        with pytest.raises(BudgetExceededError, match=r"the 0\.000000 left"):
            Calls(place, middleware(1.5))(costs(2.0), costs(1.0))

    def test_the_next_invocation_has_a_budget_of_its_own(self, place):
        calls = Calls(place, middleware(1.0))
        for _ in range(5):
            calls(costs(1.0))

    def test_calls_beside_one_another_count_while_they_are_under_way(self, place):
        context = place.invocation()
        place.invoke([middleware(1.5)], lambda event, context: None, context=context)
        (guard,), first, second = context.guards, asks(), asks()
        place.world.run(guard.before_call(first, (MODEL,)))
        with pytest.raises(BudgetExceededError):
            place.world.run(guard.before_call(second, (MODEL,)))
        place.world.run(guard.after_call(first, costs(0.2)))
        place.world.run(guard.before_call(second, (MODEL,)))


class TestPeriods:
    def test_the_budget_of_a_day_holds_over_invocations(self, place):
        calls = Calls(place, middleware(daily_budget=2.0))
        calls(costs(0.6))
        calls(costs(0.6))
        with pytest.raises(BudgetExceededError, match=r"more than is left of the budget for this day, 2 US dollars"):
            calls(costs(0.6))
        place.world.pass_time(DAY)
        calls(costs(0.6))

    def test_the_budget_of_a_month_outlives_the_day(self, place):
        calls = Calls(place, middleware(monthly_budget=1.5))
        calls(costs(1.0))
        place.world.pass_time(DAY)
        with pytest.raises(BudgetExceededError, match="this month"):
            calls(costs(1.0))
        place.world.pass_time(31 * DAY)
        calls(costs(1.0))

    def test_a_call_larger_than_the_budget_is_refused_at_once(self, place):
        with pytest.raises(BudgetExceededError, match="is larger than the budget for this day"):
            Calls(place, middleware(daily_budget=0.5))(costs(0.0))

    def test_each_key_has_its_own(self, place):
        layer = middleware(daily_budget=1.0, key="header:x-tenant")
        Calls(place, layer, event={"headers": {"X-Tenant": "a"}})(costs(1.0))
        Calls(place, layer, event={"headers": {"X-Tenant": "b"}})(costs(1.0))
        with pytest.raises(BudgetExceededError, match="budget of 'a'"):
            Calls(place, layer, event={"headers": {"X-Tenant": "a"}})(costs(1.0))

    def test_and_may_have_another_amount(self, place):
        layer = middleware(daily_budget={"small": 0.5, "large": None}.get, key="plan")
        Calls(place, layer, event={"plan": "large"})(*[costs(1.0)] * 9)
        with pytest.raises(BudgetExceededError):
            Calls(place, layer, event={"plan": "small"})(costs(1.0))

    def test_a_refused_call_takes_nothing(self, place):
        calls = Calls(place, middleware(daily_budget=1.5))
        with pytest.raises(BudgetExceededError):
            calls(costs(0.1), max_tokens=200)
        calls(costs(1.0))


class TestWhatCounts:
    def spent(self, outcome, place, model=MODEL):
        calls = Calls(place, middleware(9.0), model=model, context=place.invocation())
        calls(outcome)
        return calls.spent

    def test_the_cost_that_an_answer_says(self, place):
        assert self.spent(costs(0.25), place) == 0.25

    def test_prices_of_one_s_own_decide_where_there_are_any(self, place):
        assert self.spent(costs(0.25, Usage(10, 30)), place) == pytest.approx(0.30)
        assert self.spent(costs(0.25, Usage(10, 30)), place, "nobody/knows") == 0.25

    def test_without_them_the_answer_does(self, place):
        usage = Usage(0, 1_000_000)
        estimates = Estimates(None, 1024)
        assert estimates.after(costs(0.25, usage), "openai/gpt-4o", None).usd == 0.25
        assert estimates.after(costs(None, usage), "openai/gpt-4o", None).usd > 1

    def test_else_its_usage(self, place):
        assert self.spent(costs(None, Usage(10, 30)), place) == pytest.approx(0.30)

    def test_else_the_estimate(self, place):
        assert self.spent(costs(None), place) == 1.0

    def test_an_answer_from_a_cache_costs_nothing(self, place):
        assert self.spent(costs(None, cache="hit"), place) == 0.0

    def test_a_failure_that_cost_something(self, place):
        assert self.spent(ProviderServerError("down", cost_usd=0.4), place) == 0.4
        assert self.spent(LLMError("cut off", usage=Usage(0, 50)), place) == pytest.approx(0.5)

    def test_a_failure_that_may_have_cost_something_counts_as_estimated(self, place):
        assert self.spent(ProviderTimeoutError("no answer"), place) == 1.0

    def test_a_failure_that_cost_nothing(self, place):
        assert self.spent(ProviderServerError("down", status=503), place) == 0.0
        assert self.spent(ProviderTimeoutError("never sent", sent=False), place) == 0.0
        assert self.spent(ProviderConnectionError("no connection"), place) == 0.0

    def test_estimated_calls_are_told_in_the_metrics(self, place):
        context = Calls(place, middleware(9.0))(costs(None), costs(0.5))
        assert context.metrics.total("budget.spent_usd") == 1.5
        assert context.metrics.total("budget.estimated_calls") == 1

    def test_several_answers_are_several_times_as_long(self):
        assert Estimates(PRICES, 1024).before(asks(n=3), MODEL) == pytest.approx(3.0)

    def test_a_request_without_a_limit_gets_what_is_assumed(self):
        assert Estimates(PRICES, 50).before(asks(None), MODEL) == pytest.approx(0.5)


class TestUnknownPrices:
    def test_are_let_through_and_logged_once(self, place, caplog):
        calls = Calls(place, middleware(1.0), model="nobody/knows")
        with caplog.at_level(logging.WARNING):
            calls(costs(None), costs(None))
        assert [record.message for record in caplog.records] == [
            "The price of 'nobody/knows' is unknown: its calls count for budgets only where they say a cost."
        ]

    def test_and_stop_when_what_they_say_they_cost_is_all_there_was(self, place):
        with pytest.raises(BudgetExceededError):
            Calls(place, middleware(1.0), model="nobody/knows")(costs(1.0), costs(1.0))

    def test_or_are_refused(self, place):
        layer = middleware(1.0, on_unknown_price="refuse")
        with pytest.raises(BudgetExceededError, match="price of 'nobody/knows' is unknown"):
            Calls(place, layer, model="nobody/knows")(costs(0.0))


class TestAlerts:
    def alerted(self, place, *outcomes, **options):
        alerts = []
        layer = middleware(daily_budget=10.0, alert_at=(0.5, 0.8), on_alert=alerts.append, **options)
        calls = Calls(place, layer)
        for outcome in outcomes:
            calls(outcome)
        return alerts

    def test_each_threshold_is_told_once(self, place):
        alerts = self.alerted(place, *[costs(1.0)] * 9)
        assert alerts == [BudgetAlert("", "day", 0.5, 5.0, 10.0), BudgetAlert("", "day", 0.8, 8.0, 10.0)]

    def test_both_by_one_call(self, place):
        assert [alert.share for alert in self.alerted(place, costs(8.5))] == [0.5, 0.8]

    def test_again_in_the_next_period(self, place):
        alerts = []
        calls = Calls(place, middleware(daily_budget=10.0, alert_at=(0.5,), on_alert=alerts.append))
        calls(costs(6.0))
        place.world.pass_time(DAY)
        calls(costs(6.0))
        assert len(alerts) == 2

    def test_what_is_only_reserved_is_not_told(self, place):
        assert self.alerted(place, costs(4.9), costs(0.0)) == []

    def test_by_default_it_is_a_warning(self, place, caplog):
        calls = Calls(place, middleware(daily_budget=10.0))
        with caplog.at_level(logging.WARNING):
            calls(costs(8.0))
        assert [record.message for record in caplog.records] == [
            "80% of the budget for this day is reached: 8.0000 of 10 US dollars."
        ]


class Down:
    """A backend that does not answer."""

    gives_flows = True

    def take(self, key, charges, wait_seconds=0.0):
        yield from ()
        raise BackendError("It is down.")

    settle = take


class TestOutages:
    def test_calls_go_on_and_the_invocation_s_budget_holds(self, place):
        calls = Calls(place, middleware(1.5, daily_budget=0.0001, backend=Down()))
        with pytest.raises(BudgetExceededError, match="larger than the budget"):
            calls(costs(1.0))
        calls = Calls(place, middleware(1.5, daily_budget=5.0, backend=Down()))
        with pytest.raises(BudgetExceededError, match="one invocation"):
            calls(costs(1.0), costs(1.0))

    def test_or_are_refused(self, place):
        layer = middleware(1.5, daily_budget=5.0, backend=Down(), on_backend_failure="closed")
        calls = Calls(place, layer, context=place.invocation())
        with pytest.raises(BackendError):
            calls(costs(1.0))
        with pytest.raises(BackendError):
            calls(costs(1.0))


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        ((0,), {}, "invocation_budget is 0"),
        (("1",), {}, "invocation_budget is '1'"),
        ((), {"daily_budget": -1}, "budget of a day is -1"),
        ((), {"monthly_budget": float("nan")}, "budget of a month is nan"),
        ((), {"on_unknown_price": "hope"}, "on_unknown_price is 'hope'"),
        ((), {"key": "cookie:x"}, "'cookie:x' names no part"),
    ],
)
def test_settings_that_make_no_sense_are_named(arguments, options, message):
    with pytest.raises(ConfigurationError, match=message):
        CostTrackingMiddleware(*arguments, **options)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(1, 300)),
        st.tuples(st.just("end"), st.integers(0, 9), st.floats(0, 3)),
        st.tuples(st.just("next"), st.none()),
    ),
    max_size=40,
)


@settings(max_examples=150)
@given(steps=steps)
def test_no_order_of_calls_lets_more_begin_than_the_budgets_have_left(steps):
    """What is reserved and spent never exceeds a budget, but by what calls cost beyond their estimates."""
    place = Place(False)
    layer = middleware(3.0, daily_budget=5.0)
    context, open_calls, spent_here, spent_today = None, [], 0.0, 0.0

    def begin():
        fresh = place.invocation()
        place.invoke([layer], lambda event, context: None, context=fresh)
        return fresh

    context = begin()
    for step in steps:
        if step[0] == "next":
            spent_today += sum(amount / 100 for _, _, amount in open_calls)  # they never end: what they reserved counts
            open_calls, spent_here, context = [], 0.0, begin()
        elif step[0] == "end" and open_calls:
            guard, request, _ = open_calls.pop(step[1] % len(open_calls))
            place.world.run(guard.after_call(request, costs(step[2])))
            spent_here += step[2]
            spent_today += step[2]
        elif step[0] == "begin":
            amount, request, (guard,) = step[1] / 100, asks(step[1]), context.guards
            reserved = sum(each / 100 for _, _, each in open_calls)
            fits = amount + reserved + max(spent_here - 3.0, spent_today - 5.0) < 1e-9
            try:
                place.world.run(guard.before_call(request, (MODEL,)))
            except BudgetExceededError:
                assert amount + reserved + max(spent_here - 3.0, spent_today - 5.0) > -1e-9
            else:
                assert fits
                open_calls.append((guard, request, step[1]))


@pytest.mark.parametrize("budget", [-1, "5", True, float("nan")])
def test_a_function_s_budget_that_is_none_is_named(place, budget):
    layer = CostTrackingMiddleware(daily_budget=lambda key: budget)
    with pytest.raises(ConfigurationError, match="budget of a day is"):
        Calls(place, layer)(costs(0.5))


def test_a_function_s_budget_of_nothing_allows_what_is_free_and_tells_nobody(place):
    alerts = []
    layer = CostTrackingMiddleware(daily_budget=lambda key: 0, prices=PRICES, on_alert=alerts.append)
    with pytest.raises(BudgetExceededError):
        Calls(place, layer)(costs(0.5))
    free = PricingManager({"acme/*": {"input": 0.0, "output": 0.0}}, catalog=False)
    Calls(place, CostTrackingMiddleware(daily_budget=lambda key: 0, prices=free, on_alert=alerts.append))(costs(0.0))
    assert alerts == []


def test_a_backend_s_address_is_in_no_error():
    with pytest.raises(ConfigurationError) as caught:
        CostTrackingMiddleware(daily_budget=1, backend="redis://user:password@cache")
    assert "password" not in str(caught.value)
