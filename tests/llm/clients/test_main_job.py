"""The main job on real input: a decorated function gets a real answer, streamed, from the embedded model."""

import math

import pytest

from lambdallm import Prompt, WireClient, handler
from lambdallm.testing import MockLambdaContext

pytestmark = pytest.mark.model


class Reader(MockLambdaContext):
    """A caller that takes a stream piece by piece."""

    accepts_stream = True


def test_a_streamed_answer(local_model):
    @handler(model="local")
    def summary(event, context):
        return context.stream("Summarise: {text}", text=event["text"], max_tokens=24, temperature=0)

    stream = summary({"text": "Bees make honey from the nectar of flowers."}, Reader(remaining_time_ms=120_000))
    pieces = [chunk.delta for chunk in stream if chunk.delta]
    assert len(pieces) > 5
    assert "".join(pieces) == stream.completion.text
    assert 5 < stream.completion.usage.output_tokens <= 24
    assert 0 < stream.completion.time_to_first_token_ms < stream.completion.latency_ms


def test_an_answer_with_a_shape(local_model):
    mood = Prompt(
        "What is the mood of: {text}",
        output_schema={"mood": ["good", "bad"], "sure": bool},
        max_tokens=40,
        temperature=0,
    )
    answer = handler(model="local")(lambda event, context: mood.invoke(context, text="I love it"))({}, None)
    assert answer["mood"] in ("good", "bad")
    assert isinstance(answer["sure"], bool)


def test_vectors_of_what_is_alike_are_near(local_model):
    texts = ["A cat sleeps on the sofa.", "A kitten naps on the couch.", "Interest rates rose by two percent."]
    found = WireClient("local").embed(texts).unwrap()
    cat, kitten, rates = found.vectors
    assert product(cat, kitten) > product(cat, rates)
    assert math.hypot(*cat) == pytest.approx(1, abs=1e-3)


def product(one, other):
    return sum(x * y for x, y in zip(one, other, strict=True))
