"""Worlds for limits, and a shared store of each kind."""

import pytest

import servers
from lambdallm.llm.backends import DynamoDBBackend, RedisBackend
from lambdallm.llm.drivers import Driver

from .worlds import AwaitingWorld, World


@pytest.fixture(params=[World, AwaitingWorld])
def world(request):
    world = request.param()
    yield world
    world.close()


@pytest.fixture
def aws(monkeypatch):
    for name, value in servers.AWS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def redis(redis_url):
    store = RedisBackend(redis_url, timeout_seconds=10.0)
    yield store
    store.close()


@pytest.fixture
def dynamodb(ministack, aws):
    store = DynamoDBBackend("limits", endpoint=ministack, timeout_seconds=20.0)
    driver = Driver()
    driver.run(store.ensure_table())
    driver.close()
    return store
