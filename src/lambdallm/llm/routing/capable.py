"""Which candidates can answer a call: a question to their facts, answered once for each set of needs."""

from __future__ import annotations

from ..._value import Value
from ..catalog.definition import suggestion
from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from .candidate import CandidateFacts
    from .plan import RoutedCall

_DOING = {
    "image": "take images",
    "pdf": "take documents",
    "audio": "take audio",
    "tools": "call tools",
    "json_schema": "keep to a JSON schema",
    "thinking": "think",
}


class Capable(Value):
    """Those that can answer, or may be able to, in the order of the list; and why the others can't."""

    candidates: tuple[CandidateFacts, ...]
    left_out: Mapping[str, str]
    least_window: int | None
    least_output: int | None


class Field:
    """All candidates of a router, asked for those that can answer a call."""

    def __init__(self, candidates: tuple[CandidateFacts, ...]) -> None:
        self.candidates = candidates
        self._by_model: dict[str, tuple[CandidateFacts, ...]] = {}
        for candidate in candidates:
            for word in candidate.words:
                self._by_model[word] = (*self._by_model.get(word, ()), candidate)
        self._known: dict[tuple[str | None, frozenset[str]], Capable] = {}

    def capable(self, call: RoutedCall, model: str | None) -> Capable:
        """Those that can answer. Raises `ConfigurationError` for a model that no candidate has."""
        key = (model, call.needs)
        if (found := self._known.get(key)) is None:
            found = self._known[key] = self._able(model, call.needs)
        return _roomy(found, call)

    def _able(self, model: str | None, needs: frozenset[str]) -> Capable:
        asked = self.asked(model)
        reasons = {one.name: f"It is not {model!r}, which the call asks for." for one in self.candidates}
        reasons |= {one.name: f"It can't {doing(needs & one.cannot)}." for one in asked}
        return _capable(tuple(one for one in asked if not needs & one.cannot), reasons)

    def asked(self, model: str | None) -> tuple[CandidateFacts, ...]:
        """Those that a call means by `model`. Raises `ConfigurationError` for one that no candidate has."""
        if model is None:
            return self.candidates
        if model not in self._by_model:
            raise ConfigurationError(f"No candidate is or has {model!r}.", fix=suggestion(model, self._by_model))
        return self._by_model[model]


def doing(needs: frozenset[str]) -> str:
    """Needs as what a model does: `take images and call tools`."""
    return " and ".join(_DOING.get(need, need) for need in sorted(needs))


def doubt(candidate: CandidateFacts, needs: frozenset[str]) -> str:
    """What of the needs the facts don't know, as a sentence; empty where they know everything."""
    unknown = needs - candidate.can - candidate.cannot
    return f"It is unknown whether it can {doing(unknown)}." if unknown else ""


def _capable(fit: tuple[CandidateFacts, ...], reasons: Mapping[str, str]) -> Capable:
    names = {one.name for one in fit}
    windows = [one.context_window for one in fit if one.context_window is not None]
    outputs = [one.max_output_tokens for one in fit if one.max_output_tokens is not None]
    left_out = {name: reason for name, reason in reasons.items() if name not in names}
    return Capable(fit, left_out, min(windows, default=None), min(outputs, default=None))


def _roomy(found: Capable, call: RoutedCall) -> Capable:
    """Without those whose window or longest answer is too small; with all of them where none would be left.

    The number of tokens is an estimate: it may choose among candidates, and refuses no call.
    """
    wanted = call.max_tokens or 0
    room = call.input_tokens + wanted
    if (found.least_window or room) >= room and (found.least_output or wanted) >= wanted:
        return found
    narrow = {one.name: reason for one in found.candidates if (reason := _narrow(one, room, wanted))}
    if len(narrow) == len(found.candidates):
        return found
    fit = tuple(one for one in found.candidates if one.name not in narrow)
    return found.replace(candidates=fit, left_out={**found.left_out, **narrow})


def _narrow(one: CandidateFacts, room: int, wanted: int) -> str:
    if one.context_window is not None and one.context_window < room:
        return f"Its context window of {one.context_window} tokens is too small for about {room}."
    if one.max_output_tokens is not None and one.max_output_tokens < wanted:
        return f"It gives at most {one.max_output_tokens} tokens, and max_tokens is {wanted}."
    return ""
