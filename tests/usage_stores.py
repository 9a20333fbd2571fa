"""One store of usage of each kind, at the servers that the environment names: for this process and for others."""

import os

from lambdallm.gateway.usage.dynamodb import DynamoDBUsage
from lambdallm.gateway.usage.memory import MemoryUsage
from lambdallm.gateway.usage.redis import RedisUsage
from lambdallm.gateway.usage.sqlite import SqliteUsage
from lambdallm.llm.backends import RedisBackend


def memory():
    return MemoryUsage()


def sqlite():
    return SqliteUsage(os.environ["USAGE_TEST_FILE"], timeout_seconds=60.0)


def redis():
    return RedisUsage(RedisBackend(os.environ["USAGE_TEST_REDIS"], timeout_seconds=30.0))


def dynamodb():
    return DynamoDBUsage("usage", endpoint=os.environ["USAGE_TEST_AWS"], timeout_seconds=60.0)
