"""What a call costs: prices from the catalog and from sources of one's own, and the tokens that they apply to.

from lambdallm.llm.pricing import PricingManager

prices = PricingManager(overrides={"acme/*": {"input": 1.0, "output": 3.0}})
prices.cost(completion.usage, "anthropic/claude-haiku-4-5")     # US dollars, or None where unknown
prices.estimate("Tell me a story.", "gpt-4o", max_tokens=500)   # before the call
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "CatalogPrices": "sources",
    "EstimatingCounter": "tokens",
    "FilePrices": "sources",
    "HuggingFaceCounter": "tokens",
    "MappedPrices": "sources",
    "Price": "sources",
    "PricingManager": "manager",
    "PricingSourceProtocol": "protocol",
    "ProviderTokenCounter": "tokens",
    "Quote": "manager",
    "TiktokenCounter": "tokens",
    "TokenCounterRegistry": "tokens",
    "cost_usd": "cost",
    "fetch_encodings": "tokens",
    "total": "cost",
}

__all__ = [
    "CatalogPrices",
    "EstimatingCounter",
    "FilePrices",
    "HuggingFaceCounter",
    "MappedPrices",
    "Price",
    "PricingManager",
    "PricingSourceProtocol",
    "ProviderTokenCounter",
    "Quote",
    "TiktokenCounter",
    "TokenCounterRegistry",
    "cost_usd",
    "fetch_encodings",
    "total",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..catalog.definition import Price
    from .cost import cost_usd, total
    from .manager import PricingManager, Quote
    from .protocol import PricingSourceProtocol
    from .sources import CatalogPrices, FilePrices, MappedPrices
    from .tokens import (
        EstimatingCounter,
        HuggingFaceCounter,
        ProviderTokenCounter,
        TiktokenCounter,
        TokenCounterRegistry,
        fetch_encodings,
    )

__getattr__, __dir__ = door(__name__, _HOMES)
