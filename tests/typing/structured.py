"""The types of structured output, as a type checker sees them: what was asked for is what comes."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypedDict, assert_type

from lambdallm.llm.clients import sync
from lambdallm.llm.clients.named import OpenAIClient
from lambdallm.llm.errors import LLMError
from lambdallm.llm.parsers import CSVParser, EnumParser, JSONParser, OutputParserProtocol
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.structured import AsyncObjectStream, Extraction, StructuredExtractor, validate_against_model
from lambdallm.llm.structured.partial import Partial
from lambdallm.llm.structured.sync import StructuredExtractor as BlockingExtractor


@dataclass
class Person:
    """Somebody."""

    name: str


class Movie(TypedDict):
    """A film."""

    title: str


class Mood(Enum):
    """A feeling."""

    GOOD = "good"


async def awaiting(client: OpenAIClient) -> None:
    """The extractor that awaits gives what it was asked for."""
    extractor = StructuredExtractor(client, default_model="gpt-4o", mode="native")
    assert_type(await extractor.extract("Who?", Person), Ok[Person] | Err[LLMError])
    assert_type(await extractor.extract(prompt="Who?", output_model=list[Person]), Ok[list[Person]] | Err[LLMError])
    assert_type(await extractor.extract("Which?", Movie), Ok[Movie] | Err[LLMError])
    assert_type(await extractor.extract("How?", {"label": str}), Ok[Any] | Err[LLMError])
    full = (await extractor.extract_full("Who?", Person, mode="tool", max_retries=0, temperature=0)).unwrap()
    assert_type(full, Extraction[Person])
    assert_type(full.value, Person)
    stream = extractor.stream("Who?", Person)
    assert_type(stream, AsyncObjectStream[Person])
    async for partial in stream:
        assert_type(partial, Partial[Person])
        assert_type(partial.value, Person | None)
    assert_type(stream.value, Person)


def blocking(client: sync.OpenAIClient) -> None:
    """The one that blocks gives the same without waiting."""
    extractor = BlockingExtractor(client)
    assert_type(extractor.extract("Who?", Mood), Ok[Mood] | Err[LLMError])
    with extractor.stream("Who?", Person) as stream:
        for partial in stream:
            assert_type(partial, Partial[Person])
    assert_type(stream.extraction.value, Person)
    assert_type(validate_against_model({"name": "Ada"}, Person), Person)


def parsing() -> None:
    """A parser's value has its type."""
    assert_type(JSONParser(Person).parse("{}"), Person)
    assert_type(EnumParser(Mood).parse("good"), Mood)
    parser: OutputParserProtocol[Person] = JSONParser(Person)
    table: OutputParserProtocol[list[dict[str, Any]]] = CSVParser()
    assert_type(parser.parse("{}"), Person)
    assert_type(table.format_instructions(), str)
