import enum
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm._value import Value
from lambdallm.chains.references import Reference, Scope, parse, template
from lambdallm.llm.errors import PromptError


class Fact(Value):
    text: str
    sure: bool = True


@dataclass
class Place:
    city: str


class Mood(enum.Enum):
    GOOD = "good"


def scope(**values):
    return Scope({}, values, {})


@pytest.mark.parametrize(
    ("text", "name", "way"),
    [
        ("draft", "draft", ()),
        ("draft.output", "draft", ()),
        ("draft.title", "draft", ("title",)),
        ("draft.output.title", "draft", ("title",)),
        ("draft.output.output", "draft", ("output",)),
        ("draft.output.0.title", "draft", ("0", "title")),
        ("item.output", "item", ("output",)),
    ],
)
def test_a_reference_names_a_value_and_fields_of_it(text, name, way):
    reference = parse(text)
    assert (reference.name, reference.way, str(reference)) == (name, way, text)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Say {draft.output}", "Say hello"),
        ("Say {draft}", "Say hello"),
        ("{facts.0.text} and {facts.output.1.text}", "a and b"),
        ("{place.city}", "Oslo"),
        ("{nothing} {nothing.deeper.still}!", " !"),
        ("{{draft}} {draft}}}", "{draft} hello}"),
        ('{"json": {draft}, "a-b": {a-b} }', '{"json": hello, "a-b": {a-b} }'),
        ("{number} {data}", '3 {"a": [1, "ä"]}'),
        ("{one-step.output}", "1"),
    ],
)
def test_a_template_is_filled_with_values(text, filled):
    values = {"draft": "hello", "facts": [Fact("a"), Fact("b")], "place": Place("Oslo"), "nothing": None,
              "number": 3, "data": {"a": [1, "ä"]}, "one-step": 1}  # fmt: skip
    made = template(text)
    assert made.whole is not None or made.value(scope(**values)) == filled
    if made.whole is not None and isinstance(made.value(scope(**values)), str):
        assert made.value(scope(**values)) == filled


def test_a_template_that_is_one_reference_keeps_the_value_as_it_is():
    assert template("{data.output}").value(scope(data=[1, 2])) == [1, 2]
    assert template("{data.output}!").value(scope(data=[1, 2])) == "[1, 2]!"


def test_values_are_never_read_as_templates_again():
    assert template("{a} {b}").value(scope(a="{b}", b="{{x}}")) == "{b} {{x}}"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("draft.title", "has no field 'title'"),
        ("fact.txt", "Did you mean 'text'"),
        ("data.nme", "Did you mean 'name'"),
        ("items.7", "has no field '7'"),
        ("drft", "Did you mean 'draft'"),
        ("fact.__class__", "has no field '__class__'"),
        ("draft.upper", "has no field 'upper'"),
        ("place.__init__", "has no field '__init__'"),
        ("mood.value", "has no field 'value'"),
    ],
)
def test_what_is_not_there_is_named_and_no_attribute_can_be_reached(reference, says):
    values = scope(draft="x", fact=Fact("a"), data={"name": 1}, items=[1], place=Place("Oslo"), mood=Mood.GOOD)
    with pytest.raises(PromptError, match=says):
        values.resolve(parse(reference))


def test_all_values_are_found_by_whole_references_too():
    values = Scope({"text": "t"}, {"draft": {"title": "T"}}, {"item": 1}).all()
    assert (values["text"], values["draft"], values["item"]) == ("t", {"title": "T"}, 1)
    assert (values["draft.output"], values["draft.output.title"], values["draft.title"]) == ({"title": "T"}, "T", "T")
    with pytest.raises(KeyError):
        values["nope"]


@given(st.text(alphabet="ab{}._-0 \n\0", max_size=30))
def test_any_text_is_a_template_and_its_variables_have_names(text):
    made = template(text)
    assert all(name.isidentifier() for name in made.references)


def test_references_that_would_share_a_variable_get_two():
    made = template("{a_b} {a.b} {a.b}")
    assert made.text == "{a_b} {a_b_2} {a_b_2}"
    assert made.references == {"a_b": Reference("a_b"), "a_b_2": Reference("a", ("b",))}
