"""Prompts: what they are made of, and what asking with them gives."""

import asyncio
import copy
import pickle
from dataclasses import dataclass
from enum import Enum

import pytest

from lambdallm import Model, Prompt, handler
from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.exceptions import ConfigurationError, ExtractionMaxRetriesError, PromptError
from lambdallm.core.handler import HandlerSettings
from lambdallm.llm.types import ImagePart
from lambdallm.testing import mock_model


@dataclass
class Review:
    """What somebody thinks."""

    mood: str
    score: float


class Mood(Enum):
    GOOD = "good"


def context():
    return LambdaLLMContext(HandlerSettings())


def invoked(prompt, **values):
    return prompt.invoke(context(), **values)


def awaited(prompt, **values):
    async def run():
        return await prompt.ainvoke(LambdaLLMContext(HandlerSettings(), awaits=True), **values)

    return asyncio.run(run())


@pytest.fixture(params=[invoked, awaited], ids=["invoke", "ainvoke"])
def ask(request):
    """The two ways to ask, which give the same."""
    return request.param


class TestFormat:
    @pytest.mark.parametrize(
        ("template", "text"),
        [
            ("Hello {name}", "Hello Ada"),
            ("{name} and {name}", "Ada and Ada"),
            ("{{name}} is {name}", "{name} is Ada"),
            ('Answer like {"a": 1}, {name}', 'Answer like {"a": 1}, Ada'),
            ("{name}: {0} {} { }", "Ada: {0} {} { }"),
        ],
    )
    def test_templates(self, template, text):
        assert Prompt(template).format(name="Ada") == text

    def test_a_value_is_never_taken_for_a_template(self):
        assert Prompt("{a}{b}").format(a="{b}", b="x") == "{b}x"

    def test_missing_variables_are_named(self):
        with pytest.raises(PromptError, match=r"'greet' needs 'a', 'b'\. Pass a=…, b=…"):
            Prompt("{a} {b}", name="greet").format()

    def test_surplus_variables_are_named(self):
        with pytest.raises(PromptError, match=r"no variable 'nmae'. Did you mean 'name'\? It uses 'name'"):
            Prompt("{name}").format(name="x", nmae="y")

    def test_those_of_the_system_prompt_are_variables_too(self):
        with pytest.raises(PromptError, match="needs 'mood'"):
            Prompt("{name}", system_prompt="Be {mood}").format(name="Ada")

    def test_a_variable_may_have_any_name(self):
        assert Prompt("{self} {kwargs} {_context}").format(self=1, kwargs=2, _context=3) == "1 2 3"

    def test_a_schema_for_a_variable_that_does_not_exist_is_an_error_at_once(self):
        with pytest.raises(PromptError, match="'y'"):
            Prompt("{x}", input_schema={"y": str})


class TestMaking:
    @pytest.mark.parametrize(
        ("arguments", "kind", "message"),
        [
            ({"template": None}, PromptError, "A template is text, not None"),
            ({"template": 3}, PromptError, "A template is text, not 3"),
            ({}, PromptError, "A template is text, not None"),
            ({"template": "x", "system_prompt": 3}, PromptError, "A system_prompt is text, not 3"),
            ({"template": "x", "max_tokens": 0}, ConfigurationError, "max_tokens is 0"),
            ({"template": "x", "max_tokens": True}, ConfigurationError, "max_tokens is True"),
            ({"template": "x", "temperature": "hot"}, ConfigurationError, "temperature is 'hot'"),
            ({"template": "x", "model": 3}, ConfigurationError, "model is 3. Name a model"),
            ({"template": "x", "name": ""}, ConfigurationError, "name is ''"),
            ({"template": "x", "version": 1.1}, ConfigurationError, r"version is 1\.1\. .*quote it: version: '1\.10'"),
            ({"template": "x", "labels": "production"}, ConfigurationError, "labels is 'production'. Give a list"),
            ({"template": "x", "labels": 3}, ConfigurationError, "labels is 3"),
            ({"template": "x", "messages": 3}, PromptError, "3 is no message"),
            ({"template": "x", "examples": 3}, PromptError, "3 is no example"),
            ({"template": "x", "labels": [3]}, ConfigurationError, r"labels is \(3,\)"),
            ({"template": "x", "defaults": ["a"]}, PromptError, r"defaults is \['a'\]"),
        ],
    )
    def test_a_wrong_setting_is_named_at_once(self, arguments, kind, message):
        with pytest.raises(kind, match=message):
            Prompt(**arguments)

    def test_documented_defaults(self):
        prompt = Prompt("x")
        assert (prompt.max_tokens, prompt.temperature, prompt.version) == (1024, 0.7, "1.0.0")
        assert (prompt.input_schema, prompt.output_schema, prompt.system_prompt, prompt.model, prompt.name) == (
            None,
        ) * 5

    def test_parameters_stand_in_the_documented_order(self):
        prompt = Prompt("{x}", {"x": str}, {"y": int}, "Be brief", Model.CLAUDE_3_OPUS, 9, 0.1, "named", "2.0.0")
        assert prompt == Prompt(
            template="{x}", input_schema={"x": str}, output_schema={"y": int}, system_prompt="Be brief",
            model=Model.CLAUDE_3_OPUS, max_tokens=9, temperature=0.1, name="named", version="2.0.0",
        )  # fmt: skip

    def test_it_does_not_change(self):
        prompt = Prompt("x")
        with pytest.raises(AttributeError, match="immutable"):
            prompt.template = "y"
        with pytest.raises(AttributeError, match="immutable"):
            del prompt.template

    def test_a_changed_copy_keeps_the_rest(self):
        prompt = Prompt("{x}", {"x": "int"}, name="a", labels=["live"], messages=["{history}"], examples=[(1, "2")])
        changed = prompt.with_options({"max_tokens": 9})
        assert (changed.max_tokens, changed.with_options({"max_tokens": 1024})) == (9, prompt)

    @pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda prompt: pickle.loads(pickle.dumps(prompt))])
    def test_a_copy_is_equal(self, again):
        prompt = Prompt("{x}", {"x": list[str]}, Review, examples=[(["a"], Review("good", 1))], messages=["{history}"])
        assert again(prompt) == prompt
        assert hash(again(prompt)) == hash(prompt)

    def test_equal_are_those_that_are_made_of_the_same(self):
        assert Prompt("{x}", {"x": str}, {"a": str}) == Prompt("{x}", {"x": "str"}, {"a": "str"})
        assert Prompt("{x}", output_schema={"a": str}) != Prompt("{x}", output_schema=Review) != Prompt("{x}") != "{x}"

    def test_it_shows_what_it_is(self):
        assert repr(Prompt("x" * 70, name="long")) == f"Prompt('{'x' * 57}…', name='long', version='1.0.0')"

    def test_its_type_parameter_is_for_type_checkers(self):
        assert Prompt[Review]("x") == Prompt("x")

    @pytest.mark.parametrize(
        ("shape", "schema"),
        [
            (None, None),
            ({"a": int}, {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"],
                          "additionalProperties": False}),
            (list[int], {"type": "array", "items": {"type": "integer"}}),
        ],
    )  # fmt: skip
    def test_its_shape_as_json_schema(self, shape, schema):
        prompt = Prompt("x", output_schema=shape)
        assert (prompt.shape, prompt.json_schema) == (shape, schema)


