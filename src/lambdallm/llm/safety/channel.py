"""One text on its way through several filters, and the strings of a JSON value, each by itself."""

from __future__ import annotations

from ..errors import LLMContentFilterError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from .filters import OutputFilter
    from .report import Tally

    Stage = tuple[OutputFilter, Tally | None]


class Channel:
    """The filters one behind another; `changed` says whether what came out differs from what went in."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._passes = [(owner.label(), owner.begin(tally)) for owner, tally in stages]
        self._unseen: list[str] = []
        self.changed = False

    def feed(self, text: str) -> str:
        """What can be let go. Raises `LLMContentFilterError` naming the filter that blocks."""
        given = text
        for name, one in self._passes:
            text = _named(name, one.feed, text) if text else ""
        return self._compared(given, text)

    def finish(self) -> str:
        """The rest."""
        text = ""
        for name, one in self._passes:
            text = (_named(name, one.feed, text) if text else "") + _named(name, one.finish)
        rest = self._compared("", text)
        self.changed = self.changed or any(self._unseen)
        return rest

    def _compared(self, given: str, passed: str) -> str:
        """What passed; whether it is what was given, is looked at when something has."""
        if self.changed:
            return passed
        self._unseen.append(given)
        if passed:
            unseen = "".join(self._unseen)
            self.changed = not unseen.startswith(passed)
            self._unseen = [] if self.changed else [unseen[len(passed) :]]
        return passed


def _named(name: str, step: Callable[..., str], *text: str) -> str:
    try:
        return step(*text)
    except LLMContentFilterError as error:
        error.code = error.code or name
        raise


def through(stages: Sequence[Stage], text: str) -> str:
    """A whole text through the filters."""
    if not stages or not text:
        return text
    channel = Channel(stages)
    return channel.feed(text) + channel.finish()


def leaves(stages: Sequence[Stage], value: Any) -> Any:
    """A JSON value with each of its strings filtered by itself; the same object where nothing changed."""
    if isinstance(value, str):
        return through(stages, value)
    if isinstance(value, dict):
        pairs = {through(stages, k) if isinstance(k, str) else k: leaves(stages, v) for k, v in value.items()}
        same = len(pairs) == len(value) and all(k in value and value[k] is v for k, v in pairs.items())
        return value if same else pairs
    if isinstance(value, (list, tuple)):
        items = [leaves(stages, item) for item in value]
        return value if all(map(_same, items, value)) else type(value)(items)
    return value


def _same(one: object, other: object) -> bool:
    return one is other
