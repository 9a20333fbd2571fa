"""Calendar windows, what memory keeps, and what importing costs."""

import calendar
import datetime
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lambdallm
from lambdallm.llm import rate_limiting
from lambdallm.llm.drivers import Driver
from lambdallm.llm.rate_limiting import Charge, MemoryQuotas, RateLimiter, Window, sync

from .worlds import World

moments = st.floats(0, 4e9)


@given(moments)
def test_a_day_ends_at_midnight_utc(wall):
    now = datetime.datetime.fromtimestamp(wall, datetime.UTC)
    midnight = datetime.datetime.combine(now.date() + datetime.timedelta(1), datetime.time(), datetime.UTC)
    assert Window("requests", 1, "day").left(wall) == pytest.approx(midnight.timestamp() - wall, abs=1e-3)


@given(moments)
def test_a_month_ends_with_its_last_day(wall):
    now = datetime.datetime.fromtimestamp(wall, datetime.UTC)
    days = calendar.monthrange(now.year, now.month)[1]
    first = datetime.datetime(now.year, now.month, 1, tzinfo=datetime.UTC) + datetime.timedelta(days)
    month = Window("tokens", 1, "month")
    assert month.left(wall) == pytest.approx(first.timestamp() - wall, abs=1e-3)
    assert month.number(wall + month.left(wall) + 0.01) == month.number(wall) + 1


def test_memory_keeps_a_bounded_number_of_keys_and_drops_the_idle_first():
    world = World()
    quotas = MemoryQuotas(max_keys=3)
    limiter = RateLimiter(requests_per_minute=1, backend=quotas)
    month = tuple(Charge(limit, 1) for limit in RateLimiter(requests_per_month=1).limits)
    world.run(quotas.take("month", month))
    for key in ("a", "b"):
        world.run(limiter.admit(key))
    world.now += 120
    for key in ("c", "d"):
        world.run(limiter.admit(key))
    assert len(quotas) == 3
    assert world.run(quotas.take("month", month)).wait_seconds > 0, "what is not idle was kept"
    for key in ("e", "f", "g"):
        world.run(limiter.admit(key))
    assert len(quotas) == 3
    assert world.run(limiter.admit("g")).is_err()


def test_a_fork_goes_on_with_what_was_taken_even_where_the_lock_was_held():
    quotas = MemoryQuotas()
    limiter = RateLimiter(requests_per_minute=1, backend=quotas)
    Driver().run(limiter.admit("k"))
    quotas._lock.acquire()
    quotas.renew()  # as every child does
    assert Driver().run(limiter.admit("k")).is_err()


def test_the_door_opens_every_name():
    assert all(getattr(rate_limiting, name) is not None for name in rate_limiting.__all__)
    assert set(rate_limiting.__all__) == set(rate_limiting._HOMES) <= set(dir(rate_limiting))
    assert issubclass(sync.RateLimiter, rate_limiting.limiter.RateLimiterTemplate)
    with pytest.raises(AttributeError, match="nope"):
        rate_limiting.nope  # noqa: B018


def test_limits_in_memory_import_nothing_dear():
    """A cold start pays for what it imports: no event loop, no hashes, no log, no client of a store."""
    source = lambdallm.__path__[0].rpartition("/")[0]
    script = f"""import sys; sys.path.insert(0, {source!r})
from lambdallm.llm.rate_limiting.sync import RateLimiter, ConcurrencyLimit
limiter = RateLimiter(60, 1000, requests_per_day=5)
limiter.release(limiter.acquire("k", 10).unwrap(), 5)
with ConcurrencyLimit(1): pass
print(*sys.modules)"""
    found = subprocess.run([sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True)
    dear = {
        "asyncio",
        "hashlib",
        "logging",
        "redis",
        "socket",
        "typing",
        "dataclasses",
        "threading",
        "inspect",
        "random",
    }
    assert not dear & set(found.stdout.split())
