"""Shapes in shorthand, JSON inside prose, and checking one against the other."""

import contextlib
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import ConfigurationError, ExtractionParseError
from lambdallm.llm.structured.json_block import extract_json_block, parse_json
from lambdallm.llm.structured.schema import json_schema
from lambdallm.llm.structured.validate import problems


@pytest.mark.parametrize(
    ("kind", "meant"),
    [
        (str, {"type": "string"}),
        ("float", {"type": "number"}),
        ("boolean", {"type": "boolean"}),
        ([int], {"type": "array", "items": {"type": "integer"}}),
        (["low", "high"], {"enum": ["low", "high"]}),
        (("low",), {"enum": ["low"]}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Literal["a", "b"], {"enum": ["a", "b"]}),
    ],
)
def test_shorthand(kind, meant):
    schema = json_schema({"field": kind})
    assert schema["properties"] == {"field": meant}
    assert schema["required"] == ["field"]


def test_objects_nest_and_fields_may_be_optional():
    schema = json_schema({"who": {"name": str, "age?": int}})
    assert schema["properties"]["who"]["required"] == ["name"]


def test_json_schema_stays_as_it_is():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    assert json_schema(schema) == schema


def test_a_field_called_type_is_a_field():
    assert json_schema({"type": str, "size": int})["required"] == ["type", "size"]


def test_a_kind_nobody_knows_is_named():
    with pytest.raises(ConfigurationError, match="'when'"):
        json_schema({"when": object()})


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, "}"]}',
        'Sure! Here it is:\n```json\n{"a": [1, "}"]}\n```\nAnything else?',
        'Sure: {"a": [1, "}"]} — done {not json}',
        'set {x} then {"a": [1, "}"]}',
    ],
)
def test_json_is_found_wherever_a_model_puts_it(text):
    assert parse_json(text) == {"a": [1, "}"]}


@pytest.mark.parametrize("text", ["", "no", '{"a": ', "{a: 1}"])
def test_no_json_is_an_error_that_shows_the_text(text):
    with pytest.raises(ExtractionParseError) as caught:
        extract_json_block(text)
    assert caught.value.text == text


@given(st.text(alphabet='{}[]"\\ a1:,`\n', max_size=60))
def test_looking_for_json_never_fails_otherwise(text):
    with contextlib.suppress(ExtractionParseError):
        extract_json_block(text)


SCHEMA = json_schema({"name": str, "score": float, "tags": [str], "level": ["low", "high"]})


def test_what_fits_has_no_problems():
    assert problems({"name": "a", "score": 1, "tags": [], "level": "low"}, SCHEMA) == []


def test_each_problem_has_its_path():
    found = problems({"name": 3, "tags": ["a", 1], "level": "mid", "more": 1}, SCHEMA)
    assert set(found) == {
        "$.name: expected string, got 3",
        "$.score: missing",
        "$.tags[1]: expected string, got 1",
        "$.level: expected one of 'low', 'high', got 'mid'",
        "$.more: not a field of the schema",
    }


@pytest.mark.parametrize(
    ("value", "schema", "fits"),
    [
        (True, {"type": "integer"}, False),
        (2.0, {"type": "integer"}, True),
        (1, {"const": True}, False),
        ([1, 1], {"uniqueItems": True}, False),
        (5, {"minimum": 1, "exclusiveMaximum": 5}, False),
        (0.3, {"multipleOf": 0.1}, True),
        ("abc", {"pattern": "^a", "maxLength": 3}, True),
        ([1, "a"], {"prefixItems": [{"type": "integer"}], "items": {"type": "string"}}, True),
        (
            {"a": {"a": {}}},
            {"$ref": "#/$defs/t", "$defs": {"t": {"additionalProperties": {"$ref": "#/$defs/t"}}}},
            True,
        ),
        (3, {"anyOf": [{"type": "string"}, {"type": "null"}]}, False),
        (3, {"oneOf": [{"type": "integer"}, {"type": "number"}]}, False),
        (3, {"not": {"type": "integer"}}, False),
        (3, False, False),
        (3, True, True),
    ],
)
def test_the_words_of_json_schema(value, schema, fits):
    assert (problems(value, schema) == []) is fits
