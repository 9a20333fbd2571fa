"""Placeholders that can be undone: `[EMAIL_1]` goes to the model, the address comes back in its answer.

A vault belongs to one call or one conversation of one user: shared between users, it would show one what another wrote.
"""

from __future__ import annotations

from .rules import Rule, RuleFilter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .filters import Pass
    from .report import Tally

_PLACEHOLDER = r"\[[A-Z][A-Z0-9_]{0,40}_[0-9]{1,6}\]"


class Vault:
    """Numbers what is replaced, kind by kind, and knows it again: equal texts get equal placeholders.

    vault = Vault()
    vault.placeholder("EMAIL", "ada@example.com")   # "[EMAIL_1]"
    vault.restored("Write to [EMAIL_1].")           # "Write to ada@example.com."
    """

    def __init__(self) -> None:
        self._placeholders: dict[tuple[str, str], str] = {}
        self._originals: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._taken: set[str] = set()

    def avoid(self, text: str) -> None:
        """Never make the placeholders that a text already holds: nobody could tell them from its own."""
        import re

        self._taken.update(re.findall(_PLACEHOLDER, text))

    def placeholder(self, kind: str, original: str) -> str:
        """What stands in for a text of that kind."""
        known = self._placeholders.get((kind, original))
        if known is None:
            known = self._placeholders[kind, original] = self._next(kind)
            self._originals[known] = original
        return known

    def _next(self, kind: str) -> str:
        while True:
            self._numbers[kind] = number = self._numbers.get(kind, 0) + 1
            if (made := f"[{kind}_{number}]") not in self._taken:
                return made

    def original(self, placeholder: str) -> str:
        """What a placeholder stands for; itself, where it is none of this vault's."""
        return self._originals.get(placeholder, placeholder)

    def restored(self, text: str) -> str:
        """A text with its placeholders undone."""
        return RestoreFilter(self).apply(text)


class RestoreFilter(RuleFilter):
    """Undoes a vault's placeholders in what the model says; a placeholder the model made up stays."""

    name = "restore"
    covers = ("text", "refusal", "tool_call")

    def __init__(self, vault: Vault) -> None:
        super().__init__((Rule("placeholder", _PLACEHOLDER),))
        self._vault = vault

    def begin(self, tally: Tally | None = None) -> Pass:
        """Start on a text. What is undone is no redaction, and is not counted."""
        return super().begin(None)

    def _replacement(self, _kind: str, matched: str, _tally: Tally | None) -> str:
        return self._vault.original(matched)
