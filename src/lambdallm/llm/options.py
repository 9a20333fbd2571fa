"""Options of a call as people pass them: each name known, each number a number, said before anything is sent."""

from __future__ import annotations

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .._value import Value
    from .notices import Listener

_COUNTS = ("max_tokens", "n", "top_k", "dimensions")
_NUMBERS = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
_SECONDS = (
    "connect_timeout", "timeout", "chunk_timeout", "total_timeout", "total", "recovery_seconds", "hedge_seconds",
)  # fmt: skip
_LEAST = {"max_retries": 0, "failure_threshold": 1}


def check_options(options: Mapping[str, Any], known: tuple[str, ...] = ()) -> None:
    """Raise `ConfigurationError` for an option that is not `known` (where given), or no number where one belongs."""
    for name, value in options.items():
        if known and name not in known:
            from .catalog.definition import suggestion

            raise ConfigurationError(f"There is no option {name!r}.", fix=suggestion(name, known))
        if value is None:
            continue
        if name in _COUNTS and (type(value) is not int or value < 1):
            raise ConfigurationError(f"{name} is {value!r}.", fix="Use a whole number of at least 1.")
        if name in _NUMBERS and type(value) not in (int, float):
            raise ConfigurationError(f"{name} is {value!r}.", fix="Use a number.")


def check_settings(settings: Value) -> None:
    """Raise `ConfigurationError` for times that are no seconds, and counts that are no counts."""
    for name in settings._fields:
        value = getattr(settings, name)
        if name in _SECONDS and value is not None and not _at_least(0, value, (int, float)):
            raise ConfigurationError(f"{name} is {value!r}.", fix="Give seconds, or None.")
        if name in _LEAST and not _at_least(_LEAST[name], value, (int,)):
            fix = f"Use a whole number of at least {_LEAST[name]}."
            raise ConfigurationError(f"{name} is {value!r}.", fix=fix)


def _at_least(least: float, value: Any, kinds: tuple[type, ...]) -> bool:
    return type(value) in kinds and bool(value >= least)


def checked_listeners(listeners: Any) -> tuple[Listener, ...]:
    """The listeners of a client. Raises `ConfigurationError` for what is no list of functions."""
    given = tuple(listeners) if hasattr(listeners, "__iter__") else (None,)
    if not all(callable(one) for one in given):
        raise ConfigurationError(f"listeners is {listeners!r}.", fix="Give a list of functions of a notice.")
    return given


_PARTS = {
    "circuit_breaker": (("is_available", "refuses"), "a ProviderCircuitBreaker"),
    "rate_limiter": (("admit", "key_of"), "a RateLimiter, or requests_per_minute and tokens_per_minute"),
    "token_counter": (("count_messages",), "an EstimatingCounter, or another of TokenCounterProtocol"),
    "pricing": (("price_of",), "a PricingManager"),
}


def check_parts(**parts: object) -> None:
    """Raise `ConfigurationError` for a part of a client that can't do what that part does; `None` is no part."""
    for name, part in parts.items():
        methods, kind = _PARTS[name]
        lacks = part is not None and not all(callable(getattr(part, method, None)) for method in methods)
        if lacks or isinstance(part, type):
            raise ConfigurationError(f"{name} is {part!r}.", fix=f"Give {kind}.")


def checked_cache(cache: object) -> Any:
    """A call's `cache` option. Raises `ConfigurationError` for what it can't be."""
    if cache in (True, False, "refresh"):
        return cache
    raise ConfigurationError(f"cache is {cache!r}.", fix="Use True, False or 'refresh'.")
