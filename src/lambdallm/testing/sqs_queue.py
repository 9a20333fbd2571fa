"""A real SQS queue, or an emulated one at an endpoint, as the local Lambda's event sources and destinations want it.

    queue = RealQueue("https://sqs.eu-central-1.amazonaws.com/123456789012/jobs")
    account = Account(emulator, queues=[queue])

Source: the Amazon SQS API Reference, "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibility".
"""

from __future__ import annotations

from ..llm.drivers import Driver
from ..llm.services import JsonService, QueueMessage, SQSQueue
from ..llm.services.queue import SQS
from ..llm.types import EMPTY
from ..runtime.emulator.queues import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

_LONGEST_POLL = 20
_BATCH = 10


class RealQueue:
    """A queue by URL, ARN or name, at `endpoint` or where AWS's is. Raises `ServiceError` where there is none.

    Threads may share it. `close` lets its connections go.
    """

    poll_seconds = 1.0

    def __init__(self, queue: str, *, region: str | None = None, endpoint: str | None = None) -> None:
        self._queue = SQSQueue(queue, region=region, endpoint=endpoint)
        self._service = JsonService(SQS, region=region, endpoint=endpoint, timeout_seconds=_LONGEST_POLL + 10)
        self._driver = Driver()
        try:
            self.url = self._driver.run(self._queue.url())
            asked = {"AttributeNames": ["QueueArn"]}
            self.arn = str(self._call("GetQueueAttributes", asked)["Attributes"]["QueueArn"])
        except BaseException:
            self.close()
            raise

    def send(self, body: str, *, attributes: Mapping[str, Any] = EMPTY, group: str | None = None) -> str:
        """Put a message in; gives its id. `attributes` are in SQS's own shape."""
        if not attributes:
            return self._driver.run(self._queue.send(QueueMessage(body, group=group)))
        asked = {"MessageBody": body, "MessageAttributes": dict(attributes)}
        return str(self._call("SendMessage", asked | ({"MessageGroupId": group} if group else {}))["MessageId"])

    def receive(self, most: int, *, wait_seconds: float = 0.0) -> list[Message]:
        """Up to `most` messages, ten at once; waits for the first one, in whole seconds."""
        asked = {
            "MaxNumberOfMessages": min(most, _BATCH),
            "WaitTimeSeconds": min(_LONGEST_POLL, round(wait_seconds)),
            "MessageSystemAttributeNames": ["All"],
            "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        }
        return [_message(each) for each in self._call("ReceiveMessage", asked).get("Messages") or ()]

    def delete(self, handles: Sequence[str]) -> None:
        """Remove messages that are through. A handle that counts no more is no error."""
        for at in range(0, len(handles), _BATCH):
            entries = [{"Id": f"{at}", "ReceiptHandle": handle} for at, handle in enumerate(handles[at : at + _BATCH])]
            self._call("DeleteMessageBatch", {"Entries": entries})

    def change_visibility(self, handle: str, seconds: float) -> None:
        """Show a hidden message again in so many seconds; 0 at once."""
        self._call("ChangeMessageVisibility", {"ReceiptHandle": handle, "VisibilityTimeout": round(seconds)})

    def close(self) -> None:
        """Let its connections go."""
        self._driver.close()

    def _call(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._driver.run(self._service.call(operation, {"QueueUrl": self.url, **body}, on=self.url))


def _message(given: Mapping[str, Any]) -> Message:
    return Message(
        given["MessageId"],
        given["ReceiptHandle"],
        given.get("Body", ""),
        given.get("MD5OfBody", ""),
        given.get("Attributes") or {},
        given.get("MessageAttributes") or {},
        given.get("MD5OfMessageAttributes", ""),
    )
