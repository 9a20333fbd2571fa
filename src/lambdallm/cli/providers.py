"""`lambdallm providers`: every provider the catalog knows here, and whether its key is set. Never the key."""

from __future__ import annotations

import json
import os
import sys

from ..llm.auth.keys import configured_key
from ..llm.catalog.loader import catalog
from ..llm.errors import LambdaLLMError
from .console import paint, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from ..llm.catalog.definition import ProviderDefinition

_CLOUDS = {
    "sigv4": ("AWS credentials", ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                  "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE")),
    "google": ("Google credentials", ("GCE_METADATA_HOST",)),
    "azure": ("Azure credentials", ("AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT")),
}  # fmt: skip
"""By kind of scheme: what its credentials are called, and the variables that name them."""


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("providers", help="list the providers and whether their keys are set")
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: Namespace) -> int:
    """Run the verb."""
    _take_settings()
    rows = [_row(provider) for provider in catalog().all()]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    head = ("NAME", "WIRE", "KEY", "SET", "DEFAULT MODEL", "TITLE")
    lines = [(r["name"], r["wire"], r["key"], _set(r), r["default_model"] or "-", r["title"]) for r in rows]
    first, *rest = table(head, lines).splitlines()
    print(paint(first, "bold", sys.stdout), *rest, sep="\n")
    return 0


def _take_settings() -> None:
    """Take the keys that the project's settings name. Settings that can't be read are told, and hide no provider."""
    from ..core.config import project_config

    try:
        project_config()
    except LambdaLLMError as error:
        print(f"{paint('warning:', 'yellow', sys.stderr)} {error}", file=sys.stderr)


def _row(provider: ProviderDefinition) -> dict[str, Any]:
    key, found = _key(provider)
    return {
        "name": provider.name,
        "title": provider.title,
        "wire": provider.wire or provider.embedding_wire,
        "key": key,
        "set": found,
        "needs": _needs(provider),
        "default_model": provider.default_model or (None if provider.wire else provider.default_embedding_model),
        "default_embedding_model": provider.default_embedding_model,
    }


def _key(provider: ProviderDefinition) -> tuple[str, bool | None]:
    """Where the key is looked for, and whether one of those places has it; `None` where none is needed."""
    names = [name for scheme in provider.auth for name in scheme.env]
    kinds = [scheme.type for scheme in provider.auth]
    places = [*names, *(_CLOUDS[kind][0] for kind in kinds if kind in _CLOUDS)]
    found = any(os.environ.get(name) for name in names) or configured_key(provider, os.environ) is not None
    found = found or any(_has_credentials(kind) for kind in kinds)
    optional = not places or (not found and "none" in kinds)
    return " or ".join(places) or "none needed", None if optional else found


def _has_credentials(kind: str) -> bool:
    """Whether a cloud's credentials are named by a variable or kept in its tool's own file."""
    if kind not in _CLOUDS:
        return False
    kept = _KEPT.get(kind)
    return any(os.environ.get(name) for name in _CLOUDS[kind][1]) or (kept is not None and kept())


def _aws_file() -> bool:
    return os.path.isfile(os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or os.path.expanduser("~/.aws/credentials"))


def _google_file() -> bool:
    from ..llm.auth.google import credentials_source

    return credentials_source(os.environ) is not None


_KEPT = {"sigv4": _aws_file, "google": _google_file}


def _needs(provider: ProviderDefinition) -> list[str]:
    """The variables that the endpoint is still without, the first name of each."""
    if any(os.environ.get(name) for name in provider.endpoint_env):
        return []
    return [sources[0] for sources in provider.variables.values() if not any(map(_has_value, sources))]


def _has_value(source: str) -> bool:
    return source.startswith("=") or ":" in source or bool(os.environ.get(source))


def _set(row: dict[str, Any]) -> str:
    if row["set"] and row["needs"]:
        return f"yes; {' and '.join(row['needs'])} is not"
    return {True: "yes", False: "no", None: "-"}[row["set"]]
