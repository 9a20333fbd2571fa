"""All that goes into a package, from where it lies: the project, LambdaLLM, what the project needs, Python, scripts."""

from __future__ import annotations

import os
import re

from .._value import Value
from .._version import __version__
from .collect import LIBRARY, all_files, content, file_at, library_files, project_files
from .contents import PYTHON_IGNORES, named_parts
from .dependencies import dependencies
from .errors import BuildError
from .ignore import is_below_left_out, patterns
from .installer import find_installer
from .packages import Packages, packages_in
from .plan import OURS, PYTHON, RUNTIME, Entry, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .dependencies import Dependencies
    from .settings import Settings

WRAPPER, BOOTSTRAP = "lambdallm-wrapper", "bootstrap"
"""The executable at the package's root that starts our runtime: named by `AWS_LAMBDA_EXEC_WRAPPER`, or by Lambda."""


class Gathered(Value):
    """What was found: files, entries that were made, versions by owner, where requirements were read, what to say."""

    files: tuple[File, ...]
    made: tuple[Entry, ...]
    versions: tuple[tuple[str, str], ...]
    requirements: str | None
    left_to_the_runtime: tuple[str, ...]
    notes: tuple[str, ...]


def gathered(settings: Settings, scratch: str) -> Gathered:
    """Look everywhere and install what is needed below the empty folder `scratch`. Raises `BuildError`."""
    yours = project_files(settings.code, settings.project, [settings.output])
    needed = dependencies(settings, find_installer)
    packages = _installed(needed, settings, scratch)
    roots, notes = _roots(os.path.join(scratch, "roots"))
    ours = [*library_files(_parts_used(yours, settings.handlers)), *roots]
    unwanted = patterns("\n".join(settings.leave_out))
    theirs = [file for file in (*yours, *packages.files) if not is_below_left_out(file.path, unwanted)]
    return Gathered(
        (*theirs, *ours, *_python(settings)),
        _scripts(settings),
        (*packages.versions, (OURS, __version__), (PYTHON, settings.python)),
        needed.file,
        packages.left_to_the_runtime,
        (*needed.notes, *notes),
    )


def _installed(needed: Dependencies, settings: Settings, scratch: str) -> Packages:
    if not needed.wanted:
        return Packages()
    folder, notes = os.path.join(scratch, "packages"), os.path.join(scratch, "installer")
    os.mkdir(folder)
    os.mkdir(notes)
    find_installer().install(needed.wanted, folder, settings, notes)
    return packages_in(folder, without_boto3=settings.without_boto3)


def _parts_used(yours: Iterable[File], handlers: Iterable[str]) -> set[str]:
    """The folders of LambdaLLM that only some projects use and this one names in its code or settings."""
    used = named_parts(" ".join(handlers).encode())
    for file in yours:
        if file.path.endswith((".py", ".yaml", ".yml", ".json")) and file.size < 1_000_000:
            used |= named_parts(content(file))
    return used


def _roots(folder: str) -> tuple[list[File], list[str]]:
    """The authorities to trust as hashed files, made here where LambdaLLM was installed without (from its source)."""
    if os.path.isdir(os.path.join(LIBRARY, "transport", "roots")):
        return [], []
    try:
        from certifi import where
    except ImportError:
        return [], ["TLS reads the runtime's bundle of authorities, 15 ms a cold start: `pip install certifi`."]
    from ..transport.tls_roots import hash_certificates

    hash_certificates(where(), folder)
    files = all_files(folder)
    return [file.replace(path=f"lambdallm/transport/roots/{file.path}", owner=OURS) for file in files], []


def _python(settings: Settings) -> list[File]:
    """The Python to pack, below `python`: the interpreter, its library, and the shared one it may be linked with."""
    if settings.python_home is None:
        return []
    binary, folder = f"bin/python{settings.python}", f"lib/python{settings.python}"
    place, library = (os.path.join(settings.python_home, path) for path in (binary, folder))
    if not os.path.isfile(place) or not os.path.isdir(library):
        fix = f"Name the folder of a Python {settings.python}: `uv python find {settings.python}` is in its bin."
        raise BuildError(f"{settings.python_home!r} has no {binary} or no {folder}.", fix=fix)
    program = file_at(f"python/{binary}", place)
    modules = [file.replace(path=f"python/{folder}/{file.path}") for file in all_files(library, PYTHON_IGNORES)]
    return [file.replace(owner=PYTHON) for file in (program, *modules, *_linked(program, settings))]


def _linked(program: File, settings: Settings) -> list[File]:
    """The library that an interpreter is linked with. Raises `BuildError` where it looks for it in one place only."""
    code = content(program)
    names = set(re.findall(rb"libpython%b\.so[.\d]*" % settings.python.encode(), code))
    if not names:
        return []
    if b"$ORIGIN/../lib" not in code:
        said = f"{program.source!r} can't be moved: it looks for its library in a fixed folder."
        raise BuildError(said, fix=f"Take one that can: `uv python install {settings.python}`.")
    folder = os.path.join(settings.python_home or "", "lib")
    found = (name.decode() for name in sorted(names) if os.path.exists(os.path.join(folder, name.decode())))
    return [file_at(f"python/lib/{name}", os.path.join(folder, name)) for name in found]


def _scripts(settings: Settings) -> tuple[Entry, ...]:
    """The executable that starts our runtime."""
    from ..runtime.scripts import bootstrap, exec_wrapper

    if settings.runtime == "managed":
        text, name = exec_wrapper(settings.interpreter), WRAPPER
    else:
        text, name = bootstrap(settings.interpreter), BOOTSTRAP
    return (Entry(name, RUNTIME, data=text.encode(), executable=True),)
