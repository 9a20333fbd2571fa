"""What a process prints, line by line, and which invocation each line belongs to."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LONGEST_BYTES = 262_144


class Line(str):
    """One line of a function's log: text that knows where it comes from.

    `source` is `function` for what the process prints and `platform` for what Lambda says; `request_id` is empty for
    what an environment prints before its first invocation.
    """

    __slots__ = ("function", "request_id", "source")

    function: str
    request_id: str
    source: str

    def __new__(cls, text: str, function: str = "", request_id: str = "", source: str = "function") -> Line:
        """A line with where it comes from."""
        line = super().__new__(cls, text)
        line.function, line.request_id, line.source = function, request_id, source
        return line


class Lines:
    """Cuts bytes into lines. One without an end waits for `rest`; one over 256 KB is cut, as CloudWatch does."""

    def __init__(self) -> None:
        self._open = b""

    def feed(self, data: bytes) -> Iterator[str]:
        """The lines that these bytes end."""
        *whole, self._open = (self._open + data).split(b"\n")
        while len(self._open) > _LONGEST_BYTES:
            whole.append(self._open[:_LONGEST_BYTES])
            self._open = self._open[_LONGEST_BYTES:]
        return map(_text, whole)

    def rest(self) -> Iterator[str]:
        """The line that is open, as nothing will follow it."""
        left, self._open = self._open, b""
        return map(_text, [left] if left else [])


def tail(lines: Sequence[str], most_bytes: int) -> str:
    """The end of a log, in at most so many bytes."""
    kept: list[str] = []
    left = most_bytes
    for line in reversed(lines):
        left -= len(line.encode(errors="replace")) + 1
        kept.append(line)
        if left < 0:
            break
    text = "".join(f"{line}\n" for line in reversed(kept))
    return text.encode(errors="replace")[-most_bytes:].decode(errors="ignore")


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").removesuffix("\r")
