"""JSON read while it is written: what is known of a value after each piece of its text.

Each character is read once, whatever the pieces. Looking costs nothing until it is done: a moment is kept as marks into
the growing value, and made into plain data when somebody asks for that. What is shown is a beginning of what will be:
strings grow, lists and objects gain members at their end; numbers and words (`true`) appear when they are whole.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_RUN = re.compile(r'[^"\\\x00-\x1f]*+')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}|u[0-9a-fA-F]{4})')
_HIGH = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")
_BLANK = re.compile(r"[ \t\n\r]*+")
_WORD = re.compile(r"[-+.0-9A-Za-z]*+")
_LONGEST_ESCAPE = 12
_LONGEST_WORD = 4000
_DEEPEST = 500
NOTHING: Any = object()


class _Open:
    """An object or a list that is being written; members are only ever added at its end."""

    __slots__ = ("keys", "values")

    def __init__(self, keys: list[str] | None) -> None:
        self.keys = keys
        self.values: list[Any] = []

    def made(self, count: int, more: Any = NOTHING) -> Any:
        """Its first members as plain data, and one that is itself not whole."""
        values = self.values[:count]
        if more is not NOTHING:
            values.append(more)
        return values if self.keys is None else dict(zip(self.keys, values, strict=False))


class Moment:
    """A value as it was known at one time."""

    __slots__ = ("_path", "_pieces", "_whole")

    def __init__(self, whole: Any, path: tuple[tuple[_Open, int], ...], pieces: tuple[list[str], int] | None) -> None:
        self._whole, self._path, self._pieces = whole, path, pieces

    def data(self) -> Any:
        """The value as plain data, `None` where nothing of it was known."""
        if self._whole is not NOTHING:
            return self._whole
        made = NOTHING if self._pieces is None else "".join(self._pieces[0][: self._pieces[1]])
        for container, count in reversed(self._path):
            made = container.made(count, made)
        return None if made is NOTHING else made


class PartialJson:
    """Reads one JSON value piece by piece. `done` when it is whole, `failed` when the text is no JSON.

        reader = PartialJson()
        reader.feed('{"name": "Ad')
        reader.moment().data()      # {'name': 'Ad'}

    `rest` is the text after a value that is whole, or from where it stopped being JSON. A number that is all there is
    becomes whole by what follows it.
    """

    def __init__(self) -> None:
        self.done = self.failed = False
        self.rest = ""
        self._open: list[_Open] = []
        self._pieces: list[str] | None = None
        self._in_key = False
        self._tail = ""
        self._value: Any = NOTHING
        self._next: Callable[[str, int], int] = self._read_value
        self._news = 0

    def feed(self, text: str) -> bool:
        """Read the next piece; whether more is known than before it."""
        before, text, at = self._news, self._tail + text, 0
        self._tail = ""
        while not self.done and not self.failed:
            following = self._next(text, at)
            if following < 0:
                break
            at = following
        if self.done or self.failed:
            self.rest = text[at:]
        return self._news > before

    def moment(self) -> Moment:
        """What is known now."""
        path = tuple((container, len(container.values)) for container in self._open)
        reading = self._pieces is not None and not self._in_key
        return Moment(self._value, path, (self._pieces or [], len(self._pieces or ())) if reading else None)

    def _wait(self, text: str, at: int, most: int) -> int:
        """Keep an unfinished token for the next piece; one that is too long will never be one."""
        self._tail = text[at:]
        return -1 if len(self._tail) <= most else self._fail(at)

    def _fail(self, at: int) -> int:
        self.failed = True
        return at

    def _blank(self, text: str, at: int) -> int:
        return _BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing at least

    def _read_value(self, text: str, at: int, closer: str = "") -> int:
        at = self._blank(text, at)
        if at == len(text):
            return -1
        mark = text[at]
        if mark in "{[" and len(self._open) < _DEEPEST:
            self._open.append(_Open([] if mark == "{" else None))
            self._next = self._read_first_key if mark == "{" else self._read_first_value
            self._news += 1
            return at + 1
        if mark == '"':
            self._pieces, self._next = [], self._read_text
            self._news += 1
            return at + 1
        if mark == closer:
            return self._close_container(at)
        end = _WORD.match(text, at).end()  # type: ignore[union-attr]
        if end == len(text):
            return self._wait(text, at, _LONGEST_WORD)
        return end if self._word(text[at:end]) else self._fail(at)

    def _read_first_value(self, text: str, at: int) -> int:
        return self._read_value(text, at, "]")

    def _word(self, word: str) -> bool:
        try:
            value = json.loads(word)
        except ValueError:
            return False
        self._complete(value)
        return True

    def _read_first_key(self, text: str, at: int) -> int:
        return self._read_key(text, at, "}")

    def _read_key(self, text: str, at: int, closer: str = "") -> int:
        at = self._blank(text, at)
        if at == len(text):
            return -1
        if text[at] == closer:
            return self._close_container(at)
        if text[at] != '"':
            return self._fail(at)
        self._pieces, self._next, self._in_key = [], self._read_text, True
        return at + 1

    def _read_colon(self, text: str, at: int) -> int:
        at = self._blank(text, at)
        if at == len(text):
            return -1
        self._next = self._read_value
        return at + 1 if text[at] == ":" else self._fail(at)

    def _read_after(self, text: str, at: int) -> int:
        """What follows a member: a comma, or the end of what it is a member of."""
        at = self._blank(text, at)
        if at == len(text):
            return -1
        in_list = self._open[-1].keys is None
        if text[at] == ("]" if in_list else "}"):
            return self._close_container(at)
        self._next = self._read_value if in_list else self._read_key
        return at + 1 if text[at] == "," else self._fail(at)

    def _close_container(self, at: int) -> int:
        container = self._open.pop()
        self._complete(container.made(len(container.values)))
        return at + 1

    def _read_text(self, text: str, at: int) -> int:
        """More of a string; its end makes it a key or a value."""
        pieces = self._pieces
        assert pieces is not None
        end = _RUN.match(text, at).end()  # type: ignore[union-attr]
        if end > at:
            pieces.append(text[at:end])
            self._news += not self._in_key
        if end == len(text):
            return -1
        if text[end] == "\\":
            return self._escape(text, end, pieces)
        if text[end] != '"':
            return self._fail(end)
        self._pieces = None
        (self._name if self._in_key else self._complete)("".join(pieces))
        return end + 1

    def _name(self, key: str) -> None:
        keys = self._open[-1].keys
        assert keys is not None
        keys.append(key)
        self._next, self._in_key = self._read_colon, False

    def _escape(self, text: str, at: int, pieces: list[str]) -> int:
        """An escape, whole only with the second half of a character that is written in two."""
        token = _ESCAPE.match(text, at)
        unfinished = len(text) - at < _LONGEST_ESCAPE and (token is None or _HIGH.match(token[0]))
        if unfinished and '"' not in text[at + 2 :]:
            return self._wait(text, at, _LONGEST_ESCAPE)
        if token is None:
            return self._fail(at)
        pieces.append(json.loads(f'"{token[0]}"'))
        self._news += not self._in_key
        return token.end()

    def _complete(self, value: Any) -> None:
        """A value is whole: it joins what it is a member of."""
        self._news += 1
        if self._open:
            self._open[-1].values.append(value)
            self._next = self._read_after
        else:
            self._value, self.done = value, True
