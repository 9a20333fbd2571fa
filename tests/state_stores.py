"""One store of state of each kind, at the servers that the environment names: for this process and for others."""

import os

from lambdallm.state import DynamoDBStateStore, FileStateStore, MemoryStateStore, RedisStateStore


def memory():
    return MemoryStateStore()


def file():
    return FileStateStore(os.environ["STATE_TEST_FILE"], timeout_seconds=30.0)


def redis():
    return RedisStateStore(os.environ["STATE_TEST_REDIS"], timeout_seconds=10.0)


def dynamodb():
    return DynamoDBStateStore("state", endpoint=os.environ["STATE_TEST_AWS"], timeout_seconds=20.0)
