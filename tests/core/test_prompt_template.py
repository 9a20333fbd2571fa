"""Templates: what stands for a variable, what for a brace, and what a template can't reach."""

from collections import namedtuple
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lambdallm.core.exceptions import PromptError
from lambdallm.core.template import escape, fill, pieces, variables
from lambdallm.llm.types import ImagePart, TextPart, Usage


class Mood(Enum):
    GOOD = "good"


class Tone(StrEnum):
    KIND = "kind"


@dataclass
class User:
    name: str
    tags: list[str]
    mood: Mood = Mood.GOOD

    @property
    def secret(self):
        return "not a field"


class Model(BaseModel):
    name: str


Point = namedtuple("Point", "x y")


class TestBraces:
    @pytest.mark.parametrize(
        ("template", "text"),
        [
            ("{a}", "1"),
            ("{{a}}", "{a}"),
            ("{{{a}}}", "{1}"),
            ("{{{{a}}}}", "{{a}}"),
            ("{", "{"),
            ("}", "}"),
            ("{{", "{"),
            ("}}", "}"),
            ("{}", "{}"),
            ("{{}}", "{}"),
            ("{0} { a } {a b} {a", "{0} { a } {a b} {a"),
            ("{größe}", "1"),
        ],
    )
    def test_a_name_in_braces_is_a_variable_and_two_braces_are_one(self, template, text):
        assert fill(template, dict.fromkeys(variables(template), 1)) == text

    @pytest.mark.parametrize(
        "template",
        ['{"a": 1}', '{"a": {"b": 1}}', '{"a": {"b": {"c": [{"d": {}}]}}}', "function() { if (x) { y() }}"],
    )
    def test_json_and_code_need_no_escape_however_their_braces_close(self, template):
        assert fill(template, {}) == template

    def test_variables_inside_json_are_filled_in(self):
        assert fill('{"a": {"b": {c}}, "d": {{e}}}', {"c": 1}) == '{"a": {"b": 1}, "d": {e}}'

    @given(st.text(alphabet="{}ab .\n"))
    def test_escaped_text_says_itself(self, text):
        assert fill(escape(text), {}) == text

    @given(st.text(alphabet="{}a "), st.text(alphabet="{}a "), st.text())
    def test_a_variable_between_escaped_texts_is_filled_in(self, before, after, value):
        assert fill(escape(before) + "{name}" + escape(after), {"name": value}) == before + value + after

    @given(st.lists(st.sampled_from(["a", " ", "{{", "}}", "{name}", "{x}"])).map("".join))
    def test_what_python_formats_is_formatted_the_same(self, template):
        values = dict.fromkeys(variables(template), "v{}")
        assert fill(template, values) == template.format(name="v{}", x="v{}")

    @given(st.text(alphabet="{}ab._[]01 "))
    def test_any_text_is_a_template_of_the_same_text(self, template):
        """Nothing is lost but the second of two braces."""
        written = "".join(
            each if isinstance(each, str) else "{" + "".join(map(str, each)) + "}" for each in pieces(template)
        )
        assert [mark for mark in written if mark not in "{}.[]"] == [mark for mark in template if mark not in "{}.[]"]

    @given(st.dictionaries(st.sampled_from("abc"), st.text(alphabet="{}abc")))
    def test_values_are_never_read_as_templates(self, values):
        template = "|".join(f"{{{name}}}" for name in values)
        assert fill(template, values) == "|".join(values.values())


