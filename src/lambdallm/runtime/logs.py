"""What a function prints and logs, on its way to Lambda: line by line, or in frames where Lambda gave a descriptor.

    frame: type (4 bytes) │ length (4 bytes) │ microseconds since 1970 (8 bytes) │ text

`logging` costs milliseconds and many functions never use it. So it is set up at the very moment it is imported, by
whoever imports it first and before anyone can log: no record goes another way.

Source: `awslambdaric` 4.2, `bootstrap.py` (`FramedTelemetryLogSink`) and `lambda_runtime_log_utils.py`.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Protocol

    from .faults import Fault

    class Sink(Protocol):
        """Where text goes."""

        def write(self, text: str, level: int = 0, json: bool = False) -> None:
            """Write text at once. `level` is one of logging's, 0 for none; `json` says that the text is JSON."""
            ...


class Current:
    """Whose invocation the log belongs to; nothing before the first."""

    request_id: str = ""
    tenant_id: str | None = None


current = Current()


class StreamSink:
    """Writes to standard output, also where the function has closed it."""

    def write(self, text: str, level: int = 0, json: bool = False) -> None:
        """As `Sink`."""
        stream = sys.stdout
        if stream is None or getattr(stream, "closed", False):
            os.write(1, text.encode("utf-8", "backslashreplace"))
        else:
            stream.write(text)
            _flush(stream)


class FrameSink:
    """Writes frames to a descriptor, so that a record of several lines stays one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._lock = RLock()  # reentrant: a signal may come in the middle, and what it runs may log

    def write(self, text: str, level: int = 0, json: bool = False) -> None:
        """As `Sink`."""
        from time import time_ns

        data = text.encode("utf-8", "backslashreplace")
        size, at = len(data).to_bytes(4, "big"), (time_ns() // 1000).to_bytes(8, "big")
        left = memoryview(frame_type(level, json) + size + at + data)
        with self._lock:
            while left:
                left = left[os.write(self._descriptor, left) :]


def frame_type(level: int, json: bool) -> bytes:
    """The first four bytes of a frame: a record's level in steps of ten, 0 for text without one, and its format."""
    step = min(50, max(0, level)) // 10
    return (0xA55A0000 + (2 if json else 3) + (4 * (step + 1) if step else 0)).to_bytes(4, "big")


_sink: Sink = StreamSink()
_is_json = False


def sink() -> Sink:
    """Where the log goes."""
    return _sink


def is_json() -> bool:
    """Whether records are JSON: `AWS_LAMBDA_LOG_FORMAT`."""
    return _is_json


def start() -> None:
    """Take over the log of this process, by the environment variables that Lambda sets."""
    global _sink, _is_json
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
    _is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    descriptor = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", "")
    _sink = FrameSink(int(descriptor)) if descriptor else StreamSink()
    if "logging" in sys.modules:
        _set_up()
    else:
        sys.meta_path.insert(0, _WhenLoggingIsImported())


def begin(request_id: str, tenant_id: str | None) -> None:
    """Say whose invocation the log belongs to from now on."""
    current.request_id, current.tenant_id = request_id, tenant_id


def flush() -> None:
    """Write what was printed without a line end."""
    for stream in (sys.stdout, sys.stderr):
        _flush(stream)


def _flush(stream: Any) -> None:
    """Flush what may be anything that a function has put in the place of standard output."""
    flush = getattr(stream, "flush", None)
    if flush is not None and not getattr(stream, "closed", False):
        flush()


def error(fault: Fault, request_id: str = "") -> None:
    """Log what an invocation, or the start of the environment, failed with."""
    flush()
    if _is_json:
        end = "" if isinstance(_sink, FrameSink) else "\n"
        _sink.write(fault.log_record(request_id) + end, 40, json=True)
    elif isinstance(_sink, FrameSink):
        _sink.write("\n".join(fault.lines()), 40)
    else:
        _sink.write("\r".join(fault.lines()) + "\n", 40)  # one event: a carriage return does not end it


def warn(message: str) -> None:
    """Log what the runtime itself has to say."""
    from logging import getLogger

    getLogger("lambdallm").warning(message)


def _set_up() -> None:
    from .logging_setup import set_up

    set_up()


class _WhenLoggingIsImported:
    """A finder that finds nothing but `logging`, once, and sets it up when it is loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the other finders answer for `logging`, with a loader that does more."""
        if name != "logging":
            return None
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        for finder in sys.meta_path:
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                spec.loader = _SettingUp(spec.loader)  # type: ignore[assignment]  # a loader by its methods
                return spec
        return None


class _SettingUp:
    """A module's own loader, and what follows it while the import is still under way, so that nobody is earlier."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """As the loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: Any) -> None:
        """As the loader does; then set up."""
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _set_up()
