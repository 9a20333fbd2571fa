"""The contract of a source of prices."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..catalog.definition import Price


@runtime_checkable
class PricingSourceProtocol(Protocol):
    """Where prices come from: a contract, a database, a provider's own list.

    class ContractPrices:
        name = "our contract"

        def price_of(self, model):
            return Price(1.0, 4.0) if model.startswith("openai/") else None

    A source may also say of which day its prices are (`dated`, or `dated_of(model)`) and read them again (`reload()`).
    """

    @property
    def name(self) -> str:
        """What it is called where a price is explained."""
        ...

    def price_of(self, model: str) -> Price | None:
        """The price of a model by its name (`provider/model`, or as the caller wrote it); `None` if unknown."""
        ...
