"""An SQS queue: messages in.

    queue = SQSQueue("https://sqs.eu-central-1.amazonaws.com/123456789012/jobs")
    yield from queue.send('{"job": 7}')

A message is text of at most 1 MB, its attributes included; what SQS takes is XML's characters.

Source: "SendMessage" and "SendMessageBatch" in the Amazon SQS API Reference; "Amazon SQS message quotas".
"""

from __future__ import annotations

from ..._value import Value
from ..errors import ConfigurationError
from ..flow import NOW, Sleep
from ..types import EMPTY
from .errors import MessagesFailed, ServiceError
from .regions import region_in
from .service import JsonService, ServiceFacts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from ..flow import Flow

MOST_MESSAGE_BYTES = 1024 * 1024
"""What a message, and what all of a batch together, may weigh."""

_BATCH = 10

SQS = ServiceFacts(
    title="SQS",
    name="sqs",
    variable="SQS",
    target="AmazonSQS",
    version="1.0",
    passing=frozenset(("InternalError", "KmsThrottled")),
    fixes={
        "QueueDoesNotExist": "Create the queue, or check its URL and region.",
        "AWS.SimpleQueueService.NonExistentQueue": "Create the queue, or check its URL and region.",
        "KmsAccessDenied": "Allow the function's role kms:GenerateDataKey and kms:Decrypt on the queue's key.",
        "MissingParameter": "A FIFO queue needs a `group`, and a `deduplication` unless it makes one of the content.",
    },
    permissions={"SendMessageBatch": "sqs:SendMessage"},
)


class QueueMessage(Value):
    """A message to a queue: its text, seconds until it is seen (900 at most), and text attributes.

    A FIFO queue keeps the order within a `group`, and takes no second message of the same `deduplication` for five
    minutes; it takes no delay of a single message.
    """

    body: str
    delay_seconds: int = 0
    attributes: Mapping[str, str] = EMPTY
    group: str | None = None
    deduplication: str | None = None

    @property
    def weight(self) -> int:
        """The bytes that count."""
        texts = (self.body, *self.attributes, *self.attributes.values(), *("String" for _ in self.attributes))
        return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


