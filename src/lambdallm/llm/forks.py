"""Locks after a fork: a child may inherit one that a thread held which the child does not have, and would wait forever.

What keeps state behind a lock asks to be renewed in every child. Lambda's own runtime never forks; servers do.
"""

from __future__ import annotations

import os
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Renewable(Protocol):
        """Something with a lock."""

        def renew(self) -> None:
            """Take a new lock, and give up what only the parent process can finish."""


_known: list[ref[Any]] = []


def renewed_in_children(owner: Renewable) -> None:
    """Have `owner.renew()` called in every process that is forked from now on, for as long as the owner lives."""
    _known.append(ref(owner, _known.remove))


def _renew_all() -> None:
    for known in list(_known):
        owner = known()
        if owner is not None:
            owner.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
