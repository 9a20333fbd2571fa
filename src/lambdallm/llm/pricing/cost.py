"""The price of a call from its usage: each token is paid for once, at the rate of its kind."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..catalog.definition import Price
    from ..types import Usage


def cost_usd(usage: Usage | None, price: Price | None) -> float | None:
    """US dollars, or `None` where usage or price is unknown.

    `Usage.input_tokens` counts cached and cache-write tokens too, so that they are taken out before the plain rate
    applies: billing them at both rates is this field's most reported bug. Where the provider says what it charges,
    that is what it costs.
    """
    if usage is None or price is None:
        return None
    if price.over is not None and price.over_price is not None and usage.input_tokens > price.over:
        price = price.over_price
    if usage.billed is not None:
        return (usage.billed[0] * price.input + usage.billed[1] * price.output) / 1_000_000
    plain_input = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    plain_output = usage.output_tokens - usage.reasoning_tokens
    total = plain_input * price.input + plain_output * price.output
    total += usage.cached_tokens * (price.input if price.cached is None else price.cached)
    total += usage.cache_write_tokens * (price.input if price.cache_write is None else price.cache_write)
    total += usage.reasoning_tokens * (price.output if price.reasoning is None else price.reasoning)
    return total / 1_000_000
