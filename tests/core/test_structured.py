"""Answers with a shape inside an invocation: typed, asked again where they are wrong, and all of it paid for."""

from dataclasses import dataclass

import pytest

from lambdallm import handler
from lambdallm.core.context import LambdaLLMContext
from lambdallm.llm.errors import (
    ConfigurationError,
    DeadlineExceededError,
    ExtractionMaxRetriesError,
    ExtractionParseError,
    ProviderServerError,
)
from lambdallm.llm.models import ModelResponse
from lambdallm.testing import MockLambdaContext, mock_model
from test_imports import NEVER, imported


@dataclass
class Review:
    """What somebody thinks."""

    label: str
    score: float = 0.5


def rate(shape=Review, **settings):
    """A function that asks for a rating, and where its contexts are kept."""
    seen: list[LambdaLLMContext] = []

    @handler(**{"max_retries": 0, **settings})
    def function(event, context):
        seen.append(context)
        return context.invoke_structured("Rate {it}", shape, it="this")

    return function, seen


def rated(shape=Review, *, answers, **settings):
    function, seen = rate(shape, **settings)
    with mock_model(answers, cost_usd=0.5) as model:
        result = function({}, None)
    return result, seen[0], model.calls


@pytest.mark.parametrize(
    ("shape", "answer", "value"),
    [
        ({"label": str}, {"label": "good"}, {"label": "good"}),
        ({"type": "object", "properties": {"label": {"type": "string"}}}, {"label": "good"}, {"label": "good"}),
        (list[int], {"value": [1, 2]}, [1, 2]),
        (int, "3", 3),
    ],
    ids=str,
)
def test_the_answer_has_the_shape(shape, answer, value):
    assert rated(shape, answers=[answer])[0] == value


def test_a_type_gives_an_instance():
    @handler
    def function(event, context):
        review = context.invoke_structured("Rate {it}", Review, it="this")
        assert review == Review("good")
        return review.label

    with mock_model([{"label": "good"}]) as model:
        assert function({}, None) == "good"
    (call,) = model.calls
    assert (call.prompt, call.config.output_schema["required"]) == ("Rate this", ["label"])


def test_a_wrong_answer_is_asked_for_again_and_every_try_is_counted():
    result, context, calls = rated({"label": str}, answers=[{"label": 3}, {"label": "good"}])
    assert result == {"label": "good"}
    assert "$.label: expected string, got 3" in calls[1].prompt
    assert (len(context.completions), context.total_cost, len(calls)) == (2, 1.0, 2)


def test_tries_are_bounded_and_the_error_names_the_place():
    function, seen = rate({"label": str})
    with (
        mock_model([{"label": 3}], cost_usd=0.5),
        pytest.raises(ExtractionMaxRetriesError, match=r"\$\.label") as raised,
    ):
        function({}, None)
    assert (raised.value.attempts, raised.value.cost_usd, seen[0].total_cost) == (3, 1.5, 1.5)


@pytest.mark.parametrize("word", ["length", "max_tokens"])
def test_a_cut_answer_is_not_asked_for_again(word):
    cut = ModelResponse('{"label": "go', "m", 1, 1, 0.0, 0.0, word)
    function, _ = rate({"label": str})
    with mock_model([cut]) as model, pytest.raises(ExtractionParseError, match="cut off"):
        function({}, None)
    assert len(model.calls) == 1


def test_another_model_is_asked_where_the_first_gives_none():
    result, _, calls = rated(
        {"a": int}, answers=[ProviderServerError("Down."), {"a": 1}], model="a", fallback_model="b"
    )
    assert (result, [call.config.model_id for call in calls]) == ({"a": 1}, ["a", "b"])


def test_no_more_is_asked_when_no_time_is_left():
    function, _ = rate({"label": str}, timeout_buffer=5, model="echo")
    with pytest.raises(DeadlineExceededError):
        function({}, MockLambdaContext(remaining_time_ms=4_000))


def test_a_shape_is_needed_and_must_mean_something():
    for shape, words in ((None, "no schema"), (complex, "complex"), ({"a": object()}, "'a'")):
        function, _ = rate(shape)
        with mock_model(["{}"]), pytest.raises(ConfigurationError, match=words):
            function({}, None)


def test_a_model_of_the_catalog_is_asked_by_its_facts():
    @handler(model="echo")
    def function(event, context):
        review = context.invoke_structured("Rate it", Review)
        assert isinstance(review, Review)
        return len(context.completions)

    assert function({}, None) == 1


def test_nothing_dear_is_imported_for_it():
    found = imported("import lambdallm.core.structured")
    assert found & NEVER == set()
