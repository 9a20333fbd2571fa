"""The two ways a flow is run, and one store of each kind."""

import pytest

import servers
from both_drivers import awaiting, blocking
from lambdallm.llm.backends import DynamoDBBackend, RedisBackend


@pytest.fixture(params=[blocking, awaiting])
def run(request):
    return request.param


@pytest.fixture(scope="session")
def dynamodb(ministack):
    """A table that exists. The credentials are set by whoever uses it."""
    return DynamoDBBackend("shared", endpoint=ministack, timeout_seconds=20.0)


@pytest.fixture
def aws(monkeypatch):
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def redis(redis_url):
    store = RedisBackend(redis_url, timeout_seconds=10.0)
    yield store
    store.close()


@pytest.fixture(params=["redis", "dynamodb"])
def store(request, aws):
    backend = request.getfixturevalue(request.param)
    if request.param == "dynamodb":
        blocking(backend.ensure_table())
    return backend
