"""Prompts: templates, types, shapes, files."""

import json

import pytest

from lambdallm import Model, Prompt
from lambdallm.core.context import LambdaLLMContext
from lambdallm.core.exceptions import ConfigurationError, ExtractionMaxRetriesError, PromptError
from lambdallm.core.handler import HandlerSettings
from lambdallm.testing import mock_model


def context():
    return LambdaLLMContext(HandlerSettings())


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
        with pytest.raises(PromptError, match=r"no variable 'nmae'.*uses 'name'"):
            Prompt("{name}").format(name="x", nmae="y")

    @pytest.mark.parametrize(
        ("kind", "value"), [(str, 3), (int, True), (int, 1.5), (float, "1"), ("list", "a"), (list[str], "a")]
    )
    def test_a_wrong_type_is_named_with_the_value(self, kind, value):
        with pytest.raises(PromptError, match=r"'x' is .*type"):
            Prompt("{x}", input_schema={"x": kind}).format(x=value)

    @pytest.mark.parametrize(("kind", "value"), [(float, 3), (bool, True), (list[str], ["a"]), (str | None, None)])
    def test_right_types_pass(self, kind, value):
        Prompt("{x}", input_schema={"x": kind}).format(x=value)

    def test_a_schema_for_a_variable_that_does_not_exist_is_an_error_at_once(self):
        with pytest.raises(PromptError, match="'y'"):
            Prompt("{x}", input_schema={"y": str})

    def test_a_template_is_text(self):
        with pytest.raises(PromptError, match="None"):
            Prompt(None)


class TestInvoke:
    def test_text(self):
        with mock_model(["Fine"]) as model:
            assert (
                Prompt("How is {who}?", system_prompt="Be {mood}").invoke(context(), who="Ada", mood="kind") == "Fine"
            )
        (call,) = model.calls
        assert (call.prompt, call.config.system_prompt) == ("How is Ada?", "Be kind")
        assert (call.config.max_tokens, call.config.temperature) == (1024, 0.7)

    def test_a_shape_makes_it_data(self):
        prompt = Prompt("Mood of {text}", output_schema={"mood": ["good", "bad"], "score": float})
        with mock_model(['Sure:\n```json\n{"mood": "good", "score": 0.9}\n```']):
            assert prompt.invoke(context(), text="x") == {"mood": "good", "score": 0.9}

    def test_data_that_does_not_fit_names_the_place(self):
        prompt = Prompt("x", output_schema={"mood": ["good", "bad"]})
        with (
            mock_model([{"mood": "so so"}]),
            pytest.raises(ExtractionMaxRetriesError, match=r"\$\.mood.*'so so'") as caught,
        ):
            prompt.invoke(context())
        assert "so so" in caught.value.text

    def test_a_variable_may_be_called_context(self):
        with mock_model(["ok"]) as model:
            Prompt("Given {context}").invoke(context(), context="this")
        assert model.calls[0].prompt == "Given this"

    def test_its_own_model_wins(self):
        with mock_model(["ok"]) as model:
            Prompt("x", model=Model.CLAUDE_3_OPUS).invoke(context())
        assert model.calls[0].config.model_id == Model.CLAUDE_3_OPUS


class TestFiles:
    FULL = Prompt(
        "Summarise {text} in {words} words",
        input_schema={"text": str, "words": int},
        output_schema={"summary": str, "tags": [str], "level": ["low", "high"]},
        system_prompt="Be brief",
        model=Model.CLAUDE_3_HAIKU,
        max_tokens=99,
        temperature=0.1,
        name="summary",
        version="2.1.0",
    )

    def test_there_and_back_again_through_json(self):
        assert Prompt.from_dict(json.loads(json.dumps(self.FULL.to_dict()))) == self.FULL

    def test_yaml(self, tmp_path):
        file = tmp_path / "summary.yaml"
        file.write_text(
            "template: |\n  Summarise {text}\ninput_schema:\n  text: str\n"
            "output_schema:\n  summary: str\n  tags: [str]\n"
            "model: local\nmax_tokens: 99\nname: summary\nversion: 2.1.0\n"
        )
        prompt = Prompt.from_yaml(file)
        assert prompt.format(text="it") == "Summarise it\n"
        assert prompt.json_schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
        assert (prompt.model, prompt.max_tokens, prompt.version) == ("local", 99, "2.1.0")

    def test_a_json_file_needs_no_yaml(self, tmp_path):
        file = tmp_path / "p.json"
        file.write_text(json.dumps(self.FULL.to_dict()))
        assert Prompt.from_yaml(file) == self.FULL

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("template: a\n  bad: [", r"p\.yaml, line 2"),
            ("- a", r"p\.yaml holds"),
            ("template: a\nmax_token: 3", r"p\.yaml.*'max_token'.*'max_tokens'"),
            ("name: a", r"p\.yaml.*no template"),
            ("template: '{x}'\ninput_schema: {x: strng}", r"p\.yaml.*'strng'"),
        ],
    )
    def test_a_mistake_names_the_file_and_the_fix(self, tmp_path, text, message):
        file = tmp_path / "p.yaml"
        file.write_text(text)
        with pytest.raises((ConfigurationError, PromptError), match=message):
            Prompt.from_yaml(file)

    def test_a_missing_file_is_named(self):
        with pytest.raises(ConfigurationError, match=r"none\.yaml"):
            Prompt.from_yaml("none.yaml")
