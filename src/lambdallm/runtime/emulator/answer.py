"""The answer of one invocation: written by the environment that works on it, read by whoever invoked.

Both sides go at their own pace. What is not read yet is kept, so that a reader that stops never stops the function,
and a reader blocks until there is something to read.
"""

from __future__ import annotations

import json
import threading
from collections import deque

from .logs import tail

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from .logs import Line
    from .report import Report

UNHANDLED = "Unhandled"
_JSON = "application/json"
_GRACE_SECONDS = 0.1


class Answer:
    """What a function answers, as it comes.

    answer = emulator.invoke("name", b"{}")
    answer.read(), answer.function_error, str(answer.report)

    `report`, `log`, `lines` and `notes` are whole once the process has asked for its next invocation, which may be
    after the last byte: they wait for it.
    """

    def __init__(self, request_id: str, version: str, *, log_tail_bytes: int = 4096) -> None:
        self.request_id, self.version = request_id, version
        self.content_type = _JSON
        self.streamed = False
        """Whether the chunks come from a function that streams, and the caller takes a stream."""
        self.function_error: str | None = None
        self.error: dict[str, Any] | None = None
        self._log_tail_bytes = log_tail_bytes
        self._changed = threading.Condition(threading.Lock())
        self._chunks: deque[bytes] = deque()
        self._sent = self._whole = False
        self._report: Report | None = None
        self._lines: Sequence[Line] = ()
        self._notes: dict[str, Any] = {}

    def begin(self) -> None:
        """Wait for the first chunk or the end; from then on `content_type` and `streamed` are known."""
        with self._changed:
            self._changed.wait_for(self._readable)

    def __iter__(self) -> Iterator[bytes]:
        """The chunks as the function sends them; all of a buffered answer at once. The error is known after the last.

        An answer is read once, by one thread.
        """
        while (chunk := self._take()) is not None:
            yield chunk

    def read(self) -> bytes:
        """The whole answer."""
        return b"".join(self)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the invocation is over; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._report is not None, seconds)

    @property
    def report(self) -> Report:
        """What it took and cost."""
        self.wait()
        assert self._report is not None
        return self._report

    @property
    def lines(self) -> Sequence[Line]:
        """What was logged, by the function and about it; of a cold start, too."""
        self.wait()
        return self._lines

    @property
    def log(self) -> str:
        """The last 4 KB of `lines`."""
        return tail(self.lines, self._log_tail_bytes)

    @property
    def notes(self) -> dict[str, Any]:
        """What the process has posted about this invocation, by name."""
        self.wait()
        return self._notes

    def _take(self) -> bytes | None:
        with self._changed:
            self._changed.wait_for(self._readable)
            if self._chunks:
                return self._chunks.popleft()
            # The process asks for its next invocation at once: who invokes again finds it free, rather than a cold one.
            self._changed.wait_for(lambda: self._report is not None, _GRACE_SECONDS)
            return None

    def _readable(self) -> bool:
        return bool(self._chunks) or self._whole

    # The environment's side.

    def open(self, content_type: str, *, streamed: bool) -> None:
        """The function begins to answer. Nothing is shown before the first chunk."""
        with self._changed:
            self.content_type, self.streamed = content_type, streamed

    def put(self, chunk: bytes) -> None:
        """A chunk has come."""
        with self._changed:
            self._chunks.append(chunk)
            self._sent = True
            self._changed.notify_all()

    def end(self) -> None:
        """The answer is whole."""
        with self._changed:
            self._whole = True
            self._changed.notify_all()

    def fail(self, error: dict[str, Any], body: bytes | None = None, content_type: str = _JSON) -> None:
        """The answer ends with an error; its JSON is the answer where nothing has been streamed yet.

        After its end an answer stays what it is.
        """
        with self._changed:
            if self._whole:
                return
            if not self._sent:
                self._chunks.append(json.dumps(error).encode() if body is None else body)
                self.content_type, self.streamed = content_type, False
            self.function_error, self.error, self._whole = UNHANDLED, error, True
            self._changed.notify_all()

    def finish(self, report: Report, lines: Sequence[Line]) -> None:
        """The invocation is over."""
        with self._changed:
            self._whole, self._report, self._lines = True, report, lines
            self._changed.notify_all()

    def note(self, name: str, value: Any) -> None:
        """The process tells something about the invocation."""
        self._notes[name] = value
