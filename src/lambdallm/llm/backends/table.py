"""One DynamoDB table, spoken to in its own JSON over signed requests: no AWS SDK. Every operation is a flow.

    table = DynamoDBTable("sessions", sort_key_name="sk")
    item = yield from table.get(("user#7", "head"))
    turns = yield from table.query("user#7", after="turn#0012")
    yield from table.transact([Put(("user#7", "turn#0013"), {...}, condition="attribute_not_exists(pk)"), Check(...)])

Items have a partition key of text, and a sort key where `sort_key_name` says so: their key then is a pair. Credentials
and region are found as for Bedrock; the endpoint is `endpoint`, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, or the
region's own. Throttling and failures of the service are tried again, with a backoff, within `timeout_seconds`. Raises
`BackendError`, `ConditionFailed` where a condition does not hold, and `ConfigurationError` and its kin where
credentials or region are missing.

Source: Amazon DynamoDB API Reference, API version 2012-08-10.
"""

from __future__ import annotations

from ..flow import NOW, Sleep
from ..services.dynamodb import DYNAMODB
from ..services.service import JsonService
from ..types import EMPTY
from .attributes import decode_item, encode
from .errors import BackendError
from .writes import ACTIONS, Delete, Put, Update, encoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, Literal

    from ..flow import Flow
    from .writes import Key, Write

_BATCH = 25
MOST_IN_TRANSACTION = 100
"""How many writes one transaction takes ("Quotas in Amazon DynamoDB")."""


