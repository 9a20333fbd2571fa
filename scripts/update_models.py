"""Regenerate the `models` of the built-in catalog from public data, and the file of model prefixes.

    uv run --no-project --with genai-prices scripts/update_models.py

Prices come from `genai-prices` (pydantic, MIT) where it has them; limits, capabilities and the prices of AWS from
LiteLLM's map of models (BerriAI, MIT), which is taken out of its wheel without installing or running it. Beside this
script, `model_choice.json` says which models of which provider are written and `model_corrections.json` lies over both
sources; a project's own `providers/*.json` lie over what is written. Nothing else of an entry is touched.
"""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from datetime import date
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "src"))
from lambdallm.llm.catalog.definition import PRICED_APART  # noqa: E402

CATALOG = HERE.parent / "src/lambdallm/llm/catalog"
TODAY = date.today().isoformat()
MAP = "litellm/model_prices_and_context_window_backup.json"
CLAIMS = "model_prefixes.json"

COSTS = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cached": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "reasoning": "output_cost_per_reasoning_token",
}
RATE_COSTS = {
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "audio_input": "input_cost_per_audio_token",
    "audio_cached": "cache_read_input_audio_token_cost",
    "audio_output": "output_cost_per_audio_token",
    "image_output": "output_cost_per_image_token",
}
TIER_COSTS = {"flex": "_flex", "priority": "_priority"}
PRICES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "reasoning": "output_reasoning_mtok",
}
RATES = {
    "cache_write_1h": "cache_write_1h_mtok",
    "audio_input": "input_audio_mtok",
    "audio_cached": "cache_audio_read_mtok",
    "audio_output": "output_audio_mtok",
    "image_input": "input_image_mtok",
    "image_output": "output_image_mtok",
    "video_input": "input_video_mtok",
    "video_output": "output_video_mtok",
    "web_search": "web_searches_kcount",
    "file_search": "storage_searches_kcount",
}
FEES = ("web_search", "file_search")
INPUTS = {"image": "vision", "pdf": "pdf_input", "audio": "audio_input", "video": "video_input"}
MAKERS = ("openai", "anthropic", "gemini", "xai", "mistral", "deepseek", "zai", "moonshot", "dashscope")
MODES = ("chat", "responses", "embedding")
REGIONAL = "us."


def main() -> None:
    known, litellm_version = litellm_map()
    choices, corrections = told("model_choice.json"), told("model_corrections.json")
    prices = genai_models()
    for name in sorted({*choices, *corrections}):
        path = CATALOG / f"{name}.json"
        entry = json.loads(path.read_text())
        found = models_of(choices[name], entry, known, prices) if name in choices else {}
        for id, correction in corrections.get(name, {}).items():
            found[id] = {**found.get(id, {}), **correction}
        entry["models"] = {id: in_order(row) for id, row in sorted(found.items())}
        entry["source"] = (
            f"genai-prices {version('genai-prices')} (github.com/pydantic/genai-prices), litellm {litellm_version}"
            " (github.com/BerriAI/litellm), scripts/model_corrections.json"
        )
        entry["dated"] = TODAY
        path.write_text(render({part: entry[part] for part in PARTS if part in entry}))
        print(f"{name:16} {len(found):4} models {path.stat().st_size:7,} bytes")
    write_claims()


def told(file: str) -> dict:
    """A file beside this script, without the words about it."""
    return {name: value for name, value in json.loads((HERE / file).read_text()).items() if name != "about"}


def litellm_map() -> tuple[dict, str]:
    """LiteLLM's map of models and its version, out of the newest wheel."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-q", "--no-deps", "--only-binary=:all:", "-d", folder]
        subprocess.run([sys.executable, "-m", "pip", "download", *options, "litellm"], check=True)
        wheel = next(Path(folder).glob("litellm-*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            return json.loads(archive.read(MAP)), wheel.name.split("-")[1]


def genai_models() -> dict[str, dict]:
    """genai-prices' models, by provider and id."""
    from genai_prices.data import providers

    return {provider.id: {model.id: model for model in provider.models} for provider in providers}


