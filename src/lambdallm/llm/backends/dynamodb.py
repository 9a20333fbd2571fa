"""A DynamoDB table as a store of bytes and of quotas: nothing to run, nothing to pay while idle, no VPC.

An item holds one value in `value`; DynamoDB takes 400 KB an item, key and names included, and refuses more. What has
passed its time (`until`) is left out when read: DynamoDB itself deletes it some days after `expires_at`, which has to
be whole seconds.
"""

from __future__ import annotations

from ..flow import NOW
from .table import DynamoDBTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from ..flow import Flow
    from ..rate_limiting.dynamodb import DynamoDBQuotas

MOST_ITEM_BYTES = 400 * 1024
"""What an item may weigh with its key and attribute names ("Quotas in Amazon DynamoDB")."""


class DynamoDBBackend:
    """A store in a table with the partition key `pk` (text) and TTL on `expires_at`. Raises as `table` says.

        DynamoDBBackend("lambdallm", prefix="orders:")

    Keys begin with `prefix`. `region` and `endpoint` are found where the other AWS settings are when not given;
    `timeout_seconds` bounds an operation with all its tries.
    """

    gives_flows: Literal[True] = True

    def __init__(
        self,
        table: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        prefix: str = "",
        timeout_seconds: float = 2.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.prefix = prefix
        self.table = DynamoDBTable(
            table, region=region, endpoint=endpoint, timeout_seconds=timeout_seconds, jitter=jitter
        )

    def load(self, key: str) -> Flow[bytes | None]:
        """What is kept under a key; `None` where nothing is, or its time has passed."""
        item = yield from self.table.get(self.prefix + key)
        now = (yield NOW).wall
        if item is None or item.get("until", now + 1) <= now:
            return None
        value: bytes | None = item.get("value")
        return value

    def save(self, key: str, value: bytes, ttl_seconds: float | None = None) -> Flow[None]:
        """Keep a value, for `ttl_seconds` where given."""
        item: dict[str, bytes | float] = {"value": value}
        if ttl_seconds is not None:
            until = (yield NOW).wall + ttl_seconds
            item |= {"until": until, self.table.ttl_name: int(until) + 1}
        yield from self.table.put(self.prefix + key, item)

    def remove(self, key: str) -> Flow[None]:
        """Forget a key; one that is not there is fine."""
        yield from self.table.delete(self.prefix + key)

    def ensure_table(self) -> Flow[None]:
        """Create the table where it is missing: for development and tests."""
        yield from self.table.ensure()

    def quotas(self) -> DynamoDBQuotas:
        """The quotas kept in it, for `RateLimiter`."""
        from ..rate_limiting.dynamodb import DynamoDBQuotas

        return DynamoDBQuotas(self)
