"""Where things are: the folder that becomes the package's root, the project's, the repository's."""

from __future__ import annotations

import os

_MARKS = (
    *("requirements.txt", "pyproject.toml", "uv.lock", "pylock.toml"),
    *("lambdallm.yaml", "lambdallm.yml", "lambdallm.json"),
)
"""What only a project's folder has."""


def place_of(file: str) -> tuple[str, str]:
    """The folder that becomes the package's root, and the module that a file is as seen from there.

    A file of a package (a folder with an `__init__.py`) is imported through it, so the root is the folder around.
    """
    folder, name = os.path.split(os.path.abspath(file))
    names = [name.removesuffix(".py")]
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder, name = os.path.split(folder)
        names.insert(0, name)
    return folder, ".".join(names)


def project_of(code: str, here: str) -> str:
    """The folder of the project that a folder of code belongs to: the nearest that has requirements or settings.

    It is looked for no higher than the repository's top; without a repository, than the working folder `here`.
    """
    inside = f"{code}{os.sep}".startswith(f"{here}{os.sep}")
    highest = repository_of(code) or (here if inside else code)
    at = code
    while not any(os.path.isfile(os.path.join(at, name)) for name in _MARKS):
        if at in (highest, os.path.dirname(at)):
            return code
        at = os.path.dirname(at)
    return at


def is_installable(project: str) -> bool:
    """Whether a project can be installed, so that its own packages are imported from wherever they lie in it."""
    place = os.path.join(project, "pyproject.toml")
    if not os.path.isfile(place):
        return False
    with open(place, encoding="utf-8", errors="replace") as file:
        return any(line.strip() == "[build-system]" for line in file)


def repository_of(folder: str) -> str | None:
    """The top folder of the repository that a folder is in, if it is in one."""
    at = os.path.abspath(folder)
    while not os.path.exists(os.path.join(at, ".git")):
        if at == os.path.dirname(at):
            return None
        at = os.path.dirname(at)
    return at
