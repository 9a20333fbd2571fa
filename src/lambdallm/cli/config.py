"""`lambdallm config`: check a project's or a gateway's settings, each mistake with its place, or print their schema.

A file whose name begins with `gateway`, or any with `--gateway`, holds a gateway's settings; one whose name begins with
`provider_configs` those of the single function for all providers.

Nothing is read from SSM or Secrets Manager, and no middleware is imported: that is the first invocation's business.
"""

from __future__ import annotations

import json
import os

from ..llm.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("config", help="check the project's settings, or print their JSON Schema")
    verbs = parser.add_subparsers(dest="config_verb", metavar="VERB", required=True)
    check = verbs.add_parser("check", help="check lambdallm.yaml and the variables over it, or gateway.yaml")
    check.add_argument("file", nargs="?", help="the file; else the one of this folder")
    check.add_argument("--env", metavar="NAME", help="the environment to check; else the one in LAMBDALLM_ENV")
    check.add_argument("--gateway", action="store_true", help="check a gateway's settings, gateway.yaml")
    schema = verbs.add_parser("schema", help="print the JSON Schema of lambdallm.yaml or gateway.yaml, for editors")
    schema.add_argument("--gateway", action="store_true", help="that of gateway.yaml")


def run(args: Namespace) -> int:
    """Run the verb; 1 where the file has mistakes. Raises `ConfigurationError` for what can't be read at all."""
    if args.config_verb == "check":
        return _check(args.file, args.env, args.gateway)
    print(json.dumps(_schema(args.gateway), ensure_ascii=False, indent=2))
    return 0


def _schema(gateway: bool) -> dict[str, Any]:
    if gateway:
        from ..gateway.config import gateway_schema

        return gateway_schema()
    from ..core.config import config_schema

    return config_schema()


def _check(file: str | None, stage: str | None, gateway: bool) -> int:
    from ..core.config import ConfigFileError

    environ = {**os.environ, **({"LAMBDALLM_ENV": stage} if stage else {})}
    path, load = _reader(file, environ, gateway)
    try:
        load()
    except ConfigFileError as error:
        for line, column, said, fix in error.problems:
            print(f"{path}:{line}:{column}: {said} {fix}".rstrip())
        return 1
    print(f"{path}: no mistakes." if path else "There is no file of settings here; the variables have no mistakes.")
    return 0


def _reader(file: str | None, environ: dict[str, str], gateway: bool) -> tuple[str | None, Callable[[], object]]:
    """The file to check, and what reads it."""
    name = os.path.basename(file or "")
    if gateway or name.startswith("gateway."):
        from ..gateway.config import gateway_path, load_gateway

        path = file or gateway_path(environ)
        if path is None:
            fix = "Name the file, or write gateway.yaml."
            raise ConfigurationError("There is no gateway.yaml in this folder.", fix=fix)
        return path, lambda: load_gateway(path, environ)
    if name.startswith("provider_configs."):
        from ..gateway.provider_configs import read_configs

        return file, lambda: read_configs(name if file is None else file)
    from ..core.config import config_path, load_config

    found = file or config_path(environ)
    return found, lambda: load_config(found, environ)
