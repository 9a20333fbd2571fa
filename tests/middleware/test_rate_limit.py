"""Callers that send too many, each counted by itself."""

import pytest

from lambdallm.llm.backends import BackendError
from lambdallm.llm.errors import ConfigurationError
from lambdallm.middleware import Principal, RateLimitMiddleware, TooManyRequestsError

from .worlds import http, http_v1


def admitted(place, layer, event=None, times=1, principal=None):
    """How many of so many events are let through, and when the last that was not may come again."""
    count, seconds = 0, None
    for _ in range(times):
        context = place.invocation()
        if principal is not None:
            context.principal = Principal(principal)
        try:
            place.invoke([layer], lambda event, context: None, event, context)
        except TooManyRequestsError as refusal:
            seconds = refusal.retry_after
            continue
        count += 1
    return count, seconds


def test_a_caller_who_sends_too_many_waits(place):
    layer = RateLimitMiddleware(60, burst=3)
    assert admitted(place, layer, http(), 5) == (3, 1)
    place.world.pass_time(2.01)
    assert admitted(place, layer, http(), 5)[0] == 2


def test_a_day_has_its_own(place):
    layer = RateLimitMiddleware(requests_per_day=2)
    assert admitted(place, layer, http(), 3) == (2, 6400)
    place.world.pass_time(6401)
    assert admitted(place, layer, http())[0] == 1


def test_addresses_are_counted_apart_and_callers_by_name(place):
    layer, other = RateLimitMiddleware(1), http()
    other["requestContext"]["http"]["sourceIp"] = "192.0.2.8"
    assert admitted(place, layer, http(), 2)[0] == 1
    assert admitted(place, layer, http_v1(), 2)[0] == 0, "the same address"
    assert admitted(place, layer, other, 2)[0] == 1
    assert admitted(place, layer, http(), 2, principal="ada")[0] == 1
    assert admitted(place, layer, other, 2, principal="ada")[0] == 0
    assert admitted(place, layer, http(), 2, principal="192.0.2.7")[0] == 1, "a name that looks like an address"


def test_a_client_can_t_choose_the_address_it_is_counted_by(place):
    """A load balancer adds what it saw to the end of what the client wrote."""
    layer = RateLimitMiddleware(1)
    for number in range(3):
        event = {"requestContext": {"elb": {}}, "headers": {"x-forwarded-for": f"10.0.0.{number}, 192.0.2.7"}}
        assert admitted(place, layer, event)[0] == (number == 0)


def test_a_key_of_one_s_own(place):
    layer = RateLimitMiddleware(1, key=lambda event, context: event["tenant"])
    assert [admitted(place, layer, {"tenant": tenant})[0] for tenant in "aab"] == [1, 0, 1]


def test_events_without_a_key_are_counted_together(place):
    layer = RateLimitMiddleware(1, key="tenant")
    assert [admitted(place, layer, event)[0] for event in ({}, {"tenant": None}, None)] == [1, 0, 0]


def test_whose_key_it_was_is_not_told(place):
    layer = RateLimitMiddleware(1)
    admitted(place, layer, http(), principal="ada@example.com")
    context = place.invocation()
    context.principal = Principal("ada@example.com")
    with pytest.raises(TooManyRequestsError) as caught:
        place.invoke([layer], lambda event, context: None, http(), context)
    assert caught.value.http_status == 429
    assert "ada" not in str(caught.value)


def test_without_a_limit_it_is_a_mistake():
    with pytest.raises(ConfigurationError, match="no limit"):
        RateLimitMiddleware()


class Down:
    gives_flows = True

    def take(self, key, charges, wait_seconds=0.0):
        yield from ()
        raise BackendError("It is down.")

    settle = take


@pytest.mark.parametrize(("choice", "passed"), [("open", 2), ("closed", 0)])
def test_while_the_backend_is_down(place, choice, passed):
    layer = RateLimitMiddleware(1, backend=Down(), on_backend_failure=choice)
    assert admitted(place, layer, http(), 2)[0] == passed
