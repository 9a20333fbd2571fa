"""An error as Lambda is told it: type, message and stack trace, the cause that X-Ray shows, and lines for the log.

Loaded when something fails. The shapes are those of AWS's own Python client (`awslambdaric` 4.2, `bootstrap.py`), so
that alarms, log queries and callers find what they look for.
"""

from __future__ import annotations

import json
import os

from .._value import Value
from .errors import RuntimeFault
from .limits import BUFFERED_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TypeAlias

    Frame: TypeAlias = tuple[str, int, str, str | None]
    """File, line number, function, and the text of the line."""

_OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_LOOPS = os.path.join(os.path.dirname(os.__file__), "asyncio") + os.sep
"""Where the frames are that stand between this package and an async function."""
_CAUSE_BYTES = 1024 * 1024
_TRAILER_BYTES = 48 * 1024
_TYPE_CHARACTERS = 200
_INDENT = "\u00a0"
"""Log views collapse spaces at the start of a line, but not these."""


class Fault(Value):
    """What an invocation, or the start of an environment, failed with."""

    type: str
    message: str
    stack: tuple[str, ...] = ()
    """Lines as `traceback.format_list` gives them."""
    frames: tuple[Frame, ...] = ()
    named: bool = False
    """The type is one of Lambda's own, not that of an exception."""

    def document(self, request_id: str = "") -> dict[str, Any]:
        """The error as a caller gets it."""
        return {
            "errorMessage": self.message,
            "errorType": self.type,
            "requestId": request_id,
            "stackTrace": list(self.stack),
        }

    def body(self, request_id: str = "", limit: int = BUFFERED_BYTES) -> bytes:
        """The document as JSON, in ASCII; without the stack, and with less of the message, where it is too long."""
        body = json.dumps(self.document(request_id)).encode()
        if len(body) <= limit:
            return body
        short = self.replace(stack=(), message=f"{self.message[: limit // 16]} …")
        return json.dumps(short.document(request_id)).encode()

    def trailer_body(self, request_id: str = "") -> bytes:
        """The document as the trailer of a stream takes it, in base64."""
        from binascii import b2a_base64

        return b2a_base64(self.body(request_id, _TRAILER_BYTES), newline=False)

    @property
    def header(self) -> str:
        """The type, fit for a header."""
        shown = self.type.encode("ascii", "replace").decode()
        return "".join(c if c.isprintable() else "?" for c in shown)[:_TYPE_CHARACTERS]

    def cause(self) -> str:
        """What X-Ray shows of the error, as JSON in one line; empty where it would be too long for a header."""
        stack = [{"label": function, "path": file, "line": line} for file, line, function, _ in self.frames]
        type = "LambdaValidationError" if self.named else self.type
        content = {
            "working_directory": os.getcwd(),
            "exceptions": [{"message": self.message, "type": type, "stack": stack}],
            "paths": sorted({file for file, *_ in self.frames}),
        }
        text = json.dumps(content)
        return text if len(text) < _CAUSE_BYTES else ""

    def lines(self) -> list[str]:
        """The error as lines of a text log."""
        said = ": ".join(part for part in (self.type, self.message) if part)
        lines = [f"[ERROR] {said}", "Traceback (most recent call last):"]
        for entry in self.stack:
            lines += [_indented(line) for line in entry.splitlines()]
        return lines

    def log_record(self, request_id: str = "") -> str:
        """The error as a line of a JSON log."""
        from time import gmtime, strftime

        at = {"timestamp": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime()), "level": "ERROR"}
        return json.dumps(at | self.document(request_id))


def fault_of(error: BaseException | Fault) -> Fault:
    """The fault that an exception is. Of its frames, those of this package that lead to the function are left out."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, RuntimeFault):
        return Fault(error.type, error.message, error.stack, named=True)
    from traceback import format_list

    frames = _frames(error)
    return Fault(type(error).__name__, _message(error), tuple(format_list(list(frames))), frames)


def logged(error: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    """An error as `logging` takes it (`exc_info`), without the frames of this package that lead to the function."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith((_OURS, _LOOPS)):
        trace = trace.tb_next
    return type(error), error, trace or error.__traceback__


def _frames(error: BaseException) -> tuple[Frame, ...]:
    from traceback import extract_tb

    frames = [(each.filename, each.lineno or 0, each.name, each.line) for each in extract_tb(error.__traceback__)]
    for position, frame in enumerate(frames):
        if not frame[0].startswith((_OURS, _LOOPS)):
            return tuple(frames[position:])
    return tuple(frames)


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as second:  # noqa: BLE001  # whatever the user's own __str__ raises
        return f"(str() of the error raised {type(second).__name__})"


def _indented(line: str) -> str:
    text = line.lstrip(" ")
    return _INDENT * (len(line) - len(text)) + text
