"""The Runtime API as one environment serves it: each request finds what reads its body and what it does then.

It decides by `protocol`; what follows for the environment it tells to its `Site`.
"""

from __future__ import annotations

import json

from . import extensions, protocol
from .bodies import Bare, Body, Response, Whole, error_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from . import http1
    from .connection import Connection
    from .function import Function
    from .job import Job
    from .limits import Limits
    from .protocol import Ask, Refusal

    class Site(Protocol):
        """The environment that serves this API."""

        @property
        def job(self) -> Job | None:
            """The invocation that runs, or else the one that ran last."""

        def park(self, connection: Connection, *, restoring: bool) -> None:
            """The process waits for its next invocation, or for its restore."""

        def settle(self) -> None:
            """An extension waits, too."""

        def then(self, effect: Callable[[], object]) -> None:
            """Have something take effect at the end of the step."""

        def repeat(self, connection: Connection) -> None:
            """The process asks for the invocation that it has."""

        def not_started(self, error: dict[str, Any], body: bytes) -> None:
            """The process says that it could not start."""


_MODE = "lambda-runtime-function-response-mode"
_ERROR_TYPE = "lambda-runtime-function-error-type"
_JSON = "application/json"


class RuntimeApi:
    """What a process may ask, and where it stands."""

    def __init__(self, site: Site, function: Function, limits: Limits) -> None:
        self.state = protocol.State()
        self.extensions = extensions.Extensions(function, site.then, site.settle)
        self._site, self._limits, self._snapstart = site, limits, function.snapstart

    def ask(self, connection: Connection, head: http1.Head) -> Body:
        """What reads the body of this request."""
        if head.path.startswith(extensions.PATH):
            return self.extensions.ask(connection, head)
        asked = protocol.read(head.method, head.path, snapstart=self._snapstart)
        if isinstance(asked, protocol.Refusal):
            return Body(asked)
        match asked.action:
            case "next" | "restore_next":
                return Bare(lambda: self._next(connection, asked))
            case "response":
                return self._response(asked, head.headers)
            case "note":
                return self._whole(lambda body: self._note(asked, body))
            case "error":
                return self._error(asked, head.headers)
            case "init_error" | "restore_error":
                return self._start_error(asked, head.headers)

    def _next(self, connection: Connection, asked: Ask) -> Refusal | None:
        restoring = asked.action == "restore_next"
        if refused := self.state.restore_next() if restoring else self.state.next():
            return refused
        if self.state.name == "Running":
            self._site.repeat(connection)
        else:
            self._site.park(connection, restoring=restoring)
        return None

    def _response(self, asked: Ask, headers: Mapping[str, str]) -> Body:
        if refused := self.state.response(asked.request_id):
            return Body(refused)
        job = self._site.job
        assert job is not None
        mode = headers.get(_MODE, "")
        if mode not in ("", "streaming"):
            job.answer.fail(job.failure("Runtime.InvalidResponseModeHeader", f"The response mode {mode!r} is unknown"))
            return Body(protocol.BAD_MODE)
        streaming, content_type = mode == "streaming", headers.get("content-type", "")
        return Response(job, self._limits, content_type, streaming=streaming, sent=self.state.sent)

    def _error(self, asked: Ask, headers: Mapping[str, str]) -> Body:
        if refused := self.state.error(asked.request_id):
            return Body(refused)
        job = self._site.job
        assert job is not None

        def failed(body: bytes) -> Refusal:
            job.answer.fail(error_of(body, _error_type(headers)), body, headers.get("content-type") or _JSON)
            self.state.sent()
            return protocol.OK

        return self._whole(failed)

    def _start_error(self, asked: Ask, headers: Mapping[str, str]) -> Body:
        if refused := self.state.init_error() if asked.action == "init_error" else self.state.restore_error():
            return Body(refused)

        def failed(body: bytes) -> Refusal:
            self._site.not_started(error_of(body, _error_type(headers)), body)
            return protocol.OK

        return self._whole(failed)

    def _note(self, asked: Ask, body: bytes) -> Refusal:
        job = self._site.job
        if job is None or self.state.known(asked.request_id):
            return protocol.UNKNOWN_ID
        try:
            job.answer.note(asked.name, json.loads(body))
        except ValueError:
            return protocol.NOT_JSON
        return protocol.OK

    def _whole(self, done: Callable[[bytes], Refusal | None]) -> Body:
        return Whole(self._limits.sync_bytes, done)


def _error_type(headers: Mapping[str, str]) -> str:
    return protocol.error_type(headers.get(_ERROR_TYPE, ""))
