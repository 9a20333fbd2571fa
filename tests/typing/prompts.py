"""The types of prompts, as a type checker sees them: what the answer is to become is what `invoke` gives."""

from dataclasses import dataclass
from typing import Any, Literal, TypedDict, assert_type

from lambdallm import LambdaLLMContext, Prompt
from lambdallm.core.prompts import PromptRegistry
from lambdallm.llm.streaming.stream import ChatStream
from lambdallm.llm.types import ChatMessage


@dataclass
class Review:
    """What somebody thinks."""

    score: float


class Film(TypedDict):
    """What there is to think of."""

    title: str


text = Prompt("Say hello to {name}")
review = Prompt("Rate {it}", output_schema=Review)
film = Prompt("Which film is {it}?", {"it": str}, Film, "Be sure", name="film")
reviews = Prompt("Rate each of {them}", output_schema=list[Review], defaults={"them": []})
shorthand = Prompt("Rate {it}", output_schema={"score": float})
union = Prompt("Rate {it}", output_schema=Review | None)
word = Prompt("Rate {it}", output_schema=Literal["good", "bad"])


def kinds() -> None:
    """The type of a prompt says what its answer is."""
    assert_type(text, Prompt[str])
    assert_type(review, Prompt[Review])
    assert_type(film, Prompt[Film])
    assert_type(reviews, Prompt[list[Review]])
    assert_type(shorthand, Prompt[dict[str, Any]])
    assert_type(word, Prompt[Any])
    assert_type(review.with_options({"max_tokens": 9}), Prompt[Review])
    wrong: Prompt[str] = Prompt("Rate {it}", output_schema=Review)  # type: ignore[arg-type]  # it gives a Review
    told: Prompt[Review] = Prompt[Review]("Rate {it}", output_schema=Review)
    object_too: Prompt[object] = review
    assert_type((wrong, told, object_too)[1], Prompt[Review])


def answers(context: LambdaLLMContext) -> None:
    """And `invoke` gives it."""
    assert_type(text.invoke(context, name="Ada"), str)
    assert_type(review.invoke(context, it="this"), Review)
    assert_type(review.invoke(context, it="this").score, float)
    assert_type(film.invoke(context, it="this"), Film)
    assert_type(reviews.invoke(context), list[Review])
    assert_type(shorthand.invoke(context, it="this"), dict[str, Any])
    either: Review | None = union.invoke(context, it="this")
    assert either is None or either.score
    assert_type(text.stream(context, name="Ada"), ChatStream)


async def awaited(context: LambdaLLMContext) -> None:
    """`ainvoke` gives the same to those who wait."""
    assert_type(await text.ainvoke(context, name="Ada"), str)
    assert_type(await review.ainvoke(context, it="this"), Review)


def shared(any_prompt: Prompt, context: LambdaLLMContext) -> None:
    """A prompt whose answer nobody named gives anything; every prompt may stand there."""
    assert_type(any_prompt.invoke(context), Any)
    assert_type(any_prompt.messages({}), tuple[ChatMessage, ...])
    assert_type(PromptRegistry("prompts").get("review"), Prompt[Any])
    shared(review, context)


def mistakes() -> None:
    """What a checker refuses."""
    Prompt("x", max_tokens="many")  # type: ignore[call-overload]  # not a number
    Prompt("x", nmae="y")  # type: ignore[call-overload]  # not a field
    text.template = "y"  # a prompt refuses it when it runs
