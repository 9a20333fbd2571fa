"""A function with somebody watching: what each invocation did is posted as notes before its answer is complete.

Per invocation the caller may say something to this module in the client context, under `lambdallm`: another `model`;
`streams`, when it reads any answer piece by piece; or `warm`, which wants the function loaded and nothing more. The
function never sees it.
"""

from __future__ import annotations

import json
import os

from ..runtime.context import LambdaContext
from ..runtime.streams import ResponseStream
from .dev_trace import Trace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..core.context import LambdaLLMContext

    Function = Callable[[Any, Any], Any]

_OFTEN_SECONDS = 0.15
_STREAMING = "LAMBDALLM_RESPONSE_STREAMING"
OURS = "lambdallm"
"""The name in the client context's `custom` part."""


class WatchedContext(LambdaContext):
    """AWS's context, which looks on: handlers show it theirs, chains tell it of their steps."""

    model: str | None = None
    """The model in the place of the handler's, of this process."""
    trace: Trace
    failure_status: int | None = None
    """What the handler would have answered with, where its error is explained instead."""

    def begin(self) -> dict[str, Any]:
        """Start the clock; gives what the caller had to say to us."""
        self.trace = Trace()
        given = getattr(self.client_context, "custom", None)
        wanted: dict[str, Any] = (given or {}).get(OURS) or {}
        if wanted:
            self.client_context = None
        self.model = wanted.get("model") or self.model
        return wanted

    def on_context(self, context: LambdaLLMContext) -> None:
        """Called by the handler with the context it has made."""
        context.guards.append(self.trace)
        self.trace.context = context
        if self.model:
            context.settings = context.settings.replace(model=self.model)

    def on_step(self, path: str, *, ended: bool) -> None:
        """Called by a chain when a step begins and when it has ended."""
        self.trace.step_ended(path) if ended else self.trace.step_began(path)

    def takes_failure(self, status: int) -> bool:
        """Whether the error itself is wanted in the place of the response it would be: it is explained here."""
        if status < 500:
            return False
        self.failure_status = status
        return True


def watched_context(model: str | None) -> type[WatchedContext]:
    """The context's class for a process whose handlers ask another model."""
    return type("WatchedContext", (WatchedContext,), {"model": model})


def watched(function: Function, root: str) -> Function:
    """The function, with its notes posted. `root` is the folder whose lines are its author's."""
    usual = os.environ.get(_STREAMING)

    def invoke(event: Any, context: Any) -> Any:
        wanted = context.begin()
        _stream_to(wanted.get("streams"), usual)
        if wanted.get("warm"):
            return {"name": getattr(function, "__name__", "function"), "failure": getattr(function, "failure", None)}
        telling = _Telling(context, root)
        with telling:
            result = function(event, context)
            if hasattr(result, "__await__"):
                return telling.awaited(result)
            if isinstance(result, ResponseStream):
                return _Followed(result, telling)
            if hasattr(result, "__next__"):
                return telling.followed(result)
        telling.post()
        return result

    return invoke


def _stream_to(everybody: bool | None, usual: str | None) -> None:
    """Whose events may be answered piece by piece: as the project has it, or where the caller reads streams any."""
    if everybody and usual != "off":
        os.environ[_STREAMING] = "function_url,rest,direct"
    elif usual is not None:
        os.environ[_STREAMING] = usual
    else:
        os.environ.pop(_STREAMING, None)


class _Telling:
    """Posts what an invocation did: at its end or with its error, and when something begins that it may hang in."""

    def __init__(self, context: WatchedContext, root: str) -> None:
        import threading

        self.context, self._root = context, root
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._posted_ms: float | None = None
        self._over = False
        context.trace.on_change = self._changed

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        if error is not None and not isinstance(error, GeneratorExit):
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        """Post the error as its author can read it, then the rest."""
        _post(self.context.aws_request_id, "failure", failure(error, self._root, self.context.failure_status))
        self.post()
        error.__traceback__ = _of_author(error.__traceback__, self._root)

    def post(self) -> None:
        """Post the trace, whole."""
        with self._lock:
            self._over = True
            if self._timer is not None:
                self._timer.cancel()
            _post(self.context.aws_request_id, "trace", self.context.trace.to_dict())

    def _changed(self) -> None:
        """Post the trace as it is, or in a moment where that was just done: a process that is killed posts no more."""
        import threading

        with self._lock:
            if self._timer is not None or self._over:
                return
            if self._posted_ms is None or self.context.trace.now_ms - self._posted_ms > _OFTEN_SECONDS * 1000:
                self._post_so_far()
                return
            self._timer = threading.Timer(_OFTEN_SECONDS, self._when_due)
            self._timer.daemon = True
            self._timer.start()

    def _when_due(self) -> None:
        with self._lock:
            self._timer = None
            if not self._over:
                self._post_so_far()

    def _post_so_far(self) -> None:
        _post(self.context.aws_request_id, "trace", self.context.trace.to_dict())
        self._posted_ms = self.context.trace.now_ms

    def followed(self, pieces: Any) -> Iterator[Any]:
        """The pieces of an answer, watched to their end."""
        with self:
            for piece in pieces:
                self.context.trace.first_byte()
                yield piece
        self.post()

    async def awaited(self, result: Any) -> Any:
        """What an async function gives."""
        with self:
            value = await result
        self.post()
        return value


class _Followed(ResponseStream):
    """A stream that is watched: left early or read to its end, what it did is told."""

    def __init__(self, inner: ResponseStream, telling: _Telling) -> None:
        self.head, self.content_type = inner.head, inner.content_type
        self._inner, self._telling = inner, telling

    def __iter__(self) -> Iterator[bytes]:
        return self._telling.followed(self._inner)

    def close(self) -> None:
        self._inner.close()
        self._telling.post()


def failure(error: BaseException, root: str, status: int | None = None) -> dict[str, Any]:
    """An error for people: AWS's fields, the line that says it, the author's frames, and the status it stands for."""
    from .faults import FunctionError, as_json, explained
    from .target import TargetError

    said = explained(error, root)
    cause = said.__cause__ if isinstance(said.__cause__, BaseException) else error
    facts = as_json(cause, root)
    bug = isinstance(said, FunctionError)
    if not bug:
        facts["errorMessage"] = str(said).replace(f"{facts['errorType']}: ", "", 1)
    frames = said.frames if isinstance(said, FunctionError) else ""
    unclear = isinstance(error, TargetError)
    return {"error": facts, "said": " ".join(str(said).split()), "frames": frames, "status": status, "unclear": unclear}


def _of_author(traceback: Any, root: str) -> Any:
    """A traceback without the frames of libraries, where any of the author's are left: what is logged is short."""
    from types import TracebackType

    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    own = [one for one in frames if one.tb_frame.f_code.co_filename.startswith(root + os.sep)]
    kept = None
    for one in reversed(own or frames):
        kept = TracebackType(kept, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return kept


def _post(request_id: str, name: str, note: dict[str, Any]) -> None:
    """Send a note on an invocation to the emulator, which any other Runtime API would refuse: that is let pass."""
    import socket

    body = json.dumps(note, ensure_ascii=False, default=repr).encode("utf-8", "replace")
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
    head = f"POST /lambdallm/notes/{request_id}/{name} HTTP/1.1\r\nHost: {host}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    try:
        with socket.create_connection((host, int(port)), timeout=5) as connection:
            connection.sendall(head.encode() + body)
            connection.recv(4096)  # it has been taken
    except OSError:
        pass
