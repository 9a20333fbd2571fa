"""200 clients at once with one key, in several processes: limits are exact, and a budget but for what is stated."""

import asyncio
import multiprocessing
import os
import random
import signal
import threading
import time

import pytest

import servers
import usage_stores
from lambdallm.gateway.caller import Caller
from lambdallm.gateway.http import GatewayError
from lambdallm.gateway.usage import Meter, UsageQuery
from lambdallm.gateway.usage.dates import day_of
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.flow import Clock, Now
from lambdallm.llm.types import Usage

PROCESSES, THREADS, CALLS = 4, 50, 2
RESERVED = 0.01
BUDGET = 0.5
LIMIT = 90


def client(meter, caller, told, seed):
    """Calls in a row, as fast as they go: what was let through and what it cost, and why others were not."""
    driver, chance = Driver(), random.Random(seed)
    for _ in range(CALLS):
        try:
            reservation = driver.run(meter.reserve(caller, "echo/echo", 100, RESERVED))
        except GatewayError as error:
            told.append((error.code, 0.0))
            continue
        cost = RESERVED * chance.choice(caller.labels["shares"])
        ended = {"model": "echo/echo", "ok": True, "latency_ms": 5.0, "status": 200}
        driver.run(meter.settle(reservation, Usage(input_tokens=10, output_tokens=20), cost, **ended))
        told.append((None, cost))
    driver.close()


def process(kind, caller, start, answers, seed):
    os.environ.update(servers.AWS)
    meter, told = Meter(getattr(usage_stores, kind)()), []
    threads = [threading.Thread(target=client, args=(meter, caller, told, seed * 1000 + n)) for n in range(THREADS)]
    start.wait(60)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    meter.store.close()
    answers.put(told)


def storm(kind, caller):
    context = multiprocessing.get_context("spawn")
    start, answers = context.Event(), context.Queue()
    processes = [context.Process(target=process, args=(kind, caller, start, answers, n)) for n in range(PROCESSES)]
    for one in processes:
        one.start()
    start.set()
    begun = time.time()
    told = [each for _ in processes for each in answers.get(timeout=200)]
    seconds = time.time() - begun
    for one in processes:
        one.join(30)
        assert one.exitcode == 0
    assert len(told) == PROCESSES * THREADS * CALLS
    return told, seconds


def dies(kind, caller):
    os.environ.update(servers.AWS)
    driver = Driver()
    driver.run(Meter(getattr(usage_stores, kind)()).reserve(caller, "echo/echo", 100, BUDGET))
    os.kill(os.getpid(), signal.SIGKILL)


def spent_by(store, caller):
    driver = Driver()
    account = driver.run(store.account(caller.key_id))
    today = day_of(time.time())
    report = driver.run(Meter(store).report(UsageQuery(today, today, key=caller.key_id)))
    driver.close()
    assert account.holds == ()
    return account.states["micro_usd/day"][1] / 1e6, report.total


def key():
    return f"storm-{os.urandom(4).hex()}"


@pytest.fixture(params=["sqlite", "redis", "dynamodb"])
def kind(request):
    return request.param


def test_a_budget_holds_where_no_call_costs_more_than_reserved(kind, request):
    store = request.getfixturevalue(f"{kind}_store")
    caller = Caller(key(), "ada", daily_budget_usd=BUDGET, monthly_budget_usd=50.0, labels={"shares": (1.0, 0.5, 0.1)})
    told, _ = storm(kind, caller)
    costs = [cost for code, cost in told if code is None]
    assert {code for code, _ in told} == {None, "insufficient_quota"}
    assert sum(costs) <= BUDGET + 1e-9
    assert len(costs) >= BUDGET / RESERVED
    spent, total = spent_by(store, caller)
    assert spent == pytest.approx(sum(costs))
    assert (total["requests"], total["total_tokens"]) == (len(costs), 30 * len(costs))
    assert total["cost_usd"] == pytest.approx(sum(costs))