class SQSQueue:
    """One queue, by URL, ARN or name. Raises `ServiceError`, `MessagesFailed` where a queue takes only some.

    The region is that of the URL or ARN. A name is looked up once, which needs sqs:GetQueueUrl.
    """

    def __init__(
        self,
        queue: str,
        *,
        region: str | None = None,
        endpoint: str | None = None,
        timeout_seconds: float = 10.0,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        if queue.startswith("arn:") and queue.count(":") != 5:
            fix = "Write it like arn:aws:sqs:eu-central-1:123456789012:jobs."
            raise ConfigurationError(f"{queue!r} is no ARN of a queue.", fix=fix)
        self.queue, self._url = queue, queue if "://" in queue else ""
        self._service = JsonService(
            SQS,
            region=region or _region_of(queue),
            endpoint=endpoint,
            timeout_seconds=timeout_seconds,
            jitter=jitter,
        )

    def send(self, message: str | QueueMessage, *, again: bool | None = None) -> Flow[str]:
        """Send a message; gives its id.

        One that may have been taken is sent again only where it has a `deduplication`, or with `again`: a queue that is
        not FIFO would have it twice.
        """
        message = _message(message)
        url = yield from self.url()
        repeat = message.deduplication is not None if again is None else again
        body = {"QueueUrl": url, **_fields(message)}
        answer = yield from self._service.call("SendMessage", body, on=self.queue, again=repeat)
        return str(answer["MessageId"])

    def send_many(self, messages: Sequence[str | QueueMessage], *, again: bool = False) -> Flow[list[str]]:
        """Send messages, ten or a megabyte a request; gives their ids. `again` as for `send`.

        Those that SQS could not take are sent again. Raises `MessagesFailed` when it is through, with the ids of those
        it took; an error before the end says the same of those it got to.
        """
        each = [_message(message) for message in messages]
        url = yield from self.url()
        ids: dict[int, str] = {}
        failed: dict[int, str] = {}
        end = (yield NOW).monotonic + self._service.timeout_seconds
        for part in _parts(each):
            yield from self._send_part(url, part, ids, failed, end, again)
        if failed:
            said = (
                f"SQS did not take {len(failed)} of {len(each)} messages to {self.queue!r}: {min(failed.items())[1]}."
            )
            raise MessagesFailed(said, failed, ids, retryable=False)
        return [ids[at] for at in range(len(each))]

    def url(self) -> Flow[str]:
        """The queue's URL."""
        if not self._url:
            name, owner = self.queue, ""
            if name.startswith("arn:"):
                owner, name = name.split(":", 5)[4:]
            body = {"QueueName": name, **({"QueueOwnerAWSAccountId": owner} if owner else {})}
            answer = yield from self._service.call("GetQueueUrl", body, on=self.queue)
            self._url = str(answer["QueueUrl"])
        return self._url

    def _send_part(
        self,
        url: str,
        part: Mapping[int, QueueMessage],
        ids: dict[int, str],
        failed: dict[int, str],
        end: float,
        again: bool,
    ) -> Flow[None]:
        left, attempt = dict(part), 0
        while left:
            entries = [{"Id": str(at), **_fields(message)} for at, message in left.items()]
            repeat = again or all(message.deduplication is not None for message in left.values())
            body = {"QueueUrl": url, "Entries": entries}
            answer = yield from self._service.call("SendMessageBatch", body, on=self.queue, again=repeat)
            ids |= {int(entry["Id"]): entry["MessageId"] for entry in answer.get("Successful", ())}
            refused = {int(entry["Id"]): entry for entry in answer.get("Failed", ())}
            wait = self._service.wait_seconds(attempt, self._service.timeout_seconds)
            in_time = (yield NOW).monotonic + wait < end
            failed |= {at: _why(entry) for at, entry in refused.items() if entry.get("SenderFault") or not in_time}
            left = {at: left[at] for at in refused if at not in failed}
            if left:
                yield Sleep(wait)
                attempt += 1

    def __repr__(self) -> str:
        return f"SQSQueue({self.queue!r})"


def _message(message: str | QueueMessage) -> QueueMessage:
    message = QueueMessage(message) if isinstance(message, str) else message
    if message.weight > MOST_MESSAGE_BYTES:
        said = f"A message of {message.weight} bytes is more than the {MOST_MESSAGE_BYTES} that SQS takes."
        fix = "Keep the content in S3, and send where it is."
        raise ServiceError(said, fix=fix, code="InvalidMessageContents", retryable=False, refused=True)
    return message


def _fields(message: QueueMessage) -> dict[str, Any]:
    fields: dict[str, Any] = {"MessageBody": message.body}
    if message.delay_seconds:
        fields["DelaySeconds"] = message.delay_seconds
    if message.attributes:
        told = {name: {"DataType": "String", "StringValue": value} for name, value in message.attributes.items()}
        fields["MessageAttributes"] = told
    if message.group is not None:
        fields["MessageGroupId"] = message.group
    if message.deduplication is not None:
        fields["MessageDeduplicationId"] = message.deduplication
    return fields


def _parts(messages: Sequence[QueueMessage]) -> Iterator[dict[int, QueueMessage]]:
    """The messages by their place, in parts that one request takes."""
    part: dict[int, QueueMessage] = {}
    weight = 0
    for at, message in enumerate(messages):
        if part and (len(part) == _BATCH or weight + message.weight > MOST_MESSAGE_BYTES):
            yield part
            part, weight = {}, 0
        part[at] = message
        weight += message.weight
    if part:
        yield part


def _region_of(queue: str) -> str | None:
    """The region in an ARN, or in a URL of AWS's own: `https://sqs.eu-central-1.amazonaws.com/…`."""
    if queue.startswith("arn:"):
        return region_in(queue)
    host = queue.partition("://")[2].partition("/")[0].split(".")
    return host[1] if len(host) > 3 and host[0] in ("sqs", "sqs-fips") else None


def _why(entry: Mapping[str, Any]) -> str:
    said = str(entry.get("Message") or "no reason given").rstrip(".")
    return f"{said} ({entry.get('Code', 'no code')})"
