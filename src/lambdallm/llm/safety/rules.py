"""Filters made of patterns: what matches is replaced or blocked, in streams as soon as no further text can change it.

Of several rules the match that begins first wins, of those that begin together the rule that stands first. A pattern
should take time linear in its text, and so should every beginning of it: there must be one way only to match a text
(`(\\w+ ?)+` has many), and what may fail late should be bounded, or begin after a look-behind.
"""

from __future__ import annotations

import re

from ..._value import Value
from ..errors import ConfigurationError, LLMContentFilterError
from .filters import OutputFilter
from .unfinished import look_behind, unfinished

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Literal

    from .filters import Pass
    from .report import Tally

    Action = Literal["redact", "block"]

_OFTEN_ENOUGH = 8
"""A long text that is held back is looked at again when it has grown by this part: linear in all, hardly later."""


_SECRET = "(?P<secret>"


class Rule(Value):
    """One kind of thing to find. What is replaced is the whole match, or its group `(?P<secret>…)` where it has one.

    `measure` is given what would be replaced and says how many of its characters really belong to it, 0 for none of
    them: checksums, entropy, lengths that depend on the content. `after` is a look-behind that stands in front of the
    pattern; rules that share one are tried together, which makes long tables fast. `source` says where the form is
    documented.
    """

    kind: str
    pattern: str
    measure: Callable[[str], int] | None = None
    source: str = ""
    after: str = ""


class Found(Value):
    """A match: `start` to `end` of the text is done with, of which `begin` to `stop` is replaced."""

    kind: str
    start: int
    begin: int
    stop: int
    end: int


class Scanner:
    """Rules made ready. Raises `ConfigurationError` for a pattern that is none, or can't be matched in pieces."""

    def __init__(self, rules: Sequence[Rule], flags: int = 0) -> None:
        self._rules = [(rule, _compiled(f"{rule.after}(?:{rule.pattern})", flags)) for rule in rules]
        together: dict[str, list[str]] = {}
        for rule in rules:
            together.setdefault(rule.after, []).append(f"(?:{rule.pattern.replace(_SECRET, '(?:')})")
        any_of_them = _compiled("|".join(f"{after}(?:{'|'.join(all_)})" for after, all_ in together.items()), flags)
        self._search = any_of_them.search
        self._unfinished = unfinished(any_of_them).search
        self.look_behind = look_behind(any_of_them)

    def settled(self, text: str, at: int) -> int:
        """Up to where the text is final as it is, whatever follows it."""
        waiting = self._unfinished(text, at)
        return len(text) if waiting is None else waiting.start()

    def find(self, text: str, at: int, before: int) -> Found | None:
        """The next match that begins before a place."""
        while (candidate := self._search(text, at)) is not None and candidate.start() < before:
            at = candidate.start()
            for rule, pattern in self._rules:
                if (match := pattern.match(text, at)) and (found := _measured(rule, match)):
                    return found
            at += 1
        return None


def _compiled(pattern: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except re.error as reason:
        raise ConfigurationError(f"{pattern!r} is no pattern: {reason}.", fix="Correct it.") from None


def _measured(rule: Rule, match: re.Match[str]) -> Found | None:
    group = "secret" if "secret" in match.re.groupindex and match.start("secret") >= 0 else 0
    begin, stop = match.span(group)
    end = match.end()
    if rule.measure is not None:
        measured = begin + rule.measure(match[group])
        end = end if measured == stop else measured
        stop = measured
    return Found(rule.kind, match.start(), begin, stop, end) if stop > begin else None


class RuleFilter(OutputFilter):
    """Replaces what its rules find with `[KIND]`, or blocks a text in which they find something.

    `replacement` is written instead of `[KIND]`. `action="block"` raises `LLMContentFilterError`.
    """

    def __init__(
        self, rules: Iterable[Rule], *, replacement: str | None = None, action: Action = "redact", flags: int = 0
    ) -> None:
        if action not in ("redact", "block"):
            raise ConfigurationError(f"action is {action!r}.", fix="Use 'redact' or 'block'.")
        self.rules = tuple(rules)
        self.replacement, self.action = replacement, action
        self._scanner = _scanner(self.rules, flags)

    def apply(self, text: str) -> str:
        """The text with what the rules find replaced. Raises `LLMContentFilterError` where that blocks it."""
        passing = self.begin()
        return passing.feed(text) + passing.finish()

    def begin(self, tally: Tally | None = None) -> Pass:
        """Start on a text that comes in pieces."""
        return RulePass(self._scanner, lambda kind, matched: self._replacement(kind, matched, tally))

    def _replacement(self, kind: str, matched: str, tally: Tally | None) -> str:
        if self.action == "block":
            raise LLMContentFilterError(f"A text holds {kind}, which {self.label()!r} blocks.", type=kind)
        if self.replacement is None:
            return f"[{kind}]" if tally is None else tally.placeholder(kind, matched)
        if tally is not None:
            tally.add(kind)
        return self.replacement


_scanners: dict[tuple[tuple[Rule, ...], int], Scanner] = {}


def _scanner(rules: tuple[Rule, ...], flags: int) -> Scanner:
    """The scanner of these rules: compiling a long table takes milliseconds, so tables that are shared are kept."""
    known = _scanners.get((rules, flags))
    if known is None:
        known = Scanner(rules, flags)
        if len(_scanners) < 32:
            _scanners[rules, flags] = known
    return known


class RulePass:
    """One text on its way through a scanner."""

    def __init__(self, scanner: Scanner, replace: Callable[[str, str], str]) -> None:
        self._scanner, self._replace = scanner, replace
        self._text, self._start = "", 0
        self._new: list[str] = []
        self._new_size = 0

    def feed(self, text: str) -> str:
        """What no further text can change."""
        self._new.append(text)
        self._new_size += len(text)
        if self._new_size * _OFTEN_ENOUGH < len(self._text) - self._start - 256:
            return ""
        return self._passed(ended=False)

    def finish(self) -> str:
        """What was still held."""
        return self._passed(ended=True)

    def _passed(self, ended: bool) -> str:
        text, at, scanner = "".join((self._text, *self._new)), self._start, self._scanner
        passed: list[str] = []
        settled = len(text) if ended else scanner.settled(text, at)
        while (found := scanner.find(text, at, settled)) is not None:
            replaced = self._replace(found.kind, text[found.begin : found.stop])
            passed += text[at : found.begin], replaced, text[found.stop : found.end]
            at = found.end
            if at > settled:
                settled = len(text) if ended else scanner.settled(text, at)
        passed.append(text[at:settled])
        kept = max(0, settled - scanner.look_behind)
        self._text, self._start, self._new, self._new_size = text[kept:], settled - kept, [], 0
        return "".join(passed)


class RegexFilter(RuleFilter):
    """Replaces or blocks what a pattern matches: `RegexFilter(r"\\bPROJ-\\d{3,6}\\b", replacement="[TICKET]")`.

    The whole match is replaced, or its group `(?P<secret>…)` where it has one. `flags` are those of `re`; `kind` is
    what reports call the matches.
    """

    name = "regex"

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        replacement: str | None = None,
        *,
        kind: str = "REDACTED",
        action: Action = "redact",
        flags: int = 0,
    ) -> None:
        compiled = pattern if isinstance(pattern, re.Pattern) else _compiled(pattern, flags)
        text = re.sub(r"\A\(\?[aimsux]+\)", "", compiled.pattern)
        flags |= compiled.flags & ~re.UNICODE
        if flags & re.VERBOSE:
            text += "\n"  # the end of a comment
        super().__init__((Rule(kind, text),), replacement=replacement, action=action, flags=flags)
