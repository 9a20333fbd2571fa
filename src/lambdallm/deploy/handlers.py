"""Which functions of a file Lambda can be told to call, read from its text: a build runs nothing of the project."""

from __future__ import annotations

import ast
import os

from .collect import text_of
from .errors import BuildError

_USUAL = "lambda_handler"
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def handlers_of(file: str, module: str, name: str | None = None) -> tuple[str, ...]:
    """What Lambda's `Handler` may be: "app.lambda_handler". One if it is named; else all with `@handler`, or the usual.

    Raises `BuildError` where there is none, and for a file that is no Python.
    """
    shown = os.path.relpath(file)
    try:
        tree = ast.parse(text_of(file))
    except (SyntaxError, ValueError) as error:
        where = f"{shown}, line {error.lineno}" if isinstance(error, SyntaxError) else shown
        raise BuildError(f"{where}: {error.args[0]}.", fix="Correct that line.") from error
    bound = _bound(tree)
    if name is not None:
        if name not in bound and "*" not in bound:
            raise BuildError(f"{shown} has no function {name!r}.", fix=_instead(tree, shown))
        return (f"{module}.{name}",)
    found = _decorated(tree) or [usual for usual in (_USUAL,) if usual in bound]
    if not found:
        raise BuildError(
            f"{shown} has no function with @handler.", fix=f"Decorate one, or name a plain one: {shown}:NAME."
        )
    return tuple(f"{module}.{each}" for each in found)


def _instead(tree: ast.Module, shown: str) -> str:
    names = _decorated(tree)
    return f"Name one of its handlers, {shown}:{names[0]}." if names else "Correct the name."


def _decorated(tree: ast.Module) -> list[str]:
    """The functions at the top of a module that are decorated with LambdaLLM's `handler`, under whatever name."""
    imported = (alias for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names)
    names = {alias.asname or alias.name for alias in imported if alias.name == "handler"}
    return [
        node.name
        for node in tree.body
        if isinstance(node, _DEFINITIONS) and any(_is_handler(decorator, names) for decorator in node.decorator_list)
    ]


def _is_handler(decorator: ast.expr, names: set[str]) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    if isinstance(called, ast.Attribute):
        return called.attr == "handler"
    return isinstance(called, ast.Name) and called.id in names


def _bound(tree: ast.Module) -> set[str]:
    """Every name that a module's statements bind at its top, however deep in conditions; "*" for what can't be told."""
    names: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*_DEFINITIONS, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        else:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
            waiting += ast.iter_child_nodes(node)
    return names
