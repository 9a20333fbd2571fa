"""Which files a project is made of, and when they last changed. Polling: it works everywhere and needs nothing."""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Snapshot = dict[str, tuple[int, int]]

_KINDS = (".py", ".json", ".yaml", ".yml", ".toml", ".txt", ".md")
_SKIPPED = {"__pycache__", "node_modules", "venv", "env", "dist", "build", "cdk.out", "site-packages"}
_HIDDEN = (".env",)
"""Hidden files that count all the same."""


def snapshot(root: str) -> Snapshot:
    """The project's files below a folder, each with its time of change and its size.

    The file that this process prints into is none of them.
    """
    found, own = {}, _printed_into()
    for path in files(root):
        try:
            facts = os.stat(path)
        except OSError:  # gone since it was listed
            continue
        if (facts.st_dev, facts.st_ino) not in own:
            found[path] = (facts.st_mtime_ns, facts.st_size)
    return found


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The files that came, went or changed, sorted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def files(root: str) -> Iterator[str]:
    """The paths of the project's files: code, settings, prompts, texts."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        if folder != root and "pyvenv.cfg" in names:
            folders.clear()
            continue
        yield from (os.path.join(folder, name) for name in names if _counts(name))


def _printed_into() -> set[tuple[int, int]]:
    """Where standard output and error go, by device and number."""
    found = set()
    for descriptor in (1, 2):
        with suppress(OSError):
            facts = os.fstat(descriptor)
            found.add((facts.st_dev, facts.st_ino))
    return found


def _counts(name: str) -> bool:
    return name in _HIDDEN or (name.endswith(_KINDS) and not name.startswith("."))
