"""What a parser is to those who use one."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

T_co = TypeVar("T_co", covariant=True)


@runtime_checkable
class OutputParserProtocol(Protocol[T_co]):
    """Turns a model's text into a value, and says how the text has to be written."""

    def format_instructions(self) -> str:
        """What to add to a prompt so that the answer can be parsed."""
        ...

    def parse(self, text: str) -> T_co:
        """The value. Raises `ExtractionParseError` and `ExtractionValidationError`."""
        ...
