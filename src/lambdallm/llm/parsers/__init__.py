"""Parsers of what a model says: text in, a value out, and the words that tell a model how to write it.

    parser = EnumParser(Sentiment)
    answer = client.complete(f"Is this review good? {review}\\n{parser.format_instructions()}").unwrap()
    parser.parse(answer.text)      # Sentiment.GOOD

`ParserRegistry` knows them by name (`json`, `pydantic`, `enum`, `csv`) and takes one's own: anything with
`format_instructions` and `parse`. To have the model asked again when it errs, use `structured.StructuredExtractor`.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "CSVParser": "csv_parser",
    "EnumParser": "enum_parser",
    "JSONParser": "json_parser",
    "OutputParserProtocol": "protocol",
    "ParserRegistry": "registry",
    "PydanticParser": "pydantic_parser",
}

__all__ = ["CSVParser", "EnumParser", "JSONParser", "OutputParserProtocol", "ParserRegistry", "PydanticParser"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .csv_parser import CSVParser
    from .enum_parser import EnumParser
    from .json_parser import JSONParser
    from .protocol import OutputParserProtocol
    from .pydantic_parser import PydanticParser
    from .registry import ParserRegistry

__getattr__, __dir__ = door(__name__, _HOMES)
