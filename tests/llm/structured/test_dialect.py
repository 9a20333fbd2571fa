"""A schema in the words that each wire protocol takes: nothing refused, nothing loosened without saying so."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

import annotated_types
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.clients.schema_example import example
from lambdallm.llm.structured import json_schema_of
from lambdallm.llm.structured.dialect import DIALECTS, common, dialect_of, written
from lambdallm.llm.structured.output_model import output_model

OPENAI, CLAUDE, GEMINI = DIALECTS["openai_chat"], DIALECTS["anthropic_messages"], DIALECTS["gemini"]


@dataclass
class Item:
    name: Annotated[str, annotated_types.MaxLen(9)]
    price: Annotated[float, annotated_types.Ge(0), "in euros"]
    kind: Literal["a", "b"] = "a"
    tags: list[str] = field(default_factory=list)


@dataclass
class Node:
    children: list["Node"]


class Pet(pydantic.BaseModel):
    kind: Literal["cat"]
    lives: int = pydantic.Field(default=9, title="Lives left")


class Dog(pydantic.BaseModel):
    kind: Literal["dog"]


class Owner(pydantic.BaseModel):
    pet: Pet | Dog = pydantic.Field(discriminator="kind", description="the one")


def test_openai_requires_everything_and_makes_optional_properties_nullable():
    schema = written(json_schema_of(Item), OPENAI)
    assert schema == {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "(maxLength: 9)"},
            "price": {"type": "number", "minimum": 0, "description": "in euros"},
            "kind": {"type": ["string", "null"], "enum": ["a", "b", None]},
            "tags": {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]},
        },
        "required": ["name", "price", "kind", "tags"],
        "additionalProperties": False,
    }


def test_claude_keeps_optional_properties_and_takes_bounds_in_words():
    schema = written(json_schema_of(Item), CLAUDE)
    assert schema["required"] == ["name", "price"]
    assert schema["properties"]["price"] == {"type": "number", "description": "in euros (minimum: 0)"}
    assert schema["properties"]["kind"] == {"type": "string", "enum": ["a", "b"]}


def test_gemini_gets_tuples_and_bounds_as_they_are():
    schema = written(output_model(tuple[int, str]).schema, GEMINI)
    assert schema["properties"]["value"]["prefixItems"] == [{"type": "integer"}, {"type": "string"}]
    as_list = written(output_model(tuple[int, str]).schema, OPENAI)["properties"]["value"]
    assert as_list["items"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert (as_list["minItems"], as_list["maxItems"]) == (2, 2)


@pytest.mark.parametrize(
    ("dialect", "schema"),
    [
        (OPENAI, {"type": "object", "additionalProperties": {"type": "integer"}}),
        (OPENAI, {"type": "object"}),
        (OPENAI, {"type": "object", "properties": {"a": {}}}),
        (OPENAI, {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": True}),
        (OPENAI, {"allOf": [{"type": "object"}, {"type": "object"}]}),
        (CLAUDE, json_schema_of(Node)),
        (CLAUDE, {"$ref": "#"}),
    ],
)
def test_what_can_not_be_told_is_not_told_otherwise(dialect, schema):
    assert written(schema, dialect) is None


def test_a_schema_that_refers_to_itself_stays_one_where_it_may():
    schema = written(json_schema_of(Node), OPENAI)
    assert schema["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


def test_pydantics_own_words_become_everybodys():
    schema = written(json_schema_of(Owner), OPENAI)
    pet = schema["properties"]["pet"]
    assert pet == {"description": "the one", "anyOf": [{"$ref": "#/$defs/Pet"}, {"$ref": "#/$defs/Dog"}]}
    assert schema["$defs"]["Pet"]["properties"] == {
        "kind": {"type": "string", "enum": ["cat"]},
        "lives": {"type": ["integer", "null"], "description": "(default: 9)"},
    }


@pytest.mark.parametrize("dialect", [OPENAI, CLAUDE, GEMINI])
def test_words_to_choose_from_have_a_type(dialect):
    """OpenAI refuses a property without one; the shorthand gives none."""
    properties = written(json_schema_of({"mood": ["good", "bad"], "level": (1, 2), "any": ("a", 1)}), dialect)[
        "properties"
    ]
    assert properties == {
        "mood": {"type": "string", "enum": ["good", "bad"]},
        "level": {"type": "integer", "enum": [1, 2]},
        "any": {"type": ["string", "integer"], "enum": ["a", 1]},
    }
    assert written({"type": "number", "enum": [1, 2]}, dialect)["type"] == "number"


def test_a_default_of_null_goes_without_saying():
    class Some(pydantic.BaseModel):
        note: str | None = None

    assert written(json_schema_of(Some), CLAUDE)["properties"]["note"] == {
        "anyOf": [{"type": "string"}, {"type": "null"}]
    }


def test_a_reference_stands_alone_for_openai_and_gemini():
    schema = {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A", "description": "one"}},
        "required": ["a"],
        "$defs": {"A": {"type": "string"}},
    }
    for dialect in (OPENAI, GEMINI):
        assert written(schema, dialect)["properties"]["a"] == {"description": "one", "anyOf": [{"$ref": "#/$defs/A"}]}
    assert written(schema, CLAUDE)["properties"]["a"] == {"$ref": "#/$defs/A", "description": "one"}


def test_a_provider_may_declare_more_keywords():
    schema = json_schema_of(Item)
    more = dialect_of("openai_chat", {"schema_keywords": ["maxLength"]})
    assert written(schema, more)["properties"]["name"] == {"type": "string", "maxLength": 9}
    assert written(schema, dialect_of("openai_chat", {"schema_keywords": True}))["properties"]["name"]["maxLength"] == 9
    assert written(schema, dialect_of("no_such_protocol", {}))["required"] == ["name", "price"]


def test_what_several_take_each_of_them_takes():
    """One schema goes to whichever of a router's candidates is asked: it keeps the rules of all of them."""
    both = common([OPENAI, CLAUDE, GEMINI])
    assert (both.closed, both.full, both.lone, both.recursive, both.strict, both.json) == (
        True, True, True, False, True, False,
    )  # fmt: skip
    assert both.keywords == {"format"}
    assert common([OPENAI, DIALECTS["ollama_chat"]]).keywords == OPENAI.keywords
    schema = written(json_schema_of(Item), both)
    assert schema["required"] == ["name", "price", "kind", "tags"]
    assert schema["properties"]["price"]["description"] == "in euros (minimum: 0)"
    assert common([GEMINI]) == GEMINI


