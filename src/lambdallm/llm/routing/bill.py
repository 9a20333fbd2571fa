"""What each attempt of a call used and cost, and all of them together: everything that was paid for, once."""

from __future__ import annotations

from ..._value import Value
from ..errors import ProviderResponseError, ProviderTimeoutError, StreamError
from ..pricing.cost import cost_usd
from ..types import Usage
from .needs import text_tokens
from .plan import EXPECTED_OUTPUT_TOKENS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..errors import LLMError
    from ..types import Completion
    from .candidate import CandidateFacts
    from .plan import RoutedCall

MAY_BE_PAID = (ProviderTimeoutError, ProviderResponseError, StreamError)
"""Failures after which the provider may have worked and charge for it, though it said nothing of what was used."""


class Bill(Value):
    """Usage and cost of one attempt or several; `None` where unknown."""

    usage: Usage | None = None
    cost_usd: float | None = None
    estimated: bool = False


def answered(candidate: CandidateFacts, answer: Completion) -> Bill:
    """The bill of an answer: its own cost, unless the candidate has a price of its own or it does not know one."""
    cost = answer.cost_usd
    if answer.cache is None and (cost is None or candidate.own_price):
        cost = cost_usd(answer.usage, candidate.price)
    return Bill(answer.usage, cost)


def failed(candidate: CandidateFacts, call: RoutedCall, error: LLMError) -> Bill | None:
    """The bill of a failure: what it says it used, else an estimate where it may have been charged, else none."""
    if error.usage is not None or error.cost_usd is not None:
        cost = cost_usd(error.usage, candidate.price) if error.cost_usd is None else error.cost_usd
        return Bill(error.usage, cost)
    refused = not error.sent or (error.status is not None and error.status >= 300)
    if refused or not isinstance(error, MAY_BE_PAID):
        return None
    had_come = 0 if error.partial is None else text_tokens(error.partial.text + (error.partial.thinking or ""))
    return estimate(candidate, call, had_come if call.stream else _expected(call))


def cancelled(candidate: CandidateFacts, call: RoutedCall) -> Bill:
    """The estimated bill of a call that another was quicker than; a stream is taken to stop, a whole answer not."""
    return estimate(candidate, call, 0 if call.stream else _expected(call))


def estimate(candidate: CandidateFacts, call: RoutedCall, output_tokens: int) -> Bill:
    """The bill of a request, judged by the request alone."""
    usage = Usage(call.input_tokens, output_tokens)
    return Bill(usage, cost_usd(usage, candidate.price), estimated=True)


def _expected(call: RoutedCall) -> int:
    return min(call.max_tokens or EXPECTED_OUTPUT_TOKENS, EXPECTED_OUTPUT_TOKENS)


def total(bills: Sequence[Bill]) -> Bill:
    """All of them together; what is unknown of one is unknown of the sum."""
    if len(bills) == 1:
        return bills[0]
    usages = [bill.usage for bill in bills]
    costs = [bill.cost_usd for bill in bills]
    known = [usage for usage in usages if usage is not None]
    usage = sum(known[1:], known[0]) if known and len(known) == len(usages) else None
    cost = None if None in costs else sum(cost for cost in costs if cost is not None)
    return Bill(usage, cost, any(bill.estimated for bill in bills))
