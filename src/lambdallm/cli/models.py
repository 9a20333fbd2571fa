"""`lambdallm models`: the models of the catalog with context windows, prices and what they can do."""

from __future__ import annotations

import json
import sys
from fnmatch import fnmatch

from ..llm.catalog.definition import suggestion, undated
from ..llm.catalog.loader import catalog
from ..llm.errors import LLMModelNotFoundError
from .console import paint, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from ..llm.catalog.definition import ModelFacts

_KINDS = ("input", "output", "cached", "cache_write")


def add_parser(subparsers: Any) -> None:
    """Describe the verb's arguments."""
    parser = subparsers.add_parser("models", help="list the models with context windows and prices")
    parser.add_argument("pattern", nargs="?", help="a part of the name, or a pattern such as 'openai/gpt-4*'")
    parser.add_argument("--provider", metavar="P", help="the models of one provider")
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(args: Namespace) -> int:
    """Run the verb. Raises `UnknownProviderError`, `LLMModelNotFoundError` when nothing matches."""
    known = catalog()
    providers = [known.provider(args.provider)] if args.provider else list(known.all())
    every = {f"{provider.name}/{id}": provider.model(id) for provider in providers for id in provider.models}
    found = {name: facts for name, facts in every.items() if _matches(args.pattern, name, facts)}
    if args.pattern and not found:
        near = suggestion(args.pattern, [*every, *(name.partition("/")[2] for name in every)])
        fix = near if near.startswith("Did") else "`lambdallm models` lists what is known; others can be used too."
        raise LLMModelNotFoundError(f"No known model matches {args.pattern!r}.", fix=fix)
    _print_json(found) if args.json else _print_table(found)
    return 0


def _matches(pattern: str | None, name: str, facts: ModelFacts) -> bool:
    if pattern is None:
        return True
    wanted = pattern.lower()
    names = [name.lower(), name.partition("/")[2].lower(), *(alias.lower() for alias in facts.aliases)]
    if any(mark in wanted for mark in "*?["):
        return any(fnmatch(known, wanted) for known in names)
    return any(wanted in known or undated(wanted) == known for known in names)


def _print_json(found: dict[str, ModelFacts]) -> None:
    rows = [
        {
            "name": name,
            "context_window": facts.context_window,
            "max_output_tokens": facts.max_output_tokens,
            "input": list(facts.input),
            "output": list(facts.output),
            **{f"{kind}_usd_per_1m": getattr(facts.price, kind, None) for kind in _KINDS},
            "capabilities": _capabilities(facts),
            "aliases": list(facts.aliases),
        }
        for name, facts in found.items()
    ]
    print(json.dumps(rows, ensure_ascii=False, indent=2))


def _print_table(found: dict[str, ModelFacts]) -> None:
    head = ("MODEL", "CONTEXT", "MAX OUT", "$ IN / 1M", "$ OUT / 1M", "CAPABILITIES")
    rows = [
        (name, _tokens(facts.context_window), _tokens(facts.max_output_tokens), *_prices(facts), _words(facts))
        for name, facts in found.items()
    ]
    first, *rest = table(head, rows, right=(1, 2, 3, 4)).splitlines()
    print(paint(first, "bold", sys.stdout), *rest, sep="\n")


def _prices(facts: ModelFacts) -> tuple[str, str]:
    return (f"{facts.price.input:g}", f"{facts.price.output:g}") if facts.price else ("-", "-")


def _tokens(count: int | None) -> str:
    return "-" if count is None else f"{count:,}"


def _words(facts: ModelFacts) -> str:
    return ", ".join(_capabilities(facts)) or "-"


def _capabilities(facts: ModelFacts) -> list[str]:
    """What the catalog knows a model can do; silence means unknown."""
    named = [(name.replace("_", "-"), getattr(facts, name)) for name in ("tools", "json_schema", "thinking")]
    inputs = [f"{kind} in" for kind in facts.input if kind != "text"]
    outputs = ["embeddings" if kind == "embedding" else f"{kind} out" for kind in facts.output if kind != "text"]
    return [*(name for name, known in named if known), *inputs, *outputs]