WORDS = {
    "type", "description", "anyOf", "$ref", "properties", "items", "enum", "required", "additionalProperties", "$defs",
    *OPENAI.keywords,
}  # fmt: skip
LEAVES = st.sampled_from(
    [{"type": "string", "minLength": 1}, {"type": "integer", "default": 3, "title": "T"}, {"const": 1},
     {"type": ["number", "null"]}, {"type": "string", "format": "date"}, {"type": "string", "format": "odd"},
     {"oneOf": [{"type": "null"}, {"type": "integer", "multipleOf": 2}]}]
)  # fmt: skip
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda schema: {"type": "array", "items": schema, "uniqueItems": True}),
        st.tuples(st.dictionaries(st.sampled_from("abc"), inner, min_size=1), st.lists(st.sampled_from("abc"))).map(
            lambda pair: {"type": "object", "properties": pair[0], "required": sorted({*pair[1]} & pair[0].keys())}
        ),
        inner.map(lambda schema: {"allOf": [schema]}),
        st.lists(inner, min_size=1, max_size=2).map(lambda schemas: {"anyOf": schemas}),
    ),
    max_leaves=6,
)


def every(schema):
    """A schema and all inside it."""
    yield schema
    items = [schema["items"]] if "items" in schema else []
    for each in (*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *items):
        yield from every(each)


@given(SCHEMAS)
def test_whatever_is_written_for_openai_keeps_its_rules(schema):
    for each in every(written(schema, OPENAI)):
        assert each.keys() <= WORDS
        if each.get("type") == "object":
            assert each["additionalProperties"] is False
            assert each["required"] == list(each["properties"])


@pytest.mark.parametrize("protocol", ["openai_chat", "anthropic_messages", "gemini", "ollama_chat", "cohere_chat"])
@pytest.mark.parametrize(
    "kind", [Owner, list[Dog], Pet | Dog, int | None, Literal["a"], {"a": str, "b?": [int]}], ids=str
)
def test_what_a_dialect_allows_becomes_an_instance(protocol, kind):
    """The smallest value that the written schema allows is one that the output model takes."""
    model = output_model(kind)
    _, wrong = model.build(example(written(model.schema, DIALECTS[protocol])))
    assert wrong == []
