"""`lambdallm providers`: every provider the catalog knows here, and whether its key is set. Never the key."""

from __future__ import annotations

import json
import os
import sys

from ..llm.catalog.loader import catalog
from .console import paint, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from ..llm.catalog.definition import ProviderDefinition

_AWS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE")  # fmt: skip


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("providers", help="list the providers and whether their keys are set")
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: Namespace) -> int:
    """Run the verb."""
    rows = [_row(provider) for provider in catalog().all()]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return 0
    head = ("NAME", "WIRE", "KEY", "SET", "DEFAULT MODEL", "TITLE")
    lines = [(r["name"], r["wire"], r["key"], _set(r["set"]), r["default_model"] or "-", r["title"]) for r in rows]
    first, *rest = table(head, lines).splitlines()
    print(paint(first, "bold", sys.stdout), *rest, sep="\n")
    return 0


def _row(provider: ProviderDefinition) -> dict[str, Any]:
    key, found = _key(provider)
    return {
        "name": provider.name,
        "title": provider.title,
        "wire": provider.wire,
        "key": key,
        "set": found,
        "default_model": provider.default_model,
    }


def _key(provider: ProviderDefinition) -> tuple[str, bool | None]:
    """Where the key is looked for, and whether one of those places has it; `None` where none is needed."""
    names = [name for scheme in provider.auth for name in scheme.env]
    kinds = {scheme.type for scheme in provider.auth}
    places = [*names, *(["AWS credentials"] if "sigv4" in kinds else [])]
    found = _is_set(names, kinds)
    optional = not places or (not found and "none" in kinds)
    return " or ".join(places) or "none needed", None if optional else found


def _is_set(names: list[str], kinds: set[str]) -> bool:
    wanted = [*names, *(_AWS if "sigv4" in kinds else ())]
    file = os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or os.path.expanduser("~/.aws/credentials")
    return any(os.environ.get(name) for name in wanted) or ("sigv4" in kinds and os.path.isfile(file))


def _set(found: bool | None) -> str:
    return {True: "yes", False: "no", None: "-"}[found]
