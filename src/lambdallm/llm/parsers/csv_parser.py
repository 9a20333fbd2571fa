"""`CSVParser`: rows of a table, in a fence or bare, with typed columns where types are given."""

from __future__ import annotations

import re

from ..errors import ConfigurationError, ExtractionParseError, ExtractionValidationError
from ..structured.validate import shown
from .answer import answer_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Row = dict[str, Any]

_FENCE = re.compile(r"```[\w+.-]*+[ \t]*+\n(.*?)(?:^```|\Z)", re.DOTALL | re.MULTILINE)


def _truth(word: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[word.lower()]


_READ: dict[type, tuple[Callable[[str], Any], str]] = {
    str: (str, "text"),
    int: (int, "whole number"),
    float: (float, "number"),
    bool: (_truth, "true or false"),
}


class CSVParser:
    """Reads comma-separated values into a dictionary for each row.

        CSVParser({"city": str, "rain_mm": float}).parse("city,rain_mm\\nBergen,225.5")
        # [{'city': 'Bergen', 'rain_mm': 225.5}]

    `columns` are names, or names with `str`, `int`, `float` or `bool`; then the header may be missing, and an empty
    field of a type other than `str` is `None`. Without them the first row names the columns. Raises
    `ExtractionParseError` where there is no row, `ExtractionValidationError` with row (from 1, header not counted) and
    column.
    """

    def __init__(self, columns: Sequence[str] | Mapping[str, type] | None = None, *, delimiter: str = ",") -> None:
        if isinstance(columns, str) or (columns is not None and not columns):
            raise ConfigurationError(f"columns is {columns!r}.", fix="Give a list of names, or names with types.")
        given: Any = columns or ()
        kinds = {name: given[name] if hasattr(given, "keys") else str for name in given}
        for name, kind in kinds.items():
            if kind not in _READ:
                raise ConfigurationError(f"Column {name!r} has the type {kind!r}.", fix="Use str, int, float or bool.")
        if len(delimiter) != 1:
            raise ConfigurationError(f"delimiter is {delimiter!r}.", fix="Give one character.")
        self._kinds = kinds
        self._delimiter = delimiter

    def format_instructions(self) -> str:
        """The demand for CSV, with the header where the columns are known."""
        rule = f"Answer with CSV alone, no other text: a header row, fields separated by {self._delimiter!r}"
        rule += ', fields that hold a separator, a quote or a line break in double quotes ("" for a quote inside)'
        header = self._delimiter.join(self._kinds)
        return f"{rule}. The header is:\n{header}" if header else f"{rule}."

    def parse(self, text: str) -> list[Row]:
        """The rows."""
        rows = self._rows(text)
        if not rows:
            raise ExtractionParseError(f"The answer {shown(text)} holds no rows.", text=text)
        names = list(self._kinds) or [name.strip() for name in rows[0]]
        if self._is_header(rows[0]):
            rows = rows[1:]
        problems: list[str] = []
        read = [self._row(row, names, number, problems) for number, row in enumerate(rows, 1)]
        if problems:
            message = f"The answer is not the table asked for: {'; '.join(problems[:20])}."
            raise ExtractionValidationError(message, text=text, problems=tuple(problems))
        return read

    def _rows(self, text: str) -> list[list[str]]:
        """The rows that are not empty: those in the first fence, else from the header on where one is known."""
        import csv

        fence = _FENCE.search(answer := answer_of(text))
        lines = (fence[1] if fence else answer).strip().splitlines(keepends=True)
        try:
            rows = list(csv.reader(lines, delimiter=self._delimiter, skipinitialspace=True, strict=True))
        except csv.Error as reason:
            raise ExtractionParseError(f"The answer {shown(text)} is no CSV: {reason}.", text=text) from reason
        rows = [row for row in rows if any(field.strip() for field in row)]
        header = next((at for at, row in enumerate(rows) if self._kinds and self._is_header(row)), 0)
        return rows[header:]

    def _is_header(self, row: list[str]) -> bool:
        names = [name.strip().casefold() for name in row]
        return not self._kinds or names == [name.casefold() for name in self._kinds]

    def _row(self, row: list[str], names: list[str], number: int, problems: list[str]) -> Row:
        if len(row) != len(names):
            problems.append(f"row {number}: expected {len(names)} fields, got {len(row)}")
            return {}
        pairs = zip(names, row, strict=True)
        return {name: self._field(field.strip(), name, number, problems) for name, field in pairs}

    def _field(self, field: str, name: str, number: int, problems: list[str]) -> Any:
        kind = self._kinds.get(name, str)
        read, expected = _READ[kind]
        if not field and kind is not str:
            return None
        try:
            return read(field)
        except (ValueError, KeyError):
            problems.append(f"row {number}, {name}: expected {expected}, got {field!r}")
            return None
