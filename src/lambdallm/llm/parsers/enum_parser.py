"""`EnumParser`: one of a few words, however the model dressed it."""

from __future__ import annotations

from ..errors import ConfigurationError, ExtractionParseError, ExtractionValidationError
from ..structured.type_kinds import enum_values
from ..structured.validate import shown
from .answer import answer_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from enum import Enum
    from typing import Any, Generic, TypeVar

    E = TypeVar("E", bound=Enum)

    class _Of(Generic[E]): ...

else:

    class _Of:
        def __class_getitem__(cls, _item):
            return cls

    E = None

_DRESS = " \t\r\n\"'`*_.,;:!?()[]“”‘’«»"


class EnumParser(_Of[E]):
    """Reads a member of an enum from its value or its name.

        EnumParser(Sentiment).parse(' "Positive". ')      # Sentiment.POSITIVE

    What is written exactly is taken; else case, quotes, punctuation around the word and the choice between blanks,
    `-` and `_` make no difference. A word inside a sentence is not looked for: "not positive" is no answer. Raises
    `ExtractionParseError` for an empty text, `ExtractionValidationError` for no member, or for several.
    """

    def __init__(self, enum: type[E]) -> None:
        if not getattr(enum, "__members__", None):
            raise ConfigurationError(f"{enum!r} is no enum with members.", fix="Give a class derived from enum.Enum.")
        self._enum = enum
        self._words = [str(word) for word in enum_values(enum)]

    def format_instructions(self) -> str:
        """The words there are."""
        return f"Answer with one of these words alone: {', '.join(self._words)}."

    def parse(self, text: str) -> E:
        """The member."""
        said = answer_of(text).strip()
        if not said.strip(_DRESS):
            raise ExtractionParseError(f"The answer {shown(text)} holds no word.", text=text)
        for same in (_exact, _bare):
            found = [member for member in self._enum if same(said) in _forms(member, same)]
            if len(found) == 1:
                return found[0]
            if found:
                raise self._wrong(text, f"means several: {', '.join(str(member) for member in found)}")
        raise self._wrong(text, "is none")

    def _wrong(self, text: str, how: str) -> ExtractionValidationError:
        words = ", ".join(map(repr, self._words))
        return ExtractionValidationError(f"The answer {shown(text)} {how} of {words}.", text=text)


def _exact(word: str) -> str:
    return word


def _bare(word: str) -> str:
    return word.strip(_DRESS).replace("-", " ").replace("_", " ").casefold()


def _forms(member: Any, same: Any) -> Iterable[str]:
    return {same(str(member.value)), same(member.name)}
