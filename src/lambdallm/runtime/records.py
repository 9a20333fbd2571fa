"""The records of an event that has some, in one form: SQS, SNS, S3, EventBridge, and the streams."""

from __future__ import annotations

from .._value import Value
from .errors import EventError
from .events import NOTHING, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class Record(Value):
    """One record.

    `id` is what its service calls it by, and what a partial failure names. `text` is the message or the data;
    `attributes` are the sender's. `group` is the ordered group it belongs to (an SQS message group, a stream's shard),
    `None` where order does not count. S3 records have `bucket`, `key` (decoded), `size` and `version` in `attributes`,
    and the name of what happened in `subject`. `raw` is the record as it came.
    """

    id: str
    text: str
    kind: str
    raw: Mapping[str, Any]
    attributes: Mapping[str, Any] = NOTHING
    subject: str = ""
    group: str | None = None
    received: int = 1
    """How often it has been handed out, where the service counts."""

    def json(self) -> Any:
        """The message as JSON. Raises `EventError` naming the record."""
        import json

        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            message = f"The message of record {self.id!r} is not JSON: {error}."
            raise EventError(message, "Correct the sender.") from error

    def __repr__(self) -> str:
        return f"Record(id={self.id!r}, kind={self.kind!r})"


def records_of(event: Any) -> tuple[Record, ...]:
    """The records of an event. Raises `EventError` for one that has none."""
    kind = kind_of(event)
    if kind == "eventbridge":
        return (_of_eventbridge(event),)
    read = _READERS.get(kind)
    if read is None:
        raise EventError(f"An event of the kind {kind!r} has no records.", "Read the event itself.")
    try:
        return tuple(map(read, event["Records"]))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        what = f"has no {error}" if isinstance(error, KeyError) else f"can't be read: {error}"
        message = f"A record of the kind {kind!r} {what}."
        raise EventError(message, "Compare the event with one that its service sends.") from error


def _of_sqs(raw: dict[str, Any]) -> Record:
    system = raw.get("attributes") or {}
    sent = {name: _value(each) for name, each in (raw.get("messageAttributes") or {}).items()}
    ordered = str(raw.get("eventSourceARN", "")).endswith(".fifo")
    return Record(
        raw["messageId"], raw.get("body") or "", "sqs", raw, sent,
        group=str(system.get("MessageGroupId", "")) if ordered else None,
        received=int(system.get("ApproximateReceiveCount", 1)),
    )  # fmt: skip


def _value(attribute: Any) -> Any:
    """The value of a message attribute; binary ones stay base64."""
    if not isinstance(attribute, dict):
        return attribute
    for name in ("stringValue", "Value", "binaryValue"):
        if attribute.get(name) is not None:
            return attribute[name]
    return None


def _of_sns(raw: dict[str, Any]) -> Record:
    message = raw["Sns"]
    sent = {name: _value(each) for name, each in (message.get("MessageAttributes") or {}).items()}
    return Record(message["MessageId"], message.get("Message") or "", "sns", raw, sent, message.get("Subject") or "")


def _of_s3(raw: dict[str, Any]) -> Record:
    from urllib.parse import unquote_plus

    place = raw["s3"]
    thing = place["object"]
    attributes = {
        "bucket": place["bucket"]["name"], "key": unquote_plus(thing["key"]), "size": thing.get("size"),
        "version": thing.get("versionId"),
    }  # fmt: skip
    id = f"{attributes['bucket']}/{attributes['key']}#{thing.get('sequencer', '')}"
    return Record(id, attributes["key"], "s3", raw, attributes, raw.get("eventName") or "")


def _of_kinesis(raw: dict[str, Any]) -> Record:
    from binascii import a2b_base64

    data = raw["kinesis"]
    text = a2b_base64(data.get("data") or "").decode("utf-8", "replace")
    attributes = {"partition_key": data.get("partitionKey")}
    return Record(data["sequenceNumber"], text, "kinesis", raw, attributes, group="shard")


def _of_dynamodb(raw: dict[str, Any]) -> Record:
    import json

    change = raw["dynamodb"]
    attributes = {"keys": change.get("Keys"), "new": change.get("NewImage"), "old": change.get("OldImage")}
    text = json.dumps(change.get("NewImage"))
    return Record(change["SequenceNumber"], text, "dynamodb", raw, attributes, raw.get("eventName") or "", "shard")


def _of_eventbridge(event: dict[str, Any]) -> Record:
    import json

    attributes = {"source": event.get("source"), "resources": event.get("resources") or []}
    text = json.dumps(event["detail"], ensure_ascii=False)
    return Record(str(event.get("id", "")), text, "eventbridge", event, attributes, str(event["detail-type"]))


_READERS: dict[str, Callable[[dict[str, Any]], Record]] = {
    "sqs": _of_sqs, "sns": _of_sns, "s3": _of_s3, "kinesis": _of_kinesis, "dynamodb": _of_dynamodb,
}  # fmt: skip
