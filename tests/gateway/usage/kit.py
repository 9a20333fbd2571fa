"""What must hold of every store of usage: each check is a flow of the store and a key that nobody has."""

import time

from lambdallm.gateway.usage.dates import day_of
from lambdallm.gateway.usage.hold import Hold, Settlement, lost
from lambdallm.gateway.usage.rows import Row
from lambdallm.llm.concurrent import value_of
from lambdallm.llm.flow import Await, Start
from lambdallm.llm.rate_limiting import Bucket, Charge, Short, Taken, Window

DAY = 86_400
MOST = 1000.0
"""Millionths of a dollar a day and a month."""


def today():
    return day_of(time.time())


def hold_of(key, id="h1", ago=0.0, lives=900.0):
    started = time.time() - ago
    return Hold(id, key, "ada", "echo/echo", started, started + lives)


def charges_of(requests=None, tokens=None, micro=None, per_minute=60, most=MOST):
    """Charges on limits that a test can't outlive by refilling: a minute's worth is large beside what time gives."""
    charges = []
    if requests is not None:
        charges.append(Charge(Bucket("requests", per_minute / 1000, per_minute), requests))
    if tokens is not None:
        charges.append(Charge(Bucket("tokens", 0.1, 100), tokens))
    if micro is not None:
        charges += [Charge(Window("micro_usd", most, "day"), micro), Charge(Window("micro_usd", most, "month"), micro)]
    return tuple(charges)


def row_of(hold, **counts):
    return Row(day_of(hold.started), hold.key, hold.user, hold.model, counts or {"requests": 1})


def taken_by(store, hold, charges):
    taken = yield from store.take(hold, charges)
    assert isinstance(taken, Taken), taken
    return hold.replace(receipts=taken.receipts)


def settled(store, hold, *used, **counts):
    return (yield from store.settle(Settlement(hold, tuple(float(u) for u in used), row_of(hold, **counts))))


def spent(store, key):
    account = yield from store.account(key)
    return [account.states.get(f"micro_usd/{period}", (0, 0))[1] for period in ("day", "month")]


def counted(store, key, day=None):
    rows = yield from store.rows(day or today(), day or today(), key)
    return {row.model: {n: v for n, v in row.counts.items() if v} for row in rows}


def nothing_is_there(store, key):
    account = yield from store.account(key)
    assert (dict(account.states), account.holds) == ({}, ())
    assert (yield from store.rows(today(), today(), key)) == []
    assert key not in (yield from store.keys())


def what_is_taken_is_held_until_it_is_settled(store, key):
    hold = yield from taken_by(store, hold_of(key), charges_of(1, 40, 300))
    account = yield from store.account(key)
    assert [(h.id, h.user, h.model) for h in account.holds] == [("h1", "ada", "echo/echo")]
    assert abs(account.holds[0].started - hold.started) < 1e-3
    assert (yield from spent(store, key)) == [300, 300]
    assert (yield from settled(store, hold, 1, 10, 120, 120, requests=1, cost_micro_usd=120)) is True
    assert (yield from store.account(key)).holds == ()
    assert (yield from spent(store, key)) == [120, 120]
    assert (yield from counted(store, key)) == {"echo/echo": {"requests": 1, "cost_micro_usd": 120}}
    assert key in (yield from store.keys())


def a_limit_lets_exactly_as_many_through(store, key):
    for number in range(3):
        yield from taken_by(store, hold_of(key, f"h{number}"), charges_of(1, per_minute=3))
    short = yield from store.take(hold_of(key, "late"), charges_of(1, per_minute=3))
    assert isinstance(short, Short)
    assert short.charge.limit.unit == "requests"
    assert 0 < short.wait_seconds <= 20_000
    assert len((yield from store.account(key)).holds) == 3


def unused_tokens_are_there_again(store, key):
    hold = yield from taken_by(store, hold_of(key), charges_of(None, 90))
    assert isinstance((yield from store.take(hold_of(key, "h2"), charges_of(None, 50))), Short)
    yield from settled(store, hold, 20)
    yield from taken_by(store, hold_of(key, "h2"), charges_of(None, 50))


