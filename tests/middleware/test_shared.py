"""Idempotency and budgets in Redis and DynamoDB: real servers, several processes, and processes that are killed."""

import multiprocessing
import os
import signal
import time

import pytest

import servers
from lambdallm.llm.backends import DynamoDBBackend, RedisBackend
from lambdallm.llm.drivers import AsyncDriver, Driver
from lambdallm.llm.errors import BudgetExceededError
from lambdallm.middleware import ConflictError, CostTrackingMiddleware, IdempotencyMiddleware, KeyReusedError
from lambdallm.middleware.idempotency_record import Record
from lambdallm.middleware.idempotency_stores import idempotency_store

from .test_cost import MODEL, PRICES, asks, costs
from .worlds import Invocation, called, http

WAIT = 60
"""Seconds after which a test that waits has failed."""


def backend_of(kind, url):
    os.environ.update(servers.AWS)
    if kind == "redis":
        return RedisBackend(url, timeout_seconds=20.0)
    return DynamoDBBackend("shared", endpoint=url, timeout_seconds=60.0)


@pytest.fixture(params=["redis", "dynamodb"])
def place_of(request, monkeypatch):
    """The kind of a store, and where it is."""
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    kind = request.param
    url = request.getfixturevalue("redis_url" if kind == "redis" else "ministack")
    if kind == "dynamodb":
        run(backend_of(kind, url).ensure_table())
    return kind, url


@pytest.fixture
def store(place_of):
    return idempotency_store(backend_of(*place_of))


def run(flow):
    driver = Driver()
    try:
        return driver.run(flow)
    finally:
        driver.close()


def fresh():
    return f"key-{time.time_ns()}"


def claim(owner, busy_seconds=30.0, ttl_seconds=60.0, payload="p"):
    now = time.time()
    return Record(owner, payload, now + ttl_seconds, now + busy_seconds)


def done(record, result="null"):
    return record.replace(busy_until=None, result=result)


class TestStores:
    def test_one_claims_the_others_see_whose_it_is(self, store):
        key, first = fresh(), claim("a")
        assert run(store.begin(key, first)) is None
        found = run(store.begin(key, claim("b")))
        assert (found.owner, found.payload, found.result) == ("a", "p", "")
        assert found.busy_until == pytest.approx(first.busy_until, abs=2)

    def test_a_claim_whose_answer_was_lost_is_one_s_own_when_it_is_made_again(self, store):
        key = fresh()
        assert [run(store.begin(key, claim("a"))) for _ in range(2)] == [None, None]

    def test_a_result_is_there_for_the_next(self, store):
        key, first = fresh(), claim("a")
        run(store.begin(key, first))
        assert run(store.finish(key, done(first, '{"result":"é"}'))) is True
        found = run(store.begin(key, claim("b")))
        assert (found.owner, found.busy_until, found.result) == ("a", None, '{"result":"é"}')

    def test_until_its_time_has_passed(self, store):
        key, first = fresh(), claim("a", busy_seconds=0.3, ttl_seconds=0.3)
        run(store.begin(key, first))
        run(store.finish(key, done(first)))
        assert claimed_within(store, key, "b")

    def test_a_claim_that_was_not_finished_can_be_taken_over(self, store):
        key, first = fresh(), claim("a", busy_seconds=0.3)
        run(store.begin(key, first))
        assert claimed_within(store, key, "b")
        assert run(store.finish(key, done(first))) is False
        run(store.release(key, "a"))
        assert run(store.begin(key, claim("c"))).owner == "b"

    def test_released_it_is_free(self, store):
        key = fresh()
        run(store.begin(key, claim("a")))
        run(store.release(key, "b"))
        assert run(store.begin(key, claim("c"))).owner == "a"
        run(store.release(key, "a"))
        assert run(store.begin(key, claim("c"))) is None

    def test_what_is_not_there_is_neither_finished_nor_released(self, store):
        key = fresh()
        assert run(store.finish(key, done(claim("a")))) is False
        run(store.release(key, "a"))
        assert run(store.begin(key, claim("b"))) is None

    def test_awaited_too(self, store):
        import asyncio

        async def both():
            driver, key = AsyncDriver(), fresh()
            try:
                first = await driver.run(store.begin(key, claim("a")))
                return first, (await driver.run(store.begin(key, claim("b")))).owner
            finally:
                await driver.aclose()

        assert asyncio.run(both()) == (None, "a")


