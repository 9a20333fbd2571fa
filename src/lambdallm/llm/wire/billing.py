"""What usage records say of money beside the plain counts: kinds priced apart, service tiers, what was charged.

Shared by codecs; each names the paths of its own records. Everything here reads values of any type: what came over a
wire promises nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Paths = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]

_STANDARD = frozenset((
    "", "standard", "default", "auto", "on_demand", "regular", "unspecified", "standard_only", "global",
    "not_available", "traffic_type_unspecified",
))  # fmt: skip
"""Words that name the price list itself."""

_USUAL = (None, "default", "standard", "on_demand", "auto", "global")

_TICKS_PER_USD = 10_000_000_000


def counted_apart(native: Mapping[str, Any], paths: Paths) -> dict[str, int]:
    """The counts of kinds priced apart that are not zero; `paths` are records, each with its fields and their kinds."""
    found: dict[str, int] = {}
    for record, fields in paths:
        if type(details := native.get(record)) is dict:
            for field, kind in fields:
                if (count := details.get(field)) and type(count) is int and count > 0:
                    found[kind] = count
    return found


def tier_of(*words: Any) -> str | None:
    """The service tiers that are not the standard one, joined by `+`."""
    for word in words:
        if word not in _USUAL:
            break
    else:
        return None
    named = dict.fromkeys(word.lower() for word in words if isinstance(word, str))
    return "+".join(word for word in named if word not in _STANDARD) or None


def charged_usd(native: Mapping[str, Any]) -> float | None:
    """US dollars that a provider says it charged for the call.

    `cost` as a number (OpenRouter, "Usage accounting"; with one's own key at the provider behind it, that one's charge
    comes on top) or as a record with `total_cost` (Perplexity, "Pricing"), or `cost_in_usd_ticks`, ten thousand million
    to the dollar (xAI, "Cost tracking").
    """
    if "cost" not in native and "cost_in_usd_ticks" not in native:
        return None
    if (ticks := _amount(native.get("cost_in_usd_ticks"))) is not None:
        return ticks / _TICKS_PER_USD
    cost = native.get("cost")
    if isinstance(cost, dict):
        return _amount(cost.get("total_cost"))
    if (charged := _amount(cost)) is None or native.get("is_byok") is not True:
        return charged
    details = native.get("cost_details")
    beyond = _amount(details.get("upstream_inference_cost")) if isinstance(details, dict) else None
    return None if beyond is None else charged + beyond


def _amount(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and 0 <= value < 1e15 else None
