"""Who may be asked: a client with what is known of its model, digested once so that choosing only compares."""

from __future__ import annotations

from ..._value import Value
from ..catalog.definition import ModelFacts, suggestion
from ..clients.template import ClientTemplate
from ..config import ClientConfig
from ..errors import ConfigurationError
from ..types import EMPTY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
    clients = [_client(one.client, blocking) for one in listed]
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


def _client(given: Any, blocking: bool) -> Any:
    if isinstance(given, (str, ClientConfig)):
        from ..di.factories import create_llm_client

        return create_llm_client(given, blocking=blocking)
    missing = [method for method in _METHODS if not callable(getattr(given, method, None))]
    if missing or isinstance(given, type):
        fix = "Give a model's name, a ClientConfig, or a client with complete, chat and stream_chat."
        raise ConfigurationError(f"{given!r} is no client.", fix=fix)
    return given


def _facts(one: Candidate, names: set[str]) -> CandidateFacts:
    found = _known(one.client)
    provider, model, declared = found or (None, ModelFacts(""), EMPTY)
    model = model.replace(**one.facts)
    name = one.name or _unique(f"{provider}/{model.id}" if provider else type(one.client).__name__, names)
    price = one.price or model.price
    return CandidateFacts(
        name,
        provider or name,
        model.id or None,
        one.priority,
        one.weight,
        model.context_window,
        model.max_output_tokens,
        *_abilities(model, {**declared, **one.facts}),
        price,
        own_price=price is not None and (one.price is not None or "price" in one.facts),
    )


def _known(client: Any) -> tuple[str, ModelFacts, Mapping[str, Any]] | None:
    """The provider, model and declared facts of a client of ours."""
    if not isinstance(client, ClientTemplate):
        return None
    target = client._target(None)
    return target.provider.name, target.model, target.facts


def keeps_deadlines(client: Any) -> bool:
    """Whether a client's calls take a `deadline`: ours do, and whoever's class says so by `keeps_deadlines = True`."""
    return isinstance(client, ClientTemplate) or bool(getattr(client, "keeps_deadlines", False))


def _abilities(model: ModelFacts, declared: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """What a model can do for certain, and what it can't."""
    known = {kind: kind in model.input for kind in _INPUTS} if model.input else {}
    for ability in _ABILITIES:
        value = getattr(model, ability)
        if value is None and ability == "json_schema":
            value = declared.get(ability)
        if value is not None:
            known[ability] = bool(value)
    return frozenset(word for word in known if known[word]), frozenset(word for word in known if not known[word])


def _unique(name: str, names: set[str]) -> str:
    number, unique = 1, name
    while unique in names:
        number += 1
        unique = f"{name}#{number}"
    names.add(unique)
    return unique
