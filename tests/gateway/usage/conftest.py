"""A store of usage of each kind, made by functions that other processes make it with too."""

import pytest

import servers
import usage_stores
from both_drivers import blocking


@pytest.fixture
def sqlite_store(monkeypatch, tmp_path):
    monkeypatch.setenv("USAGE_TEST_FILE", str(tmp_path / "folder" / "usage.db"))
    store = usage_stores.sqlite()
    yield store
    store.close()


@pytest.fixture
def redis_store(monkeypatch, redis_url):
    monkeypatch.setenv("USAGE_TEST_REDIS", redis_url)
    store = usage_stores.redis()
    yield store
    store.close()


@pytest.fixture
def dynamodb_store(monkeypatch, ministack):
    monkeypatch.setenv("USAGE_TEST_AWS", ministack)
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    store = usage_stores.dynamodb()
    blocking(store.ensure_table())
    return store


@pytest.fixture(params=["memory", "sqlite", "redis", "dynamodb"])
def store(request):
    if request.param == "memory":
        return usage_stores.memory()
    return request.getfixturevalue(f"{request.param}_store")
