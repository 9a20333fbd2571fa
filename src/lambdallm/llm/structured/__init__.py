"""Answers with a shape: typed values from what a model says, asked for in the way that suits the model.

    extractor = StructuredExtractor(client, default_model="gpt-4o")
    result = await extractor.extract("Analyze the sentiment: I love it!", Sentiment)   # Ok(Sentiment(…))
    async for partial in extractor.stream("Describe Ada Lovelace.", Person):
        print(partial.data)

An output model is a dataclass, TypedDict, NamedTuple, enum, pydantic model, any plain type (`list[Person]`), the
shorthand `{"name": str, "age?": int}`, or a JSON Schema. `lambdallm.llm.structured.sync` has the extractor that blocks.
"""

from __future__ import annotations

from ..._door import door

_HOMES = {
    "AsyncObjectStream": "stream",
    "Extraction": "extraction",
    "ObjectStream": "stream",
    "Partial": "partial",
    "StructuredExtractor": "extractor",
    "extract_json_block": "json_block",
    "json_schema_of": "output_model",
    "parse_json": "json_block",
    "repair_json": "repair",
    "validate_against_model": "output_model",
}

__all__ = [
    "AsyncObjectStream",
    "Extraction",
    "ObjectStream",
    "Partial",
    "StructuredExtractor",
    "extract_json_block",
    "json_schema_of",
    "parse_json",
    "repair_json",
    "validate_against_model",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .extraction import Extraction
    from .extractor import StructuredExtractor
    from .json_block import extract_json_block, parse_json
    from .output_model import json_schema_of, validate_against_model
    from .partial import Partial
    from .repair import repair_json
    from .stream import AsyncObjectStream, ObjectStream

__getattr__, __dir__ = door(__name__, _HOMES)
