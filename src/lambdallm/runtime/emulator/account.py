"""What Lambda keeps of functions besides running them: versions, aliases, concurrency, events on their way.

    account = Account(emulator, queues=[MemoryQueue("jobs")])
    account.invoke("app", b"{}", qualifier="live")

An invocation that names an alias goes to one of its versions; the engine knows versions alone.
"""

from __future__ import annotations

import random
import threading
from time import gmtime, strftime
from uuid import uuid4

from .aliases import LATEST, Alias, check_alias, chosen
from .clock import Clock
from .destinations import Destinations
from .errors import EmulatorError
from .invoke_async import AsyncInvoker
from .names import function_arn
from .retries import AsyncEvent, Outcome
from .service_errors import ServiceError, missing, too_large
from .sources import Sources
from .versions import Versions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from .answer import Answer
    from .emulator import Emulator
    from .function import Function
    from .queues import Queue


class Account:
    """The functions of an emulator as Lambda's API sees them. A context manager; `close` ends what runs by itself.

    `queues` are event sources and destinations by their ARN; `open_queue` finds one that is not among them, such as a
    real SQS queue, and raises `LookupError`. `clock` measures the waits between tries; `number` chooses among the
    versions of an alias.
    """

    def __init__(
        self,
        emulator: Emulator,
        *,
        queues: Iterable[Queue] = (),
        open_queue: Callable[[str], Queue] | None = None,
        clock: Clock | None = None,
        number: Callable[[], float] = random.random,
        log: Callable[[str], None] = print,
    ) -> None:
        self.emulator, self.clock = emulator, clock or Clock()
        self.versions = Versions(emulator.new_folder)
        self.sources = Sources(self, queues, open_queue, log)
        self.destinations = Destinations(self)
        self._aliases: dict[str, dict[str, Alias]] = {}
        self._modified: dict[str, float] = {}
        self._reserved: dict[str, tuple[int, int]] = {}
        self._number, self._lock = number, threading.RLock()
        self.events = AsyncInvoker(
            self._attempt, self.destinations.of, self.destinations.tell, clock=self.clock, log=log
        )

    def close(self) -> None:
        """End event sources and events on their way, and remove the copies of published code."""
        self.sources.close()
        self.events.close()
        self.versions.close()

    def __enter__(self) -> Account:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # Functions, versions and aliases. Each raises `ServiceError` for what there is none of.

    def arn(self, name: str, qualifier: str | None = None) -> str:
        """The ARN of a function, a version or an alias."""
        return function_arn(self.emulator.region, self.emulator.account, name, qualifier)

    def function(self, name: str, qualifier: str | None = None) -> Function:
        """A function by version or alias; its newest code where neither is named."""
        latest = self.emulator.functions.get(name)
        if latest is None:
            raise missing("Function", self.arn(name, qualifier))
        version = self._version(name, qualifier)
        found = latest if version == LATEST else self.versions.find(name, version)
        if found is None:
            raise missing("Function", self.arn(name, qualifier))
        return found

    def publish(self, name: str, description: str = "", sha256: str | None = None) -> Function:
        """A version of a function as it is now; the newest one again where nothing has changed since."""
        with self._lock:
            known = self.versions.of(name)
            made = self.versions.publish(self.function(name), description, sha256)
            if made not in known:
                self.emulator.add(made)
            return made

    def aliases(self, name: str) -> dict[str, Alias]:
        """The aliases of a function by name."""
        self.function(name)
        return dict(self._aliases.get(name, {}))

    def alias(self, name: str, alias: str) -> Alias:
        """An alias of a function."""
        found = self.aliases(name).get(alias)
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"Cannot find alias arn: {self.arn(name, alias)}")
        return found

    def set_alias(self, name: str, alias: Alias, *, new: bool = False) -> Alias:
        """Make an alias, or change one."""
        with self._lock:
            known = self.aliases(name)
            if new and alias.name in known:
                raise ServiceError("ResourceConflictException", f"Alias already exists: {self.arn(name, alias.name)}")
            published = [each.version for each in self.versions.of(name)]
            if alias.version not in (LATEST, *published):
                raise missing("Function", self.arn(name, alias.version))
            check_alias(alias, published)
            made = alias.replace(revision=f"{uuid4()}")
            self._aliases.setdefault(name, {})[alias.name] = made
            return made

    def delete_alias(self, name: str, alias: str) -> None:
        """Remove an alias; one that is not there is no error, as on AWS."""
        self.function(name)
        self._aliases.get(name, {}).pop(alias, None)

    def change(self, name: str, **changes: Any) -> Function:
        """Change a function's settings; new processes take over."""
        with self._lock:
            changed = self.function(name).replace(**changes)
            self.emulator.replace(changed)
            self._modified[name] = self.clock.now()
            return changed

    def modified(self, name: str) -> str:
        """When a function was last changed, as Lambda writes it."""
        when = self._modified.setdefault(name, self.clock.now())
        return strftime("%Y-%m-%dT%H:%M:%S.000+0000", gmtime(when))

    def reserve(self, name: str, number: int | None) -> None:
        """Reserve concurrency for a function, 0 to run it not at all; `None` gives it back what it had."""
        with self._lock:
            usual = self._reserved.get(name, (0, self.function(name).concurrency))[1]
            self.change(name, concurrency=usual if number is None else number)
            if number is None:
                self._reserved.pop(name, None)
            else:
                self._reserved[name] = (number, usual)

    def reserved(self, name: str) -> int | None:
        """The reserved concurrency of a function, where it has one."""
        self.function(name)
        return self._reserved[name][0] if name in self._reserved else None

    def _version(self, name: str, qualifier: str | None) -> str:
        if qualifier in (None, "", LATEST):
            return LATEST
        assert qualifier is not None
        if qualifier.isdecimal():
            return qualifier
        alias = self._aliases.get(name, {}).get(qualifier)
        if alias is None:
            raise missing("Function", self.arn(name, qualifier))
        return chosen(alias, self._number())

    # Invocations.

    def invoke(
        self,
        name: str,
        payload: bytes,
        *,
        qualifier: str | None = None,
        client_context: str | None = None,
        streams: bool = False,
        request_id: str | None = None,
        trace_id: str | None = None,
    ) -> Answer:
        """Invoke a function. Raises `ServiceError`, and what the engine refuses with."""
        function = self.function(name, qualifier)
        if self.reserved(name) == 0:
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
            raise ServiceError("TooManyRequestsException", "Rate Exceeded.", Reason=reason)
        return self.emulator.invoke(
            name,
            payload,
            qualifier=qualifier,
            version=function.version,
            client_context=client_context,
            streams=streams,
            request_id=request_id,
            trace_id=trace_id,
        )

    def invoke_event(
        self, name: str, payload: bytes, *, qualifier: str | None = None, client_context: str | None = None
    ) -> str:
        """Take an event that nobody waits for; gives its request id. Raises `ServiceError`."""
        self.function(name, qualifier)
        most = self.emulator.limits.async_bytes
        if len(payload) > most:
            raise too_large(most)
        request_id = f"{uuid4()}"
        self.events.put(AsyncEvent(name, payload, request_id, self.clock.now(), qualifier, client_context))
        return request_id

    def _attempt(self, event: AsyncEvent) -> Outcome:
        try:
            answer = self.invoke(
                event.name,
                event.payload,
                qualifier=event.qualifier,
                client_context=event.client_context,
                request_id=event.request_id,
            )
        except (ServiceError, EmulatorError) as error:
            never = error.code == "ResourceNotFoundException" or self._reserved.get(event.name, (1, 1))[0] == 0
            return Outcome(error=True, throttled=True, message=f"{error}", never=never)
        payload = b"".join(answer)
        message = str((answer.error or {}).get("errorMessage", ""))
        return Outcome(bool(answer.function_error), payload=payload, version=answer.version, message=message)