def all_limits_or_none_are_taken_from(store, key):
    yield from taken_by(store, hold_of(key), charges_of(1, None, 900))
    short = yield from store.take(hold_of(key, "h2"), charges_of(1, 50, 200))
    assert isinstance(short, Short)
    assert short.charge.limit.unit == "micro_usd"
    assert short.wait_seconds <= 31 * DAY
    yield from taken_by(store, hold_of(key, "h3"), charges_of(1, 100, 100))
    assert (yield from spent(store, key)) == [1000, 1000]


def more_than_was_reserved_is_charged(store, key):
    hold = yield from taken_by(store, hold_of(key), charges_of(1, 10, 100))
    yield from settled(store, hold, 1, 60, 950, 950)
    assert (yield from spent(store, key)) == [950, 950]
    assert isinstance((yield from store.take(hold_of(key, "h2"), charges_of(None, 50))), Short)
    assert isinstance((yield from store.take(hold_of(key, "h2"), charges_of(None, None, 51))), Short)
    yield from taken_by(store, hold_of(key, "h2"), charges_of(None, None, 50))


def a_call_is_settled_once(store, key):
    hold = yield from taken_by(store, hold_of(key), charges_of(1, 10, 100))
    assert (yield from settled(store, hold, 1, 10, 70, 70)) is True
    assert (yield from settled(store, hold, 1, 10, 70, 70)) is False
    assert (yield from store.settle(lost(hold))) is False
    assert (yield from spent(store, key)) == [70, 70]
    assert (yield from counted(store, key)) == {"echo/echo": {"requests": 1}}


def a_call_that_was_not_made_leaves_nothing(store, key):
    hold = yield from taken_by(store, hold_of(key), charges_of(1, 100, 600))
    row = row_of(hold).replace(counts={})
    assert (yield from store.settle(Settlement(hold, (0.0,) * 4, row, late=False))) is True
    assert (yield from spent(store, key)) == [0, 0]
    assert (yield from store.rows(today(), today(), key)) == []
    yield from taken_by(store, hold_of(key, "h2"), charges_of(1, 100, 600))


def a_hold_is_taken_once_however_often_asked(store, key):
    first = yield from taken_by(store, hold_of(key), charges_of(1, 10, 100))
    again = yield from taken_by(store, first, charges_of(1, 10, 100))
    assert (yield from spent(store, key)) == [100, 100]
    yield from settled(store, again, 1, 10, 30, 30)
    assert (yield from spent(store, key)) == [30, 30]


def a_hold_without_limits_is_live_too(store, key):
    hold = yield from taken_by(store, hold_of(key), ())
    assert [h.id for h in (yield from store.account(key)).holds] == ["h1"]
    assert key in (yield from store.keys())
    assert (yield from settled(store, hold)) is True
    assert (yield from store.account(key)).holds == ()


def what_a_lost_call_held_is_given_back_once(store, key):
    yield from taken_by(store, hold_of(key, lives=-100.0), charges_of(1, None, 600))
    found = (yield from store.account(key)).holds[0]
    assert found.has_expired(time.time())
    assert (yield from store.settle(lost(found))) is True
    assert (yield from store.settle(lost(found))) is False
    assert (yield from spent(store, key)) == [0, 0]
    assert (yield from counted(store, key)) == {"echo/echo": {"requests": 1, "lost": 1, "unpriced": 1}}


def who_settles_after_that_still_pays_and_is_not_lost(store, key):
    hold = yield from taken_by(store, hold_of(key, lives=-100.0), charges_of(1, 10, 600))
    yield from store.settle(lost((yield from store.account(key)).holds[0]))
    assert (yield from settled(store, hold, 1, 10, 250, 250, requests=1, cost_micro_usd=250)) is True
    assert (yield from spent(store, key)) == [250, 250]
    assert (yield from counted(store, key)) == {"echo/echo": {"requests": 1, "cost_micro_usd": 250}}


