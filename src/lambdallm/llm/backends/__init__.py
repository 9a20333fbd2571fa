"""Stores that several functions share: Redis and DynamoDB, for caches, quotas, sessions and keys.

    store = RedisBackend("redis://cache.internal:6379/0")
    store = DynamoDBBackend("lambdallm")                  # or this one: no server, no VPC, no optional package
    yield from store.save("greeting", b"hello", 60.0)
    found = yield from store.load("greeting")             # b"hello", and None a minute later
    limiter = RateLimiter(requests_per_minute=600, backend=store)

Every operation is a flow, so blocking and asynchronous clients share one backend. One that a store could not do raises
`BackendError`. `as_flows` makes flows of an object of one's own with `get`, `set` and `delete`, blocking or not.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "BackendError": "errors",
    "ConditionFailed": "errors",
    "DynamoDBBackend": "dynamodb",
    "DynamoDBTable": "table",
    "Outage": "outage",
    "RedisBackend": "redis",
    "as_flows": "adapt",
}

__all__ = [
    "BackendError",
    "ConditionFailed",
    "DynamoDBBackend",
    "DynamoDBTable",
    "Outage",
    "RedisBackend",
    "as_flows",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .adapt import as_flows
    from .dynamodb import DynamoDBBackend
    from .errors import BackendError, ConditionFailed
    from .outage import Outage
    from .redis import RedisBackend
    from .table import DynamoDBTable

__getattr__, __dir__ = door(__name__, _HOMES)
