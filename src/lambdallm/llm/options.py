"""Options of a call as people pass them: each name known, each number a number, said before anything is sent."""

from __future__ import annotations

from .errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_COUNTS = ("max_tokens", "n", "top_k", "dimensions")
_NUMBERS = ("temperature", "top_p", "presence_penalty", "frequency_penalty")


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


def checked_cache(cache: object) -> Any:
    """A call's `cache` option. Raises `ConfigurationError` for what it can't be."""
    if cache in (True, False, "refresh"):
        return cache
    raise ConfigurationError(f"cache is {cache!r}.", fix="Use True, False or 'refresh'.")
