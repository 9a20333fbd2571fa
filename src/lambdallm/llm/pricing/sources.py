"""Where prices come from: a source answers for a model's name, or leaves it to the next one.

A source of your own is one method and a name (`protocol.PricingSourceProtocol`); `PricingManager` asks them in order.
"""

from __future__ import annotations

from ..catalog.definition import Price, price_of
from ..errors import ConfigurationError, LLMModelNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from ..catalog.loader import Catalog

    Prices: TypeAlias = Mapping[str, Price | Mapping[str, Any] | None]


class MappedPrices:
    """Prices given in code, by a model's name or a pattern (`openai/*`, `*haiku*`); the first that fits is taken.

    A price is a `Price`, its JSON object, or `None`: that model's price is unknown, whatever other sources say. Raises
    `ConfigurationError` for anything else.
    """

    def __init__(self, prices: Prices, name: str = "overrides") -> None:
        self.name = name
        self._prices = {
            pattern: price if price is None or isinstance(price, Price) else price_of(f"{name}: {pattern}", price)
            for pattern, price in prices.items()
        }

    def price_of(self, model: str) -> Price | None:
        """The price of a model; `None` if it is not there."""
        pattern = self.pattern_for(model)
        return None if pattern is None else self._prices[pattern]

    def pattern_for(self, model: str) -> str | None:
        """What a model is priced by here: its own name, else the first pattern that fits; `None` for neither."""
        from fnmatch import fnmatchcase

        names = (model, model.partition("/")[2])
        exact = next((name for name in names if name and name in self._prices), None)
        if exact is not None:
            return exact
        return next((p for p in self._prices if any(name and fnmatchcase(name, p) for name in names)), None)


class FilePrices(MappedPrices):
    """Prices in a JSON or YAML file: an object of names or patterns as `MappedPrices` takes them.

        {"dated": "2026-11-01", "prices": {"openai/*": {"input": 2.0, "output": 8.0}}}

    The names may also stand at the top, without a date. `reload` reads the file again. YAML needs the extra `yaml`.
    Raises `ConfigurationError` for a file that can't be read.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.dated = ""
        self.reload()

    def reload(self) -> None:
        """Read the file again; what it said before holds where that fails."""
        content = _content(self.path)
        prices = content.get("prices", content)
        if not isinstance(prices, dict):
            fix = "It should be an object of prices by model name."
            raise ConfigurationError(f"{self.path!r}: 'prices' is {prices!r}.", fix=fix)
        super().__init__({name: price for name, price in prices.items() if name != "dated"}, self.path)
        self.dated = str(content.get("dated", ""))


class CatalogPrices:
    """The prices of the catalog: dated, with their sources, and what a project's own `providers/` lays over them."""

    name = "catalog"

    def __init__(self, known: Catalog | None = None) -> None:
        self._known = known

    def price_of(self, model: str) -> Price | None:
        """The price of a model; `None` for one that the catalog does not know, or has no price of."""
        from ..catalog.resolve import resolve

        try:
            return resolve(model, self._known).model.price
        except (LLMModelNotFoundError, ConfigurationError):
            return None

    def dated_of(self, model: str) -> str:
        """The day that the provider's prices are of, as `2026-11-21`; `""` where nothing says so."""
        from ..catalog.resolve import resolve

        try:
            return resolve(model, self._known).provider.dated
        except (LLMModelNotFoundError, ConfigurationError):
            return ""


def _content(path: str) -> dict[str, Any]:
    import json

    try:
        with open(path, "rb") as file:
            raw = file.read()
        content = _yaml(raw) if path.endswith((".yaml", ".yml")) else json.loads(raw)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The prices in {path!r} can't be read: {error}.", fix="Correct the file.") from error
    if not isinstance(content, dict):
        raise ConfigurationError(f"{path!r} holds no object.", fix="Give prices by model name.")
    return content


def _yaml(raw: bytes) -> Any:
    from ..errors import MissingExtraError

    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtraError("A price file in YAML", "yaml") from error
    try:
        return yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
