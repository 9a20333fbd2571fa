"""Everything that goes through the emulator of `lambdallm dev`, looked at on its way: who asked, what came of it.

`Observer` stands where front ends expect an emulator. Each invocation is told to the terminal when it ends, and made a
run of the playground's; nothing it does changes what a caller gets, but that failures are told in the author's terms.
"""

from __future__ import annotations

import json
import threading
import time

from .dev_log import Facts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from ..runtime.emulator.answer import Answer
    from ..runtime.emulator.emulator import Emulator
    from ..runtime.emulator.function import Function
    from .dev_log import Terminal

    Shape = dict[str, Any]

_MOST_KEPT_BYTES = 1024 * 1024
_READING_SECONDS = 5.0
_CLOSED = "Sandbox.Failure"
_RAISE_IT = " Raise it with --timeout."


class Served:
    """A request, or an invocation that came by no request: what came, and how far it is.

    `run` is the playground's own run that it belongs to.
    """

    def __init__(self, what: str, status: int | None = None, run: str | None = None) -> None:
        self.what, self.status, self.run = what, status, run
        self.begun = time.perf_counter()
        self.answers: list[Seen] = []
        self.notes: list[str] = []
        self._told = False
        self._lock = threading.Lock()

    def over(self) -> bool:
        """Whether nothing is left to come, asked for the first time since then."""
        with self._lock:
            if self._told or self.status is None or not all(answer.over for answer in self.answers):
                return False
            self._told = True
            return True


class Seen:
    """An answer, looked at while it is read by whoever asked for it. All else is the answer's own."""

    def __init__(self, answer: Answer, name: str, payload: bytes, served: Served) -> None:
        self._answer, self.function, self.payload, self.served = answer, name, payload, served
        self.begun = time.time()
        self.chunks: list[bytes] = []
        self._bytes = 0
        self.over = False
        self.warm_ms: float | None = None
        """What the start of its process took, where that was before anybody asked."""
        self._stopped = False
        self.read_up = threading.Event()
        """Whoever asked has read it to its end."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answer, name)

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._answer:
            self._bytes += len(chunk)
            if self._bytes <= _MOST_KEPT_BYTES:
                self.chunks.append(chunk)
            yield chunk
        self.read_up.set()

    def stop(self) -> None:
        """Somebody has ended it, which is no failure of the function's."""
        self._stopped = True

    @property
    def stopped(self) -> bool:
        """Whether somebody has ended it: on the page, or by ending everything."""
        return self._stopped or (self._answer.error or {}).get("errorType") == _CLOSED

    def read(self) -> bytes:
        """The whole answer."""
        return b"".join(self)

    def over_or_failed(self) -> bool:
        """Whether it is known how it ended; a stream that goes on is not."""
        return self.over or self._answer.function_error is not None

    @property
    def failure(self) -> Shape | None:
        """What went wrong, for people: `error`, `said`, `frames`, `status`."""
        told: Shape | None = self._answer.notes.get("failure")
        if told is not None or self._answer.error is None:
            return told
        error = dict(self._answer.error)
        if error.get("errorType") == "Sandbox.Timedout":
            error["errorMessage"] = f"{error.get('errorMessage', '')}".rstrip(".") + "." + _RAISE_IT
        said = ": ".join(str(error[name]) for name in ("errorType", "errorMessage") if error.get(name))
        return {"error": error, "said": said, "frames": "", "status": None, "unclear": False}

    @property
    def error(self) -> Shape | None:
        """The error as its author can read it."""
        return None if self._answer.error is None else (self.failure or {}).get("error")


class Observer:
    """An emulator with somebody looking on. `on_end` hears of each invocation that is over,
    but for those of the playground's own runs."""

    def __init__(self, emulator: Emulator, terminal: Terminal) -> None:
        self._emulator, self._terminal = emulator, terminal
        self.on_end: Callable[[Seen], None] = lambda _: None
        self._here = threading.local()
        self._init_ms: dict[str, float] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._emulator, name)

    @property
    def functions(self) -> Mapping[str, Function]:
        """The project's functions; ours is nobody's business."""
        return {name: function for name, function in self._emulator.functions.items() if not name.startswith("_")}

    @property
    def all_functions(self) -> Mapping[str, Function]:
        """Ours too."""
        return self._emulator.functions

    def serving(self, served: Served) -> None:
        """Say what request this thread serves from now on."""
        self._here.served = served

    def warmed(self, name: str, init_ms: float | None) -> None:
        """A function's process has started before anybody asked: its first invocation is told what that took."""
        if init_ms is not None:
            self._init_ms[name] = init_ms

    def invoke(self, name: str, payload: bytes, **options: Any) -> Seen:
        """As `Emulator.invoke`."""
        served = getattr(self._here, "served", None) or Served(f"event for {name}", 0)
        answer = self._emulator.invoke(name, payload, **options)
        seen = Seen(answer, name, payload, served)
        seen.warm_ms = self._init_ms.pop(name, None)
        served.answers.append(seen)
        self._terminal.begun(answer.request_id, served.what)
        threading.Thread(target=self._wait, args=(seen,), daemon=True).start()
        return seen

    def quietly(self, name: str, payload: bytes, **options: Any) -> Answer:
        """An invocation of our own, which nobody is told of."""
        return self._emulator.invoke(name, payload, **options)

    def replied(self, served: Served, status: int) -> None:
        """The request has its reply; a streamed one may still go on."""
        served.status = status
        self._here.served = None
        self._settle(served)

    def init_ms(self, seen: Seen) -> float | None:
        """What the environment's start took, in the first invocation of one."""
        return seen.warm_ms if seen.report.init_ms is None else seen.report.init_ms

    def _wait(self, seen: Seen) -> None:
        seen.wait()
        seen.over = True
        self._settle(seen.served)
        if seen.served.run is None:
            seen.read_up.wait(_READING_SECONDS)
            self.on_end(seen)

    def _settle(self, served: Served) -> None:
        if served.over():
            for facts in self._facts(served):
                self._terminal.ended(facts)

    def _facts(self, served: Served) -> Iterator[Facts]:
        took = (time.perf_counter() - served.begun) * 1000
        status = served.status or 0
        if not served.answers:
            yield Facts(served.what, status, took, notes=tuple(served.notes))
        for seen in served.answers:
            trace: Shape = seen.notes.get("trace") or {}
            failure = seen.failure if seen.function_error or "failure" in seen.notes else None
            yield Facts(
                served.what, status, took, seen.request_id, seen.function, len(trace.get("calls", ())),
                trace.get("tokens_in", 0), trace.get("tokens_out", 0), trace.get("cost_usd", 0.0),
                trace.get("first_byte_ms"), self.init_ms(seen),
                "stopped" if seen.stopped else str((failure or {}).get("error", {}).get("errorType", "")),
                None if seen.stopped else failure, tuple(served.notes),
            )  # fmt: skip


def our_context(**wanted: Any) -> Shape | None:
    """What the function's process is to know, as a client context; `None` where it is nothing."""
    from .dev_watched import OURS

    said = {name: value for name, value in wanted.items() if value is not None}
    return {"custom": {OURS: said}} if said else None


def parsed(payload: bytes) -> Any:
    """A payload as JSON; as text where it is none."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload.decode("utf-8", "replace")
