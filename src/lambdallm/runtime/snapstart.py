"""SnapStart under our own runtime: what AWS's client does between loading a function and its first invocation.

    the function is loaded ──▶ hooks before the snapshot ──▶ GET /runtime/restore/next … the snapshot is taken here;
    each environment made from it goes on ──▶ hooks after the restore ──▶ the first invocation

Hooks of AWS's package `snapshot_restore_py` are called as well, where the function has imported it.

Source: `awslambdaric` 4.2, `bootstrap.on_init_complete`.
"""

from __future__ import annotations

from .. import _hooks
from . import collector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .client import RuntimeClient
    from .faults import Fault

BEFORE_SNAPSHOT_ERROR = "Runtime.BeforeSnapshotError"
_BEFORE_EXIT_CODE, _AFTER_EXIT_CODE = 64, 65


def pass_snapshot(client: RuntimeClient) -> None:
    """Go through the snapshot. Raises `SystemExit` where a hook fails, which the log and Lambda have been told then."""
    try:
        _before()
        collector.settle()
        client.restore_next()
    except BaseException as error:
        fault = _logged(error)
        client.init_error(fault, BEFORE_SNAPSHOT_ERROR)
        raise SystemExit(_BEFORE_EXIT_CODE) from error
    try:
        _after()
    except BaseException as error:
        client.restore_error(_logged(error))
        raise SystemExit(_AFTER_EXIT_CODE) from error


def _logged(error: BaseException) -> Fault:
    from . import logs
    from .faults import fault_of

    fault = fault_of(error)
    logs.error(fault)
    return fault


def _before() -> None:
    registered = _registered("get_before_snapshot")
    while registered:
        function, args, kwargs = registered.pop()
        function(*args, **kwargs)
    _hooks.run_before_snapshot()


def _after() -> None:
    for function, args, kwargs in _registered("get_after_restore"):
        function(*args, **kwargs)
    _hooks.run_after_restore()


def _registered(name: str) -> list[Any]:
    """The list of AWS's package, which may have our own runs in it; theirs come to nothing the second time."""
    from sys import modules

    theirs = modules.get("snapshot_restore_py")
    return [] if theirs is None else getattr(theirs, name)()
