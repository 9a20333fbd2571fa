"""An SQS queue as a function's event source: what is received becomes batches, what worked is deleted.

What a function fails at stays in the queue, and is seen again when its visibility timeout is over; the queue's own
dead-letter queue takes what has failed too often. Filters are not emulated.
"""

from __future__ import annotations

import json
import threading
import time

from ..._value import Value
from .errors import EmulatorError
from .service_errors import ServiceError
from .sqs_event import batches, failed_ids, sqs_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .answer import Answer
    from .clock import Clock
    from .queues import Message, Queue

    Invoke = Callable[[bytes], Answer]

_RECEIVED_AT_ONCE = 10
_PAUSE_SECONDS = 1.0


class SourceSettings(Value):
    """How a queue is read. `workers` is how many batches may run at once: AWS begins with five."""

    batch_size: int = 10
    window_seconds: float = 0.0
    reports_failures: bool = False
    workers: int = 5


class EventSource:
    """Reads a queue and invokes a function until `close`. `log` is told of what fails besides the function.

    One thread reads, when a worker is free; each batch has a thread of its own.
    """

    def __init__(
        self,
        queue: Queue,
        invoke: Invoke,
        settings: SourceSettings,
        *,
        clock: Clock,
        log: Callable[[str], None] = print,
    ) -> None:
        self.queue, self.settings = queue, settings
        self._invoke, self._clock, self._log = invoke, clock, log
        self._stop = threading.Event()
        self._free = threading.Semaphore(settings.workers)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Read no more. A batch that is being worked on is left to itself."""
        self._stop.set()
        self._free.release()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._free.acquire()
            try:
                messages = [] if self._stop.is_set() else self._gather()
            except Exception as error:  # noqa: BLE001 - the queue is read on, whatever happened
                messages = []
                self._log(f"The queue {self.queue.arn} could not be read: {error!r}.")
                self._stop.wait(_PAUSE_SECONDS / self._clock.speed)
            if messages:
                threading.Thread(target=self._work, args=(messages,), daemon=True).start()
            else:
                self._free.release()

    def _gather(self) -> list[Message]:
        """Messages for one batch: those that are there, and those that come while the window is open."""
        size, poll = self.settings.batch_size, self.queue.poll_seconds
        messages = self.queue.receive(min(size, _RECEIVED_AT_ONCE), wait_seconds=poll)
        end = time.monotonic() + self.settings.window_seconds / self._clock.speed
        while messages and len(messages) < size and not self._stop.is_set():
            left = max(0.0, end - time.monotonic())
            more = self.queue.receive(min(size - len(messages), _RECEIVED_AT_ONCE), wait_seconds=min(left, poll))
            messages += more
            if not left and not more:
                break
        return messages

    def _work(self, messages: list[Message]) -> None:
        try:
            for batch in batches(messages, self.queue.arn):
                self._hand_on(batch)
        except Exception as error:  # noqa: BLE001 - the queue is read on, whatever happened
            self._log(f"Messages of the queue {self.queue.arn} could not be handed on: {error!r}.")
        finally:
            self._free.release()

    def _hand_on(self, batch: list[Message]) -> None:
        if self._stop.is_set():
            for message in batch:
                self.queue.change_visibility(message.handle, 0)
            return
        payload = json.dumps(sqs_event(batch, self.queue.arn), ensure_ascii=False).encode()
        try:
            answer = self._invoke(payload)
        except (EmulatorError, ServiceError) as error:
            self._refused(error)
            return
        result = b"".join(answer)
        if not answer.function_error:
            self._delete(batch, result)

    def _refused(self, error: Exception) -> None:
        """The messages stay hidden until their time is over; nothing more is read for a moment."""
        if getattr(error, "code", "") != "TooManyRequestsException":
            self._log(f"Messages of the queue {self.queue.arn} could not be handed on: {error}")
        self._stop.wait(_PAUSE_SECONDS / self._clock.speed)

    def _delete(self, batch: list[Message], result: bytes) -> None:
        ids = [message.id for message in batch]
        failed = failed_ids(result, ids) if self.settings.reports_failures else frozenset()
        self.queue.delete([message.handle for message in batch if message.id not in failed])
