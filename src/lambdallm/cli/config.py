"""`lambdallm config`: check a project's settings, each mistake with its line and column, or print their JSON Schema.

Nothing is read from SSM or Secrets Manager, and no middleware is imported: that is the first invocation's business.
"""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("config", help="check the project's settings, or print their JSON Schema")
    verbs = parser.add_subparsers(dest="config_verb", metavar="VERB", required=True)
    check = verbs.add_parser("check", help="check lambdallm.yaml and the variables over it")
    check.add_argument("file", nargs="?", help="the file; else the one of this folder")
    check.add_argument("--env", metavar="NAME", help="the environment to check; else the one in LAMBDALLM_ENV")
    verbs.add_parser("schema", help="print the JSON Schema of lambdallm.yaml, for editors")


def run(args: Namespace) -> int:
    """Run the verb; 1 where the file has mistakes. Raises `ConfigurationError` for what can't be read at all."""
    if args.config_verb == "check":
        return _check(args.file, args.env)
    from ..core.config import config_schema

    print(json.dumps(config_schema(), ensure_ascii=False, indent=2))
    return 0


def _check(file: str | None, stage: str | None) -> int:
    from ..core.config import ConfigFileError, config_path, load_config

    environ = {**os.environ, **({"LAMBDALLM_ENV": stage} if stage else {})}
    path = file or config_path(environ)
    try:
        load_config(path, environ)
    except ConfigFileError as error:
        for line, column, said, fix in error.problems:
            print(f"{path}:{line}:{column}: {said} {fix}".rstrip())
        return 1
    print(f"{path}: no mistakes." if path else "There is no file of settings here; the variables have no mistakes.")
    return 0
