"""The command's door: which verb was typed, and how its failures are told.

A verb is a module of this package with `add_parser(subparsers)` and `run(args) -> int`. Only the chosen one is
imported: `lambdallm --help` must stay instant, so nothing here may import the library at the top.

Exit codes: 0 done, 1 the function (or LambdaLLM) has a bug, 2 something you can put right, 130 Ctrl-C, 141 broken pipe.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

VERBS = {
    "init": "start a project from a template",
    "dev": "serve the project on this machine, reloaded on every change, with a playground",
    "invoke": "run a function once, on one event",
    "gateway": "serve an OpenAI-compatible gateway for OpenAI's, Anthropic's and Gemini's clients",
    "keys": "make, list, change, rotate and revoke the API keys of a gateway",
    "build": "make the zip that AWS Lambda takes",
    "local": "fetch, find or remove the embedded model",
    "providers": "list the providers and whether their keys are set",
    "config": "check the project's settings, or print their JSON Schema",
    "models": "list the models with context windows and prices",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; the arguments are those of the process unless given."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    try:
        code = _run([word for word in words if word != "--debug"])
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _quiet()
    except Exception as error:  # noqa: BLE001  # the last stop: told in one line
        return _failed(error, debug)


def _run(words: list[str]) -> int:
    verb = next((word for word in words if not word.startswith("-")), None)
    try:
        args, unknown = _parser(verb).parse_known_args(words or ["--help"])
    except SystemExit as stop:  # argparse has printed its help or the version
        return stop.code if isinstance(stop.code, int) else 2
    if unknown or verb is None:
        Parser(prog=f"lambdallm {verb or ''}".strip()).error(f"{(unknown or ['the command'])[0]!r} is not understood")
    code: int = import_module(f".{args.verb}", __package__).run(args)
    return code


def _parser(verb: str | None) -> Parser:
    if verb is not None and verb not in VERBS:
        raise _unknown(verb)
    parser = Parser(
        prog="lambdallm",
        usage="lambdallm [-h] [--version] [--debug] <verb> ...",
        description="Language models behind AWS Lambda.",
        epilog="verbs:\n" + "\n".join(f"  {name:<11} {summary}" for name, summary in VERBS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    parser.add_argument("--debug", action="store_true", help="show tracebacks; works with every verb")
    verbs = parser.add_subparsers(dest="verb", prog="lambdallm", metavar="<verb>", help=argparse.SUPPRESS)
    if verb is not None:
        import_module(f".{verb}", __package__).add_parser(verbs)
    return parser


class Parser(argparse.ArgumentParser):
    """Tells a mistake the way every other error is told."""

    def error(self, message: str) -> NoReturn:
        """Raise the mistake as an error that names the help."""
        from ..llm.errors import ConfigurationError

        raise ConfigurationError(f"{message}.", fix=f"See `{self.prog} --help`.")


class _Version(argparse.Action):
    """Prints the version, read only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from .._version import __version__

        print(f"lambdallm {__version__}")
        parser.exit()


def _unknown(verb: str) -> Exception:
    from ..llm.catalog.definition import suggestion
    from ..llm.errors import ConfigurationError

    return ConfigurationError(f"There is no verb {verb!r}.", fix=suggestion(verb, VERBS))


def _failed(error: Exception, debug: bool) -> int:
    """Tell an error and give its exit code."""
    from ..llm.errors import InternalError, LambdaLLMError
    from .console import paint
    from .faults import FunctionError

    sys.stdout.flush()
    if debug:
        import traceback

        traceback.print_exception(error)
    elif isinstance(error, FunctionError):
        print(error.frames, file=sys.stderr)
    ours = isinstance(error, LambdaLLMError)
    text = str(error) if ours else f"{type(error).__name__}: {error}. This is a bug in LambdaLLM: please report it."
    print(f"{paint('error:', 'red', sys.stderr)} {' '.join(text.split())}", file=sys.stderr)
    bug = not ours or isinstance(error, FunctionError) or type(error) is InternalError
    return 1 if bug else 2


def _quiet() -> int:
    """Whoever read our output has gone: end without a word, also when Python flushes at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141


if __name__ == "__main__":
    sys.exit(main())
