"""Regenerate the `models` of the built-in catalog from the public price data of `genai-prices` (pydantic, MIT).

    uv run --with genai-prices --no-project scripts/update_models.py

Only the models named in `CHOSEN` are written; what an entry says by hand (limits, aliases, facts) is kept.
"""

import json
import re
from datetime import date
from importlib.metadata import version
from pathlib import Path

from genai_prices.data import providers
from genai_prices.types import ClauseEquals, ClauseOr, ClauseStartsWith, TieredPrices

CATALOG = Path(__file__).parent.parent / "src/lambdallm/llm/catalog"
FIELDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
}
CHOSEN = {
    "openai": ("openai", r"(gpt-3\.5-turbo|gpt-4|gpt-4-turbo|gpt-4o|gpt-4o-mini|gpt-4\.1(-\w+)?"
               r"|gpt-5(\.\d)?(-mini|-nano)?"
               r"|gpt-5\.6-(luna|sol|terra)|gpt-6-(luna|sol|astra)|gpt-6\.1-\w+|o1|o3|o3-mini|o4-mini)"),
    "anthropic": ("anthropic", r"claude-(3-haiku|3-5-haiku.*|3-7-sonnet.*|(haiku|sonnet|opus)-[\d-]+)"),
    "bedrock": ("aws", r"(regional\.)?(anthropic\.claude|amazon\.(nova|titan-text)|meta\.llama|mistral\.mi"
                r"|openai\.gpt-oss).*"),
}  # fmt: skip


def main() -> None:
    for name, (source, pattern) in CHOSEN.items():
        path = CATALOG / f"{name}.json"
        entry = json.loads(path.read_text())
        old = entry.get("models", {})
        found = {}
        for model in next(p for p in providers if p.id == source).models:
            if re.fullmatch(pattern, model.id):
                id = model.id.removeprefix("regional.")
                found[id] = {**old.get(id, {}), **facts(model, id)}
        entry["models"] = {**{k: v for k, v in old.items() if k not in found}, **dict(sorted(found.items()))}
        entry["source"] = (
            f"prices and context windows: genai-prices {version('genai-prices')} (github.com/pydantic/genai-prices)"
        )
        entry["dated"] = date.today().isoformat()
        path.write_text(render(entry))


def facts(model, id: str) -> dict:
    row = {"context_window": model.context_window} if model.context_window else {}
    equal = {alias for alias in aliases(model.match) if alias != id and "/" not in alias}
    return {**row, **({"aliases": sorted(equal)} if equal else {}), "price": price(model.prices)}


def aliases(clause) -> set[str]:
    if isinstance(clause, ClauseOr):
        return {alias for part in clause.or_ for alias in aliases(part)}
    return (
        {clause.equals}
        if isinstance(clause, ClauseEquals)
        else {clause.starts_with}
        if isinstance(clause, ClauseStartsWith)
        else set()
    )


def price(prices) -> dict:
    if isinstance(prices, list):
        prices = next(
            p
            for p in reversed(prices)
            if p.constraint is None or getattr(p.constraint, "start_date", date.min) <= date.today()
        ).prices
    amounts = {ours: getattr(prices, theirs) for ours, theirs in FIELDS.items()}
    plain = {k: float(v.base if isinstance(v, TieredPrices) else v) for k, v in amounts.items() if v is not None}
    tiers = {k: v.tiers[0] for k, v in amounts.items() if isinstance(v, TieredPrices)}
    if tiers:
        plain["over"] = next(iter(tiers.values())).start
        plain["over_price"] = {k: float(tier.price) for k, tier in tiers.items()}
    return plain


def render(entry: dict) -> str:
    """One model a line, so that a change of price is a change of one line."""
    models = entry.pop("models")
    lines = ",\n".join(f"    {json.dumps(id)}: {json.dumps(model)}" for id, model in models.items())
    return json.dumps(entry, indent=2)[:-2] + f',\n  "models": {{\n{lines}\n  }}\n}}\n'


if __name__ == "__main__":
    main()
