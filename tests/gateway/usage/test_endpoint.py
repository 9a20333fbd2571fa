"""`GET /usage`: what a key may see, and in which form."""

import json
from types import SimpleNamespace

import pytest

from lambdallm.gateway.caller import Caller
from lambdallm.gateway.http import GatewayError, GatewayRequest
from lambdallm.gateway.usage import Meter, usage

from .worlds import DAY, Unsteady, World

ADA = Caller("k1", "ada", requests_per_minute=60, daily_budget_usd=1.0)
BOB = Caller("k2", "bob")
ADMIN = Caller("root", "root", admin=True)


@pytest.fixture
def world():
    world = World()
    yield world
    world.driver.close()


@pytest.fixture
def meter(world):
    meter = Meter(Unsteady())
    for caller, cost in ((ADA, 0.25), (BOB, 0.5)):
        world.settle(meter, world.reserve(meter, caller), cost)
    return meter


def asked(world, meter, caller, **query):
    request = GatewayRequest("GET", "/usage", query_pairs=tuple(query.items()))
    reply = world.run(usage(SimpleNamespace(meter=meter), request, caller))
    assert (reply.status, dict(reply.headers)) == (200, {"content-type": "application/json"})
    return json.loads(reply.body)


def refusal(world, meter, caller, **query):
    with pytest.raises(GatewayError) as raised:
        asked(world, meter, caller, **query)
    return raised.value


def test_an_admin_sees_all(world, meter):
    found = asked(world, meter, ADMIN, group_by="key,user")
    assert (found["object"], found["start"], found["end"]) == ("list", "2026-10-23", DAY)
    assert [(one["key"], one["user"], one["cost_usd"]) for one in found["data"]] == [
        ("k1", "ada", 0.25),
        ("k2", "bob", 0.5),
    ]
    assert (found["total"]["requests"], found["total"]["cost_usd"]) == (2, 0.75)
    assert (found["has_more"], found["next_page"]) == (False, None)
    assert asked(world, meter, ADMIN, key="k2")["total"]["requests"] == 1


def test_a_key_sees_its_own(world, meter):
    assert asked(world, meter, ADA)["total"]["cost_usd"] == 0.25
    assert asked(world, meter, ADA, key="k1", group_by="key")["data"][0]["key"] == "k1"
    assert asked(world, meter, ADA, user="bob")["total"]["requests"] == 0
    error = refusal(world, meter, ADA, key="k2")
    assert (error.status, error.param) == (403, "key")


def test_pages(world, meter):
    first = asked(world, meter, ADMIN, group_by="key", limit="1")
    assert ([one["key"] for one in first["data"]], first["has_more"]) == (["k1"], True)
    second = asked(world, meter, ADMIN, group_by="key", limit="1", page=first["next_page"])
    assert ([one["key"] for one in second["data"]], second["has_more"]) == (["k2"], False)


def test_other_days_are_left_out(world, meter):
    assert asked(world, meter, ADMIN, start="2026-11-01", end="2026-11-20")["total"]["requests"] == 0
    assert asked(world, meter, ADMIN, start=DAY, end=DAY)["total"]["requests"] == 2


def test_live_tells_calls_under_way_and_what_is_left_of_ones_own_limits(world, meter):
    world.reserve(meter, ADA)
    world.wall += 1.5
    found = asked(world, meter, ADA, live="true")
    assert found["live"] == [
        {"key": "k1", "user": "ada", "model": "openai/gpt-4o", "started": "2026-11-21T12:00:00Z", "seconds": 1.5}
    ]
    assert found["limits"] == [
        {"name": "requests/minute", "limit": 60, "used": 1},
        {"name": "usd/day", "limit": 1.0, "used": 0.26, "reserved": 0.01},
    ]
    assert asked(world, meter, BOB, live="true")["live"] == []
    assert len(asked(world, meter, ADMIN, live="true")["live"]) == 1
    assert "limits" not in asked(world, meter, ADMIN, live="true")


@pytest.mark.parametrize(
    ("name", "value"),
    [("start", "yesterday"), ("start", "2026-11-22"), ("start", "2020-01-01"), ("end", "2026-02-30"), ("limit", "0"),
     ("limit", "1001"), ("limit", "1_0"), ("limit", "٣"), ("group_by", "day,day"), ("group_by", "prompt"),
     ("group_by", ""), ("page", "zz"), ("page", "5b5d"), ("page", "31"), ("live", "yes"), ("sort", "x")],
)  # fmt: skip
def test_what_can_not_be_read_is_named(world, meter, name, value):
    error = refusal(world, meter, ADMIN, **{name: value})
    assert (error.status, error.param) == (400, name)
    assert value[:5] in error.message or name in error.message


def test_a_store_that_is_down_is_not_quoted(world, meter):
    meter.store.down = True
    error = refusal(world, meter, ADMIN)
    assert (error.status, error.code) == (503, "usage_unavailable")
    assert "for a test" not in error.message


def test_a_gateway_that_counts_nothing_says_so(world):
    assert refusal(world, None, ADMIN).status == 404