class TestPaths:
    @pytest.mark.parametrize(
        ("template", "value", "text"),
        [
            ("{it.name}", {"name": "Ada"}, "Ada"),
            ("{it[0]}", ["first"], "first"),
            ("{it.name}", User("Ada", []), "Ada"),
            ("{it.tags[1]}", User("Ada", ["a", "b"]), "b"),
            ("{it.mood}", User("Ada", []), "good"),
            ("{it.y}", Point(1, 2), "2"),
            ("{it.name}", Model(name="Ada"), "Ada"),
            ("{it.input_tokens}", Usage(7), "7"),
            ("{it.a.b[0].c}", {"a": {"b": [{"c": "deep"}]}}, "deep"),
        ],
    )
    def test_lead_into_data(self, template, value, text):
        assert variables(template) == ["it"]
        assert fill(template, {"it": value}) == text

    @pytest.mark.parametrize(
        "template", ["{it.}", "{.it}", "{it[}", "{it[x]}", "{it[-1]}", "{it..a}", "{it.[0]}", "{[0]}"]
    )
    def test_what_is_no_path_stands_as_it_is(self, template):
        assert fill(template, {}) == template

    @pytest.mark.parametrize("step", ["__class__", "__init__", "secret", "__dict__", "__dataclass_fields__"])
    @pytest.mark.parametrize("value", [User("Ada", []), Model(name="Ada"), Point(1, 2), Usage(), "text", print, User])
    def test_reach_no_attribute_that_is_no_field(self, step, value):
        with pytest.raises(PromptError, match=f"'it' has no '{step}'"):
            fill(f"{{it.{step}}}", {"it": value})

    def test_the_step_that_leads_nowhere_is_named_with_the_nearest(self):
        with pytest.raises(PromptError, match=r"'it.user' has no 'nmae'. Did you mean 'name'\?"):
            fill("{it.user.nmae}", {"it": {"user": {"name": "Ada"}}})

    def test_a_list_says_how_long_it_is(self):
        with pytest.raises(PromptError, match=r"'it' has no '\[2\]'. It has 1 items, counted from 0"):
            fill("{it[2]}", {"it": ["only"]})


class TestValues:
    @pytest.mark.parametrize(
        ("value", "text"),
        [
            ("text", "text"),
            (3, "3"),
            (0.5, "0.5"),
            (True, "True"),
            (None, "None"),
            (Mood.GOOD, "good"),
            (Tone.KIND, "kind"),
            (Decimal("1.50"), "1.50"),
            (date(2026, 1, 2), "2026-01-02"),
            (["é", 1], '["é", 1]'),
            (("a", None), '["a", null]'),
            ({"a": True}, '{"a": true}'),
            ({2, 1}, "[1, 2]"),
            (User("Ada", ["x"]), '{"name": "Ada", "tags": ["x"], "mood": "good"}'),
            (Model(name="Ada"), '{"name": "Ada"}'),
            ([Model(name="Ada"), date(2026, 1, 2)], '[{"name": "Ada"}, "2026-01-02"]'),
            (TextPart("words"), "words"),
        ],
    )
    def test_text_stands_as_it_is_and_data_as_json(self, value, text):
        assert fill("{it}", {"it": value}) == text

    def test_an_image_is_no_text(self):
        with pytest.raises(PromptError, match=r"'it' is an image, which is no text.*invoke"):
            fill("{it}", {"it": ImagePart(url="https://example.com/a.png")})

    def test_what_refuses_to_be_text_is_a_prompt_error(self):
        class Shy:
            def __str__(self):
                raise RuntimeError("no")

        loop = []
        loop.append(loop)
        for value in (Shy(), [Shy()], loop, 10**5000, {(1, 2): 3}):
            with pytest.raises(PromptError, match="'it' is of type"):
                fill("{it}", {"it": value})

    json_like = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.frozensets(st.text()),
        max_leaves=8,
    )

    @given(
        st.lists(st.sampled_from(["{", "}", "{a}", "{b.c}", "{b[0]}", "{b.__class__}", "a", ".", "[0]"])).map("".join),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), json_like),
    )
    def test_nothing_but_prompt_errors_come_of_any_template_and_any_data(self, template, values):
        with suppress(PromptError):
            assert isinstance(fill(template, values), str)


class TestNames:
    def test_missing_and_surplus_are_told_together_with_the_nearest(self):
        with pytest.raises(PromptError) as caught:
            fill("{name} {age}", {"nmae": 1, "age": 2})
        assert str(caught.value) == (
            "The prompt needs 'name'. The prompt has no variable 'nmae'. Pass name=…. Did you mean 'name'? "
            "It uses 'name', 'age'; correct the name or leave it out."
        )

    def test_a_template_without_variables_says_so(self):
        with pytest.raises(PromptError, match=r"no variable 'x'\. It uses none"):
            fill("plain", {"x": 1})

    def test_many_templates_are_not_kept_for_ever(self):
        from lambdallm.core import template

        for number in range(2 * template._MOST_KNOWN):
            fill(f"{number}", {})
        assert len(template._known) <= template._MOST_KNOWN
