"""Where a project says what it needs, read into one list of requirements."""

from __future__ import annotations

import os

from .._value import Value
from .collect import text_of
from .errors import BuildError
from .places import is_installable
from .requirements import Requirements, name_of, normalised, requirements

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .installer import Installer
    from .settings import Settings

FILES = ("requirements.txt", "uv.lock", "pylock.toml", "pyproject.toml")
"""Where requirements are looked for; the first that is there counts."""

_OTHER_LOCKS = {
    "poetry.lock": "poetry export -o requirements.txt",
    "pdm.lock": "pdm export -o requirements.txt",
    "Pipfile.lock": "pipenv requirements > requirements.txt",
}


class Dependencies(Value):
    """The requirements, the file they were read from (`None`: the project needs nothing), and what to say of it."""

    wanted: Requirements
    file: str | None = None
    notes: tuple[str, ...] = ()


def dependencies(settings: Settings, installer: Callable[[], Installer]) -> Dependencies:
    """What the project needs. Raises `BuildError` for a file that can't be read, or only by a tool that isn't there."""
    place = settings.requirements or _usual(settings.project)
    if place is None:
        return Dependencies(Requirements(), notes=_unread(settings.project))
    lines = _READERS.get(os.path.basename(place), _plain)(place, settings, installer)
    wanted = requirements(lines, os.path.dirname(os.path.abspath(place)), text_of, settings.project)
    if _is_elsewhere(settings):
        own = (os.path.abspath(settings.project),)
        wanted = wanted.replace(lines=wanted.lines + own, folders=wanted.folders + own)
    return Dependencies(wanted, place, _unread(settings.project))


def _is_elsewhere(settings: Settings) -> bool:
    """Whether the project's own packages lie outside its function's folder, so that it is installed like others."""
    inside = (settings.project, os.path.join(settings.project, "src"))
    here = {os.path.realpath(place) for place in inside}
    return is_installable(settings.project) and os.path.realpath(settings.code) not in here


def _usual(project: str) -> str | None:
    places = (os.path.join(project, name) for name in FILES)
    return next((place for place in places if os.path.isfile(place)), None)


def _unread(project: str) -> tuple[str, ...]:
    """Lock files of other tools, which are not read."""
    if os.path.exists(os.path.join(project, "requirements.txt")):
        return ()
    there = (name for name in _OTHER_LOCKS if os.path.exists(os.path.join(project, name)))
    return tuple(f"{name} is not read; write it as requirements: {_OTHER_LOCKS[name]}" for name in there)


def _plain(place: str, _settings: Settings, _installer: Callable[[], Installer]) -> str:
    return text_of(place)


def _project_table(place: str, _settings: Settings, _installer: Callable[[], Installer]) -> str:
    """`[project].dependencies` of a pyproject.toml."""
    document = _toml(place)
    table = document.get("project", {})
    found = table.get("dependencies", []) if isinstance(table, dict) else None
    if not isinstance(found, list) or not all(isinstance(line, str) for line in found):
        raise BuildError(f"{place!r} has dependencies that are no list of texts.", fix="Write [project].dependencies.")
    _check_sources(document, found, place)
    return "\n".join(found)


def _check_sources(document: dict[str, Any], lines: list[str], place: str) -> None:
    """Raise `BuildError` for what uv has from elsewhere: the index may hold a stranger's package of that name."""
    elsewhere = {normalised(name) for name in document.get("tool", {}).get("uv", {}).get("sources", {})} - {"lambdallm"}
    for line in lines:
        if name_of(line) in elsewhere:
            said = f"{place!r} has {name_of(line)} from where [tool.uv.sources] says, which only uv's lock tells."
            raise BuildError(said, fix="Run `uv lock`, or name that place in a requirements.txt.")


def _uv_lock(place: str, settings: Settings, installer: Callable[[], Installer]) -> str:
    """The versions and hashes that uv has locked, without the project itself and what only develops it needs."""
    command = ["export", "--quiet", "--frozen", "--no-dev", "--no-emit-project", "--no-header", "--no-annotate"]
    return installer().uv("uv.lock", *command, "--project", os.path.dirname(place), "--python", settings.python)


def _pylock(place: str, _settings: Settings, _installer: Callable[[], Installer]) -> str:
    """The versions and hashes of a pylock.toml (PEP 751)."""
    return "\n".join(line for package in _toml(place).get("packages", []) if (line := _locked(package, place)))


def _locked(package: dict[str, Any], place: str) -> str | None:
    """A locked package as a requirement; `None` for one of a group, such as those that only develop the project."""
    name, marker = package.get("name"), package.get("marker", "")
    if "dependency_groups" in marker or "extras" in marker:
        return None
    files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
    hashes = sorted({file["hashes"]["sha256"] for file in files if "sha256" in file.get("hashes", {})})
    if not hashes or "version" not in package:
        said = f"{place!r} locks {name!r} from elsewhere than an index."
        raise BuildError(said, fix="Name it in a requirements.txt, with its URL or path.")
    condition = f" ; {marker}" if marker else ""
    return f"{name}=={package['version']}{condition} " + " ".join(f"--hash=sha256:{value}" for value in hashes)


def _toml(place: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text_of(place))
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"{place!r} is no TOML: {error}.", fix="Correct that place.") from error


_READERS = {"pyproject.toml": _project_table, "uv.lock": _uv_lock, "pylock.toml": _pylock}