def claimed_within(store, key, owner, seconds=5.0):
    """Whether somebody can claim a key before long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if run(store.begin(key, claim(owner))) is None:
            return True
    return False


class Process:
    """An environment of a function: its own driver, the shared store."""

    def __init__(self, kind, url, **options):
        self.layer = IdempotencyMiddleware(store=backend_of(kind, url), **options)
        self.driver = Driver()

    def invoke(self, function, key, seconds=30.0, body="{}"):
        from lambdallm.middleware.layers import around

        context = Invocation(self.driver, remaining_ms=seconds * 1000)
        return called(around([self.layer], function, http(body=body, idempotency_key=key), context))


def racer(kind, url, keys, start, told):
    """Does each request as soon as it may; tells what it did itself, and what it was answered."""
    process, ran, answers = Process(kind, url), [], {}
    start.wait(WAIT)
    for key in keys:
        while key not in answers:
            try:
                answers[key] = process.invoke(lambda event, context, key=key: ran.append(key) or os.getpid(), key)
            except ConflictError:
                continue
    told.put((ran, answers))


def killed(kind, url, key, began):
    """A run that is killed in the middle."""

    def function(event, context):
        began.set()
        time.sleep(WAIT)

    Process(kind, url).invoke(function, key, seconds=1.0)


@pytest.fixture
def processes():
    return multiprocessing.get_context("spawn")


def test_of_racing_processes_one_does_each_request_and_all_get_its_result(place_of, processes):
    keys = [f"{fresh()}-{number}" for number in range(25)]
    start, told = processes.Event(), processes.Queue()
    racers = [processes.Process(target=racer, args=(*place_of, keys, start, told), daemon=True) for _ in range(2)]
    for one in racers:
        one.start()
    start.set()
    (ran_a, answers_a), (ran_b, answers_b) = (told.get(timeout=WAIT) for _ in racers)
    for one in racers:
        one.join(WAIT)
    assert sorted([*ran_a, *ran_b]) == sorted(keys)
    assert answers_a == answers_b


def test_a_process_that_was_killed_is_in_nobody_s_way_for_long(place_of, processes):
    key, began = fresh(), processes.Event()
    victim = processes.Process(target=killed, args=(*place_of, key, began), daemon=True)
    victim.start()
    assert began.wait(WAIT)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(WAIT)

    process, runs = Process(*place_of), []
    with pytest.raises(ConflictError):
        process.invoke(lambda event, context: runs.append(1), key)
    end = time.monotonic() + 10
    while not runs and time.monotonic() < end:
        try:
            process.invoke(lambda event, context: runs.append(1), key)
        except ConflictError:
            continue
    process.invoke(lambda event, context: runs.append(1), key)
    assert runs == [1]
    with pytest.raises(KeyReusedError):
        process.invoke(lambda event, context: runs.append(1), key, body='{"other": 1}')
    process.driver.close()


def spender(kind, url, key, start, told):
    """Makes calls of a cent while there is a budget; tells what it spent, and how often it was told of a threshold."""
    alerts, driver, spent = [], Driver(), 0
    layer = CostTrackingMiddleware(
        daily_budget=0.3, key=lambda event, context: key, prices=PRICES, backend=backend_of(kind, url),
        alert_at=(0.5,), on_alert=alerts.append, on_backend_failure="closed",
    )  # fmt: skip
    context = Invocation(driver)
    layer.before_invoke({}, context)
    start.wait(WAIT)
    refused = 0
    while refused < 3:
        request = asks(2)
        try:
            driver.run(context.guards[0].before_call(request, (MODEL,)))
        except BudgetExceededError:
            refused += 1
            continue
        driver.run(context.guards[0].after_call(request, costs(0.01)))
        spent += 1
    told.put((spent, len(alerts)))


def test_processes_share_a_budget_and_one_of_them_tells_of_it(place_of, processes):
    """Each call may cost two cents, and costs one: thirty cents are twenty-nine calls, and one that does not fit."""
    start, told, key = processes.Event(), processes.Queue(), fresh()
    spenders = [processes.Process(target=spender, args=(*place_of, key, start, told), daemon=True) for _ in range(2)]
    for one in spenders:
        one.start()
    start.set()
    (spent_a, alerts_a), (spent_b, alerts_b) = (told.get(timeout=WAIT) for _ in spenders)
    for one in spenders:
        one.join(WAIT)
    assert spent_a + spent_b == 29
    assert alerts_a + alerts_b == 1


def test_dynamodb_deletes_a_record_after_its_time(ministack, monkeypatch):
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    backend = backend_of("dynamodb", ministack)
    run(backend.ensure_table())
    key, record = fresh(), claim("a")
    run(idempotency_store(backend).begin(key, record))
    item = run(backend.table.get(f"idempotency:{key}"))
    assert item["expires_at"] == int(record.until) + 1
