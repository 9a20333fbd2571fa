"""Bytecode for the Python that will run: compiled by that very version, on this machine.

Without it every cold start compiles each module anew, for Lambda's folder of code can't be written to; that makes
imports twice as slow.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from .._value import Value
from .errors import BuildError
from .image import NO_STANDARD, image_of
from .installer import find_uv
from .plan import OURS, YOURS, Entry
from .settings import TASK_ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .image import Standard
    from .settings import Settings

_WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compile_worker.py")
_ASK = "import sys; print(sys.implementation.name, sys.version_info.releaselevel, '%d.%d' % sys.version_info[:2])"
_MOUNTING = ("lambdallm/__init__.py", "lambdallm/_image.py")
"""What is imported before there is an image to import from."""

_FLAGS = ("-S", "-s", "-B", "-P")


class Source(Value):
    """A module's source under its path in the package, and whose it is."""

    path: str
    owner: str
    text: bytes


class Module(Value):
    """A source and the `.pyc` file that it gives."""

    source: Source
    pyc: bytes


def compiled(sources: Sequence[Source], python: str, settings: Settings) -> tuple[list[Module], list[str]]:
    """The bytecode of sources, and what to say of those that have none. `python` is the interpreter's path.

    Raises `BuildError` for a file of the project that is no Python of that version.
    """
    results = _run(python, [(f"{TASK_ROOT}/{source.path}", source.text) for source in sources])
    modules, notes = [], []
    for source, result in zip(sources, results, strict=True):
        if isinstance(result, bytes):
            modules.append(Module(source, result))
        elif source.owner == YOURS:
            said = f"{source.path}, {result}: this is no Python {settings.python}."
            raise BuildError(said, fix="Correct that line, or leave the file out in .lambdaignore.")
        else:
            notes.append(f"{source.path} ({source.owner}) is no Python {settings.python} and goes as it is.")
    return modules, notes


def entries_of(modules: Sequence[Module], settings: Settings, standard: Standard = NO_STANDARD) -> list[Entry]:
    """The files that hold bytecode: each module's own, but LambdaLLM's together in the image that it mounts.

    `standard` is what of a packed Python's library is in that image too, beside its own files.
    """
    inside = [module for module in modules if _is_in_image(module.source)]
    beside = (module for module in modules if not _is_in_image(module.source))
    entries = [Entry(pyc_path(each.source, settings), each.source.owner, data=each.pyc) for each in beside]
    return [*entries, image_of(inside, modules, standard)] if inside else entries


def _is_in_image(source: Source) -> bool:
    return source.owner == OURS and source.path not in _MOUNTING


def pyc_path(source: Source, settings: Settings) -> str:
    """Where a module's bytecode is looked for: beside its source in `__pycache__`, or in the place of its source."""
    folder, slash, name = source.path.rpartition("/")
    stem = name.removesuffix(".py")
    if stays(source, settings):
        return f"{folder}{slash}__pycache__/{stem}.cpython-{settings.python.replace('.', '')}.pyc"
    return f"{folder}{slash}{stem}.pyc"


def stays(source: Source, settings: Settings) -> bool:
    """Whether a module's source text is packed: the project's own always is, for its tracebacks."""
    return settings.sources or source.owner == YOURS


def find_python(version: str, home: str | None = None) -> str:
    """A CPython of this minor version: the one below `home`, the running one, uv's, or one on the path.

    Raises `BuildError` where there is none.
    """
    for candidate in _candidates(version, home):
        if _is(candidate, version):
            return candidate
    fix = f"Install it (`uv python install {version}`), or build without bytecode (--no-bytecode)."
    raise BuildError(f"Bytecode for Python {version} needs that version, which is not found here.", fix=fix)


def _candidates(version: str, home: str | None) -> Iterator[str]:
    if home:
        yield os.path.join(home, "bin", f"python{version}")
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield sys.executable
    if uv := find_uv():
        command = (uv, "python", "find", "--no-project", "--no-python-downloads", "--quiet", version)
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
        if found:
            yield found
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path


def _is(python: str, version: str) -> bool:
    """Whether an interpreter starts, is CPython, and is a final release of the version."""
    try:
        done = subprocess.run((python, *_FLAGS, "-c", _ASK), capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.split() == ["cpython", "final", version]


def _run(python: str, sources: list[tuple[str, bytes]]) -> list[bytes | str]:
    import pickle

    command = (python, *_FLAGS, _WORKER)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ["PYTHONHASHSEED"] = "0"
    done = subprocess.run(command, input=pickle.dumps(sources, 4), env=environ, capture_output=True, check=False)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()[-500:]
        raise BuildError(f"{python!r} can't compile: {said}", fix="Build with another Python, or with --no-bytecode.")
    results: list[bytes | str] = pickle.loads(done.stdout)
    return results