def models_of(choice: dict, entry: dict, known: dict, prices: dict) -> dict[str, dict]:
    """The chosen models of an entry. A snapshot is left out where the id without its date is there."""
    priced = prices.get(choice["genai"], {})
    if choice["litellm"]:
        every = dict(records(known, choice["litellm"], choice["prefix"]))
    else:
        every = {id: elsewhere(id, known) for id, model in priced.items() if not model.deprecated}
    listed = {id: record for id, record in every.items() if any(re.fullmatch(p, id) for p in choice["ids"])}
    rows = {}
    for id, record in listed.items():
        bare = undated(id)
        if bare == id or bare not in listed:
            rows[id] = row_of(id, entry, record, genai_model(priced, id, near=not litellm_price(record)), known)
            keep_told(rows[id], choice)
    return rows


def keep_told(row: dict, choice: dict) -> None:
    """Leave out prices for what the provider's answers never say was used: a batch, hosted searches."""
    price, tells = row.get("price", {}), choice.get("tells", ())
    for part in (price, price.get("over_price", {})):
        part["rates"] = {k: rate for k, rate in part.get("rates", {}).items() if k not in FEES or k in tells}
        if not part["rates"]:
            del part["rates"]
    tiers = {**price.get("tiers", {}), **(choice.get("tiers", {}) if price else {})}
    price["tiers"] = {k: each for k, each in tiers.items() if k != "batch" or k in tells}
    if not price["tiers"]:
        del price["tiers"]


def records(known: dict, litellm: str, prefix: str):
    """LiteLLM's records of a provider that are in service, by the provider's own ids."""
    for key, record in known.items():
        serving = (record.get("deprecation_date") or "9999") > TODAY
        if serving and record.get("mode") in MODES and re.fullmatch(litellm, record["litellm_provider"]):
            yield key.removeprefix(prefix), {**record, "key": key}


def elsewhere(id: str, known: dict) -> dict:
    """The record of the same model at its maker's, for a provider that the map has no models of: without a price."""
    names = {id.rpartition("/")[2], id.rpartition("/")[2].replace(".", "-")}
    found = [r for key, r in known.items() if key.rpartition("/")[2] in names and r.get("mode") in MODES]
    found.sort(key=lambda r: MAKERS.index(r["litellm_provider"]) if r["litellm_provider"] in MAKERS else len(MAKERS))
    return {**{k: v for k, v in found[0].items() if "cost" not in k}, "mode": "chat"} if found else {}


def undated(id: str) -> str:
    return re.sub(r"(-\d{4}-\d\d-\d\d|-20\d{6}|@20\d{6}|@default)$", "", id)


def genai_model(priced: dict, id: str, *, near: bool):
    """The record of genai-prices with this id; where `near`, any whose pattern takes it."""
    exact = priced.get(id) or priced.get(id.rpartition("/")[2])
    return exact or (next((m for m in priced.values() if m.is_match(id)), None) if near else None)


def row_of(id: str, entry: dict, record: dict, model, known: dict) -> dict:
    """All that is said of a model."""
    row = limits(record, model)
    if record.get("mode") == "embedding":
        row |= {"input": ["text"], "output": ["embedding"]}
    elif record:
        row |= capabilities(record)
        declared = facts_of(entry, id)
        if "json_schema" in declared:
            row["json_schema"] = declared["json_schema"]
        if record["mode"] == "responses" and declared.get("wire", entry["wire"]) == "openai_chat":
            row["facts"] = {"wire": "openai_responses"}
    price = genai_price(model.prices) if model is not None else litellm_price(record)
    if price.get("input"):
        tiers = tiers_of(price, record, model)
        row["price"] = {"input": price["input"], "output": 0.0, **price, **({"tiers": tiers} if tiers else {})}
    regional = known.get(f"{REGIONAL}{record.get('key')}", {}).get("input_cost_per_token")
    if regional and regional > record["input_cost_per_token"] * 1.01:
        row["regional"] = round(regional / record["input_cost_per_token"], 3)
    return row


def limits(record: dict, model) -> dict:
    """Context window and longest answer. The window is the whole one, where a source gives input and output apart."""
    window = (model.context_window if model is not None else None) or record.get("max_input_tokens")
    most = record.get("max_output_tokens") if record.get("mode") != "embedding" else None
    row = {"context_window": max(window, record.get("max_input_tokens") or 0)} if window else {}
    return row | ({"max_output_tokens": most} if most and (not window or most < window) else {})


