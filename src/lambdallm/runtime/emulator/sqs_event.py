"""The event that Lambda makes of messages of an SQS queue, and what a function's answer says about them. Pure.

Source: docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and services-sqs-errorhandling.html (batch item failures).
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from .queues import Message

BATCH_BYTES = 6_291_556


def sqs_event(messages: Iterable[Message], queue_arn: str) -> dict[str, Any]:
    """The event of a batch."""
    return {"Records": [_record(message, queue_arn) for message in messages]}


def batches(messages: Sequence[Message], queue_arn: str, most_bytes: int = BATCH_BYTES) -> Iterator[list[Message]]:
    """The messages in order, in batches whose event is no larger than Lambda takes."""
    batch: list[Message] = []
    size = 20
    for message in messages:
        weight = len(json.dumps(_record(message, queue_arn))) + 2
        if batch and size + weight > most_bytes:
            yield batch
            batch, size = [], 20
        batch.append(message)
        size += weight
    if batch:
        yield batch


def failed_ids(payload: bytes, ids: Sequence[str]) -> frozenset[str]:
    """The messages that a function's `batchItemFailures` name; all of them where its answer is none that counts.

    Nothing has failed where there is no answer, no list, or an empty one.
    """
    every = frozenset(ids)
    try:
        answer = json.loads(payload) if payload.strip() else None
    except ValueError:
        return every
    if answer is None or not isinstance(answer, dict):
        return frozenset() if not answer else every
    failures = answer.get("batchItemFailures")
    if not failures:
        return frozenset()
    if not isinstance(failures, list):
        return every
    named = [each.get("itemIdentifier") if isinstance(each, dict) else None for each in failures]
    return every.intersection(named) if every.issuperset(named) else every


def _record(message: Message, queue_arn: str) -> dict[str, Any]:
    record = {
        "messageId": message.id,
        "receiptHandle": message.handle,
        "body": message.body,
        "attributes": dict(message.system),
        "messageAttributes": {name: _lowered(value) for name, value in message.attributes.items()},
        "md5OfBody": message.md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }
    if message.attributes_md5:
        record["md5OfMessageAttributes"] = message.attributes_md5
    return record


def _lowered(value: Any) -> dict[str, Any]:
    """A message attribute in Lambda's spelling: `stringValue` where SQS says `StringValue`."""
    lowered = {name[:1].lower() + name[1:]: each for name, each in value.items()}
    return {"stringListValues": [], "binaryListValues": []} | lowered
