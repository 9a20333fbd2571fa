"""Which function is meant: `app.py:lambda_handler`, `app.lambda_handler`, `app.py`, or nothing at all."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from .._value import Value
from ..llm.catalog.definition import suggestion
from ..llm.errors import ConfigurationError
from .faults import explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

_USUAL = ("app.py", "lambda_function.py")


class TargetError(ConfigurationError):
    """There is no such file or function, or it can't be told which function is meant."""


class Target(Value):
    """A function to run: the file it is in, `module` as imported from the folder `root`, and its name, if given."""

    file: str
    root: str
    module: str
    name: str | None = None

    @property
    def shown(self) -> str:
        """The file as a person would type it."""
        return os.path.relpath(self.file)


def find_target(text: str | None, folder: str | None = None) -> Target:
    """The target a person named, or the usual file of the folder. Raises `TargetError` where there is none."""
    folder = os.path.abspath(folder or os.getcwd())
    if text is None or os.path.isdir(os.path.join(folder, text)):
        return _usual(os.path.join(folder, text or ""))
    if text.endswith(".py") or ".py:" in text:
        path, _, name = text.partition(".py")
        return _in_file(os.path.join(folder, f"{path}.py"), name.lstrip(":") or None)
    module, _, name = text.replace("/", ".").replace(":", ".").rpartition(".")
    file = os.path.join(folder, *module.split(".")) + ".py"
    if not module or not os.path.isfile(file):
        fix = "Name a file and a function, such as app.py:lambda_handler."
        raise TargetError(f"No function is found at {text!r}.", fix=fix)
    return Target(file, folder, module, name)


def load(target: Target) -> Callable[[Any, Any], Any]:
    """Import the target as Lambda would, its folder being the function's, and return the function.

    Raises `TargetError` where it can't be told which function is meant, and what `faults.explained` makes of an error
    in the code itself.
    """
    os.environ["LAMBDA_TASK_ROOT"] = target.root
    if target.root not in sys.path:
        sys.path.insert(0, target.root)
    module = _imported(target)
    return _named(module, target) if target.name else _only_handler(module, target)


def handlers(module: ModuleType) -> list[str]:
    """The names of the functions of a module that are decorated with `@handler`."""
    return [
        name
        for name, value in vars(module).items()
        if hasattr(value, "settings") and hasattr(value, "__wrapped__") and value.__module__ == module.__name__
    ]


def _usual(folder: str) -> Target:
    for name in _USUAL:
        if os.path.isfile(os.path.join(folder, name)):
            return _in_file(os.path.join(folder, name), None)
    fix = "Name the function, such as src/app.py:lambda_handler, or start a project with `lambdallm init`."
    where = "this folder" if os.path.samefile(folder, os.getcwd()) else repr(os.path.relpath(folder))
    raise TargetError(f"There is no {_USUAL[0]} in {where}.", fix=fix)


def _in_file(path: str, name: str | None) -> Target:
    path = os.path.normpath(path)
    if not os.path.isfile(path):
        raise TargetError(f"There is no file {os.path.relpath(path)!r}.", fix="Correct the path.")
    root, file = os.path.split(path)
    return Target(path, root, file.removesuffix(".py"), name)


def _imported(target: Target) -> ModuleType:
    try:
        module = import_module(target.module)
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        raise explained(error, target.root) from error
    if os.path.abspath(module.__file__ or "") != target.file:
        raise TargetError(f"{target.shown} has the name of another module.", fix="Rename the file.")
    return module


def _named(module: ModuleType, target: Target) -> Callable[[Any, Any], Any]:
    function = getattr(module, target.name or "", None)
    if not callable(function):
        names = handlers(module)
        fix = suggestion(target.name or "", names) if names else "Correct the name."
        raise TargetError(f"{target.shown} has no function {target.name!r}.", fix=fix)
    return function  # type: ignore[no-any-return]  # any callable will do


def _only_handler(module: ModuleType, target: Target) -> Callable[[Any, Any], Any]:
    names = handlers(module)
    if len(names) == 1:
        return getattr(module, names[0])  # type: ignore[no-any-return]  # found by `handlers`
    if not names:
        fix = f"Decorate one, or name a plain one: {target.shown}:lambda_handler."
        raise TargetError(f"{target.shown} has no function with @handler.", fix=fix)
    fix = f"Name one: {target.shown}:{names[0]}."
    raise TargetError(f"{target.shown} has {len(names)} handlers: {', '.join(names)}.", fix=fix)