def capabilities(record: dict) -> dict:
    """What a model takes, gives and can do. The map says yes and leaves no unsaid, so that only yes is written."""
    row = {"input": ["text", *(kind for kind, flag in INPUTS.items() if record.get(f"supports_{flag}"))]}
    outputs = [
        kind for kind in record.get("supported_output_modalities", ["text"]) if kind in ("text", "image", "audio")
    ]
    flags = {"tools": "function_calling", "json_schema": "response_schema", "thinking": "reasoning"}
    return row | {"output": outputs} | {name: True for name, flag in flags.items() if record.get(f"supports_{flag}")}


def facts_of(entry: dict, id: str) -> dict:
    """The facts of an entry and its families for an id, as the catalog merges them."""
    merged = dict(entry.get("facts", {}))
    for prefix in sorted(entry.get("families", {}), key=len):
        if id.startswith(prefix):
            merged |= entry["families"][prefix]
    return merged


def litellm_price(record: dict, tier: str = "") -> dict:
    """US dollars a million tokens, and the higher rate of long inputs. The map has 0 for what it does not know."""
    if not record.get("input_cost_per_token" + tier):
        return {}
    plain = litellm_amounts(record, tier, COSTS)
    rates = litellm_amounts(record, tier, RATE_COSTS)
    over, over_rates = {}, {}
    for field in record:
        if match := re.fullmatch(rf"input_cost_per_token(_above_(\d+)k_tokens){tier}", field):
            plain["over"] = int(match[2]) * 1000
            over = litellm_amounts(record, match[1] + tier, COSTS)
            over_rates = litellm_amounts(record, match[1] + tier, RATE_COSTS)
    if plain.get("reasoning") == plain.get("output"):
        plain.pop("reasoning", None)
    return whole_price(plain, rates, over, over_rates)


def litellm_amounts(record: dict, mark: str, costs: dict) -> dict:
    return {ours: dollars(record[theirs + mark]) for ours, theirs in costs.items() if record.get(theirs + mark)}


def whole_price(plain: dict, rates: dict, over: dict, over_rates: dict) -> dict:
    """A price with what is priced apart; rates that are those of the count they are part of say nothing."""
    price = plain | ({"rates": told_apart(rates, plain)} if told_apart(rates, plain) else {})
    if over:
        apart = told_apart({kind: rate for kind, rate in rates.items() if kind in FEES} | over_rates, over)
        price["over_price"] = over | ({"rates": apart} if apart else {})
    return price


def told_apart(rates: dict, plain: dict) -> dict:
    bases = {kind: PRICED_APART[kind] for kind in rates}
    said = {"input": plain.get("input"), "output": plain.get("output")}
    said |= {part: plain.get(part, plain.get("input")) for part in ("cached", "cache_write")}
    return {kind: rate for kind, rate in rates.items() if not bases[kind] or rate != said[bases[kind]]}


def tiers_of(price: dict, record: dict, model) -> dict:
    """What service tiers cost: genai-prices' variants, and LiteLLM's where it has the same price without a tier."""
    tiers = {}
    if litellm_price(record).get("input") == price["input"]:
        found = {tier: litellm_price(record, mark) for tier, mark in TIER_COSTS.items()}
        tiers |= {tier: each for tier, each in found.items() if each.get("output") or not price.get("output")}
        tiers |= {word: factor for word, factor in record.get("provider_specific_entry", {}).items() if word in FACTORS}
    for variant in (model.price_variants or ()) if model is not None else ():
        words = list(variant.when.values())
        if len(words) == 1 and next(iter(variant.when)) in VARIANTS and words[0] not in STANDARD and begun(variant):
            each = genai_price(variant.prices)
            fees = {kind: rate for kind, rate in price.get("rates", {}).items() if kind in FEES}
            if fees:
                each["rates"] = fees | each.get("rates", {})
            tiers[words[0]] = each
    lists = {tier: each for tier, each in tiers.items() if not isinstance(each, dict) or each.get("input")}
    return {tier: factor_or_list(price, each) if isinstance(each, dict) else each for tier, each in lists.items()}


