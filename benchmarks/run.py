"""Measure LambdaLLM beside other clients and print one table: `python benchmarks/run.py`.

Needs nothing but the standard library. It makes an environment for each client under `.bench/`, starts a stub server
on loopback, and measures; README.md beside this file says how and how to read it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

from certificates import certificates
from environments import Environments, compile_clients, install_ours, shown_python, versions
from measure import Bench, Figure
from peers import BARE, GROUPS, LARGE, OURS, PEERS, ROWS, RUNTIME, Peer, Row
from process import Stub
from table import Results, bare_line, record, table

_HERE = Path(__file__).parent
_PROJECT = _HERE.parent
_CACHE = _PROJECT / ".bench"


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    peers = [peer for peer in PEERS if options.all or peer.name not in LARGE]
    rows = [row for row in ROWS if row.group in options.only]
    try:
        results, used = _measured(peers, rows, options)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(results, [peer.name for peer in peers]))
    print(_footer(results, used))
    if options.json:
        _save(options.json, results, used)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a glance, not a result")
    parser.add_argument("--only", type=_groups, default=GROUPS, metavar="GROUPS", help=f"some of {','.join(GROUPS)}")
    parser.add_argument("--all", action="store_true", help=f"also measure {', '.join(LARGE)}, a large download")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure with its spread")
    parser.add_argument("--fresh", action="store_true", help="make the environments anew, with the newest versions")
    return parser


def _groups(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    for name in names:
        if name not in GROUPS:
            raise argparse.ArgumentTypeError(f"{name!r} is no group; known: {', '.join(GROUPS)}")
    return names


def _measured(peers: list[Peer], rows: list[Row], options: argparse.Namespace) -> tuple[Results, dict[str, str]]:
    environments = Environments(_CACHE / "environments", fresh=options.fresh)
    pythons = {peer.name: environments.python(peer.name, peer.packages) for peer in peers}
    pythons[BARE] = environments.python(BARE)
    runtime = environments.target("runtime", RUNTIME)
    install_ours(pythons[OURS], _PROJECT / "src" / "lambdallm")
    compile_clients(pythons[BARE], _HERE)
    trust = certificates(_CACHE / "certificates")
    home = _CACHE / "home"
    home.mkdir(exist_ok=True)
    used = {
        peer.name: versions(pythons[peer.name], peer.packages[:1])[peer.packages[0]] for peer in peers if peer.packages
    }
    with Stub([pythons[BARE], str(_HERE / "stub.py"), str(trust.server), str(trust.key)]) as stub:
        processes, rounds = (5, 3) if options.quick else (21, 7)
        bench = Bench(pythons, runtime, stub, trust, home, processes, rounds)
        return _run_rows(bench, rows), used


def _run_rows(bench: Bench, rows: list[Row]) -> Results:
    results: Results = []
    for number, row in enumerate(rows, 1):
        _progress(f"{number}/{len(rows)} {row.label}")
        figures = bench.measure(row)
        results.append((row, figures))
        results += _memory(row, figures)
    _progress("")
    return results


def _memory(row: Row, figures: dict[str, Figure]) -> Results:
    """The peak memory of the processes that a row of first answers has run anyway."""
    if row.kind != "first" or row.url != "http":
        return []
    label = f"peak memory after the {row.label}"
    taken = {name: Figure(figure.peak_mb) for name, figure in figures.items() if figure.peak_mb}
    return [(Row(row.group, label, "MB", row.kind, row.cases), taken)]


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _footer(results: Results, used: dict[str, str]) -> str:
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    named = ", ".join(f"{name} {version}" for name, version in used.items())
    return (
        f"\n{bare_line(results)} {time.strftime('%Y-%m-%d')}, {shown_python()}, {platform.machine()}, {load}. {named}."
    )


def _save(file: Path, results: Results, used: dict[str, str]) -> None:
    content = {"date": time.strftime("%Y-%m-%d"), "python": shown_python(), "versions": used, "rows": record(results)}
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    sys.exit(main())
