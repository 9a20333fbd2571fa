"""Measure every codec beside its vendor's SDK and print two tables: `python benchmarks/run_codecs.py`.

No server, no socket: bytes in, values out. It makes the same environments as `run.py`, asks each SDK for what ours
sends, and answers both from memory; README.md beside this file says what is inside each figure.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from statistics import median
from typing import TypeAlias

from codec_cases import PROTOCOLS, SDKS, Protocol
from codec_table import alone_table, record, whole_table
from environments import Environments, compile_clients, install_ours, run, shown_python, versions
from measure import Figure, turns
from peers import BARE, OURS
from process import Loop, clean_environ

_HERE = Path(__file__).parent
_PROJECT = _HERE.parent
_CACHE = _PROJECT / ".bench"
_PATHS = f"import sys; sys.path[:0] = [{str(_HERE)!r}, {str(_HERE / 'clients')!r}]; "

Turn: TypeAlias = tuple[str, str]
"""Whose operation, and which."""


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        pythons = _environments(options.only, fresh=options.fresh)
        results = _measured(options, pythons)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{whole_table(results)}\n\n{alone_table(results)}\n\n{_footer(results, pythons)}")
    if options.json:
        content = {"date": time.strftime("%Y-%m-%d"), "python": shown_python(), "protocols": record(results)}
        options.json.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks/run_codecs.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds: a glance, not a result")
    parser.add_argument("--only", type=_protocols, default=PROTOCOLS, metavar="PROTOCOLS", help="some, with commas")
    parser.add_argument("--words", type=int, default=199, help="how many pieces of text a stream has")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure with its spread")
    parser.add_argument("--fresh", action="store_true", help="make the environments anew, with the newest versions")
    return parser


def _protocols(text: str) -> tuple[Protocol, ...]:
    known = {protocol.name: protocol for protocol in PROTOCOLS}
    if unknown := [name for name in text.split(",") if name not in known]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is no protocol; known: {', '.join(known)}")
    return tuple(known[name] for name in text.split(","))


def _environments(protocols: tuple[Protocol, ...], *, fresh: bool) -> dict[str, str]:
    """The interpreter of each SDK that is measured, and ours."""
    environments = Environments(_CACHE / "environments", fresh=fresh)
    used = {sdk.name: sdk for protocol in protocols for sdk in protocol.sdks}
    pythons = {name: environments.python(name, sdk.packages) for name, sdk in used.items()}
    pythons[OURS] = environments.python(OURS)
    install_ours(pythons[OURS], _PROJECT / "src" / "lambdallm")
    compile_clients(environments.python(BARE), _HERE)
    return pythons


def _measured(options: argparse.Namespace, pythons: dict[str, str]) -> list[tuple[Protocol, dict[Turn, Figure]]]:
    home = _CACHE / "home"
    home.mkdir(exist_ok=True)
    requests = home / "requests.json"
    requests.write_text(run(pythons[OURS], "-I", "-c", f"{_PATHS}from codec_lambdallm import main; main()"))
    rounds, milliseconds = (5, 10) if options.quick else (31, 20)
    results = []
    for protocol in options.only:
        print(f"… {protocol.name}", file=sys.stderr)
        code = f"{_PATHS}from codec_loops import main; main({{!r}}, {protocol.name!r}, {str(requests)!r}, "
        code += f"{options.words}, {milliseconds})"
        results.append((protocol, _figures(protocol, pythons, code, home, rounds)))
    return results


def _figures(protocol: Protocol, pythons: dict[str, str], code: str, home: Path, rounds: int) -> dict[Turn, Figure]:
    """The figures of one protocol: a process for ours and one for each SDK, their operations taken in turns."""
    clients = {OURS: "codec_lambdallm", **{sdk.name: sdk.client for sdk in protocol.sdks}}
    loops = {
        name: Loop([pythons[name], "-I", "-c", code.format(client)], clean_environ(home))
        for name, client in clients.items()
    }
    try:
        samples: dict[Turn, list[float]] = {}
        for name, loop in loops.items():
            operations = (*protocol.whole, *(protocol.alone if name == OURS else ()))
            samples |= {(name, operation): [] for operation in operations if _works(loop, name, operation)}
        for turn in turns(samples, rounds):
            samples[turn].append(loops[turn[0]].round(turn[1]))
    finally:
        for loop in loops.values():
            loop.close()
    return {turn: Figure(taken) for turn, taken in samples.items()}


def _works(loop: Loop, name: str, operation: str) -> bool:
    """Whether an operation runs; the first round also warms it up. One that fails leaves the others their figures."""
    try:
        loop.round(operation)
    except RuntimeError as error:
        print(f"{operation} of {name} can't be measured: {error}", file=sys.stderr)
        return False
    return True


def _footer(results: list[tuple[Protocol, dict[Turn, Figure]]], pythons: dict[str, str]) -> str:
    figures = [figure for _, found in results for figure in found.values()]
    spreads = sorted((high - low) / figure.value for figure in figures for low, high in [figure.spread])
    named = {name: versions(python, SDKS[name].packages[:1]) for name, python in pythons.items() if name != OURS}
    sdks = ", ".join(f"{name} {version}" for found in named.values() for name, version in found.items())
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    noise = f"the middle half of its rounds spans {median(spreads):.0%} of a figure, {spreads[-1]:.0%} at most"
    return f"{time.strftime('%Y-%m-%d')}, {shown_python()}, {platform.machine()}, {load}; {noise}. {sdks}."


if __name__ == "__main__":
    sys.exit(main())
