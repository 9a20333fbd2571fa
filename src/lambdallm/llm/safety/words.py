"""Filters of words and of length."""

from __future__ import annotations

from ..errors import ConfigurationError, LLMContentFilterError
from .filters import OutputFilter
from .rules import Rule, RuleFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Literal

    from .filters import Pass
    from .report import Tally
    from .rules import Action


class BlocklistFilter(RuleFilter):
    """Blocks a text with one of the words or phrases in it, or replaces them: `action="redact"`.

    Words are compared whole and without regard to case; blanks in a phrase match any blanks. Raises
    `ConfigurationError` for an empty list.
    """

    name = "blocklist"

    def __init__(
        self,
        words: Iterable[str],
        *,
        action: Action = "block",
        replacement: str = "[BLOCKED]",
        kind: str = "BLOCKED",
    ) -> None:
        import re

        rules = (Rule(kind, words_pattern(words)),)
        super().__init__(rules, replacement=replacement, action=action, flags=re.IGNORECASE)


def words_pattern(words: Iterable[str]) -> str:
    """The pattern of whole words and phrases. What they begin with alike is in it once: long lists stay fast.

    Raises `ConfigurationError` where there is none.
    """
    tree: dict[str, dict[str, object]] = {}
    for word in [words] if isinstance(words, str) else words:
        node = tree
        for letter in " ".join(word.split()).lower():
            node = node.setdefault(letter, {})  # type: ignore[assignment]  # a tree of trees
        if node is not tree:
            node[""] = {}
    if not tree:
        raise ConfigurationError(f"{words!r} holds no word.", fix="List at least one.")
    return rf"(?<!\w){_pattern(tree)}(?!\w)"


def _pattern(tree: dict[str, dict[str, object]]) -> str:
    """A tree of letters as a pattern, longer words first."""
    import re

    ways = [
        (r"\s{1,8}" if letter == " " else re.escape(letter)) + _pattern(rest)  # type: ignore[arg-type]
        for letter, rest in sorted(tree.items(), reverse=True)
        if letter
    ]
    joined = ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
    if "" not in tree:
        return joined
    return f"(?:{joined})?" if ways else ""


class MaxLengthFilter(OutputFilter):
    """Cuts a text after `limit` characters, or blocks a longer one: `action="block"`. Each text counts by itself."""

    name = "max_length"
    covers = ("text",)

    def __init__(self, limit: int, *, action: Literal["truncate", "block"] = "truncate") -> None:
        if limit < 0:
            raise ConfigurationError(f"limit is {limit!r}.", fix="Give a number of characters.")
        if action not in ("truncate", "block"):
            raise ConfigurationError(f"action is {action!r}.", fix="Use 'truncate' or 'block'.")
        self.limit, self.action = limit, action

    def apply(self, text: str) -> str:
        """The beginning of the text. Raises `LLMContentFilterError` where a longer one is blocked."""
        return _Counted(self, None).feed(text)

    def begin(self, tally: Tally | None = None) -> Pass:
        """Start on a text; nothing is held back."""
        return _Counted(self, tally)


class _Counted:
    """A text on its way, as long as it may still be."""

    def __init__(self, owner: MaxLengthFilter, tally: Tally | None) -> None:
        self._owner, self._left, self._tally = owner, owner.limit, tally

    def feed(self, text: str) -> str:
        """What there is room for."""
        if len(text) > self._left and self._owner.action == "block":
            limit = self._owner.limit
            raise LLMContentFilterError(f"A text is longer than {limit} characters.", type="TOO_LONG")
        if len(text) > self._left and self._tally is not None:
            self._tally.add("TOO_LONG")
            self._tally = None
        passed = text[: self._left]
        self._left -= len(passed)
        return passed

    def finish(self) -> str:
        """Nothing is left."""
        return ""
