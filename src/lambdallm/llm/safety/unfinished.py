"""What the end of a text may still become: from a pattern, the pattern of its matches that more text would decide.

A stream shows a text piece by piece. What `unfinished(pattern)` finds at its end has to wait; all before it is final.
It is made from the pattern's own parse: a row of items is unfinished where some of them are met and the text ends
inside the next one. What it finds is never too little: wherever the pattern, tried at some place, would have looked
beyond the end of the text, it matches at that place. It may be too much, which costs time and never a letter.

The parse is the standard library's own (`re._parser`), so that every pattern means here what it means to `re`.
"""

from __future__ import annotations

import re
from re import _compiler, _constants, _parser  # type: ignore[attr-defined]  # no public way leads to a parse

from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias

    Node: TypeAlias = tuple[Any, Any]
    Row: TypeAlias = list[Node]
    Ways: TypeAlias = list[Row]

_END: Node = (_constants.AT, _constants.AT_END_STRING)
_LINE_BREAK: Node = (_constants.LITERAL, 10)


def unfinished(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The pattern of what may still become a match of `pattern`; at the very end of a text it need not match.

    Raises `ConfigurationError` for a pattern that refers back to its own groups: what those hold is not known here.
    """
    parsed = _parser.parse(pattern.pattern, pattern.flags)
    try:
        ways = _row(list(parsed), True)
    except KeyError as reason:
        fix = "Write it without back-references, or subclass OutputFilter with `apply` and `longest`."
        raise ConfigurationError(f"{pattern.pattern!r} can't be matched piece by piece: {reason}.", fix=fix) from None
    compiled: re.Pattern[str] = _compiler.compile(_parsed(_joined(ways)), pattern.flags & ~re.DEBUG)
    return compiled


def look_behind(pattern: re.Pattern[str]) -> int:
    """How many characters in front of a match the pattern looks at; at least one, for `\\b` and `^`."""
    return max(1, _behind(_parser.parse(pattern.pattern, pattern.flags)))


def _behind(value: Any) -> int:
    """The widest look-behind anywhere in a parse."""
    if isinstance(value, tuple) and len(value) == 2 and value[0] in _ASSERTIONS and value[1][0] < 0:
        return max(int(value[1][1].getwidth()[1]), _behind(value[1][1]))
    inner = value.data if isinstance(value, _parser.SubPattern) else value
    return max(map(_behind, inner), default=0) if isinstance(inner, (list, tuple)) else 0


_ASSERTIONS = (_constants.ASSERT, _constants.ASSERT_NOT)


def _row(nodes: Sequence[Node], fresh: bool) -> Ways:
    """The ways in which a row of items may be unfinished. `fresh`: nothing in front of it takes a character."""
    begins = [fresh and all(node[0] in _WIDTHLESS for node in nodes[:place]) for place in range(len(nodes))]
    ways: Ways = []
    for node, at_start in zip(reversed(nodes), reversed(begins), strict=True):
        further = [[_bare(node), *_joined(ways)]] if ways else []
        ways = _UNFINISHED[node[0]](node[1], at_start) + further
    return ways


_WIDTHLESS = (*_ASSERTIONS, _constants.AT)


def _joined(ways: Ways) -> Row:
    """One row for several ways; none at all never matches."""
    if len(ways) == 1:
        return ways[0]
    return [(_constants.BRANCH, (None, [_parsed(way) for way in ways]))] if ways else [(_constants.FAILURE, ())]


def _parsed(row: Row) -> Any:
    return _parser.SubPattern(_parser.State(), row)


def _one(_value: Any, fresh: bool) -> Ways:
    """A character is waited for. An empty rest that waits for its first one need not be held."""
    return [] if fresh else [[_END]]


def _none(_value: Any, _fresh: bool) -> Ways:
    return []


def _at(where: Any, fresh: bool) -> Ways:
    if where in (_constants.AT_BEGINNING, _constants.AT_BEGINNING_STRING, _constants.AT_BEGINNING_LINE):
        return []
    before_break = [[_LINE_BREAK, _END]] if where == _constants.AT_END else []
    return before_break + ([] if fresh else [[_END]])


def _branch(value: Any, fresh: bool) -> Ways:
    return [way for item in value[1] for way in _row(list(item), fresh)]


def _group(value: Any, fresh: bool) -> Ways:
    _number, added, removed, inner = value
    ways = _row(list(inner), fresh)
    if not ways or not (added or removed):
        return ways
    return [[(_constants.SUBPATTERN, (None, added, removed, _parsed(_joined(ways))))]]


def _atomic(inner: Any, fresh: bool) -> Ways:
    return _row(list(inner), fresh)


def _repeat(value: Any, fresh: bool) -> Ways:
    _least, most, inner = value
    ways = _row(list(inner), fresh and most == 1)
    if most == 0 or not ways:
        return []
    more = most if most is _constants.MAXREPEAT else most - 1
    before: Row = [(_constants.MAX_REPEAT, (0, more, _stripped(inner)))] if more else []
    return [[*before, *_joined(ways)]]


def _assertion(value: Any, _fresh: bool) -> Ways:
    direction, inner = value
    ways = _row(list(inner), False)
    return [[(_constants.ASSERT, (1, _parsed(_joined(ways))))]] if direction > 0 and ways else []


_UNFINISHED: dict[Any, Callable[[Any, bool], Ways]] = {
    **dict.fromkeys((_constants.LITERAL, _constants.NOT_LITERAL, _constants.ANY, _constants.IN), _one),
    **dict.fromkeys(_ASSERTIONS, _assertion),
    **dict.fromkeys((_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT), _repeat),
    _constants.AT: _at,
    _constants.BRANCH: _branch,
    _constants.SUBPATTERN: _group,
    _constants.ATOMIC_GROUP: _atomic,
    _constants.FAILURE: _none,
}


def _stripped(parsed: Any) -> Any:
    return _parsed([_bare(node) for node in parsed])


def _bare(node: Node) -> Node:
    """An item without numbered groups: a pattern made of several parses has no numbers of its own."""
    kind, value = node
    if kind is _constants.SUBPATTERN:
        _number, added, removed, inner = value
        return kind, (None, added, removed, _stripped(inner))
    if kind is _constants.BRANCH:
        return kind, (None, [_stripped(item) for item in value[1]])
    if kind is _constants.ATOMIC_GROUP:
        return kind, _stripped(value)
    if isinstance(value, tuple) and value and isinstance(value[-1], _parser.SubPattern):
        return kind, (*value[:-1], _stripped(value[-1]))
    return node
