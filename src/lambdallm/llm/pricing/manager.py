"""`PricingManager`: what models cost, from several sources in order, and what a call cost or will."""

from __future__ import annotations

from ..._value import Value
from ..coerce import messages_of
from ..types import ChatRequest, Usage
from .cost import cost_usd, total
from .sources import CatalogPrices, FilePrices, MappedPrices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..catalog.definition import Price
    from ..coerce import Messages
    from ..protocols import TokenCounterProtocol
    from .protocol import PricingSourceProtocol
    from .sources import Prices


class Quote(Value):
    """A price and where it is from: the source's name, and the day it is of where the source says so."""

    price: Price | None
    source: str = ""
    dated: str = ""


class PricingManager:
    """Prices from `overrides`, then `sources`, then the catalog; the first that knows a model decides.

        prices = PricingManager("prices.json", sources=[ContractPrices()])
        prices.price_of("openai/gpt-4o")

    `overrides` is the path of a JSON or YAML file, or prices by model name or pattern: an override of `None` makes a
    price unknown. `catalog=False` leaves the catalog out. Unknown is `None` everywhere, never 0.
    """

    def __init__(
        self,
        overrides: Prices | str | None = None,
        *,
        sources: Iterable[PricingSourceProtocol] = (),
        counter: TokenCounterProtocol | None = None,
        catalog: bool = True,
    ) -> None:
        own = FilePrices(overrides) if isinstance(overrides, str) else MappedPrices(overrides or {})
        self._own = own
        self.sources: list[PricingSourceProtocol] = [own, *sources, *([CatalogPrices()] if catalog else [])]
        self._counter = counter

    def quote(self, model: str) -> Quote:
        """A model's price with its source; `Quote(None)` where none knows it."""
        if self._own.pattern_for(model) is not None:
            return _quoted(self._own, self._own.price_of(model), model)
        found = ((source, source.price_of(model)) for source in self.sources[1:])
        return next((_quoted(source, price, model) for source, price in found if price is not None), Quote(None))

    def price_of(self, model: str) -> Price | None:
        """What a model costs; `None` if unknown."""
        return self.quote(model).price

    def cost(self, usage: Usage | None, model: str) -> float | None:
        """What a call's usage costs in US dollars; `None` where usage or price is unknown.

        Runs of further models within the call are priced by their names at the same provider.
        """
        if usage is None or not usage.others or usage.charged_usd is not None:
            return cost_usd(usage, self.price_of(model))
        provider = model.partition("/")[0] if "/" in model else ""
        further = ((f"{provider}/{id}" if provider and id else id or model, used) for id, used in usage.others)
        own = cost_usd(usage.replace(others=()), self.price_of(model))
        return total((own, *(cost_usd(used, self.price_of(name)) for name, used in further)))

    def estimate(self, asked: Messages | ChatRequest, model: str | None = None, max_tokens: int = 0) -> float | None:
        """What a call will cost in US dollars if its answer has `max_tokens` tokens; `None` for an unknown price.

        `asked` are messages, or a whole request, whose tools and `max_tokens` count as well. Tokens are counted by the
        `counter` given, else by the best that is at hand; a cached prompt costs less than this says.
        """
        named = model or (asked.model if isinstance(asked, ChatRequest) else "")
        price = self.price_of(named)
        if price is None:
            return None
        if isinstance(asked, ChatRequest):
            max_tokens = max_tokens or asked.max_tokens or 0
        return cost_usd(Usage(self._tokens(asked, named), max_tokens), price)

    def reload(self) -> None:
        """Have every source that can read its prices again do so."""
        for source in self.sources:
            if (reload := getattr(source, "reload", None)) is not None:
                reload()

    def _tokens(self, asked: Messages | ChatRequest, model: str) -> int:
        from .tokens.base import request_tokens
        from .tokens.registry import BestCounter

        if self._counter is None:
            self._counter = BestCounter()
        request = asked if isinstance(asked, ChatRequest) else ChatRequest(model, messages_of(asked))
        return request_tokens(self._counter, request.replace(model=model))


def _quoted(source: PricingSourceProtocol, price: Price | None, model: str) -> Quote:
    dated_of = getattr(source, "dated_of", None)
    return Quote(price, source.name, dated_of(model) if dated_of else str(getattr(source, "dated", "")))
