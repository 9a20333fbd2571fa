"""Installed packages in a folder: whose each file is, what each needs, and which of their files are packed."""

from __future__ import annotations

import os
import re

from .._value import Value
from .collect import all_files, content, text_of
from .contents import is_left_out_of_packages, not_in_the_runtime
from .errors import BuildError
from .plan import File
from .requirements import name_of, normalised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Packages(Value):
    """What was installed: the files to pack, each package's version, and those left to the runtime."""

    files: tuple[File, ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    left_to_the_runtime: tuple[str, ...] = ()


class _Distribution(Value):
    name: str
    version: str
    requires: frozenset[str]
    paths: frozenset[str]


def packages_in(folder: str, *, without_boto3: bool = False) -> Packages:
    """The packages that were installed into a folder. Raises `BuildError` for one that only points elsewhere."""
    found = _distributions(folder)
    requires = {name: set(each.requires) for name, each in found.items() if name != "lambdallm"}
    packed = not_in_the_runtime(requires) if without_boto3 else set(requires)
    owners = {path: each.name for each in found.values() for path in each.paths}
    files = [file.replace(owner=_owner(file.path, owners)) for file in all_files(folder)]
    _check_links(files)
    kept = [file for file in files if file.owner in packed or file.owner not in found]
    kept = [file for file in kept if not is_left_out_of_packages(file.path) and not _is_wrapper(file)]
    return Packages(
        tuple(kept),
        tuple(sorted((name, found[name].version) for name in packed)),
        tuple(sorted(set(requires) - packed)),
    )


def _distributions(folder: str) -> dict[str, _Distribution]:
    abouts = sorted(name for name in os.listdir(folder) if name.endswith(".dist-info"))
    return {each.name: each for each in (_distribution(folder, about) for about in abouts)}


def _distribution(folder: str, about: str) -> _Distribution:
    """A package by what it wrote about itself: its metadata, and the record of its files."""
    from email.parser import HeaderParser

    fields = HeaderParser().parsestr(text_of(os.path.join(folder, about, "METADATA")))
    needs = (name_of(line) for line in fields.get_all("Requires-Dist") or () if not re.search(r"\bextra\s*==", line))
    return _Distribution(
        normalised(fields["Name"]), fields["Version"], frozenset(filter(None, needs)), _recorded(folder, about)
    )


def _recorded(folder: str, about: str) -> frozenset[str]:
    """The paths of a package's files below the folder; its scripts lie in `bin` there, wherever the record has them."""
    import csv

    place = os.path.join(folder, about, "RECORD")
    if not os.path.exists(place):
        return frozenset()
    paths = (row[0] for row in csv.reader(text_of(place).splitlines()) if row)
    return frozenset(re.sub(r"^(\.\./)+", "", path) for path in paths)


def _owner(path: str, owners: dict[str, str]) -> str:
    """Whose a file is; one that no record has belongs to the package of its folder."""
    if path in owners:
        return owners[path]
    top = path.partition("/")[0]
    if top.endswith(".dist-info"):
        return normalised(top.removesuffix(".dist-info").rpartition("-")[0])
    return normalised(top.removesuffix(".py"))


def _check_links(files: Iterable[File]) -> None:
    """Raise `BuildError` for a `.pth` file that leads to another folder: Lambda reads none, and has no such folder."""
    for file in files:
        if file.path.endswith((".pth", ".egg-link")) and "/" not in file.path:
            lines = [line.strip() for line in content(file).decode(errors="replace").splitlines()]
            places = [line for line in lines if line and not line.startswith(("#", "import ", "import\t"))]
            if places:
                said = f"{file.owner} is installed as a link to {places[0]!r}, which Lambda doesn't have."
                raise BuildError(said, fix="Require it as a wheel or a plain folder, not as an editable install.")


def _is_wrapper(file: File) -> bool:
    """Whether a file is a command that only starts a module, by the path of this machine's Python; or a `.pth`."""
    if file.path.endswith(".pth") and "/" not in file.path:
        return True
    if not file.path.startswith("bin/"):
        return False
    first = content(file)[:200].split(b"\n")[0]
    return first.startswith(b"#!") and b"python" in first