class DynamoDBTable:
    """A table of items. Safe to share between threads, event loops and forks: it holds no connection.

    `sort_key_type` is `S` (text), `N` (a number) or `B` (bytes). `ttl_name` is the attribute whose seconds since the
    epoch DynamoDB deletes an item after, usually within days; what has passed is for whoever reads to leave out.
    `jitter` gives numbers from 0 to 1 that spread tries apart.
    """

    def __init__(
        self,
        name: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        key_name: str = "pk",
        sort_key_name: str | None = None,
        sort_key_type: Literal["S", "N", "B"] = "S",
        ttl_name: str = "expires_at",
        timeout_seconds: float = 2.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.name, self.key_name, self.ttl_name = name, key_name, ttl_name
        self.sort_key_name, self.sort_key_type = sort_key_name, sort_key_type
        self.region, self.endpoint = region, endpoint
        self._service = JsonService(
            DYNAMODB, region=region, endpoint=endpoint, timeout_seconds=timeout_seconds, jitter=jitter
        )

    @property
    def timeout_seconds(self) -> float:
        """The longest operation, with all its tries."""
        return self._service.timeout_seconds

    def get(self, key: Key, *, consistent: bool = True) -> Flow[dict[str, Any] | None]:
        """The item under a key; `None` where there is none."""
        answer = yield from self.call("GetItem", {"Key": self._key(key), "ConsistentRead": consistent})
        return decode_item(answer["Item"]) if "Item" in answer else None

    def query(
        self,
        pk: str,
        *,
        after: str | int | bytes | None = None,
        before: str | int | bytes | None = None,
        limit: int | None = None,
        descending: bool = False,
        consistent: bool = True,
    ) -> Flow[list[dict[str, Any]]]:
        """All items of a partition in the order of their sort keys, or the first `limit`; a megabyte a request.

        `after` and `before` leave out the items up to a sort key and from one on; they too are left out.
        """
        if after is not None and before is not None and after >= before:  # type: ignore[operator]  # of one kind
            return []
        body = {**self._range(pk, after, before), "ScanIndexForward": not descending, "ConsistentRead": consistent}
        ends = [end for end in (after, before) if end is not None]
        found: list[dict[str, Any]] = []
        while True:
            more = {} if limit is None else {"Limit": limit - len(found) + 2}
            answer = yield from self.call("Query", body | more)
            items = [decode_item(item) for item in answer.get("Items", ())]
            found += [item for item in items if item.get(self.sort_key_name or "") not in ends]
            if "LastEvaluatedKey" not in answer or (limit is not None and len(found) >= limit):
                return found[:limit]
            body["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def put(
        self,
        key: Key,
        item: Mapping[str, Any],
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        again: bool = True,
    ) -> Flow[None]:
        """Keep an item in place of what is there. The key need not be in it. `again` as for `update`."""
        write = Put(key, item, condition, names or EMPTY, values or EMPTY)
        yield from self.call("PutItem", self._encoded(write), again=again)

    def update(
        self,
        key: Key,
        expression: str,
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        again: bool = True,
    ) -> Flow[dict[str, Any]]:
        """Change an item in place, or make it; gives the whole item. Raises `ConditionFailed` with the old one.

        Without `again` a write is not repeated that may have been done. One that is repeated may find its own work, and
        its condition failed by that: put something of the writer's into the item where that matters.
        """
        write = Update(key, expression, condition, names or EMPTY, values or EMPTY)
        body = {**self._encoded(write), "ReturnValues": "ALL_NEW"}
        answer = yield from self.call("UpdateItem", body, again=again)
        return decode_item(answer.get("Attributes", {}))

    def delete(
        self,
        key: Key,
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        again: bool = True,
    ) -> Flow[None]:
        """Delete an item; one that is not there is fine."""
        write = Delete(key, condition, names or EMPTY, values or EMPTY)
        yield from self.call("DeleteItem", self._encoded(write), again=again)

    def transact(self, writes: Sequence[Write], *, token: str | None = None) -> Flow[None]:
        """Do all writes or none: 100 at most, 4 MB together, one for an item, each costing twice an ordinary one.

        Raises `ConditionFailed` with the item, and the `index` of the write, where a condition does not hold. `token`
        (36 characters at most; a fresh one unless given) names the transaction: within ten minutes the same one is not
        done twice, so a lost answer is asked for again. Raises `BackendError` where others write the same items all
        the time.
        """
        items = [{ACTIONS[type(write)]: {"TableName": self.name, **self._encoded(write)}} for write in writes]
        if items:
            body = {"TransactItems": items, "ClientRequestToken": token or _fresh_token()}
            yield from self._service.call("TransactWriteItems", body, on=self.name)

    def batch_write(self, writes: Sequence[Put | Delete]) -> Flow[None]:
        """Do many writes, 25 a request, in no order and without conditions; of several to one key, the last.

        What DynamoDB leaves undone is sent again, as long as some of it gets done within `timeout_seconds`. Raises
        `ValueError` for a write with a condition, and `BackendError` where some may not have been done.
        """
        if any(write.condition for write in writes):
            raise ValueError("A batch takes no conditions: use `transact`.")
        left = [self._in_batch(write) for write in {write.key: write for write in writes}.values()]
        attempt, since = 0, (yield NOW).monotonic
        while left:
            part, left = left[:_BATCH], left[_BATCH:]
            body = {"RequestItems": {self.name: part}}
            answer = yield from self._service.call("BatchWriteItem", body, on=self.name)
            undone = answer.get("UnprocessedItems", {}).get(self.name, [])
            left = undone + left
            now = (yield NOW).monotonic
            if not undone or len(undone) < len(part):
                attempt, since = 0, now
            if undone:
                wait = self._service.wait_seconds(attempt, self.timeout_seconds)
                if now + wait > since + self.timeout_seconds:
                    raise BackendError(f"DynamoDB left {len(left)} writes to {self.name!r} undone.", fix=_UNDONE)
                yield Sleep(wait)
                attempt += 1

    def ensure(self) -> Flow[None]:
        """Create the table where it is missing, billed on demand, with its TTL attribute: for development and tests.

        Raises `BackendError` for one that is there and has other keys.
        """
        try:
            self._check((yield from self.call("DescribeTable", {}))["Table"])
            return
        except BackendError as error:
            if error.code != "ResourceNotFoundException":
                raise
        try:
            yield from self.call("CreateTable", {**self._schema(), "BillingMode": "PAY_PER_REQUEST"}, again=False)
        except BackendError as error:
            if error.code != "ResourceInUseException":
                raise
        yield from self._until_active()
        ttl = {"Enabled": True, "AttributeName": self.ttl_name}
        yield from self.call("UpdateTimeToLive", {"TimeToLiveSpecification": ttl})

    def call(self, operation: str, body: Mapping[str, Any], *, again: bool = True) -> Flow[dict[str, Any]]:
        """Any operation on this table, in DynamoDB's own JSON. Raises as the module says."""
        return (yield from self._service.call(operation, {"TableName": self.name, **body}, on=self.name, again=again))

    def _key(self, key: Key) -> dict[str, Any]:
        if self.sort_key_name is None and isinstance(key, str):
            return {self.key_name: encode(key)}
        if self.sort_key_name is None or isinstance(key, str):
            shape = "text" if self.sort_key_name is None else f"a pair, for {self.key_name} and {self.sort_key_name}"
            raise TypeError(f"The key {key!r} does not fit the table {self.name!r}: it should be {shape}.")
        return {self.key_name: encode(key[0]), self.sort_key_name: encode(key[1])}

    def _range(self, pk: str, after: object, before: object) -> dict[str, Any]:
        """The condition of a query. Only one on the sort key may be given: a range includes both its ends."""
        names, values, condition = {"#p": self.key_name}, {":p": encode(pk)}, "#p = :p"
        if after is not None or before is not None:
            names["#s"] = self.sort_key_name or ""
            values |= {mark: encode(end) for mark, end in ((":a", after), (":b", before)) if end is not None}
            forms = {(True, True): "BETWEEN :a AND :b", (True, False): "> :a", (False, True): "< :b"}
            condition += f" AND #s {forms[after is not None, before is not None]}"
        expressions = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        return {"KeyConditionExpression": condition, **expressions}

    def _encoded(self, write: Write) -> dict[str, Any]:
        return encoded(write, self._key(write.key))

    def _in_batch(self, write: Put | Delete) -> dict[str, Any]:
        return {"PutRequest" if isinstance(write, Put) else "DeleteRequest": self._encoded(write)}

    def _schema(self) -> dict[str, Any]:
        keys = [(self.key_name, "HASH", "S")]
        if self.sort_key_name is not None:
            keys.append((self.sort_key_name, "RANGE", self.sort_key_type))
        return {
            "KeySchema": [{"AttributeName": name, "KeyType": role} for name, role, _ in keys],
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, _, kind in keys],
        }

    def _check(self, table: Mapping[str, Any]) -> None:
        found = {key["AttributeName"]: key["KeyType"] for key in table["KeySchema"]}
        wanted = {key["AttributeName"]: key["KeyType"] for key in self._schema()["KeySchema"]}
        if found != wanted:
            said = f"The DynamoDB table {self.name!r} has the keys {', '.join(found)}, not {', '.join(wanted)}."
            raise BackendError(said, fix="Name another table, or delete this one.", retryable=False)

    def _until_active(self) -> Flow[None]:
        """Wait until the table can be used: a minute at most."""
        for _ in range(120):
            answer = yield from self.call("DescribeTable", {})
            if answer["Table"]["TableStatus"] == "ACTIVE":
                return
            yield Sleep(0.5)
        raise BackendError(f"The DynamoDB table {self.name!r} is not ready after a minute.")

    def __repr__(self) -> str:
        return f"DynamoDBTable({self.name!r})"


_UNDONE = "Write less at a time, or give the table more capacity."


def _fresh_token() -> str:
    from os import urandom

    return urandom(16).hex()
