"""Every store of usage under both drivers: the same checks."""

import os

import pytest

import servers
from both_drivers import awaiting, blocking
from lambdallm.gateway.usage import Row
from lambdallm.gateway.usage.memory import MemoryUsage
from lambdallm.gateway.usage.redis import RedisUsage
from lambdallm.gateway.usage.sqlite import SqliteUsage
from lambdallm.llm.backends import BackendError, RedisBackend
from lambdallm.llm.drivers import Driver
from lambdallm.llm.flow import Send

from .kit import CHECKS, charges_of, hold_of, settled, taken_by, today


@pytest.mark.parametrize("run", [blocking, awaiting])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_store(store, check, run):
    run(check(store, f"key-{os.urandom(4).hex()}"))


def test_days_are_kept_as_long_as_told(tmp_path):
    for store in (MemoryUsage(keep_days=10), SqliteUsage(str(tmp_path / "usage.db"), keep_days=10)):
        blocking(days_pass(store))
        store.close()


def days_pass(store):
    yield from store.count([Row(day, "k", "u", "m", {"requests": 1}) for day in ("2020-01-01", today())])
    hold = yield from taken_by(store, hold_of("k"), ())
    yield from settled(store, hold, requests=1)
    assert {row.day for row in (yield from store.rows("2020-01-01", today()))} == {today()}


def test_a_file_that_is_none_is_named(tmp_path):
    (tmp_path / "usage.db").write_bytes(b"this is no database, but a text" * 99)
    store = SqliteUsage(str(tmp_path / "usage.db"))
    with pytest.raises(BackendError, match=r"usage\.db.* failed: file is not a database"):
        blocking(store.account("k"))
    store.close()


def test_redis_that_is_down_is_a_backend_error():
    store = RedisUsage(RedisBackend(f"redis://127.0.0.1:{servers.free_port()}/0"))
    with pytest.raises(BackendError):
        blocking(store.take(hold_of("k"), ()))
    store.close()


def test_dynamodb_is_written_once_before_and_twice_after_a_call(dynamodb_store):
    """The account before; the account and the day's row after. The first call of all says that a key has an account."""
    driver, sent, key = Driver(), [], f"key-{os.urandom(4).hex()}"
    send = driver._perform[Send]
    driver._perform[Send] = lambda effect: sent.append(dict(effect.request.headers)["X-Amz-Target"]) or send(effect)
    for number in range(3):
        hold = driver.run(taken_by(dynamodb_store, hold_of(key, f"h{number}"), charges_of(1, 10, 10)))
        driver.run(settled(dynamodb_store, hold, 1, 5, 5, 5))
    driver.close()
    assert [name.partition(".")[2] for name in sent] == ["UpdateItem", "PutItem"] + ["UpdateItem"] * 8


def test_the_only_key_of_a_gateway_without_keys_has_no_name(store):
    hold = blocking(taken_by(store, hold_of("", os.urandom(4).hex()), charges_of(1)))
    assert "" in blocking(store.keys())
    assert hold.id in {one.id for one in blocking(store.account("")).holds}
    assert blocking(settled(store, hold, 1)) is True
    assert blocking(store.rows(today(), today(), ""))
