"""Looking at folders: which files there are, and what is in one that has not changed since. The eyes of a build.

Symbolic links are followed, for Lambda unpacks none reliably: what they point to is packed under their name.
"""

from __future__ import annotations

import os
import stat

from .._value import Value
from .contents import BESIDE_THE_CODE, NEVER, PROJECT_IGNORES, is_left_out_of_lambdallm
from .errors import BuildError
from .ignore import is_left_out, patterns
from .places import is_installable, repository_of
from .plan import OURS, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .ignore import Pattern

_NEVER = patterns(NEVER)
LIBRARY = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""The package that runs this build, which is the one that is packed."""


def project_files(code: str, project: str, never: Collection[str] = ()) -> list[File]:
    """The files of a project: all below the folder of its code, and the few that lie beside it.

    The packages in the `src` of a project that can be installed are imported without it, so they are packed without it.

    `never` are files, by their absolute paths, that are left out in any case: the package that is being written.
    """
    top = repository_of(project) or os.path.abspath(project)
    found = _below(code, top)
    if os.path.realpath(code) == os.path.realpath(project) and is_installable(project):
        found = [file.replace(path=file.path.removeprefix("src/")) for file in found]
    roots = {file.path.partition("/")[0] for file in found}
    if os.path.realpath(code) != os.path.realpath(project):
        found += [file for name in BESIDE_THE_CODE if name not in roots for file in _beside(project, name, top)]
    unwanted = {os.path.realpath(path) for path in never}
    return [file for file in found if os.path.realpath(file.source) not in unwanted]


def library_files(used: Collection[str] = (), folder: str = LIBRARY) -> list[File]:
    """The files of LambdaLLM that run; `used` are the names of folders that not every project uses."""
    found = _walk(folder, "", _Rules(), (), nested=False)
    kept = (file for file in found if not is_left_out_of_lambdallm(file.path, used))
    return [file.replace(path=f"lambdallm/{file.path}", owner=OURS) for file in kept]


def all_files(folder: str, ignores: str = "") -> list[File]:
    """All files below a folder but those that the patterns leave out."""
    return list(_walk(folder, "", _Rules(patterns(ignores)), (), nested=False))


def file_at(path: str, source: str) -> File:
    """The file at a place, under its path in the package. Raises `BuildError` for what is none."""
    try:
        state = os.stat(source)
    except OSError as error:
        what = "is a link that leads nowhere" if os.path.islink(source) else f"can't be read: {error.strerror}"
        raise BuildError(f"{source!r} {what}.", fix="Correct it, or leave it out in .lambdaignore.") from error
    if not stat.S_ISREG(state.st_mode):
        raise BuildError(f"{source!r} is neither a file nor a folder.", fix="Leave it out in .lambdaignore.")
    return File(path, source, state.st_size, state.st_mtime_ns, bool(state.st_mode & stat.S_IXUSR))


def content(file: File) -> bytes:
    """What is in a file. Raises `BuildError` where it can't be read, or is no longer what was seen."""
    try:
        with open(file.source, "rb") as opened:
            data = opened.read()
            now = os.fstat(opened.fileno())
    except OSError as error:
        raise _unreadable(file.source, error) from error
    if (now.st_size, now.st_mtime_ns) != (file.size, file.changed_ns) or len(data) != file.size:
        raise BuildError(f"{file.source!r} changed while it was packed.", fix="Build again.")
    return data


def text_of(path: str) -> str:
    """The text of a file. Raises `BuildError` where it can't be read."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> BuildError:
    said = error.strerror if isinstance(error, OSError) else str(error)
    return BuildError(f"{path!r} can't be read: {said}.", fix="Correct the path, or leave the file out.")


class _Rules(Value):
    """The patterns in force in a folder: Git's, and over them those about packages alone."""

    git: tuple[Pattern, ...] = ()
    own: tuple[Pattern, ...] = ()

    def and_in(self, folder: str, base: str) -> _Rules:
        """These and those that lie in a folder."""
        return _Rules(self.git + _read(folder, ".gitignore", base), self.own + _read(folder, ".lambdaignore", base))

    def leave_out(self, path: str, is_folder: bool) -> bool:
        return is_left_out(path, is_folder, (*self.git, *self.own, *_NEVER))


def _read(folder: str, name: str, base: str) -> tuple[Pattern, ...]:
    place = os.path.join(folder, name)
    return patterns(text_of(place), base) if os.path.isfile(place) else ()


def _below(code: str, top: str) -> list[File]:
    """The files below the folder of the code, under the patterns of all folders from the repository's on."""
    rules, base = _rules_above(code, top)
    found = _walk(code, base, rules, ())
    return [file.replace(path=file.path[len(base) :]) for file in found]


def _beside(project: str, name: str, top: str) -> list[File]:
    """A file or folder of the project, or nothing where there is none."""
    place = os.path.join(project, name)
    if os.path.isfile(place):
        return [file_at(name, place)]
    found = _below(place, top) if os.path.isdir(place) else []
    return [file.replace(path=f"{name}/{file.path}") for file in found]


def _rules_above(folder: str, top: str) -> tuple[_Rules, str]:
    """The patterns in force in a folder, and its path below the repository's, "" or "a/b/"."""
    way = os.path.relpath(folder, top)
    names = [] if way == "." or way.startswith("..") else way.split(os.sep)
    base = "".join(f"{name}/" for name in names)
    rules = _Rules(patterns(PROJECT_IGNORES, base))
    for depth in range(len(names) + 1):
        above = "".join(f"{name}/" for name in names[:depth])
        rules = rules.and_in(os.path.join(top if names else folder, above), above)
    return rules, base


def _walk(folder: str, base: str, rules: _Rules, above: tuple[str, ...], *, nested: bool = True) -> Iterator[File]:
    """The files below a folder in the order of their names; `base` is its path, "" or "a/b/".

    With `nested` the folders below bring patterns of their own.
    """
    real = os.path.realpath(folder)
    if real in above:
        raise BuildError(f"{folder!r} is a link to a folder around it.", fix="Leave it out in .lambdaignore.")
    for name in _names(folder):
        path, source = f"{base}{name}", os.path.join(folder, name)
        is_folder = os.path.isdir(source)
        if rules.leave_out(path, is_folder) or (is_folder and os.path.exists(os.path.join(source, "pyvenv.cfg"))):
            continue
        if is_folder:
            inner = rules.and_in(source, f"{path}/") if nested else rules
            yield from _walk(source, f"{path}/", inner, (*above, real), nested=nested)
        else:
            yield file_at(path, source)


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder), key=os.fsencode)
    except OSError as error:
        raise _unreadable(folder, error) from error
