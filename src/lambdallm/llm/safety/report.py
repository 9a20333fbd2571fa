"""What filters did in one call: which one, to what kind of thing, how often. Never to which text."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Literal

    from .vault import Vault

    Way = Literal["input", "output"]


class Tally:
    """What one filter did one way: counts by kind. `vault` remembers what placeholders stand for, where one is kept."""

    __slots__ = ("counts", "name", "vault")

    def __init__(self, name: str = "", vault: Vault | None = None) -> None:
        self.name, self.vault = name, vault
        self.counts: dict[str, int] = {}

    def add(self, kind: str) -> None:
        """Count one replacement."""
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def placeholder(self, kind: str, text: str) -> str:
        """Count one replacement; what stands in for the text."""
        self.add(kind)
        return f"[{kind}]" if self.vault is None else self.vault.placeholder(kind, text)


class Report:
    """The tallies of one call."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[Way, str], Tally] = {}

    def tally(self, way: Way, name: str, vault: Vault | None = None) -> Tally:
        """The tally of the filter of that name; of several with one name, the same."""
        return self._tallies.setdefault((way, name), Tally(name, vault))

    def as_metadata(self) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
        """`{"output": {"secrets": {"GITHUB_TOKEN": 1}}}`; empty where nothing was replaced."""
        told: dict[str, dict[str, dict[str, int]]] = {}
        for (way, name), tally in self._tallies.items():
            if tally.counts:
                told.setdefault(way, {})[name] = dict(tally.counts)
        return told

    def warnings(self) -> Iterable[str]:
        """A sentence for each filter that replaced something."""
        for (way, name), tally in self._tallies.items():
            if tally.counts:
                what = ", ".join(f"{count} × {kind}" for kind, count in tally.counts.items())
                yield f"The {way} filter {name!r} replaced {what}."
