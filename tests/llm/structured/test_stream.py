"""Structures while they are written: text and tool arguments, prose around them, and streams that end badly."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    ConfigurationError,
    ExtractionParseError,
    ExtractionValidationError,
    InvalidRequestError,
    LLMContentFilterError,
    StreamError,
)
from lambdallm.llm.types import Usage
from scripted_extractors import Awaiting, Blocking, declined, pieces, said

both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


@dataclass
class Person:
    name: str
    born: int
    tags: tuple[str, ...] = ()


TEXT = '{"name": "Ada", "born": 1815, "tags": ["x"]}'
ADA = Person("Ada", 1815, ("x",))


@both
@pytest.mark.parametrize("mode", ["native", "json", "prompted", "tool"])
def test_partial_data_grows_into_the_value(kind, mode):
    world = kind(pieces(TEXT, tool="Person" if mode == "tool" else None), mode=mode)
    partials, stream = world.stream("Who?", Person)
    seen = [partial.data for partial in partials]
    assert seen[0] == {}
    assert {"name": "Ad"} in seen or {"name": "A"} in seen
    assert {"name": "Ada", "born": 1815} in seen
    assert [partial.final for partial in partials] == [False] * (len(partials) - 1) + [True]
    assert (partials[-1].data, partials[-1].value, stream.value) == (json.loads(TEXT), ADA, ADA)
    assert (stream.extraction.mode, stream.extraction.usage, stream.extraction.attempts) == (mode, Usage(10, 5), 1)
    assert world.client.closed == 1


@both
def test_words_around_the_json_are_read_over(kind):
    text = f'Let me {{think}} about [it] {{"no" json}}.\n```json\n{TEXT}\n```\nDone: {{"x": 1}}.'
    partials, stream = kind(pieces(text, 3), mode="prompted").stream("Who?", Person)
    assert stream.value == ADA
    assert partials[-1].data == json.loads(TEXT)


@both
def test_what_is_wrapped_is_shown_bare(kind):
    partials, stream = kind(pieces('{"value": [1, 22, 3]}', 3)).stream("Count.", list[int])
    assert [partial.data for partial in partials] == [None, [], [1], [1, 22], [1, 22, 3], [1, 22, 3]]
    assert stream.value == [1, 22, 3]
    partials, stream = kind(pieces("[1, 22]", 3)).stream("Count.", list[int])
    assert (partials[-1].data, stream.value) == ([1, 22], [1, 22])


@both
def test_a_stream_sends_nothing_before_it_is_read(kind):
    world = kind(pieces(TEXT))
    stream = world.extractor.stream("Who?", Person)
    assert world.client.calls == []
    with pytest.raises(ConfigurationError, match="not come to its end"):
        stream.value  # noqa: B018


@both
def test_leaving_early_closes_the_clients_stream(kind):
    world = kind(pieces(TEXT))
    assert world.first("Who?", Person).data == {}
    assert world.client.closed == 1


@both
@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        (pieces('{"name": "Ada"}'), ExtractionValidationError, "born: missing"),
        (pieces("No idea."), ExtractionParseError, "no JSON"),
        ([said('{"name": "Ad', "length")], ExtractionParseError, "max_tokens"),
        ([declined("I won't.")], LLMContentFilterError, "I won't"),
        ([*pieces(TEXT)[:3], StreamError("It broke.")], StreamError, "It broke"),
    ],
)
def test_a_bad_end_is_raised_and_not_asked_again(kind, reply, error, words):
    world = kind(reply)
    with pytest.raises(error, match=words):
        world.stream("Who?", Person)
    assert (len(world.client.calls), world.client.closed) == (1, 1)


@both
def test_a_way_that_is_refused_is_given_up_before_anything_came(kind):
    refusal = InvalidRequestError("Unknown parameter: response_format.", status=400)
    world = kind([refusal], pieces(TEXT), modes=("native", "prompted"))
    _, stream = world.stream("Who?", Person)
    assert (stream.value, stream.extraction.mode, stream.extraction.attempts) == (ADA, "prompted", 2)


@given(
    st.integers(1, 9), st.sampled_from(["", "Well, ", "```json\n", "{so}: "]), st.sampled_from(["", "\n```", " Ok?"])
)
def test_however_it_is_cut_the_end_is_the_same(size, before, after):
    for kind in (Blocking, Awaiting):
        partials, stream = kind(pieces(before + TEXT + after, size), mode="prompted").stream("Who?", Person)
        assert (stream.value, partials[-1].data) == (ADA, json.loads(TEXT))