def test_a_budget_is_exceeded_by_no_more_than_calls_cost_beyond_what_was_reserved(kind, request):
    store = request.getfixturevalue(f"{kind}_store")
    caller = Caller(key(), "ada", daily_budget_usd=BUDGET, labels={"shares": (1.5, 1.0)})
    told, _ = storm(kind, caller)
    costs = [cost for code, cost in told if code is None]
    beyond = sum(max(0.0, cost - RESERVED) for cost in costs)
    assert sum(costs) <= BUDGET + beyond + 1e-9
    spent, _ = spent_by(store, caller)
    assert spent == pytest.approx(sum(costs))


def test_as_many_requests_are_let_through_as_the_limit_says(kind, request):
    request.getfixturevalue(f"{kind}_store")
    caller = Caller(key(), "ada", requests_per_minute=LIMIT, labels={"shares": (1.0,)})
    told, seconds = storm(kind, caller)
    passed = [code for code, _ in told if code is None]
    assert {code for code, _ in told} == {None, "rate_limit_exceeded"}
    assert LIMIT <= len(passed) <= LIMIT * (1 + seconds / 60)


def test_what_a_killed_process_had_reserved_is_there_again_after_its_time(kind, request):
    store = request.getfixturevalue(f"{kind}_store")
    caller, day = Caller(key(), "ada", monthly_budget_usd=BUDGET), day_of(time.time())
    one = multiprocessing.get_context("spawn").Process(target=dies, args=(kind, caller))
    one.start()
    one.join(60)
    assert one.exitcode == -signal.SIGKILL
    meter, driver, later = Meter(store), Driver(), [0.0]
    driver._perform[Now] = lambda _: Clock(time.monotonic(), time.time() + later[0])
    with pytest.raises(GatewayError, match="more than is left"):
        driver.run(meter.reserve(caller, "echo/echo", 100, RESERVED))
    later[0] = meter.reservation_seconds + 60
    driver.run(meter.reserve(caller, "echo/echo", 100, RESERVED))
    total = driver.run(meter.report(UsageQuery(day, day, key=caller.key_id))).total
    driver.close()
    assert (total["requests"], total["lost"], total["cost_usd"]) == (1, 1, None)


@pytest.mark.parametrize("place", ["memory", "sqlite", "redis", "dynamodb"])
def test_a_budget_holds_in_one_event_loop_too(place, request):
    """As behind an ASGI server: 200 calls under way at once, of which some are cancelled wherever they are."""
    store = usage_stores.memory() if place == "memory" else request.getfixturevalue(f"{place}_store")
    caller, meter = Caller(key(), "ada", daily_budget_usd=BUDGET), Meter(store)
    costs, refused = asyncio.run(called_at_once(meter, caller))
    assert set(refused) == {"insufficient_quota"}
    assert sum(costs) <= BUDGET + 1e-9
    spent, _ = spent_by(store, caller)
    assert spent == pytest.approx(sum(costs))


async def called_at_once(meter, caller):
    driver, costs, refused = AsyncDriver(), [], []

    async def call(number):
        ended = {"model": "echo/echo", "latency_ms": 5.0}
        try:
            reservation = await driver.run(meter.reserve(caller, "echo/echo", 100, RESERVED))
        except GatewayError as error:
            refused.append(error.code)
            return
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            meter.owe(reservation, Usage(), 0.0, ok=False, status=499, **ended)
            raise
        costs.append(RESERVED if number % 2 else RESERVED / 4)
        await driver.run(meter.settle(reservation, Usage(input_tokens=30), costs[-1], ok=True, status=200, **ended))

    tasks = [asyncio.ensure_future(call(number)) for number in range(200)]
    await asyncio.sleep(0)
    for task in tasks[::10]:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(one) for one in ended} == {type(None), asyncio.CancelledError}
    await driver.run(meter.flush())
    await driver.aclose()
    return costs, refused
