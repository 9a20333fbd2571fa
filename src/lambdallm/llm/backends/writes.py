"""Writes to a DynamoDB table as values, for those that are made together, and their form in DynamoDB's JSON. Pure.

    table.transact([
        Put(("session", "7"), {"text": "hi"}, condition="attribute_not_exists(pk)"),
        Check(("session", "head"), "turn = :turn", values={":turn": 6}),
    ])

Source: "TransactWriteItem" in the Amazon DynamoDB API Reference.
"""

from __future__ import annotations

from ..._value import Value
from ..types import EMPTY
from .attributes import encode_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    Key: TypeAlias = str | tuple[str, str | int | bytes]


class Put(Value):
    """Keep an item in place of what is there. The key need not be in it."""

    key: Key
    item: Mapping[str, Any]
    condition: str | None = None
    names: Mapping[str, str] = EMPTY
    values: Mapping[str, Any] = EMPTY


class Update(Value):
    """Change an item in place, or make it, by an update expression."""

    key: Key
    expression: str
    condition: str | None = None
    names: Mapping[str, str] = EMPTY
    values: Mapping[str, Any] = EMPTY


class Delete(Value):
    """Delete an item; one that is not there is fine where no condition forbids it."""

    key: Key
    condition: str | None = None
    names: Mapping[str, str] = EMPTY
    values: Mapping[str, Any] = EMPTY


class Check(Value):
    """Change nothing, and let the other writes be done only where this holds."""

    key: Key
    condition: str
    names: Mapping[str, str] = EMPTY
    values: Mapping[str, Any] = EMPTY


if TYPE_CHECKING:
    Write: TypeAlias = Put | Update | Delete | Check

ACTIONS: dict[type, str] = {Put: "Put", Update: "Update", Delete: "Delete", Check: "ConditionCheck"}
"""How DynamoDB calls each in a transaction."""


def encoded(write: Write, key: Mapping[str, Any]) -> dict[str, Any]:
    """A write in DynamoDB's JSON, its key given in that already.

    Where its condition does not hold, the answer holds the item as it is.
    """
    body: dict[str, Any] = {"Item": {**encode_item(write.item), **key}} if isinstance(write, Put) else {"Key": key}
    if isinstance(write, Update):
        body["UpdateExpression"] = write.expression
    if write.condition:
        body |= {"ConditionExpression": write.condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    if write.names:
        body["ExpressionAttributeNames"] = dict(write.names)
    if write.values:
        body["ExpressionAttributeValues"] = encode_item(write.values)
    return body
