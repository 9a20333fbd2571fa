"""Doors: a package's names are found when they are first used (PEP 562), so that importing it costs nothing."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def door(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__`; `homes` says in which of its modules each name lives.

    A home that begins with `lambdallm.` is a module elsewhere, by its whole name.

    __getattr__, __dir__ = door(__name__, {"LLMCache": "caches", "cached": "flow"})
    """

    def find(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module = home if home.startswith("lambdallm.") else f"{package}.{home}"
        value: object = getattr(__import__(module, fromlist=[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return find, names
