"""Who may be asked: a client with what is known of its model, digested once so that choosing only compares."""

from __future__ import annotations

from ..._value import Value
from ..catalog.definition import ModelFacts, suggestion
from ..clients.accepted import accepted
from ..clients.behind import answering
from ..config import ClientConfig
from ..errors import ConfigurationError
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from ..catalog.definition import Price

_INPUTS = ("image", "pdf", "audio")
_ABILITIES = ("tools", "json_schema", "thinking")
_METHODS = ("complete", "chat", "stream_chat")


class Candidate(Value):
    """One client among which a router chooses: a client, a `ClientConfig`, or a model's name.

        Candidate("openai/gpt-4o-mini", priority=1)
        Candidate(my_client, name="house", price=Price(0.1, 0.4), facts={"context_window": 8192, "tools": False})

    The lowest `priority` is asked first; among equals, the order of the list decides. `weight` is a share of the calls,
    for the strategy that shares them out; 0 keeps it for when all others have failed. `price` and `facts` (fields of
    `ModelFacts`) are believed over the catalog. The `name` defaults to `provider/model`.
    """

    client: Any
    name: str | None = None
    priority: float = 0
    weight: float = 1.0
    price: Price | None = None
    facts: Mapping[str, Any] = EMPTY

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf"):
            raise ConfigurationError(f"weight is {self.weight!r}.", fix="Use a number that is not below 0.")
        for field in self.facts:
            if field not in ModelFacts._fields:
                raise ConfigurationError(
                    f"A candidate has no fact {field!r}.", fix=suggestion(field, ModelFacts._fields)
                )


class CandidateFacts(Value):
    """A candidate as a strategy sees it: no client, only what is known.

    `can` and `cannot` hold words (`image`, `pdf`, `audio`, `tools`, `json_schema`, `thinking`); what is in neither is
    unknown, as is what is `None`. `context_window` and `max_output_tokens` count tokens.
    """

    name: str
    provider: str
    model: str | None = None
    priority: float = 0
    weight: float = 1.0
    context_window: int | None = None
    max_output_tokens: int | None = None
    can: frozenset[str] = frozenset()
    cannot: frozenset[str] = frozenset()
    price: Price | None = None
    own_price: bool = False
    """Whether `price` was given for this candidate and not found in the catalog."""

    @property
    def words(self) -> frozenset[str]:
        """What a call may name it by: its name, its model, `provider/model`."""
        named = {self.name, self.model, f"{self.provider}/{self.model}"} if self.model else {self.name}
        return frozenset(word for word in named if word)


def candidates_of(given: Iterable[Any], *, blocking: bool) -> tuple[tuple[Candidate, CandidateFacts], ...]:
    """Each candidate with its client and its name, and its facts; names and configurations are made into clients.

    Raises `ConfigurationError` for none at all, for what is no client, and for a name given twice.
    """
    listed = [one if isinstance(one, Candidate) else Candidate(one) for one in _list(given)]
    if not listed:
        fix = "Give at least one, such as 'openai/gpt-4o-mini'."
        raise ConfigurationError("A router needs candidates, and has none.", fix=fix)
    alone = len(listed) == 1
    clients = [_client(one.client, blocking, alone) for one in listed]
    taken = [one.name for one in listed if one.name]
    if len(set(taken)) < len(taken):
        twice = next(name for name in taken if taken.count(name) > 1)
        raise ConfigurationError(f"Several candidates are called {twice!r}.", fix="Give each a name of its own.")
    names: set[str] = set(taken)
    made = [one.replace(client=client) for one, client in zip(listed, clients, strict=True)]
    facts = [_facts(one, names) for one in made]
    return tuple((one.replace(name=known.name), known) for one, known in zip(made, facts, strict=True))


def _list(given: Iterable[Any]) -> list[Any]:
    if isinstance(given, (str, Candidate, ClientConfig)) or not hasattr(given, "__iter__"):
        raise ConfigurationError(f"candidates is {given!r}.", fix="Give a list of them.")
    return list(given)


def _client(given: Any, blocking: bool, alone: bool) -> Any:
    """The client of a candidate; one that is only named tries once more before its turn is over."""
    if isinstance(given, (str, ClientConfig)):
        from ..di.factories import create_llm_client

        patience: dict[str, Any] = {"max_retries": 1} if isinstance(given, str) and not alone else {}
        return create_llm_client(given, blocking=blocking, **patience)
    return accepted(given, blocking=blocking, methods=_METHODS)


def _facts(one: Candidate, names: set[str]) -> CandidateFacts:
    """What is known of a candidate; one with several models behind it can do what any of them can."""
    targets = [end.target for end in answering(one.client)]
    alone = targets[0] if len(targets) == 1 else None
    models = [(ModelFacts("") if target is None else target.model).replace(**one.facts) for target in targets]
    declared = [{**(EMPTY if target is None else target.facts), **one.facts} for target in targets]
    price = one.price or _shared([model.price for model in models])
    name = one.name or _unique(alone.name if alone else type(one.client).__name__, names)
    return CandidateFacts(
        name,
        alone.provider.name if alone else name,
        _shared([model.id for model in models]) or None,
        one.priority,
        one.weight,
        _widest([model.context_window for model in models]),
        _widest([model.max_output_tokens for model in models]),
        *_abilities(models, declared),
        price,
        own_price=price is not None and (one.price is not None or "price" in one.facts),
    )


def _shared(values: list[Any]) -> Any:
    """The value that all have; `None` where they differ."""
    return values[0] if all(value == values[0] for value in values) else None


def _widest(limits: list[int | None]) -> int | None:
    """The highest limit; `None` where one is unknown."""
    known = [limit for limit in limits if limit is not None]
    return max(known) if len(known) == len(limits) else None


def _abilities(
    models: Sequence[ModelFacts], declared: Sequence[Mapping[str, Any]]
) -> tuple[frozenset[str], frozenset[str]]:
    """What one of the models can do for certain, and what none of them can."""
    each = [_known(model, facts) for model, facts in zip(models, declared, strict=True)]
    words = {word for known in each for word in known}
    can = frozenset(word for word in words if any(known.get(word) for known in each))
    return can, frozenset(word for word in words if all(known.get(word) is False for known in each))


def _known(model: ModelFacts, declared: Mapping[str, Any]) -> dict[str, bool]:
    """What is known of a model's abilities, by their words."""
    known = {kind: kind in model.input for kind in _INPUTS} if model.input else {}
    for ability in _ABILITIES:
        value = getattr(model, ability)
        if value is None and ability == "json_schema":
            value = declared.get(ability)
        if value is not None:
            known[ability] = bool(value)
    return known


def _unique(name: str, names: set[str]) -> str:
    number, unique = 1, name
    while unique in names:
        number += 1
        unique = f"{name}#{number}"
    names.add(unique)
    return unique
