"""Which files make the package, each under its path there: pure, from listings to entries.

Refuses to know where listings come from and what is in the files. A path stands once: two owners of one path are an
error, never one silently over the other.
"""

from __future__ import annotations

import sys
import unicodedata

from .._value import Value
from .errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

YOURS, OURS, PYTHON, RUNTIME = "your code", "lambdallm", "python", "runtime scripts"
"""Whose a file is, where it is not a package's, which is named by itself."""


class File(Value):
    """A file that was found: `path` as it will be in the package, where it lies, and what it was when it was seen."""

    path: str
    source: str
    size: int
    changed_ns: int
    executable: bool = False
    owner: str = YOURS


class Entry(Value):
    """A file of the package: one that was found, or bytes that were made."""

    path: str
    owner: str
    file: File | None = None
    data: bytes | None = None
    executable: bool = False

    @property
    def size(self) -> int:
        """The size in bytes."""
        return len(self.data) if self.data is not None else self.file.size if self.file else 0


class Plan(Value):
    """The entries in the order they are written, and what should be said about them."""

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = ()


def plan(files: Iterable[File], made: Iterable[Entry] = ()) -> Plan:
    """The package that files and made entries give. Raises `BuildError` for a path that can't be in it, or is twice."""
    entries = [*map(_entry, files), *made]
    _check_names(entries)
    _check_once(entries)
    ordered = tuple(sorted(entries, key=lambda entry: entry.path.encode()))
    return Plan(ordered, (*_alike(ordered), *_shadowing(ordered)))


def _entry(file: File) -> Entry:
    path = unicodedata.normalize("NFC", file.path)  # macOS gives some names decomposed, and imports take them composed
    return Entry(path, file.owner, file, executable=file.executable)


def _check_names(entries: Iterable[Entry]) -> None:
    for entry in entries:
        try:
            entry.path.encode()
        except UnicodeEncodeError:
            raise BuildError(f"The name of {entry.path!r} is no UTF-8.", fix="Rename the file.") from None
        if "\\" in entry.path or any(ord(char) < 32 for char in entry.path):
            raise BuildError(f"The name of {entry.path!r} has a backslash or a control character.", fix="Rename it.")


def _check_once(entries: Iterable[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        other = seen.setdefault(entry.path, entry)
        if other is not entry:
            said = f"{entry.path!r} comes from {other.owner} and from {entry.owner}."
            raise BuildError(said, fix="Rename yours, or leave it out in .lambdaignore.")


def _alike(entries: Iterable[Entry]) -> Iterator[str]:
    """Paths that differ in case alone: fine on Lambda, lost where such a zip is unpacked on macOS or Windows."""
    seen: dict[str, str] = {}
    for entry in entries:
        other = seen.setdefault(entry.path.casefold(), entry.path)
        if other != entry.path:
            yield f"{other} and {entry.path} differ in case alone: some systems can't hold both."


def _shadowing(entries: Iterable[Entry]) -> Iterator[str]:
    """Modules of the project that hide one of Python's, or are hidden by a package of the same name."""
    packages = {entry.path.partition("/")[0]: entry.owner for entry in entries if _is_package(entry.path)}
    for entry in entries:
        name = entry.path.partition("/")[0].partition(".")[0]
        is_module = entry.path == f"{name}.py"
        if is_module and name in packages:
            yield f"{entry.path} ({entry.owner}) is hidden by the package {name} ({packages[name]})."
        if entry.owner == YOURS and name in sys.stdlib_module_names and (is_module or _is_package(entry.path)):
            yield f"{entry.path} hides Python's own module {name} from everything that imports it."


def _is_package(path: str) -> bool:
    return path.count("/") == 1 and path.endswith("/__init__.py")
