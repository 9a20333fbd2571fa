"""`lambdallm init`: start a project from a template. A template is a folder of files beside this module.

A file's `.tmpl` ending is dropped, and `{{model}}` and `{{name}}` in it are filled in.
"""

from __future__ import annotations

import json
import os
import sys

from ..core.calls import Route
from ..llm.catalog.definition import suggestion
from ..llm.errors import ConfigurationError
from .console import paint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

_TEMPLATES = os.path.join(os.path.dirname(__file__), "templates")


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("init", help="start a project from a template")
    parser.add_argument("folder", nargs="?", default=".", help="where to write it (this folder)")
    parser.add_argument("--template", metavar="T", default="chat", help=f"one of {', '.join(templates())} (chat)")
    parser.add_argument("--model", metavar="NAME", default="local", help="the project's model (local)")
    parser.add_argument("--force", action="store_true", help="overwrite files that exist")


def run(args: Namespace) -> int:
    """Run the verb."""
    if args.template not in templates():
        fix = suggestion(args.template, templates())
        raise ConfigurationError(f"There is no template {args.template!r}.", fix=fix)
    Route(args.model)
    files = contents(args.template, name=_project_name(args.folder), model=args.model)
    write(args.folder, files, force=args.force)
    print(_farewell(args, files))
    return 0


def templates() -> list[str]:
    """The names of the templates."""
    return sorted(name for name in os.listdir(_TEMPLATES) if os.path.isdir(os.path.join(_TEMPLATES, name)))


def contents(template: str, *, name: str, model: str) -> dict[str, str]:
    """The files of a project: their text by their path."""
    root = os.path.join(_TEMPLATES, template)
    found = {}
    for folder, _, files in os.walk(root):
        for file in files:
            path = os.path.join(folder, file)
            with open(path, encoding="utf-8") as source:
                text = source.read().replace("{{model}}", json.dumps(model)[1:-1]).replace("{{name}}", name)
            found[os.path.relpath(path, root).removesuffix(".tmpl")] = text
    return dict(sorted(found.items()))


def write(folder: str, files: dict[str, str], *, force: bool) -> None:
    """Write all files or none. Raises `ConfigurationError` naming one that exists."""
    there = [path for path in files if os.path.lexists(os.path.join(folder, path))]
    if there and not force:
        where = os.path.join(folder, there[0])
        raise ConfigurationError(f"{where!r} exists.", fix="Choose another folder, or overwrite it with --force.")
    try:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, path)) or ".", exist_ok=True)
            with open(os.path.join(folder, path), "w", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise ConfigurationError(
            f"{error.filename!r} can't be written: {error.strerror}.", fix="Choose another folder."
        ) from error


def _project_name(folder: str) -> str:
    return os.path.basename(os.path.abspath(folder)) or "project"


def _farewell(args: Namespace, files: dict[str, str]) -> str:
    """What was written, and the next commands to type."""
    event = next(path for path in files if path.startswith("events"))
    steps = [
        f"cd {args.folder}" if os.path.abspath(args.folder) != os.getcwd() else "",
        *_for_local_model(args.model),
        f"lambdallm invoke --event {event}",
        "lambdallm dev",
        "pytest",
        "lambdallm build",
    ]
    head = f"Wrote {', '.join(files)}."
    return "\n".join([head, "", paint("Next:", "bold", sys.stdout), *(f"  {step}" for step in steps if step)])


def _for_local_model(model: str) -> list[str]:
    """What the embedded model still needs on this machine."""
    if model.partition("/")[0] != "local":
        return []
    from importlib.util import find_spec

    from ..llm.clients.model_file import locate

    needed = [] if find_spec("xllamacpp") else ["pip install 'lambdallm[local]'"]
    try:
        locate()
    except ConfigurationError:
        needed.append("lambdallm local pull")
    return needed
