"""Measure Lambda cold starts side by side: from starting a function's process to its first answer.

Each function runs as Lambda runs it: a fresh process, AWS's runtime client or ours, a Runtime API on loopback that has
an invocation waiting, and one call to a model that answers on loopback. README.md says how to read the table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles

from certificates import Certificates, certificates
from environments import Environments, base_python, compile_folder, python_version, run, shown_python
from lambda_api import ColdStart, cold_start
from measure import turns, working
from process import Stub, clean_environ
from table import markdown

_HERE = Path(__file__).parent
_PROJECT = _HERE.parent
_CACHE = _PROJECT / ".bench"
_AWS, _OURS = "awslambdaric", "LambdaLLM's"
_BY_LAMBDALLM = (
    "-c",
    f"import sys; sys.path.insert(0, {str(_PROJECT / 'src')!r}); from lambdallm.cli.main import main; sys.exit(main())",
)


@dataclass(frozen=True)
class Case:
    """A row: a function, what it needs, which runtime client runs it, and how its model is reached."""

    label: str
    function: str
    packages: tuple[str, ...] = ()
    runtime: str = _AWS
    tls: str = ""
    """Empty for HTTP, else how the authorities are found: a `directory` or a `bundle`."""

    large: bool = False
    target: str = ""
    """What it has to stay under, in terms of the first row: `+20` milliseconds, or `+0`."""


_OPENAI = ("openai",)
_LITELLM = ("litellm",)
CASES = (
    Case("says hello, calls nobody", "trivial"),
    Case("says hello, calls nobody", "trivial", runtime=_OURS),
    Case("LambdaLLM", "with_lambdallm", target="+20"),
    Case("LambdaLLM", "with_lambdallm", runtime=_OURS, target="+0"),
    Case("LambdaLLM", "with_lambdallm", tls="directory", target="+20"),
    Case("LambdaLLM", "with_lambdallm", runtime=_OURS, tls="directory", target="+0"),
    Case("boto3, Bedrock Converse", "with_boto3", ("boto3",)),
    Case("boto3, Bedrock Converse", "with_boto3", ("boto3",), tls="bundle"),
    Case("openai", "with_openai", _OPENAI),
    Case("openai", "with_openai", _OPENAI, tls="directory"),
    Case("langchain-openai", "with_langchain", ("langchain-openai",)),
    Case("litellm", "with_litellm", _LITELLM, large=True),
    Case("litellm + FastAPI + Mangum", "with_litellm_fastapi", (*_LITELLM, "fastapi", "mangum"), large=True),
)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    cases = [case for case in CASES if options.all or not case.large]
    if options.only:
        cases = [case for case in cases if any(word in f"{case.function} {case.label}" for word in options.only)]
    try:
        taken = _measured(cases, options)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(_table(cases, taken))
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    print(f"\n{time.strftime('%Y-%m-%d')}, {shown_python()}, {load}, {options.rounds} rounds.")
    if options.json:
        options.json.write_text(json.dumps(_record(cases, taken), indent=1, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run_lambda.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="processes for each row (25)")
    parser.add_argument("--only", nargs="*", metavar="WORD", help="rows whose names contain one of these words")
    parser.add_argument("--all", action="store_true", help="also measure LiteLLM's, a large download")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure with its spread")
    parser.add_argument("--fresh", action="store_true", help="fetch the packages anew, in their newest versions")
    return parser


def _measured(cases: list[Case], options: argparse.Namespace) -> dict[int, list[ColdStart]]:
    environments = Environments(_CACHE / "environments", fresh=options.fresh)
    tasks = {number: _task(environments, case) for number, case in enumerate(cases)}
    runtime = environments.target("runtime", ("awslambdaric",))
    trust = certificates(_CACHE / "certificates")
    home = _CACHE / "home"
    home.mkdir(exist_ok=True)
    with Stub([environments.python("bare"), str(_HERE / "stub.py"), str(trust.server), str(trust.key)]) as stub:
        runs = {
            str(number): (_command(case, tasks[number]), _environ(case, tasks[number], runtime, stub, trust, home))
            for number, case in enumerate(cases)
        }
        works = working(runs, lambda run: cold_start(*run))  # also fills the file cache
        taken: dict[int, list[ColdStart]] = {int(number): [] for number in works}
        for number in turns(works, options.rounds):
            taken[int(number)].append(cold_start(*runs[number]))
    return taken


def _task(environments: Environments, case: Case) -> Path:
    """The folder that would be `/var/task`: the function and what it needs, compiled."""
    function = _HERE / "functions" / f"{case.function}.py"
    place = _CACHE / "environments" / f"task-{case.function}"
    if case.function == "with_lambdallm" or case.runtime == _OURS:
        return _built(place, function)
    if case.packages:
        place = Path(environments.target(place.name, case.packages))
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(function, place)
    compile_folder(base_python(), place)
    return place


def _built(place: Path, function: Path) -> Path:
    """What `lambdallm build` makes of a function, unpacked as Lambda does."""
    project, package = place.with_suffix(".project"), place.with_suffix(".zip")
    for folder in (project, place):
        shutil.rmtree(folder, ignore_errors=True)
    project.mkdir(parents=True)
    shutil.copy(function, project)
    target = f"{project / function.name}:handler"
    run(sys.executable, *_BY_LAMBDALLM, "build", target, "--python", python_version(), "-o", str(package))
    shutil.unpack_archive(package, place)
    return place


def _command(case: Case, task: Path) -> list[str]:
    if case.runtime == _OURS:
        return [base_python(), "-S", str(task / "lambdallm-wrapper")]  # as its first line says
    return [base_python(), str(_HERE / "functions" / "aws_bootstrap.py")]


def _environ(case: Case, task: Path, runtime: str, stub: Stub, trust: Certificates, home: Path) -> dict[str, str]:
    url = f"https://localhost:{stub.https}" if case.tls else f"http://127.0.0.1:{stub.http}"
    environ = clean_environ(home) | {
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": f"{case.function}.handler",
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "MEASURED_RUNTIME": runtime,
        "OPENAI_API_KEY": "sk-benchmark",
        "OPENAI_BASE_URL": f"{url}/v1",
        "AWS_ENDPOINT_URL": url,
    }
    if case.tls == "directory":
        environ["SSL_CERT_DIR"] = str(trust.directory)
    if case.tls == "bundle":
        environ["SSL_CERT_FILE"] = environ["AWS_CA_BUNDLE"] = str(trust.bundle)
    return environ


def _table(cases: list[Case], taken: dict[int, list[ColdStart]]) -> str:
    """A line for each case: milliseconds from start to answer, how many times the first row's, CPU time, memory."""
    first = _milliseconds(taken[0]) if 0 in taken else None
    lines = [["function", "runtime", "over", "ms", "least", "", "target", "", "CPU ms", "peak MB"]]
    for number, case in enumerate(cases):
        if starts := taken.get(number):
            lines.append(_line(case, starts, first))
    return markdown(lines)


