"""Who answers behind a client: wrappers and routers hand calls on, and what is known of those at the end is known.

A client that hands its calls on says to whom, by one method: `behind` (see `HandsOnProtocol`). Whoever wants to know
what a client can do (an extractor, a router over it) asks `answering` for those at the end, and knows no wrapper.
"""

from __future__ import annotations

from ..._value import Value
from ..errors import ConfigurationError
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..catalog.resolve import Target

_DEEPEST = 32


class Behind(Value):
    """A client that may answer a call, and the model it is then asked for; `None` for its own.

    `facts` (fields of `ModelFacts`) are believed over what is known of that model otherwise.
    """

    client: Any
    model: str | None = None
    facts: Mapping[str, Any] = EMPTY

    @property
    def target(self) -> Target | None:
        """The model as the catalog knows it; `None` for a client that is not ours."""
        find = getattr(self.client, "_target", None)
        found: Any = find(self.model) if callable(find) else getattr(self.client, "target", None)
        if not hasattr(found, "facts") or not hasattr(found, "wire"):
            return None
        wire = getattr(getattr(self.client, "config", None), "wire", None)
        declared = {**found.facts, "wire": wire} if wire else found.facts
        target: Target = found.replace(model=found.model.replace(**self.facts), facts=declared)
        return target


def answering(client: Any, model: str | None = None) -> list[Behind]:
    """Those that may answer a client's call for `model` in the end: the client itself, where it hands nothing on.

    Raises `ConfigurationError` for clients that hand calls on to one another without end, and for a model that nobody
    behind a router has.
    """
    return _ends(Behind(client, model), 0)


def _ends(one: Behind, depth: int) -> list[Behind]:
    behind = getattr(one.client, "behind", None)
    if not callable(behind):
        return [one]
    if depth == _DEEPEST:
        raise ConfigurationError(f"{one.client!r} hands calls on without end.", fix="Correct what its behind() gives.")
    inner = (each.replace(facts={**each.facts, **one.facts}) if one.facts else each for each in behind(one.model))
    return [end for each in inner for end in _ends(each, depth + 1)]


def breaker_of(client: Any) -> Any:
    """The breaker that a client's calls ask: its own, or that of the only one behind it; `None` where there is none."""
    ends = answering(client)
    return getattr(ends[0].client, "circuit_breaker", None) if len(ends) == 1 else None


def keeps_deadlines(client: Any) -> bool:
    """Whether a client's calls take a `deadline`: ours do, and whoever's class says so by `keeps_deadlines = True`.

    One that says nothing, and hands its calls on, takes what all those behind it take.
    """
    said = getattr(client, "keeps_deadlines", None)
    if said is not None or not callable(behind := getattr(client, "behind", None)):
        return bool(said)
    return all(keeps_deadlines(each.client) for each in behind())
