"""`ParserRegistry`: parsers by name. The built-in ones are known from the start, and imported when one is asked for."""

from __future__ import annotations

from ..catalog.definition import suggestion
from ..errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .protocol import OutputParserProtocol

    Factory = Callable[..., OutputParserProtocol[Any]]

BUILT_IN = {"json": "JSONParser", "pydantic": "PydanticParser", "enum": "EnumParser", "csv": "CSVParser"}
"""The names of the parsers that come with the library."""


class ParserRegistry:
    """Parser classes by name.

    registry = ParserRegistry()
    registry.register("yaml", YamlParser)
    registry.create("enum", Sentiment).parse("positive")
    """

    def __init__(self) -> None:
        self._factories: dict[str, Factory] = {}

    def register(self, name: str, parser: Factory) -> None:
        """Make a parser class, or what makes parsers, known under a name, in place of what was known under it."""
        if not name or not callable(parser):
            fix = "Give a name, and a class with format_instructions() and parse(text)."
            raise ConfigurationError(f"{parser!r} can't be registered as {name!r}.", fix=fix)
        self._factories[name] = parser

    def get(self, name: str) -> Factory:
        """The parser class of that name. Raises `ConfigurationError` naming the nearest ones."""
        if name in self._factories:
            return self._factories[name]
        if name in BUILT_IN:
            from importlib import import_module

            factory: Factory = getattr(import_module(f".{name}_parser", __package__), BUILT_IN[name])
            return factory
        raise ConfigurationError(f"No parser is called {name!r}.", fix=suggestion(name, self.names()))

    def create(self, name: str, *args: Any, **options: Any) -> OutputParserProtocol[Any]:
        """A parser of that name; the arguments are its own."""
        return self.get(name)(*args, **options)

    def names(self) -> list[str]:
        """Every known name, sorted."""
        return sorted({*self._factories, *BUILT_IN})

    def __contains__(self, name: object) -> bool:
        return name in self._factories or name in BUILT_IN
