"""The Extensions API, for extensions inside a function's process: threads of it that hear of each invocation.

An invocation is over, and the environment may stand still, when the extensions too have asked for what comes next. A
process with an extension hears SIGTERM before it is killed. Extensions of their own in `/opt/extensions` are not
started. Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html and AWS's emulator (`rapi/handler`).
"""

from __future__ import annotations

import json
import re
from uuid import UUID, uuid4

from . import http1
from .bodies import Bare, Body, Whole
from .protocol import NO_PAGE, OK, Refusal, refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .connection import Connection
    from .function import Function
    from .job import Job

PATH = "/2020-01-01/extension/"
_BODY_BYTES = 65_536
_IDENTIFIER = "lambda-extension-identifier"
_MOST = 10
_JSON = {"Content-Type": "application/json"}


class Extension:
    """One of them: what it wants to hear, and where it waits."""

    def __init__(self, events: list[str]) -> None:
        self.events = events
        self.waits: Connection | None = None
        self.untold: bytes | None = None


class Extensions:
    """The extensions of one process. `settled` is called when one waits; `then` sends what is decided."""

    def __init__(
        self, function: Function, then: Callable[[Callable[[], object]], None], settled: Callable[[], None]
    ) -> None:
        self._function, self._then, self._settled = function, then, settled
        self._known: dict[str, Extension] = {}
        self._names: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._known)

    @property
    def busy(self) -> bool:
        """Whether one has not asked for what comes next."""
        return any(extension.waits is None for extension in self._known.values())

    def tell(self, job: Job) -> None:
        """An invocation goes to the process."""
        if not self._known:
            return
        event = json.dumps({"eventType": "INVOKE", **job.for_extensions()}, separators=(",", ":")).encode()
        for extension in self._known.values():
            if "INVOKE" in extension.events:
                self._give(extension, event)

    def ask(self, connection: Connection, head: http1.Head) -> Body:
        """What reads the body of a request."""
        match head.method, head.path.removeprefix(PATH):
            case "POST", "register":
                return Whole(_BODY_BYTES, lambda body: self._register(head.headers, body))
            case "GET", "event/next":
                return Bare(lambda: self._next(connection, head.headers))
            case "POST", "init/error" | "exit/error":
                return Body(self._unknown(head.headers) or OK)
            case _:
                return Body(NO_PAGE)

    def _register(self, headers: Mapping[str, str], body: bytes) -> Refusal:
        name = headers.get("lambda-extension-name", "")
        try:
            events = [str(event) for event in json.loads(body).get("events") or ()]
        except (ValueError, AttributeError) as error:
            return refusal(403, "InvalidRequestFormat", str(error))
        if refused := self._refused(name, events):
            return refused
        identifier = str(uuid4())
        self._known[identifier] = Extension(events)
        self._names.add(name)
        function = self._function
        said = {"functionName": function.name, "functionVersion": function.version, "handler": function.handler}
        return Refusal(200, json.dumps(said, separators=(",", ":")).encode(), {_IDENTIFIER: identifier, **_JSON})

    def _refused(self, name: str, events: list[str]) -> Refusal | None:
        wrong = [event for event in events if event != "INVOKE"]
        if not name:
            return refusal(403, "Extension.InvalidExtensionName", "Empty extension name")
        if wrong:
            return refusal(
                403, "Extension.InvalidEventType", f"{wrong[0]}: ShutdownEventNotSupportedForInternalExtension"
            )
        if name in self._names:
            return refusal(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        if len(self._known) >= _MOST:
            return refusal(403, "Extension.TooManyExtensions", f"Extension limit ({_MOST}) reached")
        return None

    def _next(self, connection: Connection, headers: Mapping[str, str]) -> Refusal | None:
        if refused := self._unknown(headers):
            return refused
        extension = self._known[str(UUID(headers[_IDENTIFIER]))]
        extension.waits = connection
        if extension.untold is not None:
            event, extension.untold = extension.untold, None
            self._give(extension, event)
        self._settled()
        return None

    def _unknown(self, headers: Mapping[str, str]) -> Refusal | None:
        given = headers.get(_IDENTIFIER, "")
        if not given:
            return refusal(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", given):
            return refusal(403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        if given.lower() not in self._known:
            return refusal(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {given}")
        return None

    def _give(self, extension: Extension, event: bytes) -> None:
        connection, extension.waits = extension.waits, None
        if connection is None:
            extension.untold = event
            return
        data = http1.reply(200, event, {"Lambda-Extension-Event-Identifier": str(uuid4()), **_JSON})
        self._then(lambda: connection.send(data))
