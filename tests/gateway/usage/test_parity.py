"""Whatever is taken, settled, settled again, lost and settled late: shared stores answer as memory does."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdallm.gateway.usage.hold import Settlement, lost
from lambdallm.gateway.usage.memory import MemoryUsage
from lambdallm.llm.drivers import Driver
from lambdallm.llm.rate_limiting import Taken

from .kit import charges_of, hold_of, row_of, today

steps = st.lists(
    st.one_of(
        st.tuples(st.just("take"), st.integers(0, 1), st.integers(0, 600), st.booleans()),
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, 900)),
        st.tuples(st.just("lost"), st.integers(0, 9)),
    ),
    min_size=5,
    max_size=40,
)


@pytest.fixture(params=["sqlite", "redis", "dynamodb"])
def shared(request):
    return request.getfixturevalue(f"{request.param}_store")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=steps)
def test_shared_stores_answer_as_memory_does(shared, steps):
    driver, key, stores = Driver(), f"parity-{os.urandom(6).hex()}", (MemoryUsage(), shared)
    held = []
    for number, step in enumerate(steps):
        if step[0] == "take":
            taken_of_both(driver, stores, held, key, number, step)
        elif held:
            ended_in_both(driver, stores, held[step[1] % len(held)], step)
    assert seen(driver, stores[0], key) == pytest.approx(seen(driver, stores[1], key))
    driver.close()


def taken_of_both(driver, stores, held, key, number, step):
    hold = hold_of(key, f"h{number}", lives=-100.0 if step[3] else 900.0)
    outcomes = [driver.run(store.take(hold, charges_of(step[1], None, step[2], per_minute=6))) for store in stores]
    assert type(outcomes[0]) is type(outcomes[1])
    if isinstance(outcomes[0], Taken):
        held.append([hold.replace(receipts=one.receipts) for one in outcomes])
    else:
        assert outcomes[0].charge == outcomes[1].charge


def ended_in_both(driver, stores, holds, step):
    answers = []
    for store, hold in zip(stores, holds, strict=True):
        used = tuple(float(step[-1]) if one.charge.limit.unit == "micro_usd" else 1.0 for one in hold.receipts)
        ending = lost(hold) if step[0] == "lost" else Settlement(hold, used, row_of(hold, requests=1, cost_micro_usd=7))
        answers.append(driver.run(store.settle(ending)))
    assert answers[0] == answers[1]


def seen(driver, store, key):
    account = driver.run(store.account(key))
    rows = driver.run(store.rows(today(), today(), key))
    counts = {name: number for row in rows for name, number in row.counts.items()}
    spent = {name: state[1] for name, state in account.states.items() if name.startswith("micro_usd")}
    return {**counts, **spent, "held": len(account.holds)}
