"""Which functions a project has, found by reading its files: nothing of the user's is imported here.

A file counts where it decorates a function with `@handler`, under whatever name it imported that. A file that can't be
parsed keeps the functions it had; one that says nothing is left to the process that loads it, which says what is wrong.
"""

from __future__ import annotations

import ast
import os

from .._value import Value
from .target import TargetError, find_target
from .watch import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .target import Target

_NOT_PRODUCTION = ("test_", "conftest")
_TESTS = {"tests", "test"}


class Entry(Value):
    """A function to serve: `name` in Lambda, and where it is. `function` is `None` where loading has to find it."""

    name: str
    module: str
    function: str | None
    file: str

    @property
    def handler(self) -> str:
        """As Lambda is told: `app.lambda_handler`."""
        return f"{self.module}.{self.function or 'lambda_handler'}"


class Project(Value):
    """The folder of the functions, and the functions in the order they are listed."""

    root: str
    entries: tuple[Entry, ...]

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules that the functions are in, each once."""
        return tuple(dict.fromkeys(entry.module for entry in self.entries))


def find_project(text: str | None, known: Project | None = None) -> Project:
    """The functions that a person means: the one named, those of a file or, without a name, all of the project.

    `known` is what was found before. Raises `TargetError` where there is no such file.
    """
    try:
        target = find_target(text)
    except TargetError:
        if text is not None or not (elsewhere := _others(os.getcwd(), None, known)):
            raise
        return Project(os.getcwd(), _named(_entries(os.getcwd(), elsewhere, known)))
    paths = [target.file]
    if text is None:
        paths += _others(target.root, target.file, known)
    if target.name is not None:
        return Project(target.root, (Entry(target.name, target.module, target.name, target.file),))
    return Project(target.root, _named(_entries(target.root, paths, known)) or (_unknown(target),))


def _unknown(target: Target) -> Entry:
    """The only function of a file, whatever it is called: whoever loads it finds it."""
    return Entry("function", target.module, None, target.file)


def _entries(root: str, paths: Iterable[str], known: Project | None) -> list[Entry]:
    before: dict[str, list[Entry]] = {}
    for entry in known.entries if known is not None else ():
        before.setdefault(entry.file, []).append(entry.replace(name=entry.function or entry.name))
    found: list[Entry] = []
    for path in paths:
        names = _decorated(path, surely=path in before)
        module = os.path.relpath(path, root).removesuffix(".py").replace(os.sep, ".")
        made = [Entry(name, module, name, path) for name in names or ()]
        found += before.get(path, []) if names is None else made
    return found


def _named(entries: list[Entry]) -> tuple[Entry, ...]:
    """The entries under names that differ: those of the same name say their modules."""
    names = [entry.name for entry in entries]
    return tuple(
        entry.replace(name=f"{entry.module.replace('.', '-')}-{entry.function}")
        if names.count(entry.name) > 1
        else entry
        for entry in entries
    )


def _others(root: str, usual: str | None, known: Project | None) -> list[str]:
    """The other files of a project that have handlers; tests have none of production's."""
    found, had = [], {entry.file for entry in known.entries} if known is not None else set()
    for path in files(root):
        parts = os.path.relpath(path, root).split(os.sep)
        if not path.endswith(".py") or path == usual or _TESTS & set(parts[:-1]):
            continue
        if all(part.removesuffix(".py").isidentifier() for part in parts) and not parts[-1].startswith(_NOT_PRODUCTION):
            names = _decorated(path, surely=path in had)
            found += [path] if names or (names is None and path in had) else []
    return sorted(found)


def _decorated(path: str, *, surely: bool) -> list[str] | None:
    """The names of a file's functions with `@handler`, in order; `None` for a file that is not Python at the moment.

    A file without the word is only parsed where it has `surely` been Python.
    """
    try:
        with open(path, "rb") as file:
            source = file.read()
        if b"handler" not in source and not surely:
            return []
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError):
        return None
    words = set(_imported(tree))
    return [
        node.name for node in tree.body if isinstance(node, _FUNCTIONS) and any(map(words.__contains__, _said(node)))
    ]


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _imported(tree: ast.Module) -> Iterator[str]:
    """What the file calls our decorator: `handler`, `llm.handler`, or another name given to it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "lambdallm":
            yield from (alias.asname or alias.name for alias in node.names if alias.name == "handler")
        elif isinstance(node, ast.Import):
            yield from (f"{alias.asname or alias.name}.handler" for alias in node.names if alias.name == "lambdallm")


def _said(function: Any) -> Iterator[str]:
    """A function's decorators as they are written, without their arguments."""
    for decorator in function.decorator_list:
        yield ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)
