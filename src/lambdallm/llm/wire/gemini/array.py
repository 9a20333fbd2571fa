"""The stream without `alt=sse`: one JSON array that grows, an element an event. Bytes in, elements out.

A lone object (an error in place of a stream) counts as an array of one.
"""

from __future__ import annotations

import re

from ..framing import check_size

_MARKS = re.compile(rb'["\[\]{}]')
_STRING = re.compile(rb'["\\]')


class JsonArrayDecoder:
    """Feed bytes as they come; get whole objects. Raises `FramingError` for an element beyond the bound."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self._in_array = False
        self.done = False

    def feed(self, data: bytes) -> list[bytes]:
        """The objects that these bytes complete."""
        found: list[bytes] = []
        start = place = 0
        while not self.done:
            place = self._next(data, place)
            if place < 0:
                break
            mark = data[place : place + 1]
            if self._in_string:
                self._string(mark)
            elif mark == b'"':
                self._in_string = True
            elif mark in b"{[":
                start = self._open(mark, start, place)
            else:
                start = self._close(mark, data, start, place, found)
            place += 1
        if self._depth:
            self._hold(data[start:])
        return found

    def _next(self, data: bytes, place: int) -> int:
        """Where the next byte of meaning is; -1 when these bytes have none."""
        if self._escaped:
            if place >= len(data):
                return -1
            self._escaped, place = False, place + 1
        found = (_STRING if self._in_string else _MARKS).search(data, place)
        return -1 if found is None else found.start()

    def _string(self, mark: bytes) -> None:
        if mark == b'"':
            self._in_string = False
        else:
            self._escaped = True

    def _open(self, mark: bytes, start: int, place: int) -> int:
        if self._depth:
            self._depth += 1
        elif mark == b"{":
            self._depth, start = 1, place
        else:
            self._in_array = True
        return start

    def _close(self, mark: bytes, data: bytes, start: int, place: int, found: list[bytes]) -> int:
        if self._depth == 0:
            self.done = mark == b"]"
            return start
        self._depth -= 1
        if self._depth == 0:
            found.append(b"".join((*self._pieces, data[start : place + 1])))
            self._pieces, self._held = [], 0
            self.done = not self._in_array
        return start

    def _hold(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._held += len(piece)
        check_size(self._held)
