"""`lambdallm invoke`: run a function once in this process and say what it took.

The result goes to standard output, everything about it to standard error, so that a pipe carries the answer alone.
"""

from __future__ import annotations

import contextlib
import json
import sys

from ..llm.errors import ConfigurationError
from .console import dollars, milliseconds, paint
from .events import read_event
from .faults import explained
from .invocation import LocalContext, invoke
from .target import find_target, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from .invocation import Report


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("invoke", help="run a function once, on one event")
    parser.add_argument("target", nargs="?", help="app.py:lambda_handler; the only handler of app.py if left out")
    event = parser.add_mutually_exclusive_group()
    event.add_argument("--event", metavar="FILE", help="a JSON file with the event; - reads standard input")
    event.add_argument("--data", metavar="JSON", help="the event itself, JSON or plain text")
    parser.add_argument("--json", action="store_true", help="print one JSON object: result, calls, tokens, cost, times")
    add_run_options(parser)


def add_run_options(parser: Any) -> None:
    """Describe what every verb that runs a function takes."""
    parser.add_argument("--model", metavar="NAME", help="a model in the place of the handler's")
    parser.add_argument("--timeout", metavar="S", type=float, default=60.0, help="the function's limit in seconds (60)")


def check_run_options(args: Namespace) -> None:
    """Raise `ConfigurationError` for a model nobody knows or a limit that is none."""
    if not 0 < args.timeout <= 900:
        raise ConfigurationError(f"--timeout is {args.timeout:g}.", fix="Lambda takes 1 to 900 seconds.")
    if args.model:
        from ..core.calls import Route

        Route(args.model)


def run(args: Namespace) -> int:
    """Run the verb."""
    event = read_event(args.event, args.data)
    target = find_target(args.target)
    function = load(target)
    check_run_options(args)
    context = LocalContext(getattr(function, "__name__", target.module), args.timeout, args.model)
    shown = _Shown()
    show = _ignored if args.json else shown.show
    try:
        with contextlib.chdir(target.root):
            result, report = invoke(function, event, context, show)
    except Exception as error:  # whatever the user's code raises
        shown.end_line()
        raise explained(error, target.root) from error
    if args.json:
        print(json.dumps(_machine(result, report), ensure_ascii=False, default=repr))
        return 0
    _print_result(result, streamed=report.first_token_ms is not None)
    print(paint(_summary(result, report, args.timeout), "dim", sys.stderr), file=sys.stderr)
    return 0


class _Shown:
    """Prints pieces as they come, and knows whether a line is open."""

    def __init__(self) -> None:
        self._last = "\n"

    def show(self, text: str) -> None:
        """Print a piece."""
        self._last = text or self._last
        print(text, end="", flush=True)

    def end_line(self) -> None:
        """End the line that the last piece left open, so that an error has one of its own."""
        if not self._last.endswith("\n"):
            print(flush=True)


def _ignored(_: str) -> None:
    return None


def _machine(result: Any, report: Report) -> dict[str, Any]:
    return {"result": result, **report.to_dict()}


def _print_result(result: Any, *, streamed: bool) -> None:
    print("" if streamed else _readable(result), flush=True)


def _readable(result: Any) -> str:
    """A response's body, or the result: JSON with indents, text as it is."""
    body = result.get("body") if isinstance(result, dict) and "statusCode" in result else result
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except ValueError:
            return body
    return body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False, default=repr)


def _summary(result: Any, report: Report, limit: float) -> str:
    status = f"HTTP {result['statusCode']}" if isinstance(result, dict) and "statusCode" in result else ""
    facts = [status, *_calls(report)]
    if report.first_token_ms is not None:
        facts.append(f"first token {milliseconds(report.first_token_ms)}")
    facts.append(f"{milliseconds(report.duration_ms)} in all")
    if report.duration_ms > limit * 1000:
        facts.append(f"over the limit of {limit:g} s: Lambda would have stopped it")
    return " · ".join(fact for fact in facts if fact)


def _calls(report: Report) -> list[str]:
    """What the calls to models came to."""
    if not report.calls:
        return ["no call to a model"]
    count = f"{len(report.calls)} calls" if len(report.calls) > 1 else ""
    tokens = "tokens unknown"
    if report.tokens_in is not None and report.tokens_out is not None:
        tokens = f"{report.tokens_in} tokens in, {report.tokens_out} out"
    warnings = [f"warning: {text}" for call in report.calls for text in call.warnings]
    return [", ".join(report.models), count, tokens, dollars(report.cost_usd), *warnings]
