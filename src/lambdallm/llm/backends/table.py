"""One DynamoDB table, spoken to in its own JSON over signed requests: no AWS SDK. Every operation is a flow.

    table = DynamoDBTable("sessions")
    item = yield from table.get("user#7")
    yield from table.update("user#7", "SET n = n + :one", condition="n < :most", values={":one": 1, ":most": 9})

Items have a partition key of text (`key_name`) and no sort key. Credentials and region are found as for Bedrock; the
endpoint is `endpoint`, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL, or the region's own. Throttling and failures of
the service are tried again, with a backoff, within `timeout_seconds`. Raises `BackendError`, `ConditionFailed` where a
condition does not hold, and `ConfigurationError` and its kin where credentials or region are missing.

Source: Amazon DynamoDB API Reference, API version 2012-08-10; "Error handling with DynamoDB" in its Developer Guide.
"""

from __future__ import annotations

import json

from ...transport.types import HttpRequest, Timeouts
from ..errors import LLMError
from ..flow import ENVIRONMENT, NOW, Send, Sleep
from ..result import Err
from .attributes import decode_item, encode, encode_item
from .errors import BackendError, ConditionFailed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ...transport.types import HttpResponse
    from ..flow import Environ, Flow

_PASSING = frozenset(
    (
        *("ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded", "ThrottlingError"),
        *("InternalServerError", "ServiceUnavailable", "LimitExceededException", "TransactionConflictException"),
        *("ReplicatedWriteConflictException", "TableInUseException"),
    )
)
_FIX = {
    "ResourceNotFoundException": "Create the table, or check its name and region; for development, `ensure` it.",
    "AccessDeniedException": "Allow the function's role to read and write the table.",
    "UnrecognizedClientException": "Check the credentials.",
    "ValidationException": "Check that the table's partition key is text and is called as configured.",
}
_SHORTEST_WAIT = 0.025
_LONGEST_WAIT = 0.4