def yesterdays_call_is_not_paid_by_todays_budget(store, key):
    """It is settled where it was reserved: the day has gone on without it, the month may have."""
    charges = (Charge(Window("micro_usd", MOST, "day"), 100.0),)
    yield from taken_by(store, hold_of(key, "today"), charges)
    hold = hold_of(key, "old", ago=DAY, lives=2 * DAY)
    old = yield from taken_by(store, hold, ())
    number = charges[0].limit.number(hold.started)
    yesterday = taken_yesterday(old, charges, number)
    assert (yield from settled(store, yesterday, 800)) is True
    account = yield from store.account(key)
    assert account.states["micro_usd/day"][1] == 100
    assert (yield from counted(store, key, day_of(hold.started))) == {"echo/echo": {"requests": 1}}


def taken_yesterday(hold, charges, number):
    from lambdallm.llm.rate_limiting import Receipt

    return hold.replace(receipts=tuple(Receipt(charge, (number, charge.amount)) for charge in charges))


def counts_are_added_up_by_day_key_user_and_model(store, key):
    days = ["2026-10-31", "2026-11-01", "2026-11-02", "2026-12-01"]
    rows = [Row(day, key, "ada", "m", {"requests": 1, "cost_micro_usd": 0.25}) for day in days]
    yield from store.count(rows)
    yield from store.count([Row("2026-11-01", key, "ada", "m", {"requests": 2, "ms:44": 1, "error:cut": 1})])
    yield from store.count([Row("2026-11-01", key, "bob", "m", {"requests": 5})])
    yield from store.count([Row("2026-11-01", f"{key}x", "ada", "m", {"requests": 7})])
    found = yield from store.rows("2026-11-01", "2026-11-30", key)
    assert [(row.day, row.user, dict(row.counts)) for row in found] == [
        ("2026-11-01", "ada", {"requests": 3, "cost_micro_usd": 0.25, "ms:44": 1, "error:cut": 1}),
        ("2026-11-01", "bob", {"requests": 5}),
        ("2026-11-02", "ada", {"requests": 1, "cost_micro_usd": 0.25}),
    ]
    everything = yield from store.rows("2026-10-01", "2026-12-31")
    assert sum(row.counts["requests"] for row in everything if row.key.startswith(key)) == 18
    assert [row.day for row in (yield from store.rows("2026-12-01", "2027-01-01", key))] == ["2026-12-01"]


def names_may_be_anything(store, key):
    names = ["a#b", "a%23b", 'q"uo:te', "Zürich 東京", ""]
    rows = [Row("2026-11-05", key, user, model, {"requests": 1}) for user in names for model in names]
    yield from store.count(rows)
    found = yield from store.rows("2026-11-05", "2026-11-05", key)
    assert sorted((row.user, row.model) for row in found) == sorted((row.user, row.model) for row in rows)
    odd = Hold("id", key, 'u"#', "m:0", time.time(), time.time() + 9)
    yield from store.take(odd, charges_of(1))
    (held,) = (yield from store.account(key)).holds
    assert (held.user, held.model) == ('u"#', "m:0")


def of_many_at_once_as_many_pass_as_may(store, key):
    tasks = []
    for number in range(20):
        tasks.append((yield Start(store.take(hold_of(key, f"h{number}"), charges_of(1, 5, 150, per_minute=9)))))
    outcomes = []
    for task in tasks:
        yield Await((task.signal,), 60.0)
        outcomes.append(value_of(task))
    passed = [one for one in outcomes if isinstance(one, Taken)]
    assert len(passed) == 6
    assert (yield from spent(store, key)) == [900, 900]
    assert len((yield from store.account(key)).holds) == 6


CHECKS = [
    nothing_is_there,
    what_is_taken_is_held_until_it_is_settled,
    a_limit_lets_exactly_as_many_through,
    unused_tokens_are_there_again,
    all_limits_or_none_are_taken_from,
    more_than_was_reserved_is_charged,
    a_call_is_settled_once,
    a_call_that_was_not_made_leaves_nothing,
    a_hold_is_taken_once_however_often_asked,
    a_hold_without_limits_is_live_too,
    what_a_lost_call_held_is_given_back_once,
    who_settles_after_that_still_pays_and_is_not_lost,
    yesterdays_call_is_not_paid_by_todays_budget,
    counts_are_added_up_by_day_key_user_and_model,
    names_may_be_anything,
    of_many_at_once_as_many_pass_as_may,
]
