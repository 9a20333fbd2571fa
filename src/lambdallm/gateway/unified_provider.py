"""One provider of the single function: its entry, the model it is asked for, and what guards its calls.

What the catalog knows of a provider of the same name and protocol (what its models take and cost) is known of it too.
"""

from __future__ import annotations

from .._value import Value
from ..llm.catalog.definition import provider_definition
from ..llm.catalog.loader import Catalog
from ..llm.catalog.resolve import targeted
from ..llm.clients.policies import ClientPolicies
from ..llm.config import ClientConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from ..llm.catalog.resolve import Target


class UnifiedProvider(Value):
    """A provider as the handler keeps it. Its breaker and limits are its own."""

    name: str
    config: Mapping[str, Any]
    target: Target
    policies: ClientPolicies

    def asked_for(self, model: str | None) -> Self:
        """The provider, to be asked for another model than its own."""
        if model is None:
            return self
        definition = self.target.provider
        return self.replace(target=targeted(definition, model.removeprefix(f"{definition.name}/")))


_OF_DEFINITION = (
    "endpoint", "secret_path", "model_id", "request_transformer", "auth_type", "auth_header", "timeout",
)  # fmt: skip
_OF_POLICIES = ("failure_threshold", "recovery_seconds")


def unified_provider(name: str, config: Mapping[str, Any]) -> UnifiedProvider:
    """The provider that an entry describes. Raises `ConfigurationError` for an entry that describes none."""
    fields = {field: config[field] for field in _OF_DEFINITION if field in config}
    if fields.get("auth_type") == "none":
        fields |= {"auth_type": "bearer"}  # the catalog's form has no word for it; no key is sent all the same
    definition = provider_definition(name, fields)
    known = Catalog({}, ()).find(name)
    if known is not None and known.wire == definition.wire:
        definition = definition.replace(facts=known.facts, families=known.families, models=known.models)
    limits = {field: config[field] for field in _OF_POLICIES if field in config}
    settings = ClientConfig(provider=name, max_retries=config.get("max_retries", 2), **limits)
    return UnifiedProvider(
        name, config, targeted(definition, config.get("model_id", "")), ClientPolicies(settings, name)
    )