class DynamoDBTable:
    """A table of items with one text key. Safe to share between threads, event loops and forks: it holds no connection.

    `ttl_name` is the attribute whose seconds since the epoch DynamoDB deletes an item after, usually within days; what
    has passed is for whoever reads to leave out. `jitter` gives numbers from 0 to 1 that spread tries apart.
    """

    def __init__(
        self,
        name: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        key_name: str = "pk",
        ttl_name: str = "expires_at",
        timeout_seconds: float = 2.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        self.name, self.region, self.endpoint = name, region, endpoint
        self.key_name, self.ttl_name = key_name, ttl_name
        self.timeout_seconds = timeout_seconds
        self._jitter = jitter

    def get(self, key: str, *, consistent: bool = True) -> Flow[dict[str, Any] | None]:
        """The item under a key; `None` where there is none."""
        answer = yield from self.call("GetItem", {"Key": self._key(key), "ConsistentRead": consistent})
        return decode_item(answer["Item"]) if "Item" in answer else None

    def put(
        self,
        key: str,
        item: Mapping[str, Any],
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
    ) -> Flow[None]:
        """Keep an item in place of what is there. The key need not be in it."""
        body = {"Item": {**encode_item(item), **self._key(key)}, **_expressions(condition, names, values)}
        yield from self.call("PutItem", body)

    def update(
        self,
        key: str,
        expression: str,
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        again: bool = True,
    ) -> Flow[dict[str, Any]]:
        """Change an item in place, or make it; gives the whole item. Raises `ConditionFailed` with the old one.

        Without `again` a write is not repeated that may have been done.
        """
        rest = {"UpdateExpression": expression, "ReturnValues": "ALL_NEW", **_expressions(condition, names, values)}
        answer = yield from self.call("UpdateItem", {"Key": self._key(key), **rest}, again=again)
        return decode_item(answer.get("Attributes", {}))

    def delete(self, key: str) -> Flow[None]:
        """Delete an item; one that is not there is fine."""
        yield from self.call("DeleteItem", {"Key": self._key(key)})

    def ensure(self) -> Flow[None]:
        """Create the table where it is missing, billed on demand, with its TTL attribute: for development and tests."""
        try:
            yield from self.call("DescribeTable", {})
            return
        except BackendError as error:
            if error.code != "ResourceNotFoundException":
                raise
        schema = [{"AttributeName": self.key_name, "KeyType": "HASH"}]
        kinds = [{"AttributeName": self.key_name, "AttributeType": "S"}]
        body = {"KeySchema": schema, "AttributeDefinitions": kinds, "BillingMode": "PAY_PER_REQUEST"}
        try:
            yield from self.call("CreateTable", body, again=False)
        except BackendError as error:
            if error.code != "ResourceInUseException":
                raise
        yield from self._until_active()
        ttl = {"Enabled": True, "AttributeName": self.ttl_name}
        yield from self.call("UpdateTimeToLive", {"TimeToLiveSpecification": ttl})

    def call(self, operation: str, body: Mapping[str, Any], *, again: bool = True) -> Flow[dict[str, Any]]:
        """Any operation on this table, in DynamoDB's own JSON. Raises as the module says."""
        data = json.dumps({"TableName": self.name, **body}, separators=(",", ":")).encode()
        end = (yield NOW).monotonic + self.timeout_seconds
        attempt = 0
        while True:
            try:
                return (yield from self._once(operation, data, end))
            except BackendError as failure:
                error = failure
            wait = self._wait(attempt)
            attempt += 1
            if not again or not error.retryable or (yield NOW).monotonic + wait >= end:
                raise error
            yield Sleep(wait)

    def _wait(self, attempt: int) -> float:
        """Seconds before the next try: doubled each time, and anything from half of it."""
        if self._jitter is None:
            from random import random

            self._jitter = random
        return min(_SHORTEST_WAIT * 2.0**attempt, _LONGEST_WAIT) * (0.5 + 0.5 * self._jitter())

    def _once(self, operation: str, data: bytes, end: float) -> Flow[dict[str, Any]]:
        request = yield from self._request(operation, data)
        part = self.timeout_seconds
        reply = yield Send(request, Timeouts(part, part, None, end))
        if isinstance(reply, Err):
            said = f"DynamoDB did not answer: {reply.error.message}"
            raise BackendError(said, retryable=reply.error.retryable, code=type(reply.error).__name__) from reply.error
        return _read(reply.value, self.name)

    def _request(self, operation: str, data: bytes) -> Flow[HttpRequest]:
        from ..auth.aws import aws_region, signed

        environ = yield ENVIRONMENT
        region = self.region or aws_region(environ)
        headers = (
            ("Content-Type", "application/x-amz-json-1.0"),
            ("X-Amz-Target", f"DynamoDB_20120810.{operation}"),
        )
        request = HttpRequest("POST", self._url(region, environ), headers, data)
        try:
            return (yield from signed(request, "dynamodb", {**environ, "AWS_REGION": region}))
        except LLMError as error:
            said = f"No request to DynamoDB could be signed: {error.message}"
            raise BackendError(said, fix=error.fix, code=type(error).__name__, retryable=error.retryable) from error

    def _url(self, region: str, environ: Environ) -> str:
        named = self.endpoint or environ.get("AWS_ENDPOINT_URL_DYNAMODB") or environ.get("AWS_ENDPOINT_URL")
        domain = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        return f"{(named or f'https://dynamodb.{region}.{domain}').rstrip('/')}/"

    def _key(self, key: str) -> dict[str, Any]:
        return {self.key_name: encode(key)}

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


def _expressions(
    condition: str | None, names: Mapping[str, str] | None, values: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The parameters of a conditional write. Where the condition fails, the answer holds the item as it is."""
    body: dict[str, Any] = {}
    if condition:
        body |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if names:
        body["ExpressionAttributeNames"] = dict(names)
    if values:
        body["ExpressionAttributeValues"] = encode_item(values)
    return body


def _read(response: HttpResponse, table: str) -> dict[str, Any]:
    """The answer's JSON. Raises what it says went wrong."""
    try:
        body = json.loads(response.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if response.status == 200 and isinstance(body, dict):
        return body
    raise _error(response.status, body if isinstance(body, dict) else {}, table)


def _error(status: int, body: Mapping[str, Any], table: str) -> BackendError:
    code = str(body.get("__type", "")).rpartition("#")[2]
    said = str(body.get("message") or body.get("Message") or "no reason given").rstrip(".")
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(f"DynamoDB refused a write to {table!r}: {said}.", decode_item(body.get("Item", {})))
    retryable = code in _PASSING or status >= 500 or status == 200
    message = f"DynamoDB refused an operation on {table!r}: {said} (HTTP {status}{f', {code}' if code else ''})."
    return BackendError(message, fix=_FIX.get(code, ""), code=code, retryable=retryable)
