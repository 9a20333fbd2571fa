"""What `lambdallm dev` prints: a line for each invocation, and below it what its function printed.

Lines of an invocation are held back for a moment, so that those of a short one stand below its own line; a long one
shows its lines as they come. It knows neither the emulator nor HTTP: it is told lines and facts.
"""

from __future__ import annotations

import json
import re
import threading
import time

from .._value import Value
from .console import dollars, milliseconds, paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TextIO

HOLD_SECONDS = 0.5
_LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL")
_RECORD = re.compile(r"\[(\w+)\]\s+(?:\d{4}-\d\d-\d\dT[\d:.]+Z\s+)?(?:[0-9a-f-]{36}\s+)?(.*)", re.DOTALL)
_COLOURS = {"DEBUG": "dim", "TRACE": "dim", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}
_OF_RECORDS = frozenset(
    ("timestamp", "level", "message", "msg", "logger", "requestId", "location", "stackTrace", "errorType",
     "errorMessage", "function_request_id", "service", "xray_trace_id", "AWSRequestId")
)  # fmt: skip


class Said(Value):
    """One line of a function's log, read: its text, and the level where it is a logging record."""

    text: str
    level: str = ""


class Facts(Value):
    """One invocation that has ended, or a request that began none. Times are in milliseconds.

    `what` is what came (`GET /path`); `status` is the HTTP status or 0; `failure` has `said` and `frames`.
    """

    what: str
    status: int
    duration_ms: float
    request_id: str = ""
    function: str = ""
    calls: int = 0
    tokens_in: int | None = 0
    tokens_out: int | None = 0
    cost_usd: float | None = 0.0
    first_byte_ms: float | None = None
    init_ms: float | None = None
    error: str = ""
    failure: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def read_line(text: str) -> Said:
    """A printed line or a logging record, in Lambda's text format or its JSON format."""
    if text.startswith("{") and text.endswith("}"):
        try:
            return _from_json(text, json.loads(text))
        except (ValueError, RecursionError):
            return Said(text)
    found = _RECORD.match(text)
    if found and found[1].upper() in _LEVELS:
        return Said(found[2].replace("\r", "\n"), _level(found[1]))
    return Said(text.replace("\r", "\n"))


def _from_json(text: str, record: Any) -> Said:
    """A JSON record as people read it: its message, then its own fields."""
    if not isinstance(record, dict) or not ("level" in record and ("message" in record or "msg" in record)):
        return Said(text)
    message = record.get("message", record.get("msg"))
    words = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    own = [f"{name}={_shown(value)}" for name, value in record.items() if name not in _OF_RECORDS]
    frames = ["".join(record["stackTrace"]).rstrip()] if isinstance(record.get("stackTrace"), list) else []
    return Said("\n".join(["  ".join([words, *own]), *frames]), _level(str(record["level"])))


def _level(word: str) -> str:
    upper = word.upper()
    return {"WARN": "WARNING", "FATAL": "CRITICAL"}.get(upper, upper)


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def summary(facts: Facts) -> str:
    """One invocation in a line: what Lambda's REPORT line would say, for people."""
    status = f"  {facts.status}" if facts.status else ""
    parts = [f"{facts.what}{status}  {milliseconds(facts.duration_ms)}"]
    if facts.calls:
        known = facts.tokens_in is not None and facts.tokens_out is not None
        parts.append(f"{facts.tokens_in} in + {facts.tokens_out} out tokens" if known else "tokens unknown")
        parts.append(dollars(facts.cost_usd))
    if facts.first_byte_ms is not None:
        parts.append(f"first byte {milliseconds(facts.first_byte_ms)}")
    if facts.init_ms is not None:
        parts.append(f"cold start {milliseconds(facts.init_ms)}")
    return " · ".join([*parts, *facts.notes, *([facts.error] if facts.error else [])])


class _Held:
    """An invocation under way: what it is, where that is known, and its lines since when."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.since: float | None = None
        self.lines: list[Said] = []
        self.shown = False


class Terminal:
    """Prints for people, or with `as_json` one JSON object in a line for machines. Threads may share it."""

    def __init__(self, out: TextIO, *, as_json: bool = False, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._json, self._clock = out, as_json, clock
        self._lock = threading.RLock()
        self._open: dict[str, _Held] = {}
        self.gone = False
        """Whoever read it has left."""

    @property
    def is_json(self) -> bool:
        """Whether machines read it."""
        return self._json

    def say(self, text: str, colour: str = "", **facts: Any) -> None:
        """Something of our own: a banner, a file that changed. `facts` are what machines are told of it."""
        with self._lock:
            if self._json:
                self._emit({**facts, "message": text})
            else:
                self._write(paint(text, colour, self._out) if colour else text)

    def begun(self, request_id: str, what: str) -> None:
        """An invocation has begun; its lines are held for a moment."""
        with self._lock:
            self._open.setdefault(request_id, _Held(what)).what = what

    def line(self, text: str, function: str, request_id: str) -> None:
        """A function has printed a line."""
        said = read_line(text)
        with self._lock:
            if self._json:
                told = {"function": function, "request_id": request_id, "level": said.level or "INFO"}
                self._emit({"event": "log", **told, "message": said.text})
                return
            held = self._open.setdefault(request_id, _Held("")) if request_id else None
            if held is None or held.shown:
                self._indented(said)
                return
            held.since = self._clock() if held.since is None else held.since
            held.lines.append(said)

    def tick(self) -> None:
        """Show the lines of invocations that take longer than a moment."""
        with self._lock:
            for held in self._open.values():
                if held.since is not None and not held.shown and self._clock() - held.since >= HOLD_SECONDS:
                    held.shown = True
                    if held.what:
                        self._write(paint(f"{held.what}  running", "cyan", self._out))
                    self._release(held)
            for request_id in [id for id, held in self._open.items() if held.shown and not held.what]:
                del self._open[request_id]

    def ended(self, facts: Facts) -> None:
        """An invocation has ended, or a request began none."""
        with self._lock:
            held = self._open.pop(facts.request_id, None)
            if self._json:
                told = {name: getattr(facts, name) for name in facts._fields}
                self._emit({"event": "invocation", **told, "duration_ms": round(facts.duration_ms, 2)})
                return
            failed = facts.status >= 500 or facts.failure is not None or bool(facts.error)
            colour = "red" if failed else "yellow" if facts.status >= 400 else "green"
            self._write(paint(summary(facts), colour, self._out))
            if held is not None:
                self._release(held)
            if facts.failure is not None:
                self._failure(facts.failure)

    def _failure(self, failure: Mapping[str, Any]) -> None:
        if failure.get("frames"):
            self._indented(Said(str(failure["frames"])))
        self._write(f"  {paint('error:', 'red', self._out)} {failure['said']}")

    def _release(self, held: _Held) -> None:
        for said in held.lines:
            self._indented(said)
        held.lines = []

    def _indented(self, said: Said) -> None:
        level = f"{paint(said.level, _COLOURS.get(said.level, 'cyan'), self._out)} " if said.level else ""
        first, *rest = said.text.split("\n")
        self._write("\n".join([f"  {level}{first}", *(f"  {line}" for line in rest)]))

    def _emit(self, record: Mapping[str, Any]) -> None:
        self._write(json.dumps({"time": round(time.time(), 3), **record}, ensure_ascii=False, default=repr))

    def _write(self, text: str) -> None:
        try:
            print(text, file=self._out, flush=True)
        except BrokenPipeError:
            self.gone = True
