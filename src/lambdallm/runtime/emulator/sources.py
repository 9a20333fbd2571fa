"""The event source mappings of an account: which queue goes to which function, switched on and off."""

from __future__ import annotations

import threading
from uuid import uuid4

from ..._value import Value
from .event_sources import EventSource, SourceSettings
from .names import split_name
from .service_errors import ServiceError, wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .account import Account
    from .queues import Queue


class Mapping(Value):
    """One mapping. `function` is a name, with its qualifier where it has one."""

    id: str
    queue: str
    function: str
    settings: SourceSettings
    enabled: bool = True
    modified: float = 0.0


class Sources:
    """The queues that an account knows, and its mappings."""

    def __init__(
        self,
        account: Account,
        queues: Iterable[Queue],
        open_queue: Callable[[str], Queue] | None,
        log: Callable[[str], None],
    ) -> None:
        self._account, self._open, self._log = account, open_queue, log
        self._queues = {queue.arn: queue for queue in queues}
        self._mappings: dict[str, Mapping] = {}
        self._running: dict[str, EventSource] = {}
        self._lock = threading.RLock()

    def add_queue(self, queue: Queue) -> None:
        """Let the account know a queue."""
        self._queues[queue.arn] = queue

    def queue(self, arn: str) -> Queue:
        """A queue by its ARN. Raises `ServiceError` where there is none."""
        known = self._queues.get(arn)
        if known is None and self._open is not None:
            try:
                known = self._queues.setdefault(arn, self._open(arn))
            except LookupError as error:
                raise _no_queue() from error
        if known is None:
            raise _no_queue()
        return known

    def create(self, queue_arn: str, function: str, settings: SourceSettings, *, enabled: bool = True) -> Mapping:
        """Let a queue go to a function. Raises `ServiceError`."""
        with self._lock:
            name, qualifier = split_name(function)
            self._account.function(name, qualifier)
            self.queue(queue_arn)
            for known in self._mappings.values():
                if (known.queue, split_name(known.function)) == (queue_arn, (name, qualifier)):
                    said = f"An event source mapping with SQS arn ({queue_arn}) and function ({name}) already exists."
                    said += f" Please update or delete the existing mapping with UUID {known.id}"
                    raise ServiceError("ResourceConflictException", said)
            now = self._account.clock.now()
            return self._set(Mapping(f"{uuid4()}", queue_arn, function, settings, enabled, now))

    def change(self, mapping: Mapping) -> Mapping:
        """Give a mapping other settings, or switch it."""
        name, qualifier = split_name(mapping.function)
        self._account.function(name, qualifier)
        return self._set(mapping.replace(modified=self._account.clock.now()))

    def get(self, id: str) -> Mapping:
        """A mapping. Raises `ServiceError` where there is none."""
        found = self._mappings.get(id)
        if found is None:
            raise ServiceError("ResourceNotFoundException", "The resource you requested does not exist.")
        return found

    def delete(self, id: str) -> Mapping:
        """End a mapping, and forget it."""
        with self._lock:
            found = self.get(id)
            self._stop(id)
            del self._mappings[id]
            return found

    def all(self) -> list[Mapping]:
        """Every mapping."""
        return list(self._mappings.values())

    def close(self) -> None:
        """Read no queue any more."""
        with self._lock:
            for id in list(self._running):
                self._stop(id)

    def _set(self, mapping: Mapping) -> Mapping:
        with self._lock:
            self._stop(mapping.id)
            self._mappings[mapping.id] = mapping
            if mapping.enabled:
                self._running[mapping.id] = self._started(mapping)
            return mapping

    def _started(self, mapping: Mapping) -> EventSource:
        account = self._account
        name, qualifier = split_name(mapping.function)
        return EventSource(
            self.queue(mapping.queue),
            lambda payload: account.invoke(name, payload, qualifier=qualifier),
            mapping.settings,
            clock=account.clock,
            log=self._log,
        )

    def _stop(self, id: str) -> None:
        running = self._running.pop(id, None)
        if running is not None:
            running.close()


def _no_queue() -> ServiceError:
    code = "AWS.SimpleQueueService.NonExistentQueue"
    said = "The specified queue does not exist."
    return wrong(f"Error occurred while ReceiveMessage. SQS Error Code: {code}. SQS Error Message: {said}")
