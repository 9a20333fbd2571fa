"""`JSONParser`: the JSON in an answer, as plain data or as a value of an output model."""

from __future__ import annotations

import json

from ..errors import ExtractionParseError
from ..structured.json_block import parse_json
from ..structured.output_model import output_model as modelled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Generic, TypeVar, overload

    T_co = TypeVar("T_co", covariant=True)

    class _Of(Generic[T_co]): ...

else:

    class _Of:
        def __class_getitem__(cls, _item):
            return cls

    T_co = None


class JSONParser(_Of[T_co]):
    """Finds the JSON in a text: alone, in a fence, or between words.

        JSONParser().parse('Here: {"a": 1}')                    # {'a': 1}
        JSONParser({"a": int}).parse('{"a": "one"}')            # ExtractionValidationError: $.a: expected integer
        JSONParser(Person).parse('{"name": "Ada"}')             # Person(name='Ada')

    `output_model` is whatever `structured` takes for one. `repair=True` mends careless JSON, see `structured.repair`;
    it is off because a mended answer may not be the one that was meant.
    """

    if TYPE_CHECKING:

        @overload
        def __init__(self: JSONParser[Any], output_model: None = None, *, repair: bool = False) -> None: ...

        @overload
        def __init__(self, output_model: type[T_co], *, repair: bool = False) -> None: ...

        @overload
        def __init__(self: JSONParser[Any], output_model: object, *, repair: bool = False) -> None: ...

    def __init__(self, output_model: object = None, *, repair: bool = False) -> None:
        self._model = None if output_model is None else modelled(output_model)
        self._repair = repair

    def format_instructions(self) -> str:
        """The demand for JSON, with the schema where there is one."""
        if self._model is None:
            return "Answer with JSON alone, no other text."
        schema = json.dumps(self._model.inner, ensure_ascii=False, default=str)
        return f"Answer with JSON alone, no other text, matching this JSON Schema:\n{schema}"

    def parse(self, text: str) -> T_co:
        """The value. Raises `ExtractionParseError` and `ExtractionValidationError` with paths."""
        try:
            return self._read(text)
        except ExtractionParseError:
            if not self._repair:
                raise
        from ..structured.repair import repair_json

        return self._read(repair_json(text))

    def _read(self, text: str) -> T_co:
        value: T_co = parse_json(text) if self._model is None else self._model.read(text)
        return value
