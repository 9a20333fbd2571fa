"""From a model's name to everything a call needs to know: `provider/model`, `provider:model`, or a bare id."""

from __future__ import annotations

from ..._value import Value
from ..errors import ConfigurationError, LLMModelNotFoundError
from .definition import ModelFacts, ProviderDefinition, suggestion
from .loader import catalog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .loader import Catalog


_MOST_REMEMBERED = 1000
"""Names may come from outside; those beyond are looked up again."""


class Target(Value):
    """A model at a provider. `facts` are the provider's with the model's own over them."""

    provider: ProviderDefinition
    model: ModelFacts
    facts: Mapping[str, Any]

    @property
    def name(self) -> str:
        """`provider/model`."""
        return f"{self.provider.name}/{self.model.id}"

    @property
    def wire(self) -> str:
        """The wire protocol of the model: its own where its facts name one, else its provider's."""
        named: str = self.facts.get("wire", self.provider.wire)
        return named


def resolve(name: str, known: Catalog | None = None) -> Target:
    """The target that a model's name means.

    `openai/gpt-4o` and `openai:gpt-4o` name both; `openai` alone means its default model; a bare id is its provider's
    by its prefix, or by being listed. A provider may be asked for a model its entry does not list: facts and price are
    then unknown. Raises `LLMModelNotFoundError` naming the nearest models, `ConfigurationError` for a provider without
    a default.
    """
    known = known or catalog()
    if (found := known.targets.get(name)) is None:
        found = _found(name, known)
        if len(known.targets) < _MOST_REMEMBERED:
            known.targets[name] = found
    return found


def _found(name: str, known: Catalog) -> Target:
    for mark in ("/", ":"):
        prefix, marked, rest = name.partition(mark)
        if marked and rest and (provider := known.find(prefix)) is not None:
            return targeted(provider, rest)
    if (provider := known.find(name)) is not None:
        if provider.default_model is None:
            fix = f"Name one: {name}/<model>."
            raise ConfigurationError(f"Provider {name!r} has no default model.", fix=fix)
        return targeted(provider, provider.default_model)
    if (provider := _owner(name, known)) is not None:
        return targeted(provider, name)
    every = [f"{p.name}/{id}" for p in known.all() for id in p.models] + [id for p in known.all() for id in p.models]
    fix = suggestion(name, every) if name else ""
    near = fix if fix.startswith("Did") else "Name it as provider/model; `lambdallm models` lists what is known."
    raise LLMModelNotFoundError(f"No model is called {name!r}.", fix=near)


def _owner(id: str, known: Catalog) -> ProviderDefinition | None:
    """Whose model a bare id is: the only one of a project's own providers that lists it; else the claimant of its
    prefix, where that lists it; else the only provider that lists it; else the claimant.

    Raises `LLMModelNotFoundError` naming them where several list it.
    """
    listing = [provider for name in known.own_names() if (provider := known.provider(name)).lists(id)]
    claimant = known.claimant(id)
    if not listing and claimant is not None and known.provider(claimant).lists(id):
        return known.provider(claimant)
    listing = listing or [provider for provider in known.all() if provider.lists(id)]
    if len(listing) > 1:
        names = " or ".join(f"'{provider.name}/{id}'" for provider in listing)
        raise LLMModelNotFoundError(f"Several providers have a model {id!r}.", fix=f"Name one: {names}.")
    return listing[0] if listing else None if claimant is None else known.provider(claimant)


def resolve_embedding(name: str, known: Catalog | None = None) -> Target:
    """The target that an embedding model's name means; a provider alone means its default embedding model."""
    known = known or catalog()
    provider = known.find(name)
    if provider is not None and provider.default_embedding_model is not None:
        return targeted(provider, provider.default_embedding_model)
    return resolve(name, known)


def targeted(provider: ProviderDefinition, model: str) -> Target:
    """A model at a provider, listed in its definition or not."""
    facts = provider.model(model)
    return Target(provider, facts, provider.facts_of(facts))
