"""One clean environment for each peer, and ours installed as users have it: files in place, bytecode compiled.

No `.pth` file is left in them: the interpreter reads those before its first line, and editable installs put their
cost on every process. Environments are kept in a cache folder until their packages or the interpreter change.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

_DEBIAN = "/usr/bin/python3.11"
"""Debian builds Python with profile-guided optimisation, as AWS does; others can start tens of milliseconds later."""

_PURELIB = "import sysconfig; print(sysconfig.get_path('purelib'))"
_VERSIONS = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"


def base_python() -> str:
    """The interpreter that is measured: Debian's, where there is one, else the one that runs this."""
    return _DEBIAN if os.path.exists(_DEBIAN) else getattr(sys, "_base_executable", sys.executable)


def shown_python() -> str:
    """The name and version of that interpreter."""
    return run(base_python(), "-VV").strip().partition(" (")[0]


def python_version() -> str:
    """Its version, such as `3.11`."""
    return run(base_python(), "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()


class Environments:
    """The environments in one cache folder."""

    def __init__(self, folder: Path, *, fresh: bool = False) -> None:
        self._folder = folder
        self._fresh = fresh
        self._python = base_python()
        self._uv = _uv()

    def python(self, name: str, packages: tuple[str, ...] = ()) -> str:
        """The interpreter of an environment that holds `packages`, made when missing."""
        place = self._folder / name.replace(".", "-")
        python = str(place / "bin" / "python")
        if self._is_stale(place, packages):
            self._progress(f"making the environment of {name}")
            self._create(place)
            self._install(python, packages, ())
            _drop_pth(python)
            self._seal(place, packages)
        return python

    def target(self, name: str, packages: tuple[str, ...]) -> str:
        """A folder to put on `sys.path` that holds `packages`."""
        place = self._folder / name
        if self._is_stale(place, packages):
            self._progress(f"fetching {', '.join(packages)}")
            shutil.rmtree(place, ignore_errors=True)
            self._install(self.python("bare"), packages, ("--target", str(place)))
            self._seal(place, packages)
        return str(place)

    def _is_stale(self, place: Path, packages: tuple[str, ...]) -> bool:
        seal = place / ".sealed"
        return self._fresh or not seal.exists() or seal.read_text() != self._stamp(packages)

    def _seal(self, place: Path, packages: tuple[str, ...]) -> None:
        (place / ".sealed").write_text(self._stamp(packages))

    def _stamp(self, packages: tuple[str, ...]) -> str:
        return json.dumps([self._python, bool(self._uv), *packages])

    def _create(self, place: Path) -> None:
        shutil.rmtree(place, ignore_errors=True)
        if self._uv:
            run(*self._uv, "venv", "--quiet", "--python", self._python, str(place))
        else:
            run(self._python, "-m", "venv", str(place))

    def _install(self, python: str, packages: tuple[str, ...], options: tuple[str, ...]) -> None:
        if not packages:
            return
        if self._uv:
            run(*self._uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python, *options, *packages)
        else:
            run(python, "-m", "pip", "install", "--quiet", *options, *packages)

    @staticmethod
    def _progress(text: str) -> None:
        print(f"… {text}", file=sys.stderr)


def install_ours(python: str, source: Path) -> None:
    """Put the package as it is now into an environment, compiled: the files that a wheel would put there."""
    site = Path(run(python, "-I", "-c", _PURELIB).strip())
    shutil.rmtree(site / source.name, ignore_errors=True)
    shutil.copytree(source, site / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    compile_folder(python, site / source.name)


def compile_clients(python: str, folder: Path) -> None:
    """Compile the harness's own modules, which every measured process imports, too."""
    compile_folder(python, folder)


def versions(python: str, packages: tuple[str, ...]) -> dict[str, str]:
    """The installed versions of packages."""
    found: dict[str, str] = json.loads(run(python, "-I", "-c", _VERSIONS, *packages))
    return found


def compile_folder(python: str, folder: Path) -> None:
    """Compile all modules in a folder."""
    run(python, "-I", "-m", "compileall", "-q", str(folder))


def _drop_pth(python: str) -> None:
    for file in Path(run(python, "-I", "-c", _PURELIB).strip()).glob("*.pth"):
        file.unlink()


def _uv() -> list[str]:
    """How to run `uv`, empty when it is not there."""
    if found := shutil.which("uv"):
        return [found]
    return [sys.executable, "-m", "uv"] if find_spec("uv") else []


def run(*command: str) -> str:
    """What a command prints. Raises `RuntimeError` when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr.strip()}")
    return done.stdout
