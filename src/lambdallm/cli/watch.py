"""Which files a project is made of, and when they last changed. Polling: it works everywhere and needs nothing."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Snapshot = dict[str, tuple[int, int]]

_KINDS = (".py", ".json", ".yaml", ".yml", ".toml", ".txt", ".md")
_SKIPPED = {"__pycache__", "node_modules", "venv", "env", "dist", "build", "cdk.out", "site-packages"}


def snapshot(root: str) -> Snapshot:
    """The project's files below a folder, each with its time of change and its size."""
    found = {}
    for path in _files(root):
        try:
            facts = os.stat(path)
        except OSError:  # gone since it was listed
            continue
        found[path] = (facts.st_mtime_ns, facts.st_size)
    return found


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The files that came, went or changed, sorted."""
    return sorted(path for path in {*before, *after} if before.get(path) != after.get(path))


def _files(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIPPED and not name.startswith(".")]
        if folder != root and "pyvenv.cfg" in files:
            folders.clear()
            continue
        yield from (os.path.join(folder, name) for name in files if name.endswith(_KINDS) and name[0] != ".")
