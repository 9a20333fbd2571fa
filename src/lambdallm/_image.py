"""The package as one file: the compiled code of all its modules, so that a cold start asks the file system once.

To import a module from a folder takes some ten system calls, and a first call to a model imports eighty. `lambdallm
build` writes the file into the package; `lambdallm/__init__.py` mounts it where it is. Modules from it are ordinary
ones: their files are where they say, tracebacks show their lines, `importlib.resources` reads beside them.

The file is a shortcut. What is not in it, or does not fit the Python that runs, is imported as ever. What it holds of
the standard library is for one build of Python alone, the one whose `sys.version` it names, so that a corrected
library is never hidden behind an older copy.

    4 bytes     magic number of the bytecode
    4 bytes     length of the index
    index       marshalled: entries, and of the standard library: `sys.version`, its folder, entries;
                an entry is name → (file below the folder, whether it is a package, place after the index, length)
    code        marshalled code objects, one behind the other
"""

from __future__ import annotations

import marshal
import posix
import sys
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader, spec_from_file_location
from _imp import _fix_co_filename  # type: ignore[attr-defined]  # what importlib does for code from a moved file

# These are the parts of importlib.util and importlib.machinery, whose import costs half a millisecond.

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from io import FileIO
    from types import CodeType, ModuleType

    Entry = tuple[str, bool, int, int]


class Image:
    """A finder on `sys.meta_path` for the modules of one folder."""

    def __init__(self, folder: str, file: FileIO, base: int, entries: Mapping[str, Entry]) -> None:
        self._folder, self._file, self._base, self._entries = folder, file, base, entries

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Where a module is, `None` for one that the image does not hold."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        file, is_package = f"{self._folder}/{entry[0]}", entry[1]
        folders = [file.rpartition("/")[0]] if is_package else None
        return spec_from_file_location(name, file, loader=_Loader(name, file, self), submodule_search_locations=folders)

    def code(self, name: str) -> CodeType:
        """The code of a module that the image holds."""
        file, _, place, length = self._entries[name]
        code: CodeType = marshal.loads(posix.pread(self._file.fileno(), length, self._base + place))
        _fix_co_filename(code, f"{self._folder}/{file}")
        return code


class _Loader(SourceFileLoader):
    """Loads a module's code from an image; what else is asked about it is answered from its file."""

    def __init__(self, name: str, file: str, image: Image) -> None:
        super().__init__(name, file)
        self._image = image

    def get_code(self, fullname: str) -> CodeType:
        """The compiled code."""
        return self._image.code(fullname)


def mount(file: FileIO, package: str) -> bool:
    """Import from the image, which stays open, from now on. `False` where it is none for this Python."""
    if file.read(4) != MAGIC_NUMBER:
        file.close()
        return False
    length = int.from_bytes(file.read(4), "little")
    entries, (version, standard_folder, standard) = marshal.loads(file.read(length))
    if version == sys.version:
        sys.meta_path.insert(0, Image(standard_folder, file, 8 + length, standard))
    sys.meta_path.insert(0, Image(package.rpartition("/")[0], file, 8 + length, entries))
    return True


def packed(
    magic: bytes,
    own: Mapping[str, tuple[str, bytes]],
    version: str = "",
    standard_folder: str = "",
    standard: Mapping[str, tuple[str, bytes]] | None = None,
) -> bytes:
    """The bytes of an image: name of a module → its file below the folder, and its marshalled code.

    `magic` is the magic number of the Python that compiled it; `standard` are modules of the library of the Python
    whose `sys.version` is `version`.
    """
    codes: list[bytes] = []
    entries = _added(codes, own)
    known = _added(codes, standard or {})
    index = marshal.dumps((entries, (version, standard_folder, known)), 4)
    return b"".join([magic, len(index).to_bytes(4, "little"), index, *codes])


def _added(codes: list[bytes], modules: Mapping[str, tuple[str, bytes]]) -> dict[str, Entry]:
    entries: dict[str, Entry] = {}
    place = sum(map(len, codes))
    for name, (file, code) in sorted(modules.items()):
        entries[name] = (file, file.rpartition("/")[2] == "__init__.py", place, len(code))
        codes.append(code)
        place += len(code)
    return entries
