"""Prompts in a Lambda function: `python examples/prompts/reviews.py` asks the embedded model; name another to ask that.

Whatever the model: variables are checked before anything is sent, and an answer has its type or there is an error.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lambdallm import Prompt, handler
from lambdallm.core.exceptions import PromptError
from lambdallm.core.prompts import PromptRegistry
from lambdallm.llm import ChatMessage, ImagePart


@dataclass
class Review:
    """What a customer thinks."""

    mood: Literal["happy", "angry"]
    product: str


review = Prompt(
    "A review of {product.name}: {text}",
    input_schema={"text": str, "product": dict},
    output_schema=Review,
    system_prompt="You sort reviews for {shop}.",
    defaults={"shop": "a shop"},
    examples=[
        ({"text": "It shines!", "product": {"name": "a ring"}}, Review("happy", "ring")),
        ({"text": "It broke. Money back.", "product": {"name": "a cup"}}, Review("angry", "cup")),
    ],
    max_tokens=60,
    temperature=0,
    name="review",
    version="1.2.0",
)

talk = Prompt("{question}", system_prompt="Answer in one sentence.", messages=["{history}"], max_tokens=40)
look = Prompt("What is on {picture}?", input_schema={"picture": ImagePart})
prompts = PromptRegistry(Path(__file__).parent / "prompts")


def sort(event, context):
    """An answer of a type: `found` is a Review, to Python and to the type checker."""
    found = review.invoke(context, text=event["text"], product={"name": "a lamp"})
    print(f"{found.product!r}: {found.mood}")


def check():
    """What does not fit is named before anything is sent."""
    try:
        review.format(text=["This lamp", "is fine"], prodcut={"name": "a lamp"})
    except PromptError as error:
        print(f"PromptError: {error}")


def converse(event, context):
    """A conversation goes where its placeholder is."""
    history = [ChatMessage("user", "Name a river in Rome."), ChatMessage("assistant", "The Tiber.")]
    print(talk.invoke(context, question="Where does it end?", history=history))


def illustrate():
    """A variable may be an image."""
    (message,) = look.messages({"picture": ImagePart(url="https://example.com/lamp.png")})
    print([type(part).__name__ for part in message.parts])


def version(event, context):
    """Prompts from files, by name and version or label."""
    text = "The lamp is bright, cheap, and easy to put together."
    for wanted in ("production", "latest"):
        summary = prompts.get("summary", wanted)
        print(f"{summary.version}: {summary.invoke(context, text=text, words=5)}")
    print(f"changed: {', '.join(prompts.changes('summary', 'production', 'latest'))}")


def main(model="local"):
    asked = handler(model=model)
    check()
    illustrate()
    for function in (sort, converse, version):
        asked(function)({"text": "What a bad lamp! I want my money back."}, None)


if __name__ == "__main__":
    main(*sys.argv[1:])
