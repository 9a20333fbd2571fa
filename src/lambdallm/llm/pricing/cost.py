"""The price of a call from its usage: each token is paid for once, at the rate of its kind.

Pure arithmetic: usage and price in, US dollars out. Where either is unknown the cost is `None`, never 0.
"""

from __future__ import annotations

from ..catalog.definition import PRICED_APART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..catalog.definition import Price
    from ..catalog.resolve import Target
    from ..types import Usage


def cost_usd(usage: Usage | None, price: Price | None) -> float | None:
    """US dollars, or `None` where usage or price is unknown: that of the usage's service tier too.

    `Usage.input_tokens` counts cached and cache-write tokens too, so that they are taken out before the plain rate
    applies: billing them at both rates is this field's most reported bug. Where the provider says what it charges,
    that is what it costs. What further models used within the call is not known here: `cost_of` prices it.
    """
    if usage is None:
        return None
    if usage.charged_usd is not None:
        return usage.charged_usd
    if price is not None and usage.tier is not None:
        price = price.at_tier(usage.tier)
    if price is None or usage.others:
        return None
    if price.over is not None and price.over_price is not None and usage.input_tokens > price.over:
        price = price.over_price
    if usage.billed is not None:
        return (usage.billed[0] * price.input + usage.billed[1] * price.output) / 1_000_000
    cached = price.input if price.cached is None else price.cached
    written = price.input if price.cache_write is None else price.cache_write
    plain_input = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    plain_output = usage.output_tokens - usage.reasoning_tokens
    millionths = plain_input * price.input + plain_output * price.output
    millionths += usage.cached_tokens * cached + usage.cache_write_tokens * written
    millionths += usage.reasoning_tokens * (price.output if price.reasoning is None else price.reasoning)
    if usage.details:
        bases = {"input": price.input, "cached": cached, "cache_write": written, "output": price.output}
        more = _apart(usage.details, price.rates, bases)
        return None if more is None else (millionths + more) / 1_000_000
    if not millionths and usage.native and not usage.total_tokens:
        return None  # a record that counts nothing
    return millionths / 1_000_000


def _apart(details: Mapping[str, int], rates: Mapping[str, float], bases: Mapping[str, float]) -> float | None:
    """What kinds with a price of their own cost beyond the count they are part of; `None` for a fee nobody knows."""
    more = 0.0
    for kind, count in details.items():
        base = bases.get(PRICED_APART.get(kind, ""))
        rate = rates.get(kind, base)
        if rate is None:
            return None
        more += count * (rate - (base or 0.0))
    return more


def cost_of(usage: Usage | None, target: Target) -> float | None:
    """US dollars of a call to a model, with the runs of further models within it, each at its own price."""
    if usage is None or not usage.others or usage.charged_usd is not None:
        return cost_usd(usage, target.model.price)
    provider, own = target.provider, target.model
    further = (cost_usd(used, (provider.model(id) if id else own).price) for id, used in usage.others)
    return total((cost_usd(usage.replace(others=()), own.price), *further))


def total(costs: Iterable[float | None]) -> float | None:
    """The costs added up; `None` where any is unknown: a sum that leaves one out would look like the whole."""
    amount = 0.0
    for cost in costs:
        if cost is None:
            return None
        amount += cost
    return amount
