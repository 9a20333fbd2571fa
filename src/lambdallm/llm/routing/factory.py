"""From words to routers: strategies by name, and the router of an `LLMConfig`."""

from __future__ import annotations

from ..catalog.definition import suggestion
from ..catalog.loader import catalog
from ..config import ClientConfig
from ..errors import ConfigurationError
from ..options import check_options
from ..registry.provider_registry import NAMED
from .candidate import Candidate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..config import LLMConfig
    from ..protocols import RoutingStrategyProtocol
    from .router import LLMRouter

STRATEGIES = {
    "sequential": "cascade:SequentialCascadeStrategy",
    "race": "race:ParallelRaceStrategy",
    "cost": "cost:CostOptimizedStrategy",
    "latency": "latency:LatencyOptimizedStrategy",
    "weighted": "weighted:WeightedStrategy",
}
"""The strategies by name: their module and class."""

_OF_CANDIDATE = tuple(field for field in Candidate._fields if field != "client")


def strategy_named(name: str, **options: Any) -> RoutingStrategyProtocol:
    """A strategy by its name, made with its own options. Raises `ConfigurationError` naming the nearest one."""
    if name not in STRATEGIES:
        raise ConfigurationError(f"No strategy is called {name!r}.", fix=suggestion(name, STRATEGIES))
    module, _, named = STRATEGIES[name].partition(":")
    kind = getattr(__import__(f"{__package__}.strategies.{module}", fromlist=[named]), named)
    known = kind.__init__.__kwdefaults__ or {} if "__init__" in kind.__dict__ else {}
    check_options(options, tuple(known) or ("none",))
    strategy: RoutingStrategyProtocol = kind(**options)
    return strategy


def router_of(config: LLMConfig, **options: Any) -> LLMRouter:
    """The router that a configuration describes; `routing.sync.router_of` gives the one that blocks.

    `options` are further arguments of `LLMRouter`. Raises `ConfigurationError` for what the configuration names and
    nobody knows, and where it names no provider and the environment has no key.
    """
    from .router import LLMRouter

    return LLMRouter(candidates_in(config), **{**arguments_in(config), **options})


def candidates_in(config: LLMConfig) -> list[Any]:
    """The candidates that a configuration names."""
    return [_candidate(one) for one in config.providers or _with_keys()]


def arguments_in(config: LLMConfig) -> dict[str, Any]:
    """The further arguments of `LLMRouter` that a configuration holds."""
    return {
        "strategy": strategy_named(config.strategy, **config.options),
        "fallback": config.fallback,
        "timeout": config.timeout,
        "hedge_seconds": config.hedge_seconds,
    }


def _candidate(given: Any) -> Any:
    """A candidate as configurations write it: fields of `ClientConfig` and of `Candidate` in one mapping."""
    if not hasattr(given, "keys"):
        return given
    check_options(given, (*ClientConfig._fields, *_OF_CANDIDATE))
    of_client = {name: value for name, value in given.items() if name in ClientConfig._fields}
    return Candidate(ClientConfig(**of_client), **{name: given[name] for name in _OF_CANDIDATE if name in given})


def _with_keys() -> list[str]:
    """The named providers that have an API key: the environment's, the project's, or one at a `secret_path`."""
    found = [name for name in NAMED if _has_key(name)]
    if not found:
        fix = "Name providers=[…], or set a key such as OPENAI_API_KEY."
        raise ConfigurationError("The configuration names no providers, and the environment has no key.", fix=fix)
    return found


def _has_key(provider: str) -> bool:
    import os

    from ..auth.keys import configured_key

    definition = catalog().find(provider)
    if definition is None or definition.default_model is None:
        return False
    in_variables = any(os.environ.get(variable) for scheme in definition.auth for variable in scheme.env)
    return in_variables or configured_key(definition, os.environ) is not None