class TestInvoke:
    def test_text(self, ask):
        with mock_model(["Fine"]) as model:
            assert ask(Prompt("How is {who}?", system_prompt="Be {mood}"), who="Ada", mood="kind") == "Fine"
        (call,) = model.calls
        assert (call.prompt, call.config.system_prompt) == ("How is Ada?", "Be kind")
        assert (call.config.max_tokens, call.config.temperature) == (1024, 0.7)

    def test_a_shape_makes_it_data(self, ask):
        prompt = Prompt("Mood of {text}", output_schema={"mood": ["good", "bad"], "score": float})
        with mock_model(['Sure:\n```json\n{"mood": "good", "score": 0.9}\n```']):
            assert ask(prompt, text="x") == {"mood": "good", "score": 0.9}

    @pytest.mark.parametrize(
        ("shape", "answer", "value"),
        [
            (Review, '{"mood": "good", "score": 1}', Review("good", 1.0)),
            (list[Review], '{"value": [{"mood": "good", "score": 1}]}', [Review("good", 1.0)]),
            (Mood, '{"value": "good"}', Mood.GOOD),
            (int | None, '{"value": null}', None),
        ],
    )
    def test_a_type_makes_it_an_instance(self, ask, shape, answer, value):
        with mock_model([answer]):
            assert ask(Prompt("Rate {it}", output_schema=shape), it="this") == value

    def test_data_that_does_not_fit_names_the_place(self, ask):
        prompt = Prompt("x", output_schema={"mood": ["good", "bad"]})
        with (
            mock_model([{"mood": "so so"}]),
            pytest.raises(ExtractionMaxRetriesError, match=r"\$\.mood.*'so so'") as caught,
        ):
            ask(prompt)
        assert "so so" in caught.value.text

    def test_a_variable_may_be_called_context(self, ask):
        with mock_model(["ok"]) as model:
            ask(Prompt("Given {context}"), context="this")
        assert model.calls[0].prompt == "Given this"

    def test_its_own_model_wins(self, ask):
        with mock_model(["ok"]) as model:
            ask(Prompt("x", model=Model.CLAUDE_3_OPUS))
        assert model.calls[0].config.model_id == Model.CLAUDE_3_OPUS

    def test_what_does_not_fit_is_told_before_anything_is_sent(self, ask):
        with mock_model(["ok"]) as model, pytest.raises(PromptError, match="needs 'x'"):
            ask(Prompt("{x}"))
        assert model.calls == []

    def test_only_a_handlers_context_can_be_asked(self):
        with pytest.raises(ConfigurationError, match=r"invoked with a context, not {}\. Pass what @handler gives"):
            Prompt("x").invoke({})

    def test_inside_a_handler(self):
        prompt = Prompt("Rate {it}", output_schema=Review)

        @handler
        def function(event, context):
            return {"score": prompt.invoke(context, it=event["it"]).score}

        with mock_model(['{"mood": "good", "score": 0.5}']):
            assert function({"it": "this"}, None) == {"score": 0.5}


class TestStream:
    def test_text_as_it_comes(self):
        with mock_model(["one two"]):
            assert "".join(Prompt("{x}").stream(context(), x="y").texts()) == "one two"

    def test_the_same_awaited(self):
        async def run():
            stream = Prompt("{x}").astream(LambdaLLMContext(HandlerSettings(), awaits=True), x="y")
            return "".join([text async for text in stream.texts()])

        with mock_model(["one two"]):
            assert asyncio.run(run()) == "one two"

    def test_a_shape_can_not_be_streamed_as_text(self):
        with pytest.raises(ConfigurationError, match=r"'rate' has an output_schema.*StructuredExtractor"):
            Prompt("x", output_schema=Review, name="rate").stream(context())

    def test_an_image_reaches_the_model(self):
        picture = ImagePart(url="https://example.com/cat.png")
        (message,) = Prompt("{picture}").messages({"picture": picture})
        assert message.parts == (picture,)
