"""Installing requirements into a folder for another machine than this one: by uv, or by pip where there is no uv.

Only wheels are taken, so that nothing is compiled for the wrong machine; source folders that the project names are
built here, and what they hold is checked like everything else (`native`).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from .._value import Value
from .errors import BuildError
from .requirements import normalised

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .requirements import Requirements
    from .settings import Settings

_HOW_TO_GET_UV = "Install uv (`pip install uv`, or https://docs.astral.sh/uv), and build again."


class Installer(Value):
    """A command that installs packages: `uv`, or a `pip` where that is all there is."""

    command: tuple[str, ...]
    is_uv: bool

    def uv(self, what: str, *arguments: str) -> str:
        """The output of a command of uv's, which reading `what` needs. Raises `BuildError`, also where uv is not."""
        if not self.is_uv:
            raise BuildError(f"{what} is read by uv, which is not installed.", fix=_HOW_TO_GET_UV)
        return _output((*self.command, *arguments), f"{what} can't be read by uv", None)

    def install(self, wanted: Requirements, folder: str, settings: Settings, scratch: str) -> None:
        """Install requirements into a folder. `scratch` is an empty folder for what the installer reads.

        Raises `BuildError` with the installer's own words.
        """
        listed = os.path.join(scratch, "requirements.txt")
        with open(listed, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in (*_about_lambdallm(wanted, scratch), *wanted.lines))
        options = self._for_uv(wanted, settings) if self.is_uv else self._for_pip(settings)
        command = (*self.command, *options, "--target", folder, "--requirement", listed)
        _output(command, "The dependencies can't be installed", settings.project)

    def _for_uv(self, wanted: Requirements, settings: Settings) -> tuple[str, ...]:
        # Folders are built, and built again: uv takes an earlier build of them unless their pyproject.toml is newer.
        names = [_project_name(folder) for folder in wanted.folders]
        built = (word for name in names for word in ("--no-binary", name, "--reinstall-package", name))
        return (
            *("pip", "install", "--quiet", "--no-python-downloads"),
            *("--python", sys.executable, "--python-version", settings.python),
            *("--python-platform", settings.uv_platform, "--only-binary", ":all:", *built),
            *_under_hashes(wanted),
        )

    def _for_pip(self, settings: Settings) -> tuple[str, ...]:
        platforms = (word for platform in settings.pip_platforms for word in ("--platform", platform))
        return (
            *("install", "--quiet", "--no-compile", "--no-input", "--disable-pip-version-check"),
            *("--implementation", "cp", "--python-version", settings.python, *platforms, "--only-binary", ":all:"),
        )


def find_installer() -> Installer:
    """The installer of this machine: uv on the path or beside this Python, this Python's pip, a pip on the path.

    Raises `BuildError` where there is none.
    """
    if uv := find_uv():
        return Installer((uv,), is_uv=True)
    from importlib.util import find_spec

    if find_spec("pip"):
        return Installer((sys.executable, "-m", "pip"), is_uv=False)
    for name in ("pip3", "pip"):
        if found := shutil.which(name):
            return Installer((found,), is_uv=False)
    raise BuildError("Neither uv nor pip is installed here.", fix=_HOW_TO_GET_UV)


def find_uv() -> str | None:
    """The path of uv: on the path, or beside this Python."""
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    return shutil.which("uv") or (beside if os.access(beside, os.X_OK) else None)


def _under_hashes(wanted: Requirements) -> tuple[str, ...]:
    """One hash asks for all, as it does with pip. A folder has none, so what it needs must be listed as well.

    Raises `BuildError` for a line without a hash where uv can't be told to look.
    """
    if not wanted.hashed or not wanted.folders:
        return ("--require-hashes",) if wanted.hashed else ()
    for line in wanted.lines:
        is_folder = any(folder in line for folder in wanted.folders)
        if "--hash=" not in line and not line.startswith("-") and not is_folder:
            shown = re.sub(r"//[^/@]*@", "//", line)  # an address may hold a token
            raise BuildError(f"The requirement {shown!r} has no hash, as others have.", fix="Give it one, or none any.")
    return ("--no-deps",)


def _about_lambdallm(wanted: Requirements, scratch: str) -> tuple[str, ...]:
    """Lines by which the LambdaLLM that is packed is found, and no other taken.

    They stand in the file of requirements, because given as options they would replace what variables say.
    """
    if wanted.hashed:
        return ()
    from .own_wheel import write_own_wheel

    wheels, limits = os.path.join(scratch, "wheels"), os.path.join(scratch, "constraints.txt")
    with open(limits, "w", encoding="utf-8") as file:
        file.write(f"lambdallm=={write_own_wheel(wheels)}\n")
    return f"--find-links {wheels}", f"--constraint {limits}"


def _project_name(folder: str) -> str:
    """The name of the package whose source a folder holds."""
    import tomllib

    place = os.path.join(folder, "pyproject.toml")
    try:
        with open(place, "rb") as file:
            return normalised(str(tomllib.load(file)["project"]["name"]))
    except (OSError, KeyError, ValueError) as error:
        fix = "Write it there, or name a wheel in the place of the folder."
        raise BuildError(f"{place!r} has no [project] name.", fix=fix) from error


def _output(command: tuple[str, ...], failure: str, folder: str | None) -> str:
    environ = {name: value for name, value in os.environ.items() if name != "UV_COMPILE_BYTECODE"}  # it's done later
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise BuildError(f"{failure}: {said}", fix="Correct the requirements, or the way to the package index.")
    return done.stdout
