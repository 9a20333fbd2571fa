"""Writing the zip: the same bytes for the same entries, wherever and whenever they are written.

Sorted by path, one fixed time, modes 644 and 755, no extra fields, no folders, deflated at level 6: level 9 takes
twice as long for a hundredth less.
"""

from __future__ import annotations

import os
import stat
import zipfile

from .._value import Value
from .errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_EARLIEST = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_FILE, _EXECUTABLE = 0o100644, 0o100755


class Written(Value):
    """A zip that was written: its size, the size of what is in it, and its SHA-256 in hexadecimal."""

    zipped: int
    unzipped: int
    sha256: str


def stamped(path: str, *, executable: bool = False) -> zipfile.ZipInfo:
    """The head of an entry, which says nothing of when, where and by whom it was made."""
    info = zipfile.ZipInfo(path, _EARLIEST)
    info.create_system = _UNIX
    info.external_attr = (_EXECUTABLE if executable else _FILE) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def check_place(output: str) -> None:
    """Raise `BuildError` for a place that holds something else than an earlier zip, which a new one would replace."""
    try:
        is_file = stat.S_ISREG(os.stat(output).st_mode)
        if is_file and _first_bytes(output) in (b"PK", b""):
            return
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unwritable(output, error) from error
    what = "a file that is no zip" if is_file else "no file"
    raise BuildError(f"{output!r} is {what}, and would be replaced.", fix="Choose another place.")


def write(output: str, entries: Iterable[tuple[str, bytes, bool]]) -> Written:
    """Write entries (path, bytes, whether it is executable), which come sorted. All of the zip appears, or nothing.

    Raises `BuildError` where the file can't be written.
    """
    beside = f"{output}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
        unzipped = _write(beside, entries)
        written = Written(os.path.getsize(beside), unzipped, _sha256(beside))
        os.replace(beside, output)
        return written
    except OSError as error:
        raise _unwritable(output, error) from error
    finally:
        if os.path.exists(beside):
            os.remove(beside)


def _first_bytes(place: str) -> bytes:
    with open(place, "rb") as file:
        return file.read(2)


def _unwritable(output: str, error: OSError) -> BuildError:
    return BuildError(f"{output!r} can't be written: {error.strerror}.", fix="Choose another place.")


def _write(place: str, entries: Iterable[tuple[str, bytes, bool]]) -> int:
    unzipped = 0
    with zipfile.ZipFile(place, "w") as archive:
        for path, data, executable in entries:
            archive.writestr(stamped(path, executable=executable), data, compresslevel=6)
            unzipped += len(data)
    return unzipped


def _sha256(place: str) -> str:
    import hashlib

    with open(place, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
