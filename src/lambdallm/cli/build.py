"""`lambdallm build`: write the zip that AWS Lambda takes, and say how large it is and whose its bytes are."""

from __future__ import annotations

import json
import os
import sys

from ..deploy.errors import BuildError
from .console import paint, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from ..deploy.report import Report
    from ..deploy.settings import Settings

_SHOWN = 10
"""How many parts the table has; the rest is one line."""


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("build", help="make the zip that AWS Lambda takes")
    parser.add_argument("target", nargs="?", help="app.py:lambda_handler, app.py, or a folder; app.py if left out")
    parser.add_argument("-o", "--output", metavar="FILE", help="the zip to write (dist/NAME.zip in the project)")
    parser.add_argument("--python", metavar="3.N", help="the version of Python on Lambda (this one's)")
    parser.add_argument("--arch", choices=("x86_64", "arm64"), default="x86_64", help="the processor (x86_64)")
    parser.add_argument(
        "--runtime", choices=("managed", "provided"), default="managed", help="AWS's Python, or your own"
    )
    parser.add_argument("--python-home", metavar="DIR", help="a Python installation to pack, for --runtime provided")
    parser.add_argument("--requirements", metavar="FILE", help="in the place of the file found in the project")
    parser.add_argument(
        "--without-boto3", action="store_true", help="leave boto3 to the managed runtime, which has one"
    )
    parser.add_argument(
        "--leave-out", metavar="PATTERN", action="append", default=[], help="a path not to pack; repeatable"
    )
    parser.add_argument("--no-sources", action="store_true", help="pack dependencies as bytecode alone")
    parser.add_argument(
        "--no-bytecode", action="store_true", help="compile nothing: cold starts take about twice as long"
    )
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")


def run(args: Namespace) -> int:
    """Run the verb."""
    from ..deploy.build import build

    report = build(_settings(args))
    if args.json:
        print(json.dumps(report.to_dict(), ensure_ascii=False))
        return 0
    print(_readable(report))
    for warning in report.warnings:
        print(f"{paint('warning:', 'yellow', sys.stderr)} {warning}", file=sys.stderr)
    return 0


def _settings(args: Namespace) -> Settings:
    from ..deploy.handlers import handlers_of
    from ..deploy.places import place_of, project_of
    from ..deploy.settings import Settings
    from .target import find_target

    if args.no_sources and args.no_bytecode:
        raise BuildError("With neither sources nor bytecode nothing is left.", fix="Leave out one of the options.")
    target = find_target(args.target)
    code, module = (target.root, target.module) if "." in target.module else place_of(target.file)
    project = project_of(code, os.getcwd())
    output = args.output or os.path.join(project, "dist", f"{os.path.basename(project) or 'function'}.zip")
    options = {"python": args.python} if args.python else {}
    return Settings(
        code=code,
        project=project,
        output=output,
        handlers=handlers_of(target.file, module, target.name),
        arch=args.arch,
        runtime=args.runtime,
        requirements=args.requirements,
        python_home=args.python_home,
        sources=not args.no_sources,
        bytecode=not args.no_bytecode,
        without_boto3=args.without_boto3,
        leave_out=tuple(args.leave_out),
        **options,
    )


def _readable(report: Report) -> str:
    from ..deploy.report import UNZIPPED_BYTES, UPLOAD_BYTES, megabytes

    rows = [(part.owner, part.version, megabytes(part.unzipped), f"{part.files}") for part in report.parts[:_SHOWN]]
    if rest := report.parts[_SHOWN:]:
        files = sum(part.files for part in rest)
        rows.append((f"{len(rest)} more", "", megabytes(sum(part.unzipped for part in rest)), f"{files}"))
    sizes = (
        f"{megabytes(report.zipped)} zipped ({report.zipped / UPLOAD_BYTES:.0%} of {megabytes(UPLOAD_BYTES)}), "
        f"{megabytes(report.unzipped)} unzipped ({report.unzipped / UNZIPPED_BYTES:.0%} of {megabytes(UNZIPPED_BYTES)})"
    )
    return "\n".join([table(("", "version", "unzipped", "files"), rows, right=(2, 3)), "", *_facts(report, sizes)])


def _facts(report: Report, sizes: str) -> list[str]:
    from ..deploy.gather import WRAPPER
    from ..deploy.settings import TASK_ROOT

    runtime = f"python{report.python}" if report.runtime == "managed" else "provided.al2023"
    facts = [
        f"{paint(os.path.relpath(report.output), 'bold', sys.stdout)}  {sizes}",
        f"sha256   {report.sha256}",
        f"runtime  {runtime}, {report.arch}; {report.compiled or 'no'} modules compiled",
        f"handler  {', '.join(report.handlers)}",
    ]
    if report.left_to_the_runtime:
        facts.append(f"left to the runtime: {', '.join(report.left_to_the_runtime)}")
    if report.runtime == "managed":
        facts.append(f"to start in LambdaLLM's own runtime, set AWS_LAMBDA_EXEC_WRAPPER={TASK_ROOT}/{WRAPPER}")
    return facts
