"""The order of a build: gather, plan, compile, check, write. Each step is a module of its own."""

from __future__ import annotations

import tempfile

from . import archive, bytecode
from .bytecode import Source, entries_of, find_python, stays
from .collect import content
from .gather import gathered
from .image import standard_of
from .native import check_binary
from .plan import Entry, Plan, plan
from .report import Report, check_unzipped, parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .gather import Gathered
    from .report import Part
    from .settings import Settings


def build(settings: Settings) -> Report:
    """Write the package that is asked for and say what it came to.

    Raises `BuildError`; a file that was there before is then as it was.
    """
    archive.check_place(settings.output)
    with tempfile.TemporaryDirectory(prefix="lambdallm-build-") as scratch:
        found = gathered(settings, scratch)
        planned = plan(found.files, found.made)
        _checked(planned.entries, found, settings)  # before anything large is read
        texts = {entry.path: _bytes(entry) for entry in planned.entries if entry.path.endswith(".py")}
        final, compiled = _with_bytecode(planned, texts, settings)
        sizes = _checked(final.entries, found, settings)
        notes: list[str] = []
        written = archive.write(settings.output, _packed(final.entries, texts, settings, notes))
        report = _report(settings, found, written, sizes)
        return report.replace(compiled=compiled, notes=(*found.notes, *final.notes, *notes))


def _checked(entries: Iterable[Entry], found: Gathered, settings: Settings) -> tuple[Part, ...]:
    """Whose how much is. Raises `BuildError` where it is more than Lambda takes."""
    sizes = parts(((entry.owner, entry.size) for entry in entries), dict(found.versions))
    check_unzipped(sizes, runtime=settings.runtime)
    return sizes


def _with_bytecode(planned: Plan, texts: Mapping[str, bytes], settings: Settings) -> tuple[Plan, int]:
    """The plan with every module's compiled form and without the sources that are not wanted; how many there are."""
    if not settings.bytecode:
        return planned, 0
    python = find_python(settings.python, settings.python_home)
    sources = [Source(entry.path, entry.owner, texts[entry.path]) for entry in planned.entries if entry.path in texts]
    modules, notes = bytecode.compiled(sources, python, settings)
    gone = {source.path for source in sources if not stays(source, settings)}
    gone -= {note.partition(" ")[0] for note in notes}
    kept = [entry for entry in planned.entries if entry.path not in gone]
    standard = standard_of(python, settings, planned.entries)
    again = plan([], (*kept, *entries_of(modules, settings, standard)))
    return Plan(again.entries, (*planned.notes, *notes)), len(modules)


def _packed(
    entries: Iterable[Entry], texts: Mapping[str, bytes], settings: Settings, notes: list[str]
) -> Iterator[tuple[str, bytes, bool]]:
    """The entries as they are written, each read when its turn comes; notes are added as binaries are met."""
    for entry in entries:
        data = texts[entry.path] if entry.path in texts else _bytes(entry)
        if (note := check_binary(entry.path, entry.owner, data, settings)) is not None:
            notes.append(note)
        yield entry.path, data, entry.executable


def _bytes(entry: Entry) -> bytes:
    if entry.data is not None:
        return entry.data
    return content(entry.file) if entry.file is not None else b""


def _report(settings: Settings, found: Gathered, written: archive.Written, sizes: tuple[Part, ...]) -> Report:
    return Report(
        output=settings.output,
        sha256=written.sha256,
        zipped=written.zipped,
        unzipped=written.unzipped,
        parts=sizes,
        handlers=settings.handlers,
        python=settings.python,
        arch=settings.arch,
        runtime=settings.runtime,
        requirements=found.requirements,
        left_to_the_runtime=found.left_to_the_runtime,
    )
