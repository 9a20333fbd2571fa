"""Plug-in providers by name, and the one that stands in for all of them during a test."""

from __future__ import annotations

from ..llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .base import BaseProvider

_registered: dict[str, BaseProvider] = {}
_stand_ins: list[BaseProvider] = []


def register_provider(name: str, provider: BaseProvider) -> None:
    """Make a provider known for this process: models called `name/…` go to it, before any definition of that name."""
    if not name or "/" in name or ":" in name:
        raise ConfigurationError(f"{name!r} can't name a provider.", fix="Use a word without '/' and ':'.")
    _registered[name] = provider


def plugged_in(model: str) -> tuple[BaseProvider, str] | None:
    """The provider that a test or a registration put in charge of a model, and the model's id there."""
    if _stand_ins:
        return _stand_ins[-1], model
    for mark in ("/", ":"):
        name, _, rest = model.partition(mark)
        if name in _registered:
            return _registered[name], rest
    return None


def stand_in(provider: BaseProvider) -> None:
    """Let a provider answer for every model until `step_down`; the last one called is in charge."""
    _stand_ins.append(provider)


def step_down(provider: BaseProvider) -> None:
    """End a `stand_in`."""
    _stand_ins.remove(provider)
