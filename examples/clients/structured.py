"""Answers with a shape: `python examples/clients/structured.py` asks the embedded model; name another to ask that.

Whatever the model, a value has its type or there is an error: the schema is kept to, checked, and asked for again.
"""

import sys
from dataclasses import dataclass
from enum import Enum

from lambdallm.llm import ExtractionError, create_llm_client
from lambdallm.llm.structured.sync import StructuredExtractor


@dataclass
class Person:
    """Somebody the text is about."""

    name: str
    born: int
    city: str


@dataclass
class Team:
    name: str
    members: list[str]


class Mood(Enum):
    HAPPY = "happy"
    ANGRY = "angry"


def extract(client):
    """A value of a type, and what it took."""
    extractor = StructuredExtractor(client, max_retries=1)
    person = extractor.extract("Extract: Ada Lovelace, born 1815 in London", Person, max_tokens=100).unwrap()
    print(f"{person.name!r}, born {person.born}")

    full = extractor.extract_full("Extract: This lamp is broken. I want my money back.", Mood).unwrap()
    print(f"{full.value}, asked by {full.mode!r}, {full.attempts} attempt, {full.usage.total_tokens} tokens")


def stream(client):
    """The same while it is written: every partial object is a beginning of the next."""
    text = "The Beatles were John, Paul, George and Ringo."
    with StructuredExtractor(client).stream(text, Team, max_tokens=100) as partials:
        for partial in partials:
            print(f"  {partial.data}")
    print(f"{partials.value.name!r} has {len(partials.value.members)} members")


def fail(client):
    """What can't be had is an error that says why, what it cost, and what the model said."""
    result = StructuredExtractor(client, max_retries=0).extract("Tell me about Ada.", Person, max_tokens=5)
    if result.is_err() and isinstance(result.error, ExtractionError):
        print(f"{type(result.error).__name__}: {result.error}")
        print(f"  after {result.error.usage.total_tokens} tokens, it said {result.error.text!r}")


def main(name="local"):
    with create_llm_client(name, blocking=True, options={"temperature": 0}) as client:
        extract(client)
        stream(client)
        fail(client)


if __name__ == "__main__":
    main(*sys.argv[1:])
