"""The measures: fresh processes taken in turns with bare Python, and warm loops round by round.

Peers take turns within a round, in an order that changes, so that a busy moment of the machine hits all of them.
What is shown is the median; a figure "over bare Python" is the median of the differences within each round.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import TypeVar

from certificates import Certificates
from peers import BARE, Row
from process import Loop, Sample, Stub, clean_environ, fresh

_HERE = Path(__file__).parent
_PATHS = f"import sys; sys.path[:0] = [{str(_HERE)!r}, {str(_HERE / 'clients')!r}]; "
_MARK = "; import os; os.write(1, b'.')"
_ON_RUNTIME = (
    "import sys; sys.path.append({folder!r}); import awslambdaric.bootstrap; from time import perf_counter; "
    "begun = perf_counter(); {code}; ended = perf_counter(); "
    "import os; os.write(1, b'.'); os.write(1, str((ended - begun) * 1000).encode())"
)

Case = TypeVar("Case")


@dataclass
class Figure:
    """The samples of one row for one peer, in the row's unit."""

    samples: list[float]
    cpu: list[float] = field(default_factory=list)
    peak_mb: list[float] = field(default_factory=list)

    @property
    def value(self) -> float:
        return median(self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """The first and third quartile."""
        low, _, high = quantiles(self.samples, n=4)
        return low, high


@dataclass(frozen=True)
class Bench:
    """Everything a measurement needs: interpreters by peer, the stub, certificates, and how many rounds."""

    pythons: dict[str, str]
    runtime: str
    stub: Stub
    certificates: Certificates | None
    home: Path
    processes: int
    rounds: int

    def measure(self, row: Row) -> dict[str, Figure]:
        """A figure for each peer of a row that has an interpreter."""
        cases = {name: case for name, case in row.cases.items() if name in self.pythons}
        if row.kind == "loop":
            return self._loops(row, cases)
        commands = {name: self._command(row, name, case) for name, case in cases.items()}
        if row.kind == "import_on_runtime":
            samples = self._fresh(row, commands)
            return {name: Figure([float(s.said) for s in taken]) for name, taken in samples.items()}
        bare = "client_bare" if row.kind == "first" else "pass"
        samples = self._fresh(row, {BARE: self._command(row, BARE, bare), **commands})
        base = samples[BARE]
        figures = {name: _over(base, taken) for name, taken in samples.items() if name != BARE}
        return figures | {BARE: Figure([sample.wall_ms for sample in base], peak_mb=_peaks(base))}

    def _fresh(self, row: Row, commands: dict[str, list[str]]) -> dict[str, list[Sample]]:
        environ = self._environ(row)
        works = working(commands, lambda command: fresh(command, environ))  # also fills the file cache
        samples: dict[str, list[Sample]] = {name: [] for name in works}
        for name in turns(works, self.processes):
            samples[name].append(fresh(commands[name], environ))
        return samples

    def _loops(self, row: Row, cases: dict[str, str]) -> dict[str, Figure]:
        environ = self._environ(row)
        loops = {name: Loop(self._loop_command(row, name, case), environ) for name, case in cases.items()}
        try:
            works = working(loops, Loop.round)  # also connects, and warms the interpreter
            samples: dict[str, list[float]] = {name: [] for name in works}
            for name in turns(works, self.rounds):
                samples[name].append(loops[name].round() / row.per)
        finally:
            for loop in loops.values():
                loop.close()
        return {name: Figure(taken) for name, taken in samples.items()}

    def _command(self, row: Row, name: str, case: str) -> list[str]:
        if row.kind == "import":
            code = case + _MARK
        elif row.kind == "import_on_runtime":
            code = _ON_RUNTIME.format(folder=self.runtime, code=case)
        else:
            code = f"{_PATHS}from child import first; first({case!r}, {self._url(row)!r})"
        return [self.pythons[name], "-I", "-c", code]

    def _loop_command(self, row: Row, name: str, case: str) -> list[str]:
        arguments = f"{case!r}, {row.function!r}, {self._url(row)!r}, {row.calls}"
        return [self.pythons[name], "-I", "-c", f"{_PATHS}from loops import main; main({arguments})"]

    def _url(self, row: Row) -> str:
        if row.url in ("directory", "bundle"):
            return f"https://localhost:{self.stub.https}"
        return f"http://127.0.0.1:{self.stub.http}" + ("/paced" if row.url == "paced" else "")

    def _environ(self, row: Row) -> dict[str, str]:
        environ = clean_environ(self.home)
        if self.certificates and row.url == "directory":
            environ["SSL_CERT_DIR"] = str(self.certificates.directory)
        if self.certificates and row.url == "bundle":
            environ["SSL_CERT_FILE"] = environ["AWS_CA_BUNDLE"] = str(self.certificates.bundle)
        return environ


def working(cases: dict[str, Case], attempt: Callable[[Case], object]) -> list[str]:
    """The names of the cases that run; one that fails is reported, and leaves the others their row."""
    works = []
    for name, case in cases.items():
        try:
            attempt(case)
            works.append(name)
        except RuntimeError as error:
            print(f"{name} can't be measured: {error}", file=sys.stderr)
    return works


def turns(names: Iterable[str], rounds: int) -> Iterable[str]:
    """Each name once a round, in an order of its own."""
    order = list(names)
    for _ in range(rounds):
        random.shuffle(order)
        yield from order


def _over(base: list[Sample], taken: list[Sample]) -> Figure:
    return Figure(
        [sample.wall_ms - bare.wall_ms for sample, bare in zip(taken, base, strict=True)],
        [sample.cpu_ms - bare.cpu_ms for sample, bare in zip(taken, base, strict=True)],
        _peaks(taken),
    )


def _peaks(taken: list[Sample]) -> list[float]:
    return [int(sample.said) / 1024 for sample in taken if sample.said]
