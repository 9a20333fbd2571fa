"""Fields for the variables of prompts and chains, and what is made of what was typed there."""

from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal

import pytest

from lambdallm import Prompt
from lambdallm.chains import Chain, Map, Parallel, Step
from lambdallm.cli.dev_inputs import chain_inputs, edited, prompt_inputs, prompt_values
from lambdallm.core.exceptions import PromptError
from lambdallm.llm.types import ChatMessage, ImagePart


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Person:
    name: str
    age: int


def field(kind):
    return prompt_inputs(Prompt("{it}", input_schema={"it": kind}))[0]


@pytest.mark.parametrize(
    ("kind", "word", "choices"),
    [
        (str, "string", None),
        (int, "integer", None),
        (float, "number", None),
        (bool, "boolean", None),
        (Literal["low", "high"], "enum", ["low", "high"]),
        (Colour, "enum", ["red", "blue"]),
        (["a", "b"], "enum", ["a", "b"]),
        (list[str], "json", None),
        ({"a": str}, "json", None),
        (Person, "json", None),
        (str | None, "string", None),
        (int | str, "json", None),
        ("list[str]", "json", None),
        (ImagePart, "string", None),
    ],
)
def test_types_of_variables_become_kinds_of_fields(kind, word, choices):
    assert (field(kind)["type"], field(kind)["choices"]) == (word, choices)


def test_a_field_says_what_its_type_says_of_it():
    assert field(Annotated[str, "Of the customer"])["description"] == "Of the customer"


def test_a_default_is_shown_and_makes_a_field_optional():
    first, second = prompt_inputs(Prompt("{a} {b}", defaults={"b": "usual"}))
    assert (first["required"], first["default"]) == (True, None)
    assert (second["required"], second["default"]) == (False, "usual")


def test_a_conversation_is_an_optional_list():
    (history, question) = sorted(prompt_inputs(Prompt("{question}", messages=["{history}"])), key=lambda f: f["name"])
    assert (history["type"], history["required"]) == ("json", False)
    assert question["required"]


class TestValues:
    def test_pictures_are_read_from_data_urls_and_addresses(self):
        prompt = Prompt("{it}", input_schema={"it": ImagePart})
        assert prompt_values(prompt, {"it": "data:image/png;base64,AAEC"})["it"].data == b"\0\1\2"
        assert prompt_values(prompt, {"it": "https://example.com/a.png"})["it"].url == "https://example.com/a.png"
        with pytest.raises(PromptError, match="Give a data: URL"):
            prompt_values(prompt, {"it": 3})

    def test_data_becomes_an_instance_where_a_class_is_wanted(self):
        prompt = Prompt("{it}", input_schema={"it": Person})
        assert prompt_values(prompt, {"it": {"name": "a", "age": 3}}) == {"it": Person("a", 3)}

    def test_whole_numbers_are_numbers(self):
        value = prompt_values(Prompt("{it}", input_schema={"it": float}), {"it": 3})["it"]
        assert type(value) is float

    def test_a_conversation_becomes_messages(self):
        prompt = Prompt("{q}", messages=["{history}"])
        values = prompt_values(prompt, {"q": "?", "history": [{"role": "user", "content": "Hi"}]})
        assert values["history"][0] == ChatMessage("user", "Hi") or values["history"][0].text == "Hi"

    def test_what_the_template_does_not_name_is_left_out(self):
        assert prompt_values(Prompt("{a}"), {"a": "1", "gone": "2"}) == {"a": "1"}


class TestEdits:
    def test_a_variable_that_went_takes_its_type_and_default_with_it(self):
        prompt = Prompt("{a} {b}", input_schema={"a": str, "b": int}, defaults={"b": 1}, system_prompt="Be {mood}.")
        changed = edited(prompt, {"template": "{a} {c}"})
        assert (changed.variables, changed.input_schema, changed.defaults) == (["a", "c", "mood"], {"a": str}, {})

    def test_examples_for_variables_that_went_go(self):
        prompt = Prompt("{a}", examples=[({"a": "1"}, "one")])
        assert edited(prompt, {"template": "{b}"}).examples == ()
        assert edited(prompt, {"template": "Say {a}"}).examples == prompt.examples

    def test_nothing_changed_is_the_same_prompt(self):
        prompt = Prompt("{a}")
        assert edited(prompt, {}) is prompt


class TestChains:
    def test_inputs_have_the_types_that_prompts_give_them(self):
        chain = Chain(
            "c",
            [
                Step("one", Prompt("{text} {n}", input_schema={"text": str, "n": int})),
                Parallel("both", [Step("two", "{one.output} {level}"), Step("three", "{text}")]),
                Map(Step("each", "{item}"), over="{pages}"),
            ],
        )
        found = {one["name"]: one["type"] for one in chain_inputs(chain)}
        assert found == {"text": "string", "n": "integer", "level": "string", "pages": "json"}

    def test_what_functions_can_do_without_is_optional(self):
        chain = Chain("c", [Step("one", "{text}"), Step("two", func=lambda one: one)], inputs=["text", "note"])
        assert {one["name"]: one["required"] for one in chain_inputs(chain)} == {"text": True, "note": False}
