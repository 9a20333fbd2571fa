"""Newline-delimited JSON: one JSON text a line, empty lines skipped. Bytes in, lines out."""

from __future__ import annotations

from .framing import check_size


class NdjsonDecoder:
    """Feed bytes as they come; get whole lines. Raises `FramingError` for a line beyond the bound."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that these bytes complete, without their ends."""
        self._pieces.append(data)
        self._held += len(data)
        if b"\n" not in data:
            check_size(self._held)
            return []
        lines = b"".join(self._pieces).split(b"\n")
        rest = lines.pop()
        self._pieces, self._held = [rest], len(rest)
        check_size(self._held)
        return [stripped for line in lines if (stripped := line.strip())]

    def close(self) -> list[bytes]:
        """The last line, where its end is missing."""
        rest = b"".join(self._pieces).strip()
        self._pieces, self._held = [], 0
        return [rest] if rest else []
