"""`CostOptimizedStrategy`: the cheapest that can do what the call needs."""

from __future__ import annotations

from operator import itemgetter

from ..plan import EXPECTED_OUTPUT_TOKENS, Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...catalog.definition import Price
    from ..candidate import CandidateFacts
    from ..plan import Observation, RoutedCall


class CostOptimizedStrategy:
    """Ask the cheapest first, by the price of the call's input and of the output expected of it.

    An answer is expected to have `expected_output_tokens`, or `max_tokens` of the call where that is less. Those whose
    abilities are not known for certain come after those that can for certain, and those without a known price come
    last of each, unless `assumed_price` says what to take for it. How much a model thinks is not foreseen: one that
    thinks a lot costs more than it looks.
    """

    name = "cost"

    def __init__(
        self, *, expected_output_tokens: int = EXPECTED_OUTPUT_TOKENS, assumed_price: Price | None = None
    ) -> None:
        self._expected = expected_output_tokens
        self._assumed = assumed_price

    def plan(self, call: RoutedCall, candidates: Sequence[CandidateFacts]) -> Plan:
        """Everyone, the cheapest first."""
        output = min(call.max_tokens or self._expected, self._expected)
        if not call.needs:
            return Plan(self._by_cost(call.input_tokens, output, candidates), self._reasons(call.input_tokens, output))
        sure = [one for one in candidates if call.needs <= one.can]
        unsure = [one for one in candidates if not call.needs <= one.can]
        order = [one for group in (sure, unsure) for one in self._by_cost(call.input_tokens, output, group)]
        return Plan(order, self._reasons(call.input_tokens, output))

    def _by_cost(self, tokens: int, output: int, candidates: Sequence[CandidateFacts]) -> list[CandidateFacts]:
        assumed = self._assumed
        priced: list[tuple[CandidateFacts, float]] = []
        unknown: list[CandidateFacts] = []
        for one in candidates:
            price = one.price or assumed
            if price is None:
                unknown.append(one)
            else:
                if price.over is not None:
                    price = _price_at(price, tokens)
                priced.append((one, tokens * price.input + output * price.output))
        priced.sort(key=itemgetter(1))
        return [*(one for one, _ in priced), *unknown]

    def _reasons(self, tokens: int, output: int) -> Callable[[CandidateFacts], str]:
        def reason(candidate: CandidateFacts) -> str:
            price = candidate.price or self._assumed
            if price is None:
                return "Its price is unknown, so it comes after those whose price is known."
            price = _price_at(price, tokens)
            cost = (tokens * price.input + output * price.output) / 1_000_000
            return f"About {cost:.2g} US dollars{'' if candidate.price else ' at the price assumed for it'}."

        return reason

    def observe(self, observation: Observation) -> None:
        """Nothing: prices are facts."""


def _price_at(price: Price, tokens: int) -> Price:
    """The price of a call with so many input tokens."""
    if price.over is None or price.over_price is None or tokens <= price.over:
        return price
    return price.over_price
