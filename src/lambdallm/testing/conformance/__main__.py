"""`python -m lambdallm.testing.conformance`: check the codecs against a corpus of recorded exchanges.

Exits with 0 when nothing failed, 1 when something did, 2 when the arguments make no sense.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .report import as_json, as_table, files, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .report import Outcome

_SHOWN_FAILURES = 10
_SHOWN_DIFFERENCES = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the check that the arguments describe and return the exit code."""
    options = _parser().parse_args(arguments)
    corpus = Path(options.corpus)
    if problem := _problem(corpus, options.provider):
        print(f"conformance: {problem}", file=sys.stderr)  # noqa: T201 - this is a program's output
        return 2
    try:
        outcomes = run(corpus, options.provider)
    except ValueError as problem:
        print(f"conformance: {problem}. Remove or repair it.", file=sys.stderr)  # noqa: T201 - this is a program's output
        return 2
    lines = [as_json(outcomes) if options.json else as_table(outcomes)]
    if options.verbose and not options.json:
        lines += _failures(outcomes)
    print("\n".join(lines))  # noqa: T201 - this is a program's output
    return 1 if any(outcome.verdict == "failed" for outcome in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lambdallm.testing.conformance",
        description="Check the codecs against recorded exchanges with providers.",
    )
    parser.add_argument("--corpus", required=True, metavar="DIR", help="folder with <provider>/<api>/<id>.json")
    parser.add_argument("--provider", metavar="P", help="only this provider's exchanges")
    parser.add_argument("--json", action="store_true", help="print counts and failures as JSON")
    parser.add_argument("--verbose", action="store_true", help="print the first differences of failures")
    return parser


def _problem(corpus: Path, provider: str | None) -> str | None:
    """What is wrong with the arguments, with the folder's name."""
    if not corpus.is_dir():
        return f"{str(corpus)!r} is no folder. Give the folder that holds <provider>/<api>/<id>.json."
    if not files(corpus, provider):
        where = f"{str(corpus)!r} has no exchanges" + (f" of provider {provider!r}" if provider else "")
        return f"{where}. Give the folder that holds <provider>/<api>/<id>.json."
    return None


def _failures(outcomes: Sequence[Outcome]) -> list[str]:
    lines: list[str] = []
    for outcome in [o for o in outcomes if o.verdict == "failed"][:_SHOWN_FAILURES]:
        lines += ["", f"{outcome.provider}/{outcome.api}/{outcome.id}"]
        lines += [f"  {difference}" for difference in outcome.differences[:_SHOWN_DIFFERENCES]]
    return lines


if __name__ == "__main__":
    sys.exit(main())
