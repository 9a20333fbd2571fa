"""The grammar of JSON as a walk over its text: where a value ends, without making it.

Each character is looked at a bounded number of times and nesting costs no recursion, so that no text, however
crafted, takes longer than its length. Source: RFC 8259.
"""

from __future__ import annotations

import re

from ..._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r'[ \t\n\r]*+(?:("[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*")|([{\[])|([}\]])|([,:])'
    r"|(-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null))"
)
_STRING, _OPEN, _CLOSE, _MARK = 1, 2, 3, 4
_BLANK = re.compile(r"[ \t\n\r]*+")
_START = re.compile(r'\{[ \t\n\r]*+["}]|\[[ \t\n\r]*+["\[\]{tfn0-9-]')
_OBJECT_START = re.compile(r'\{[ \t\n\r]*+["}]')
_UNTOLD = re.compile(r"[\[{][ \t\n\r]*+\Z")
_BRACKET = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*(?:"|\\?\Z)|([{\[])|([}\]])', re.DOTALL)
_PAIR = {"{": "}", "[": "]"}

_VALUE, _FIRST_VALUE, _KEY, _FIRST_KEY, _COLON, _AFTER = range(6)
"""What may come next: a value; a value or the end of the list; a key; a key or the end of the object; and so on."""


class Walk(Value):
    """How far a walk came: to the value's end (`whole`), to the text's end within it (`cut`), or to what is no JSON.

    `tokens` counts the tokens before `at`.
    """

    at: int
    tokens: int
    whole: bool = False
    cut: bool = False


def walk(text: str, start: int) -> Walk:
    """Read the one JSON value that begins at `start`, or after blanks there."""
    closers: list[str] = []
    expected, at, tokens = _VALUE, start, 0
    while (token := _TOKEN.match(text, at)) is not None:
        following = _after(token, expected, closers)
        if following is None:
            break
        expected, at, tokens = following, token.end(), tokens + 1
        if expected == _AFTER and not closers:
            return Walk(at, tokens, whole=True)
    at = _BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing at least
    return Walk(at, tokens, cut=at == len(text))


def _after(token: re.Match[str], expected: int, closers: list[str]) -> int | None:
    """What is expected after a token; `None` where the token itself was not."""
    kind, word = token.lastindex, token[token.lastindex or 0]
    if kind == _CLOSE:
        allowed = expected == _AFTER or expected == (_FIRST_KEY if word == "}" else _FIRST_VALUE)
        return _AFTER if allowed and closers and closers.pop() == word else None
    if kind == _MARK:
        if word == ":":
            return _VALUE if expected == _COLON else None
        return (_KEY if closers[-1] == "}" else _VALUE) if expected == _AFTER and closers else None
    if expected in (_KEY, _FIRST_KEY):
        return _COLON if kind == _STRING else None
    if expected not in (_VALUE, _FIRST_VALUE):
        return None
    if kind != _OPEN:
        return _AFTER
    closers.append(_PAIR[word])
    return _FIRST_KEY if word == "{" else _FIRST_VALUE


def bracketed(text: str) -> Iterator[tuple[int, int]]:
    """Where the objects and lists in a text begin and end, outermost ones only, in order.

    What begins as JSON and turns out not to be is passed over with all it encloses: an object inside a broken one is a
    piece of an answer, not the answer. So is what the end of the text cuts off.
    """
    at, balanced = 0, True
    while (start := _START.search(text, at)) is not None:
        found = walk(text, start.start())
        if found.whole:
            yield start.start(), found.at
        if found.cut:
            return
        at = max(found.at, start.start() + 1)
        if not found.whole and found.tokens > 1 and balanced:
            end = _balanced_end(text, start.start())
            at, balanced = end or at, end is not None


def _balanced_end(text: str, start: int) -> int | None:
    """Where the bracket at `start` is closed, whatever stands between; strings are read over."""
    depth = 0
    for mark in _BRACKET.finditer(text, start):
        depth += (mark.lastindex == 1) - (mark.lastindex == 2)
        if depth == 0 and mark.lastindex:
            return mark.end()
    return None


def first_start(text: str, *, lists: bool = True) -> tuple[int, bool]:
    """Where an object (or a list) may begin, and whether enough follows to tell; the text's length where nowhere."""
    found = (_START if lists else _OBJECT_START).search(text)
    if found is not None:
        return found.start(), True
    last = _UNTOLD.search(text)
    return (last.start() if last else len(text)), False
