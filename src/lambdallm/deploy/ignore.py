"""Patterns that leave files out, as Git reads them in `.gitignore`. Pure: texts and paths, no file system.

The last pattern that matches decides; `!` takes a file back in; a folder that is left out is not looked into, so a
file can't be taken back from it (https://git-scm.com/docs/gitignore).
"""

from __future__ import annotations

import re

from .._value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Pattern(Value):
    """One line: what paths below the folder `base` ("" or "a/b/") must match in full."""

    base: str
    expression: re.Pattern[str]
    takes_in: bool = False
    folders_only: bool = False

    def matches(self, path: str, is_folder: bool) -> bool:
        """Whether the pattern speaks about a path, which has `/` between its names."""
        if self.folders_only and not is_folder:
            return False
        return path.startswith(self.base) and self.expression.fullmatch(path, len(self.base)) is not None


def patterns(text: str, base: str = "") -> tuple[Pattern, ...]:
    """The patterns of a file's text that lies in the folder `base`."""
    found = (_pattern(line, base) for line in text.splitlines())
    return tuple(pattern for pattern in found if pattern is not None)


def is_left_out(path: str, is_folder: bool, rules: Iterable[Pattern]) -> bool:
    """Whether the last of the patterns that match a path leaves it out."""
    out = False
    for rule in rules:
        if rule.takes_in == out and rule.matches(path, is_folder):
            out = not rule.takes_in
    return out


def is_below_left_out(path: str, rules: Iterable[Pattern]) -> bool:
    """Whether a file, or a folder above it, is left out."""
    rules = tuple(rules)
    names = path.split("/")
    folders = ("/".join(names[:depth]) for depth in range(1, len(names)))
    return any(is_left_out(folder, True, rules) for folder in folders) or is_left_out(path, False, rules)


def _pattern(line: str, base: str) -> Pattern | None:
    line = re.sub(r"(?<!\\)[ \t]+$", "", line)
    if not line or line.startswith("#"):
        return None
    takes_in = line.startswith("!")
    line = line.removeprefix("!") if takes_in else line
    folders_only = line.endswith("/")
    line = line.removesuffix("/")
    anywhere = "/" not in line
    try:
        expression = re.compile(("(?:.*/)?" if anywhere else "") + _translated(line.removeprefix("/")), re.DOTALL)
    except re.error:  # a class such as [z-a], which matches nothing
        return None
    return Pattern(base, expression, takes_in, folders_only) if line else None


_PARTS = re.compile(
    r"(?P<deep>\A\*\*/)|(?P<inside>/\*\*\Z)|(?P<between>/\*\*/)|(?P<many>\*+)|(?P<one>\?)"
    r"|\[(?P<not>[!^]?)(?P<class>\]?(?:\[:\w+:\]|[^\]])*)\]|\\(?P<quoted>.)|(?P<plain>.)",
    re.DOTALL,
)
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": " \\t",
    "digit": "0-9",
    "lower": "a-z",
    "space": "\\s",
    "upper": "A-Z",
    "xdigit": "0-9A-Fa-f",
}
_FIXED = {"deep": "(?:.*/)?", "inside": "/.+", "between": "/(?:.*/)?", "many": "[^/]*", "one": "[^/]"}


def _translated(glob: str) -> str:
    """A glob as a regular expression."""
    return "".join(map(_part, _PARTS.finditer(glob)))


def _part(part: re.Match[str]) -> str:
    kind = part.lastgroup or ""
    if kind in _FIXED:
        return _FIXED[kind]
    if kind == "class":
        body = re.sub(r"\[:(\w+):\]|([\\\[\]^&~|]|(?<=-)-)", _in_class, part["class"])
        return f"(?!/)[{'^' if part['not'] else ''}{body}]"
    return re.escape(part["quoted"] or part["plain"])


def _in_class(found: re.Match[str]) -> str:
    return _CLASSES.get(found[1], "") if found[1] else f"\\{found[2]}"
