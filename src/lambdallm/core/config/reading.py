"""A file of settings, read by its table: checked as a whole, one environment laid over it, its references filled in.

It knows no setting by name: the project's file and the gateway's are read by it, each with its own table and checks.
"""

from __future__ import annotations

from ...llm.errors import ConfigurationError
from .document import mapping_in, read_document
from .variables import filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike
    from typing import Any, NoReturn

    from .document import Document
    from .kinds import Kind, Path, Problem

    Check = Callable[[Mapping[str, Any]], Iterable[Problem]]


class ConfigFileError(ConfigurationError):
    """What is wrong in a file of settings. `problems` are all of them: line, column, what is wrong, what to do."""

    def __init__(self, message: str, *, fix: str, problems: tuple[tuple[int, int, str, str], ...]) -> None:
        super().__init__(message, fix=fix)
        self.problems = problems


def settings_in(path: str | PathLike[str], kind: Kind, environ: Mapping[str, str], check: Check) -> dict[str, Any]:
    """What applies of a file whose top is a `kind`; `check` finds what no table can.

    `environments` of it holds settings by the name in LAMBDALLM_ENV. Raises `ConfigFileError` naming all places, and
    `ConfigurationError` for a file that can't be read.
    """
    document = read_document(path)
    data = mapping_in(document)
    problems = list(kind.problems(data, ()))
    if problems:
        refuse(document, problems)
    values = {name: held for name, held in data.items() if name not in ("$schema", "environments")}
    stage: Path = ("environments", environ.get("LAMBDALLM_ENV") or "")
    own = data.get("environments", {}).get(stage[1]) or {}
    merged = filled(merge(values, own), kind, environ, (), problems)
    problems += check(merged)
    if problems:
        refuse(document, [_at_home(problem, own, stage) for problem in problems])
    return dict(merged)


def _at_home(problem: Problem, own: Any, stage: Path) -> Problem:
    """A problem of merged settings where it was written: among those of the environment, if they have it."""
    for step in problem.path:
        try:
            own = own[step]
        except (KeyError, IndexError, TypeError):
            return problem
    return problem.replace(path=(*stage, *problem.path))


def refuse(document: Document, problems: list[Problem]) -> NoReturn:
    """Raise for what is wrong, all at once."""
    told = tuple((*document.place(each.path), each.said, each.fix) for each in problems)
    if len(told) == 1:
        ((line, column, said, fix),) = told
        raise ConfigFileError(f"{document.name}, line {line}, column {column}: {said}", fix=fix, problems=told)
    lines = "".join(f"\n  line {line}, column {column}: {said} {fix}" for line, column, said, fix in told)
    raise ConfigFileError(f"{document.name} has {len(told)} mistakes:{lines}\n", fix="Correct them.", problems=told)


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Two trees of settings as one: mappings are merged, of all else the upper one counts."""
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = merge(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def unknown_providers(keys: Mapping[str, str], known: Iterable[str]) -> list[Problem]:
    """The providers among `api_keys` that nobody knows."""
    from ...llm.catalog.definition import suggestion
    from .kinds import Problem

    names = list(known)
    strange = (name for name in keys if name not in names)
    return [Problem(("api_keys", name), f"unknown provider {name!r}.", suggestion(name, names)) for name in strange]
