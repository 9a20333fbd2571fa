"""A project's requirements as an installer takes them. Pure: texts in, lines out.

Options and markers go on as they stand; what changes is written here. Files that are included are put in the place of
the line; paths become absolute, for the installer reads from another folder; an editable install becomes a plain one,
for a package can't point back to the machine it was made on; the project itself is no requirement of its own; nor is
LambdaLLM, which is packed anyway, but for its extras. Among hashes it goes with them: the one that runs has none.
"""

from __future__ import annotations

import os
import re

from .._value import Value
from .._version import __version__
from .errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Read = Callable[[str], str]

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_OPTION = re.compile(r"(-r|--requirement|-c|--constraint|-e|--editable|-f|--find-links)[ \t=]*(.*)", re.DOTALL)


class Requirements(Value):
    """Lines for an installer, the source folders among them, and whether every line carries its hash."""

    lines: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    hashed: bool = False

    def __bool__(self) -> bool:
        return bool(self.lines)


def requirements(text: str, folder: str, read: Read, project: str) -> Requirements:
    """What a requirements file says. `folder` is where it lies, `read` gives an included file's text, `project` is
    the folder that is packed anyway. Raises `BuildError` for a file that includes itself, and for hashes of another
    LambdaLLM than the one that runs.
    """
    lines = list(_lines(text, folder, read, ()))
    hashed = any("--hash=" in line for line in lines)
    kept, folders = [], []
    for line in lines:
        place = _folder_named(line)
        if place is not None and os.path.realpath(place) == os.path.realpath(project):
            continue
        if name_of(line) == "lambdallm" and (hashed or _brings_nothing(line)):
            _check_version(line)
            continue
        if place is not None and os.path.isdir(place):
            folders.append(place)
        kept.append(line)
    return Requirements(tuple(kept), tuple(folders), hashed)


def name_of(requirement: str) -> str | None:
    """The name of the package that a line requires, as packages are compared; `None` for options and bare paths."""
    if _is_path(requirement):
        return None
    found = _NAME.match(requirement)
    return normalised(found[0]) if found else None


def normalised(name: str) -> str:
    """A package's name as names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(text: str, folder: str, read: Read, above: tuple[str, ...]) -> Iterator[str]:
    for raw in re.sub(r"\\\r?\n", " ", text).splitlines():
        line = re.sub(r"(^|[ \t])#.*", "", raw).strip()
        option = _OPTION.fullmatch(line)
        if option is None:
            if line:
                yield _absolute(line, folder) if _is_path(line) else line
            continue
        word, value = option[1].replace("--", "-")[:2], option[2].strip()
        place = _absolute(value, folder)
        if word == "-r":
            yield from _included(place, read, above)
        else:
            yield place if word == "-e" else f"{word} {place}"


def _included(place: str, read: Read, above: tuple[str, ...]) -> Iterator[str]:
    if place in above:
        raise BuildError(f"The requirements in {place!r} include themselves.", fix="Take that line out.")
    yield from _lines(read(place), os.path.dirname(place), read, (*above, place))


def _brings_nothing(line: str) -> bool:
    """Whether a line asks for LambdaLLM alone, without an extra: it is packed anyway, the one that runs."""
    return re.fullmatch(r"lambdallm\s*(==[^;,\[]*)?", line, re.IGNORECASE) is not None


def _check_version(line: str) -> None:
    """Raise `BuildError` where a line asks for another LambdaLLM than the one that runs, which is packed."""
    asked = re.search(r"==\s*([\w.+!-]+)", line)
    if asked and asked[1] != __version__:
        said = f"The requirements ask for lambdallm=={asked[1]}, and {__version__} runs this build and would be packed."
        raise BuildError(said, fix="Build with the one that is asked for, or ask for this one.")


def _is_path(line: str) -> bool:
    """Whether a line is the path of a wheel or a source folder."""
    head = re.split(r"[ \t;\[]", line, maxsplit=1)[0]
    return head.startswith((".", "/", "~")) or head.endswith(".whl") or ("/" in head and "://" not in head)


def _absolute(value: str, folder: str) -> str:
    if "://" in value:
        return value
    found = re.match(r"[^;\[]*[^;\[ \t]", value)
    path = found[0] if found else value
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path))) + value[len(path) :]


def _folder_named(line: str) -> str | None:
    """The local path that a line names, if it does."""
    if line.startswith("-"):
        return None
    _, at, url = line.partition(" @ ")
    url = url if at else line
    if url.startswith("file://"):
        from urllib.parse import unquote, urlsplit

        return unquote(urlsplit(url.split(";")[0].strip()).path)
    return re.split(r"[;\[]", url, maxsplit=1)[0].strip() if _is_path(url) else None
