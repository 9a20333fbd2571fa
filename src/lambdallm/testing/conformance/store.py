"""Check a store of state: that it keeps journals as `lambdallm.state` needs them, or documents as a simple store does.

    def test_my_store():
        report = check_store(MyJournals)            # a store of journals: see `lambdallm.state.store.StateStore`
        assert report.ok, report

    def test_my_simple_store():
        report = check_documents(MyStore)           # get(session_id) and put(session_id, data, ttl_seconds)
        assert report.ok, report

    python -m lambdallm.testing.conformance.store my_package.stores:make_store --processes 3

The second takes the import path of a function without arguments, and has processes race for one journal too. Each check
has a name and keys of its own; nothing that a store held before is touched. Blocking and asynchronous drivers run the
same checks.
"""

from __future__ import annotations

import argparse
import sys

from ..._value import Value
from ...llm.drivers import AsyncDriver, Driver
from ...llm.drivers.failures import imported
from ...llm.errors import InternalError
from ...state.stores import as_journals
from .documents import DOCUMENT_CHECKS
from .journals import JOURNAL_CHECKS, RACES, Failed, raced, racer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from subprocess import Popen
    from typing import Any

    from ...llm.flow import Flow

    Checks = Mapping[str, Callable[[Any, str], Flow[None]]]

DRIVERS = ("blocking", "awaiting")
_SECONDS = 120


class Check(Value):
    """One check of a store: what should hold, under which driver, and what held instead (empty where it holds)."""

    name: str
    driver: str
    problem: str = ""


class StoreReport(Value):
    """All checks of a store. Its text is a line for each, with what went wrong."""

    store: str
    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether all of them hold."""
        return not self.problems

    @property
    def problems(self) -> tuple[Check, ...]:
        """The checks that do not hold."""
        return tuple(check for check in self.checks if check.problem)

    def __str__(self) -> str:
        lines = [f"{self.store}: {len(self.checks) - len(self.problems)} of {len(self.checks)} checks hold"]
        for check in self.checks:
            lines.append(f"  {'FAILS' if check.problem else 'holds'}  {check.name} ({check.driver})")
            lines += [f"         {check.problem}"] if check.problem else []
        return "\n".join(lines)


def check_store(make: Callable[[], Any], *, drivers: Iterable[str] = DRIVERS) -> StoreReport:
    """Check a store of journals that `make()` gives; `drivers` are those it is for."""
    return _checked(make, as_journals, {**JOURNAL_CHECKS, **RACES}, drivers)


def check_documents(make: Callable[[], Any], *, drivers: Iterable[str] = DRIVERS) -> StoreReport:
    """Check a store with `get` and `put`: itself, then the journals that are made of it. It can't win races."""
    alone = _checked(make, lambda store: store, DOCUMENT_CHECKS, drivers)
    return alone.replace(checks=alone.checks + _checked(make, as_journals, JOURNAL_CHECKS, drivers).checks)


def check_processes(path: str, *, processes: int = 3, turns: int = 15) -> StoreReport:
    """Have processes append to one journal of the store that the function at an import path makes, all at once."""
    import subprocess

    store = as_journals(imported(path)())
    key = _key("processes")
    command = [sys.executable, "-m", __spec__.name, path, "--append", key, "--turns", str(turns)]
    runs = [
        subprocess.Popen([*command, "--name", f"writer{number}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for number in range(processes)
    ]
    try:
        said = [run.communicate(timeout=_SECONDS)[1].decode(errors="replace") for run in runs]
    except subprocess.TimeoutExpired:
        said = [f"They were not done after {_SECONDS} seconds."] * processes
    finally:
        _stop(runs)
    names = [f"writer{number}" for number in range(processes)]
    problem = next((text for text, run in zip(said, runs, strict=True) if run.returncode), "")
    problem = problem or _run(raced(store, key, names, turns), "blocking")
    return StoreReport(repr(store), (Check(f"{processes} processes lose nothing of each other", "blocking", problem),))


def _stop(runs: Sequence[Popen[bytes]]) -> None:
    """End the processes that go on."""
    for run in runs:
        if run.poll() is None:
            run.kill()
            run.communicate()


def _checked(
    make: Callable[[], Any], face: Callable[[Any], Any], checks: Checks, drivers: Iterable[str]
) -> StoreReport:
    store = face(make())
    found = [
        Check(name, driver, _run(check(store, _key(str(place))), driver))
        for driver in drivers
        for place, (name, check) in enumerate(checks.items())
    ]
    return StoreReport(repr(store), tuple(found))


def _run(flow: Flow[None], driver: str) -> str:
    """What went wrong in a check."""
    try:
        _DRIVERS[driver](flow)
    except Failed as failed:
        return str(failed)
    except Exception as error:  # noqa: BLE001  # a store that raises has failed this check, and the others go on
        return f"It raised {error!r}."
    return ""


def _blocking(flow: Flow[None]) -> None:
    driver = Driver()
    try:
        driver.run(flow)
    finally:
        driver.close()


def _awaiting(flow: Flow[None]) -> None:
    import asyncio

    async def run() -> None:
        driver = AsyncDriver()
        try:
            await driver.run(flow)
        finally:
            await driver.aclose()

    asyncio.run(run())


_DRIVERS: dict[str, Callable[[Flow[None]], None]] = {"blocking": _blocking, "awaiting": _awaiting}


def _key(name: str) -> str:
    """A key that nobody has."""
    from os import urandom

    return f"conformance:{urandom(6).hex()}:{name}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the store that the arguments name, print the report, and return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        make = imported(options.store)
    except InternalError as error:
        parser.error(f"{error.message} Name what makes the store, like my_package.stores:make_store.")
    if options.append:
        _blocking(racer(as_journals(make()), options.append, options.name, options.turns))
        return 0
    check = check_documents if options.documents else check_store
    reports = [check(make, drivers=options.drivers)]
    if options.processes > 1:
        reports.append(check_processes(options.store, processes=options.processes, turns=options.turns))
    print(*reports, sep="\n")  # noqa: T201  # this is a program's output
    return 0 if all(report.ok for report in reports) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lambdallm.testing.conformance.store", description="Check a store.")
    parser.add_argument("store", metavar="MODULE:FUNCTION", help="what makes the store")
    parser.add_argument("--documents", action="store_true", help="the store has get and put")
    parser.add_argument("--drivers", nargs="+", choices=DRIVERS, default=DRIVERS, help="the drivers it is for")
    parser.add_argument("--processes", type=int, default=1, help="so many processes race for one journal")
    parser.add_argument("--turns", type=int, default=15, help="how often each of them appends")
    parser.add_argument("--append", help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
