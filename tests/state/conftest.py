"""The two ways a flow is run, and a store of each kind, by the functions that other processes make it with too."""

import pytest

import servers
import state_stores
from both_drivers import awaiting, blocking


@pytest.fixture(params=[blocking, awaiting])
def run(request):
    return request.param


@pytest.fixture
def file_store(monkeypatch, tmp_path):
    monkeypatch.setenv("STATE_TEST_FILE", str(tmp_path / "folder" / "state.db"))
    store = state_stores.file()
    yield store
    store.close()


@pytest.fixture
def redis_store(monkeypatch, redis_url):
    monkeypatch.setenv("STATE_TEST_REDIS", redis_url)
    store = state_stores.redis()
    yield store
    store.close()


@pytest.fixture
def dynamodb_store(monkeypatch, ministack):
    monkeypatch.setenv("STATE_TEST_AWS", ministack)
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)
    store = state_stores.dynamodb()
    blocking(store.ensure_table())
    return store


@pytest.fixture(params=["memory", "file", "redis", "dynamodb"])
def store(request):
    if request.param == "memory":
        return state_stores.memory()
    return request.getfixturevalue(f"{request.param}_store")
