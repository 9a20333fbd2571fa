"""The two ways a flow is run, and one store of each kind."""

import asyncio

import pytest

import servers
from lambdallm.llm.backends import DynamoDBBackend, RedisBackend
from lambdallm.llm.drivers import AsyncDriver, Driver


def blocking(flow):
    driver = Driver()
    try:
        return driver.run(flow)
    finally:
        driver.close()


def awaiting(flow):
    """In an event loop of its own, as each invocation of a function has."""

    async def run():
        driver = AsyncDriver()
        try:
            return await driver.run(flow)
        finally:
            await driver.aclose()

    return asyncio.run(run())


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
