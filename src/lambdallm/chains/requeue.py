"""How a function has itself invoked anew, to go on with a chain: by Lambda directly, or through a queue.

The event is the one it was given, with the id of the invocation that began the work under `lambdallm_resume`: so the
function does the same again, and every chain that it runs with the same inputs goes on where it was.

Whoever is invoked this way pays by the invocation: AWS stops functions that invoke themselves in a loop after 16 times
("Lambda recursive loop detection") unless that is allowed for the function.
"""

from __future__ import annotations

from ..llm.errors import ConfigurationError
from .naming import RESUME, origin, token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    from ..llm.flow import Flow

    class Requeue(Protocol):
        """How an event comes back to this function."""

        def requeue(self, payload: Mapping[str, Any]) -> Flow[None]:
            """Have the function invoked with the payload. Raises `LambdaLLMError` where that fails."""


class LambdaRequeue:
    """Invokes a function asynchronously, this one where no name is given. It needs lambda:InvokeFunction on itself.

    An event weighs at most 1 MB. Raises `ServiceError`.
    """

    def __init__(self, function: str | None = None, *, region: str | None = None, endpoint: str | None = None) -> None:
        self.function = function
        self._options: dict[str, Any] = {"region": region, "endpoint": endpoint}

    def requeue(self, payload: Mapping[str, Any]) -> Flow[None]:
        """Invoke the function with the payload, and do not wait for it."""
        from ..llm.flow import ENVIRONMENT
        from ..llm.services.functions import LambdaFunction

        name = self.function or _own_name((yield ENVIRONMENT))
        yield from LambdaFunction(name, **self._options).start(dict(payload))


class SqsRequeue:
    """Sends the payload as JSON to a queue that invokes this function, seen after `delay_seconds` (900 at most; a FIFO
    queue takes none).

    The function is then invoked with an SQS event, the payload in its only message's body: let the queue send one
    message at a time (a batch size of 1). One that comes twice is harmless: one run of two goes on.

    Raises `ServiceError`.
    """

    def __init__(
        self, queue_url: str, *, delay_seconds: int = 0, region: str | None = None, endpoint: str | None = None
    ) -> None:
        self.queue_url, self.delay_seconds = queue_url, delay_seconds
        self._options: dict[str, Any] = {"region": region, "endpoint": endpoint}

    def requeue(self, payload: Mapping[str, Any]) -> Flow[None]:
        """Send the payload."""
        import json

        from ..llm.services.queue import QueueMessage, SQSQueue

        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        message = QueueMessage(body, self.delay_seconds)
        if self.queue_url.endswith(".fifo"):
            message = message.replace(delay_seconds=0, group=str(payload[RESUME]), deduplication=token())
        yield from SQSQueue(self.queue_url, **self._options).send(message, again=True)


def requeue_of(given: Requeue | None, context: Any) -> Requeue:
    """How this chain is requeued: as it says, else by invoking the function of this invocation."""
    if given is not None:
        return given
    return LambdaRequeue(getattr(context, "invoked_function_arn", None))


def payload_of(context: Any) -> dict[str, Any]:
    """The event of this invocation, with the id of the one that began the work.

    Raises `ConfigurationError` for an event that can't carry it.
    """
    event, began = getattr(context, "event", None), origin(context)
    if not isinstance(event, dict):
        raise ConfigurationError(
            f"An event that is {type(event).__name__} can't be requeued.", fix="Invoke the function with an object."
        )
    records = event.get("Records")
    if isinstance(records, list) and len(records) == 1 and isinstance(records[0], dict) and "body" in records[0]:
        return _of_message(records[0]["body"], began)
    return {**event, RESUME: began}


def _of_message(body: Any, began: str) -> dict[str, Any]:
    """The content of an SQS message, which comes back as a message again."""
    import json

    try:
        content = json.loads(body)
    except (ValueError, TypeError):
        content = None
    if not isinstance(content, dict):
        raise ConfigurationError(
            f"The message {body!r:.60} can't be requeued.", fix="Send messages that are JSON objects."
        )
    return {**content, RESUME: began}


def _own_name(environ: Mapping[str, str]) -> str:
    name = environ.get("AWS_LAMBDA_FUNCTION_NAME")
    if not name:
        raise ConfigurationError(
            "The function to be invoked anew is not known.",
            fix="Name it: requeue=LambdaRequeue('my-function').",
        )
    return name
