"""The package as one file: the compiled code of all its modules, so that a cold start asks the file system once.

To import a module from a folder takes some ten system calls, and a first call to a model imports eighty. `lambdallm
build` writes the file into the package; `lambdallm/__init__.py` mounts it where it is. Modules from it are ordinary
ones: their files are where they say, tracebacks show their lines, `importlib.resources` reads beside them.

The file is a shortcut. What is not in it, does not fit the Python that runs, or can't be read any more is imported as
ever. What it holds of the standard library is for one build of Python alone, the one whose `sys.version` it names, so
that a corrected library is never hidden behind an older copy.

    4 bytes     magic number of the bytecode
    4 bytes     length of the index
    index       marshalled: entries, and of the standard library: `sys.version`, entries; an entry is the name of a
                module → one number: its place after the index, 24 bits of its length, 1 bit for a package
    code        marshalled code objects, one behind the other
"""

from __future__ import annotations

import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader
from _imp import _fix_co_filename  # type: ignore[attr-defined]  # what importlib does for code from a moved file

# These are the parts of importlib.util and importlib.machinery, whose import costs half a millisecond.

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from io import FileIO
    from types import CodeType, ModuleType

_LONGEST = 2**24 - 1
_UNREADABLE = (OSError, EOFError, ValueError, TypeError)
"""What reading raises where the file is gone, was cut off, or holds something else."""


class _File:
    """An open file, read wherever one likes. Functions close descriptors that they think are left over, and the next
    file or socket then has the number: so each reading makes sure that the number is still this file's.
    """

    def __init__(self, path: str, descriptor: int) -> None:
        self.path, self._descriptor, self._identity = path, descriptor, _identity(descriptor)

    def read(self, place: int, length: int) -> bytes:
        """The bytes at a place, fewer where the file ends. Raises `OSError`."""
        if not self._is_open():
            self._descriptor = posix.open(self.path, posix.O_RDONLY | posix.O_CLOEXEC)
            self._identity = _identity(self._descriptor)
        return posix.pread(self._descriptor, length, place)

    def _is_open(self) -> bool:
        try:
            return _identity(self._descriptor) == self._identity
        except OSError:
            return False


def _identity(descriptor: int) -> tuple[int, int, int]:
    """What tells an open file from others, and from what it was before it was written again."""
    state = posix.fstat(descriptor)
    return state.st_dev, state.st_ino, state.st_size


class Image:
    """A finder on `sys.meta_path` for the modules of one folder."""

    def __init__(self, folder: str, file: _File, base: int, entries: Mapping[str, int]) -> None:
        self._folder, self._file, self._base, self._entries = folder, file, base, entries

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is, `None` for one that the image does not hold."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        path = f"{self._folder}/{name.replace('.', '/')}"
        file = f"{path}/__init__.py" if entry & 1 else f"{path}.py"
        spec = ModuleSpec(name, _Loader(name, file, self), origin=file, is_package=bool(entry & 1))
        spec.has_location = True
        spec.cached = self._file.path  # said here, or it is worked out for every module
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(path)
        return spec

    def code(self, name: str, file: str) -> CodeType | None:
        """The code of a module that the image holds, `None` where it can't be read any more."""
        entry = self._entries[name]
        try:
            code: CodeType = marshal.loads(self._file.read(self._base + (entry >> 25), entry >> 1 & _LONGEST))
        except _UNREADABLE:
            return None
        _fix_co_filename(code, file)
        return code


class _Loader(SourceFileLoader):
    """Loads a module's code from an image; what else is asked about it is answered from its file."""

    def __init__(self, name: str, file: str, image: Image) -> None:
        super().__init__(name, file)
        self._image = image

    def get_code(self, fullname: str) -> CodeType | None:
        """The compiled code."""
        return self._image.code(fullname, self.path) or super().get_code(fullname)


def mount(file: FileIO, package: str) -> bool:
    """Import from the image from now on. `False` where it is none for this Python. Closes the file."""
    with file:
        if file.read(4) != MAGIC_NUMBER:
            return False
        length = int.from_bytes(file.read(4), "little")
        try:
            entries, (version, standard) = marshal.loads(file.read(length))
        except _UNREADABLE:
            return False
        opened = _File(str(file.name), posix.dup(file.fileno()))
    if version == sys.version:
        sys.meta_path.insert(0, Image(_standard_folder(), opened, 8 + length, standard))
    sys.meta_path.insert(0, Image(package.rpartition("/")[0], opened, 8 + length, entries))
    return True


def _standard_folder() -> str:
    """Where this Python has its library."""
    return f"{sys.base_prefix}/{sys.platlibdir}/python{sys.version_info[0]}.{sys.version_info[1]}"


def packed(
    magic: bytes,
    own: Mapping[str, tuple[bool, bytes]],
    version: str = "",
    standard: Mapping[str, tuple[bool, bytes]] | None = None,
) -> bytes:
    """The bytes of an image: name of a module → whether it is a package, and its marshalled code.

    `magic` is the magic number of the Python that compiled it; `standard` are modules of the library of the Python
    whose `sys.version` is `version`.
    """
    codes: list[bytes] = []
    entries = _added(codes, own)
    known = _added(codes, standard or {})
    index = marshal.dumps((entries, (version, known)), 4)
    return b"".join([magic, len(index).to_bytes(4, "little"), index, *codes])


def _added(codes: list[bytes], modules: Mapping[str, tuple[bool, bytes]]) -> dict[str, int]:
    entries: dict[str, int] = {}
    place = sum(map(len, codes))
    for name, (is_package, code) in sorted(modules.items()):
        if len(code) <= _LONGEST:
            entries[name] = place << 25 | len(code) << 1 | is_package
            codes.append(code)
            place += len(code)
    return entries