def _line(case: Case, starts: list[ColdStart], first: float | None) -> list[str]:
    wall = _milliseconds(starts)
    over = {"": "–" if case.function == "trivial" else "HTTP", "directory": "TLS", "bundle": "TLS, bundle"}[case.tls]
    times, target, verdict = "", "", ""
    if first:
        times = f"×{wall / first:.1f}" if wall < 10 * first else f"×{wall / first:.0f}"
    if first and case.target:
        limit = first + float(case.target)
        target, verdict = f"≤ {limit:.1f}", "met" if wall <= limit else "MISSED"
    cpu, peak = median(start.cpu_ms for start in starts), median(start.peak_mb for start in starts)
    least = min(start.wall_ms for start in starts)
    figures = [f"{wall:,.1f}", f"{least:,.1f}", times, target, verdict, f"{cpu:,.1f}", f"{peak:,.1f}"]
    return [case.label, case.runtime, over, *figures]


def _milliseconds(starts: list[ColdStart]) -> float:
    return median(start.wall_ms for start in starts)


def _record(cases: list[Case], taken: dict[int, list[ColdStart]]) -> list[dict[str, object]]:
    return [
        {
            "function": case.label,
            "runtime": case.runtime,
            "tls": case.tls,
            "wall_ms": _spread([start.wall_ms for start in starts]),
            "cpu_ms": _spread([start.cpu_ms for start in starts]),
            "peak_mb": median(start.peak_mb for start in starts),
        }
        for number, case in enumerate(cases)
        if (starts := taken.get(number))
    ]


def _spread(samples: list[float]) -> dict[str, float]:
    low, middle, high = quantiles(samples, n=4)
    return {"median": round(middle, 2), "low": round(low, 2), "high": round(high, 2)}


if __name__ == "__main__":
    sys.exit(main())
