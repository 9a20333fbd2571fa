"""Finding the function: where Python looks for modules in Lambda, and what a handler's name means there.

Sources: the Lambda Developer Guide on Python's search path and on layers; AWS's `bootstrap.py` and `awslambdaric` 4.2.
"""

from __future__ import annotations

import os
import sys

from .errors import RuntimeFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any


def set_search_path() -> None:
    """Make the function's modules and those of its layers found, as under AWS's client."""
    ours = search_folders(os.environ, sys.version_info[:2])
    sys.path[:] = [*ours, *(each for each in sys.path if each not in ours)]
    if sys.flags.no_site:
        _make_up_for_site()
    for folder in ours:
        _follow_pth_files(folder)
    if "LAMBDA_RUNTIME_DIR" in os.environ:  # processes that the function starts find what the runtime brings
        os.environ.setdefault("PYTHONPATH", os.environ["LAMBDA_RUNTIME_DIR"])


def search_folders(environ: Mapping[str, str], version: Sequence[int]) -> list[str]:
    """The folders that come before Python's own, first to last: the function's, then its layers'.

    A `PYTHONPATH` of the function's own replaces those of the layers.
    """
    task = [environ["LAMBDA_TASK_ROOT"]] if environ.get("LAMBDA_TASK_ROOT") else []
    if "PYTHONPATH" in environ:
        return task
    return [*task, f"/opt/python/lib/python{version[0]}.{version[1]}/site-packages", "/opt/python"]


def load_handler(name: str) -> Callable[[Any, Any], Any]:
    """The function that `module.function` names; in the place of dots before the last there may be slashes.

    Raises `RuntimeFault` where there is none, and what the module's own code raises.
    """
    module_name, dot, function_name = name.rpartition(".")
    if not (module_name and function_name):
        said = "name a module and a function" if dot else "not enough values to unpack (expected 2, got 1)"
        raise RuntimeFault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {said}")
    module = _imported(module_name)
    try:
        function: Callable[[Any, Any], Any] = getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise RuntimeFault("Runtime.HandlerNotFound", message) from None
    return function


def _imported(name: str) -> Any:
    if name.split(".")[0] in sys.builtin_module_names:
        message = f"Cannot use built-in module {name} as a handler module"
        raise RuntimeFault("Runtime.BuiltInModuleConflict", message)
    dotted = name.replace("/", ".")
    try:
        __import__(dotted)  # without importlib's frames in the stack traces of functions
    except ImportError as error:
        message = f"Unable to import module '{name}': {error}"
        raise RuntimeFault("Runtime.ImportModuleError", message, _way_to(error)) from error
    except SyntaxError as error:
        message = f"Syntax error in module '{name}': {error}"
        at = f'  File "{error.filename}" Line {error.lineno}\n    {error.text}'
        raise RuntimeFault("Runtime.UserCodeSyntaxError", message, (at,)) from error
    return sys.modules[dotted]


def _way_to(error: ImportError) -> tuple[str, ...]:
    """Which of the function's own imports failed: AWS's client keeps that to itself."""
    from .faults import fault_of

    return tuple(each for each in fault_of(error).stack if os.path.dirname(__file__) not in each)


def _make_up_for_site() -> None:
    """What functions expect of a Python that was started with `-S`, but for the `.pth` files of its own packages."""
    import builtins

    builtins.exit = builtins.quit = sys.exit  # type: ignore[assignment]  # called alike
    major, minor = sys.version_info[:2]
    packages = f"{sys.prefix}/lib/python{major}.{minor}/site-packages"
    if packages not in sys.path:
        sys.path.append(packages)
    if "PYTHONPATH" in os.environ:  # which is how tools that watch a function come in
        try:
            __import__("sitecustomize")
        except ImportError:
            return


def _follow_pth_files(folder: str) -> None:
    """Read a folder's `.pth` files, which add to the search path. Most have none: `site` is not imported for them."""
    try:
        if not any(name.endswith(".pth") for name in os.listdir(folder)):
            return
    except OSError:
        return
    import site

    site.addsitedir(folder)
