"""Moments in the life of an execution environment, and who wants to be told of them.

    before a snapshot is taken of it    `before_snapshot`, `kept_out_of_snapshots`
    after it is restored from one       `after_restore`
    when it ends                        `on_shutdown`, `at_last`

This module keeps the lists and goes through them. When, is the business of the runtimes: ours calls the `run_…`
functions, AWS's does so through its package `snapshot_restore_py`, where SnapStart is on; a process that just ends does
it by `atexit`.
"""

from __future__ import annotations

import os
from _weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    F = TypeVar("F", bound=Callable[[], object])

    class Forgetful(Protocol):
        """Something that holds what no snapshot may hold."""

        def forget(self) -> object:
            """Let go of it: connections, keys, tokens, whatever is good for some time only."""
            ...


_before: list[Callable[[], object]] = []
_after: list[Callable[[], object]] = []
_ending: list[tuple[int, Callable[[], object]]] = []
_forgetful: list[ref[Any]] = []
_told: list[str] = []
"""Who will call the `run_…` functions: `snapshots` for AWS's registry, `exit` for `atexit`."""


def before_snapshot(function: F) -> F:
    """Have a function called before Lambda SnapStart takes its snapshot; those registered last are called first.

        @before_snapshot
        def warm():
            TABLES.update(read_tables())

    Outside of SnapStart it is never called. What it raises fails the publishing of the version.
    """
    _tell_aws()
    _before.append(function)
    return function


def after_restore(function: F) -> F:
    """Have a function called in each environment that is restored from a snapshot, in the order of registration.

    All such functions together have 10 seconds. What one raises ends the environment.
    """
    _tell_aws()
    _after.append(function)
    return function


def on_shutdown(function: F) -> F:
    """Have a function called when this process ends in order, those registered last first.

    A forked child does not call what its parent registered.
    """
    _at_exit()
    _ending.append((os.getpid(), function))
    return function


def at_last(function: F) -> F:
    """Have a function called at the end after all of `on_shutdown`: closing what those may still use."""
    _at_exit()
    _ending.insert(0, (os.getpid(), function))
    return function


def kept_out_of_snapshots(owner: Forgetful) -> None:
    """Have `owner.forget()` called before a snapshot is taken, after the hooks, for as long as the owner lives."""
    _tell_aws()
    _forgetful.append(ref(owner, _forgetful.remove))


def run_before_snapshot() -> None:
    """Call the hooks, each once and the last first; then have the framework forget what no snapshot may hold."""
    while _before:
        _before.pop()()
    for known in list(_forgetful):
        if (owner := known()) is not None:
            owner.forget()


def run_after_restore() -> None:
    """Renew what random numbers come from, then call the hooks, each once and in order."""
    _reseed()
    while _after:
        _after.pop(0)()


def run_shutdown() -> None:
    """Call what was registered in this process, each once and the last first. What one raises is logged."""
    while _ending:
        pid, function = _ending.pop()
        if pid == os.getpid():
            _attempt(function)


def _attempt(function: Callable[[], object]) -> None:
    try:
        function()
    except (Exception, SystemExit):
        from logging import getLogger

        getLogger("lambdallm").exception("The function %r failed at the end of the process.", function)


def _reseed() -> None:
    """Two environments restored from one snapshot would draw the same numbers, one after the other.

    What the kernel draws (`os.urandom`, `uuid4`, `secrets`) differs by itself: AWS renews it.
    """
    from sys import modules

    if (random := modules.get("random")) is not None:
        random.seed()
    if (ssl := modules.get("ssl")) is not None:
        ssl.RAND_add(os.urandom(32), 32.0)


def _at_exit() -> None:
    if "exit" not in _told:
        from atexit import register

        _told.append("exit")
        register(run_shutdown)


def _tell_aws() -> None:
    """Enter these lists into the registry that AWS's runtime goes through, where there will be a snapshot."""
    if "snapshots" in _told or os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "snap-start":
        return
    _told.append("snapshots")
    try:
        registry = __import__("snapshot_restore_py")
    except ImportError:
        return  # our own runtime needs no registry
    registry.register_before_snapshot(run_before_snapshot)
    registry.register_after_restore(run_after_restore)