FACTORS = ("us", "fast")
VARIANTS = ("processing", "service_tier", "speed")
STANDARD = ("default", "standard")


def factor_or_list(price: dict, tier: dict):
    """The factor that makes a tier's price list of the standard one, or the list where there is none.

    AWS rounds such lists to cents.
    """
    amounts = flat(tier)
    for factor, off in ((round(tier["input"] / price["input"], 6), 1e-5), (0.5, 0.0051), (1.75, 0.0051)):
        expected = {path: amount * factor for path, amount in flat(price).items()}
        if all(abs(expected.get(path, -1) - amounts[path]) <= min(off, 0.15 * amounts[path]) for path in amounts):
            return factor
    return tier


def flat(price: dict, path: tuple = ()) -> dict:
    """The prices of tokens, by their places."""
    found = {}
    for name, value in price.items():
        if isinstance(value, dict):
            found |= flat(value, (*path, name))
        elif name not in ("over", *FEES):
            found[*path, name] = round(value, 6)
    return found


def dollars(cost: float) -> float:
    return round(cost * 1_000_000, 6)


def genai_price(prices) -> dict:
    """The rates of today."""
    from genai_prices.types import TieredPrices

    if isinstance(prices, list):
        prices = next(each for each in reversed(prices) if begun(each)).prices
    amounts = {ours: getattr(prices, theirs) for ours, theirs in {**PRICES, **RATES}.items()}
    known = {kind: amount for kind, amount in amounts.items() if amount is not None}
    tiered = {kind: amount for kind, amount in known.items() if isinstance(amount, TieredPrices)}
    base = {kind: mega(kind, amount.base if kind in tiered else amount) for kind, amount in known.items()}
    over = {kind: float(amount.tiers[0].price) for kind, amount in tiered.items()}
    plain = {kind: amount for kind, amount in base.items() if kind in PRICES}
    if over:
        plain["over"] = next(iter(tiered.values())).tiers[0].start
    rates = {kind: amount for kind, amount in base.items() if kind in RATES}
    if plain.get("reasoning") == plain.get("output"):
        plain.pop("reasoning", None)
    return whole_price(plain, rates, *({k: v for k, v in over.items() if k in part} for part in (PRICES, RATES)))


def mega(kind: str, amount) -> float:
    """The price of a million; that of searches is for a thousand."""
    return float(amount) * (1000 if kind in FEES else 1)


def begun(each) -> bool:
    """Whether a price holds today."""
    constraint = each.constraint
    return constraint is None or getattr(constraint, "start_date", date.min) <= date.today()


PARTS = ("title", "docs", "endpoint", "endpoints", "endpoint_env", "variables", "wire", "embedding_wire", "count_wire",
         "paths", "transport", "auth", "headers", "secret_path", "default_model", "default_embedding_model", "timeout",
         "model_prefixes", "source", "dated", "facts", "families", "models")  # fmt: skip
FIELDS = ("context_window", "max_output_tokens", "input", "output", "tools", "json_schema", "thinking", "aliases",
          "regional", "price", "facts")  # fmt: skip


def in_order(row: dict) -> dict:
    """The fields in their order, without those that say nothing."""
    return {name: row[name] for name in FIELDS if row.get(name) is not None}


def write_claims() -> None:
    """One file with the `model_prefixes` of all entries, so that a bare id is resolved by reading two files."""
    claims = {}
    for path in sorted(CATALOG.glob("*.json")):
        if path.name != CLAIMS:
            entry = json.loads(path.read_text())
            claims |= dict.fromkeys(entry.get("model_prefixes", ()), path.stem)
    (CATALOG / CLAIMS).write_text(json.dumps(dict(sorted(claims.items())), indent=1) + "\n")


def render(entry: dict) -> str:
    """A field a line; of facts, families and models each on its own line, so that a change of price changes one."""
    lines = []
    for name, value in entry.items():
        if name in ("facts", "families", "models", "paths", "endpoints") and value:
            rows = ",\n".join(f"    {json.dumps(key)}: {json.dumps(row)}" for key, row in value.items())
            lines.append(f'  "{name}": {{\n{rows}\n  }}')
        else:
            lines.append(f'  "{name}": {json.dumps(value)}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    main()
