"""The words in which a call is refused: nothing left of a limit or a budget, or nobody to ask. Pure.

OpenAI's protocol has 429 for both, `rate_limit_exceeded` and `insufficient_quota`; clients try again after the first.
"""

from __future__ import annotations

from ...llm.rate_limiting.bucket import Bucket
from ..http import GatewayError
from .headers import duration, limit_headers, retry_headers
from .reservation import limit_state
from .rows import MICRO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...llm.rate_limiting.quota import Charge, Short


def short_of(short: Short, wall: float) -> GatewayError:
    """The error for a limit or a budget that is used up for now, which is the time `wall`."""
    limit, wait = short.charge.limit, short.wait_seconds
    if not isinstance(limit, Bucket):
        message = (
            f"{_money(short.charge)} is more than is left of this key's budget of {_usd(limit.most)} a {limit.period}. "
            f"The next {limit.period} begins in {duration(wait // 1)}: wait for it, or ask for a larger budget."
        )
        return _quota(message, (*retry_headers(wait), *retry_headers(None)))
    message = (
        f"This key's limit of {limit.per_minute:g} {limit.unit} a minute is reached. "
        f"Try again in {duration(max(0.001, wait))}."
    )
    full_at = wall + wait + limit.depth - short.charge.amount * limit.spacing
    left = limit_state(limit, (full_at, 0.0), wall)
    return _limit(message, limit.unit, (*retry_headers(wait), *limit_headers((left,), wall=wall)))


def too_large(charge: Charge) -> GatewayError:
    """The error for a call that no waiting makes possible."""
    limit = charge.limit
    if not isinstance(limit, Bucket):
        message = (
            f"{_money(charge)} is more than this key's whole budget of {_usd(limit.most)} a {limit.period}. "
            f"Lower max_tokens, or ask for a larger budget."
        )
        return _quota(message, retry_headers(None))
    message = (
        f"This request needs {charge.amount:g} {limit.unit}, and this key's limit is {limit.burst:g} a minute. "
        f"Shorten it, lower max_tokens, or ask for a higher limit."
    )
    return _limit(message, limit.unit, retry_headers(None))


def without_price(model: str) -> GatewayError:
    """The error for a model whose cost no budget can be held to."""
    message = (
        f"This key has a budget, and the price of {model[:200]!r} is not known. "
        f"Use a model with a price, or have one set for this."
    )
    return GatewayError(403, message, code="model_without_price", param="model")


def unavailable(wait_seconds: float) -> GatewayError:
    """The error while the store of limits does not answer. Its own words are for the log."""
    message = "This key's limits can't be checked now. Try again in a moment."
    headers = retry_headers(wait_seconds)
    return GatewayError(503, message, type="server_error", code="limits_unavailable", headers=headers)


def _limit(message: str, unit: str, headers: tuple[tuple[str, str], ...]) -> GatewayError:
    return GatewayError(429, message, type=unit, code="rate_limit_exceeded", headers=headers)


def _quota(message: str, headers: tuple[tuple[str, str], ...]) -> GatewayError:
    return GatewayError(429, message, type="insufficient_quota", code="insufficient_quota", headers=headers)


def _money(charge: Charge) -> str:
    return f"A call of up to {_usd(charge.amount)}"


def _usd(micro: float) -> str:
    shown = f"{micro / MICRO:.6f}".rstrip("0").rstrip(".")
    return f"{shown} US dollars"
