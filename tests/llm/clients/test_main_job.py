"""The main job on real input: a decorated function gets a real answer, streamed, from the embedded model."""

import math

import pytest

from lambdallm import Prompt, WireClient, handler
from lambdallm.testing import MockLambdaContext

pytestmark = pytest.mark.model


class Reader(MockLambdaContext):
    """A caller that takes a stream piece by piece. `context` is what the handler made of the invocation."""

    accepts_stream = True

    def on_context(self, context):
        self.context = context


def test_a_streamed_answer(local_model):
    @handler(model="local", response_streaming="direct")
    def summary(event, context):
        return context.stream("Summarise: {text}", text=event["text"], max_tokens=24, temperature=0)

    reader = Reader(remaining_time_ms=120_000)
    pieces = list(summary({"text": "Bees make honey from the nectar of flowers."}, reader))
    [answer] = reader.context.completions
    assert len(pieces) > 5
    assert b"".join(pieces).decode() == answer.text
    assert 5 < answer.usage.output_tokens <= 24
    assert 0 < answer.time_to_first_token_ms < answer.latency_ms


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
