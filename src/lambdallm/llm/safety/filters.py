"""`OutputFilter`: what every filter is to those who write one, and how it works on text that comes in pieces.

A filter knows text, no message and no stream of chunks. It passes a text, changes it, or blocks it by raising
`LLMContentFilterError`. Whatever the pieces, what it lets through adds up to what it makes of the whole text.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .report import Tally

    class Pass(Protocol):
        """One text on its way through a filter."""

        def feed(self, text: str) -> str:
            """Take the next piece; what can be let go by now."""
            ...

        def finish(self) -> str:
            """The rest, once the text has ended."""
            ...


KINDS = ("text", "thinking", "refusal", "tool_call", "error")


class OutputFilter:
    """Passes, changes or blocks a text: override `apply`.

        class NoShouting(OutputFilter):
            name, longest = "no_shouting", 40

            def apply(self, text):
                return re.sub(r"\\b[A-Z]{2,38}\\b", lambda word: word[0].capitalize(), text)

    `longest` is the most characters that one decision of `apply` looks at, those around what it changes included; with
    it streams flow, 1 to 2 times that many characters late. Without it a streamed text is held back to its end.
    `covers` are the kinds of text it works on: `text`, `thinking`, `refusal`, `tool_call` (strings in its arguments),
    `error` (what errors and warnings say, who may quote any of these).

    To block, raise `LLMContentFilterError`. Anything else that `apply` raises is a bug: the call fails with it, and
    nothing unfiltered is handed on.
    """

    name: str = ""
    longest: int | None = None
    covers: tuple[str, ...] = KINDS

    def apply(self, text: str) -> str:
        """The text as it may go on. Raises `LLMContentFilterError` to block it."""
        raise NotImplementedError(f"{type(self).__name__} must implement apply.")

    def begin(self, tally: Tally | None = None) -> Pass:
        """Start on a text that comes in pieces; `tally` is told what is replaced."""
        return Whole(self, tally) if self.longest is None else Windowed(self, self.longest, tally)

    def label(self) -> str:
        """Its name in reports and errors."""
        return self.name or type(self).__name__


InputFilter = OutputFilter
"""A filter of what goes to the model has the same contract; one filter may serve both ways."""


class Whole:
    """Holds a text back to its end."""

    def __init__(self, owner: OutputFilter, tally: Tally | None) -> None:
        self._owner, self._tally = owner, tally
        self._pieces: list[str] = []

    def feed(self, text: str) -> str:
        """Nothing yet."""
        self._pieces.append(text)
        return ""

    def finish(self) -> str:
        """The whole text, filtered."""
        text = "".join(self._pieces)
        self._pieces = []
        return _applied(self._owner, text, self._tally)


class Windowed:
    """Lets a text go wherever it can be cut: where the filter leaves `longest` characters on either side alone.

    What crosses a cut lies, with all that decides it, in those two stretches; the filter saw it there and changed
    nothing. The stretch before a cut stays as context for what follows.
    """

    def __init__(self, owner: OutputFilter, longest: int, tally: Tally | None) -> None:
        self._owner, self._longest, self._tally = owner, max(1, longest), tally
        self._context = self._held = ""

    def feed(self, text: str) -> str:
        """What stands before the last place where the text can be cut."""
        self._held += text
        cut = len(self._held) - self._longest
        if cut < self._longest // 2 + 1:
            return ""
        known = self._context + self._held
        around = known[max(0, len(self._context) + cut - self._longest) :]
        if self._owner.apply(around) != around:
            return ""
        passed = _applied(self._owner, known, self._tally)
        self._context, self._held, rest = around[: -self._longest], self._held[cut:], len(self._context)
        return passed[rest : len(passed) - self._longest]

    def finish(self) -> str:
        """What was still held."""
        passed = _applied(self._owner, self._context + self._held, self._tally)
        rest, self._context, self._held = len(self._context), "", ""
        return passed[rest:]


def _applied(owner: OutputFilter, text: str, tally: Tally | None) -> str:
    passed = owner.apply(text)
    if tally is not None and passed != text:
        tally.add("text")
    return passed
