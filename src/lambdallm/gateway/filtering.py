"""Filters by their names, and a call between them as flows: what `llm/safety` does around a client, without one."""

from __future__ import annotations

from ..llm.catalog.definition import suggestion
from ..llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..llm.safety.secured import Filters
    from .config.values import FilterSettings, Named

FILTERS = {
    "blocklist": "BlocklistFilter",
    "max_length": "MaxLengthFilter",
    "personal_data": "PersonalDataFilter",
    "regex": "RegexFilter",
    "secrets": "SecretsFilter",
}
"""The filters that have names of their own; others are named by `package.module:Class`."""


def filter_named(named: Named) -> Any:
    """A filter, made with its options. Raises `ConfigurationError` for a name that means none, `TypeError` for options
    that it does not have."""
    if named.name in FILTERS:
        from ..llm import safety

        return getattr(safety, FILTERS[named.name])(**named.options)
    module, marked, kind = named.name.partition(":")
    if not marked:
        fix = f"{suggestion(named.name, FILTERS)} Or name one of your own, package.module:Class."
        raise ConfigurationError(f"No filter is called {named.name!r}.", fix=fix)
    from importlib import import_module

    try:
        made = getattr(import_module(module), kind)
    except (ImportError, AttributeError) as error:
        fix = "Check the name, and that the module is in the package that is deployed."
        raise ConfigurationError(f"The filter {named.name!r} can't be imported: {error}.", fix=fix) from error
    return made(**named.options)


def filters_made(settings: FilterSettings) -> Filters | None:
    """The filters that are configured, `None` where none are. Raises as `filter_named` does."""
    if settings.is_empty:
        return None
    from ..llm.safety.secured import Filters

    made = [[filter_named(each) for each in way] for way in (settings.input, settings.output)]
    return Filters(made[0], made[1], settings.on_block, settings.reversible)
