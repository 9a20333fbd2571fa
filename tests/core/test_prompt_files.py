"""Prompts as data and in files: there and back again, what editors are told, and where a mistake stands."""

import builtins
import json
from dataclasses import dataclass

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lambdallm import Model, Prompt
from lambdallm.core.exceptions import ConfigurationError, MissingExtraError, PromptError
from lambdallm.core.prompts.data import FIELDS
from lambdallm.llm.types import ChatMessage, ImagePart


@dataclass
class Review:
    """What somebody thinks."""

    stars: int


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
    messages=[{"role": "system", "content": "As {{json}}"}, "{history}"],
    examples=[({"text": "a"}, {"summary": "a", "tags": [], "level": "low"}), ChatMessage("user", "{b}")],
    defaults={"words": 3},
    labels=["production"],
)
VALIDATOR = Draft202012Validator(Prompt.schema())


class TestData:
    def test_there_and_back_again_through_json(self):
        data = json.loads(json.dumps(FULL.to_dict()))
        assert Prompt.from_dict(data) == FULL
        assert Prompt.from_dict(data).to_dict() == data

    def test_what_is_not_set_of_the_newer_fields_is_not_written(self):
        assert Prompt("x").to_dict() == {
            "template": "x", "input_schema": None, "output_schema": None, "system_prompt": None, "model": None,
            "max_tokens": 1024, "temperature": 0.7, "name": None, "version": "1.0.0",
        }  # fmt: skip

    def test_a_prompt_of_messages_alone_has_no_template(self):
        prompt = Prompt(messages=[ChatMessage("user", "{a}")])
        assert "template" not in prompt.to_dict()
        assert Prompt.from_dict(prompt.to_dict()).messages({}) == prompt.messages({})

    def test_a_type_becomes_its_schema_and_keeps_its_name(self):
        data = Prompt("x", output_schema=Review).to_dict()
        assert (data["output_schema"]["title"], data["output_schema"]["required"]) == ("Review", ["stars"])
        again = Prompt.from_dict(data)
        assert again.to_dict() == data
        assert again.json_schema["properties"] == {"stars": {"type": "integer"}}

    def test_a_shorthand_with_types_no_file_names_becomes_a_schema(self):
        data = Prompt("x", output_schema={"tags": list[str]}).to_dict()
        assert data["output_schema"]["properties"] == {"tags": {"type": "array", "items": {"type": "string"}}}

    @pytest.mark.parametrize(
        "prompt",
        [
            Prompt("{x}", defaults={"x": ImagePart(url="https://example.com/a.png")}),
            Prompt("x", messages=[ChatMessage("user", (ImagePart(url="https://example.com/a.png"),))]),
        ],
    )
    def test_what_no_file_can_hold_is_refused(self, prompt):
        with pytest.raises(ConfigurationError):
            prompt.to_dict()

    @pytest.mark.parametrize(
        ("old", "prompt"),
        [
            ({"template": "x"}, Prompt("x")),
            (Prompt("x").to_dict(), Prompt("x")),
            (
                {"template": "x", "max_tokens": None, "temperature": None},
                Prompt("x", max_tokens=None, temperature=None),
            ),
            ({"template": "{x}", "input_schema": {"x": "str"}, "version": "2"}, Prompt("{x}", {"x": str}, version="2")),
            ({"template": "x", "version": None, "labels": None, "messages": None}, Prompt("x")),
        ],
    )
    def test_older_dictionaries_load(self, old, prompt):
        assert Prompt.from_dict(old) == prompt

    @pytest.mark.parametrize("given", [None, "x", ["template"]])
    def test_what_is_no_dictionary_is_refused(self, given):
        with pytest.raises(ConfigurationError, match="described by fields and values"):
            Prompt.from_dict(given)

    kinds = st.sampled_from(
        ["str", "int", "list[str]", "str | None", "any", ["low", "high"], {"a": "str"}, {"type": "string"}]
    )
    names = st.sampled_from(["a", "b", "c"])
    texts = st.lists(st.sampled_from(["{a}", "{b.x}", "{{", "}}", "{", "}", "word", " ", "é\n"])).map("".join)
    turns = st.builds(lambda role, content: {"role": role, "content": content},
                      st.sampled_from(["system", "user", "assistant"]), texts) | st.just("{history}")  # fmt: skip

    @given(
        st.fixed_dictionaries(
            {"template": texts, "input_schema": st.none() | st.dictionaries(names, kinds)},
            optional={
                "output_schema": st.none() | st.dictionaries(st.sampled_from(["p", "q?"]), kinds),
                "system_prompt": st.none() | texts,
                "model": st.none() | st.just("local"),
                "max_tokens": st.integers(1, 9999),
                "temperature": st.floats(0, 2),
                "name": st.none() | st.text(min_size=1),
                "version": st.text(),
                "messages": st.lists(turns, max_size=3),
                "labels": st.lists(st.text(min_size=1), max_size=2),
                "defaults": st.dictionaries(names, st.text(), max_size=1),
            },
        )
    )
    def test_any_prompt_survives_its_own_dictionary(self, arguments):
        try:
            prompt = Prompt(**arguments)
            data = json.loads(json.dumps(prompt.to_dict()))
        except (PromptError, ConfigurationError):
            return
        assert Prompt.from_dict(data) == prompt
        assert Prompt.from_dict(data).to_dict() == data
        VALIDATOR.validate(data)


def written(folder, name, text):
    file = folder / name
    file.write_text(text)
    return file


class TestFiles:
    YAML = (
        "# yaml-language-server: $schema=prompt.schema.json\n"
        "template: |\n  Summarise {text}\n"
        "input_schema:\n  text: str\n  tags: list[str]\n"
        "defaults: {tags: []}\n"
        "system_prompt: Tags are {tags}\n"
        "output_schema:\n  summary: str\n  tags: [str]\n"
        "messages:\n  - {role: user, content: Hello}\n  - {history}\n"
        "examples:\n  - input: {text: a}\n    output: {summary: b, tags: []}\n"
        "model: local\nmax_tokens: 99\nname: summary\nversion: 2.1.0\nlabels: [production]\n"
    )

    def test_yaml(self, tmp_path):
        prompt = Prompt.from_yaml(written(tmp_path, "summary.yaml", self.YAML))
        assert prompt.format(text="it") == "Summarise it\n"
        assert prompt.json_schema["properties"]["tags"] == {"type": "array", "items": {"type": "string"}}
        assert (prompt.model, prompt.max_tokens, prompt.version) == ("local", 99, "2.1.0")
        assert [message.role for message in prompt.messages({"text": "it"})] == [
            "system",
            "user",
            "assistant",
            "user",
            "user",
        ]
        assert (prompt.placeholders, prompt.labels) == (("history",), ("production",))

    def test_json_needs_no_package(self, tmp_path, monkeypatch):
        find = builtins.__import__
        monkeypatch.setattr(
            builtins, "__import__", lambda name, *rest: refused() if name == "yaml" else find(name, *rest)
        )

        def refused():
            raise ImportError

        data = {"$schema": "prompt.schema.json", **FULL.to_dict()}
        assert Prompt.from_yaml(written(tmp_path, "p.json", json.dumps(data))) == FULL
        assert Prompt.from_yaml(written(tmp_path, "p.yaml", json.dumps(data))) == FULL
        with pytest.raises(MissingExtraError, match=r"Reading .*q\.yaml.*lambdallm\[yaml\]"):
            Prompt.from_yaml(written(tmp_path, "q.yaml", "template: x"))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("template: a\n  bad: [", r"p\.yaml, line 2, column 6: invalid YAML"),
            ("- a", r"p\.yaml holds \['a'\]"),
            ("", r"p\.yaml holds nothing"),
            ("template: a\nmax_token: 3", r"p\.yaml, line 2, column 1: .*'max_token'.*'max_tokens'"),
            ("name: a", r"p\.yaml, line 1, column 1: .*no template"),
            ("template: '{x}'\ninput_schema:\n  x: strng", r"p\.yaml, line 3, column 3: .*'strng'"),
            ("template: '{x}'\ninput_schema: {y: str}", r"p\.yaml, line 2, column 16: .*no variable 'y'"),
            ("template: '{x}'\ndefaults:\n  y: 1", r"p\.yaml, line 3, column 3: .*no variable 'y'"),
            ("template: x\noutput_schema:\n  a: strng", r"p\.yaml, line 2, column 1: .*'a' of the schema is 'strng'"),
            ("template: x\noutput_schema: [a]", r"p\.yaml, line 2, column 1: output_schema is \['a'\]"),
            ("template: x\nversion: 1.10", r"p\.yaml, line 2, column 1: version is 1\.1.*quote it"),
            ("template: x\nmax_tokens: many", r"p\.yaml, line 2, column 1: max_tokens is 'many'"),
            ("template: x\nmessages:\n  - {role: user, content: a}\n  - {role: robot, content: a}",
             r"p\.yaml, line 4, column 6: .*role 'robot'"),
            ("template: '{x}'\ninput_schema: {x: int}\nexamples:\n  - [1, a]\n  - input: {x: b}\n    output: c",
             r"p\.yaml, line 5, column 13: .*'x' is 'b'"),
            ("template: a\nname: b\ntemplate: c", r"p\.yaml, line 3, column 1: .*'template' stands there twice"),
            ("template: x\ndefaults: {a: 1, a: 2}", r"p\.yaml, line 2, column 18: .*'a' stands there twice"),
            ("template: x\nname: !!python/name:os.system", r"p\.yaml, line 2, column 7: invalid YAML"),
            ('{"template": "x",\n "max_token": 3}', r"p\.yaml, line 2, column 2: .*'max_token'"),
        ],
    )  # fmt: skip
    def test_a_mistake_names_the_file_the_line_and_the_column(self, tmp_path, text, message):
        with pytest.raises((ConfigurationError, PromptError), match=message):
            Prompt.from_yaml(written(tmp_path, "p.yaml", text))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ('{"template": "x",}', r"p\.json is not JSON: line 1, column 18"),
            ('{"template": "x",\n  "max_token": 3}', r"p\.json, line 2, column 3: .*'max_token'"),
            ('{"template": "x", "name": "a", "name": "b"}', r"p\.json is not JSON: the key 'name' stands there twice"),
            ('{\n"template": "{x}",\n"input_schema":\n{"x": "strng"}}', r"p\.json, line 4, column 2: .*'strng'"),
            ('{"template": "x", "labels": ["a", 3]}', r"p\.json, line 1, column 19: labels"),
            ('{"template": "x", "messages": [\n"{h}",\n"h"]}', r"p\.json, line 3, column 1: 'h' is no message"),
            ("[" * 100_000, r"p\.json is not JSON"),
            ("", r"p\.json is not JSON: line 1, column 1"),
        ],
    )
    def test_json_tells_them_too(self, tmp_path, text, message):
        with pytest.raises((ConfigurationError, PromptError), match=message):
            Prompt.from_yaml(written(tmp_path, "p.json", text))

    def test_the_error_keeps_its_kind_and_its_place(self, tmp_path):
        with pytest.raises(PromptError) as caught:
            Prompt.from_yaml(written(tmp_path, "p.json", '{"template": "x", "defaults": {"y": 1}}'))
        assert caught.value.data_path == ("defaults", "y")

    def test_a_missing_file_is_named(self):
        with pytest.raises(ConfigurationError, match=r"none\.yaml can't be read: No such file"):
            Prompt.from_yaml("none.yaml")

    def test_a_file_that_is_no_text_is_named(self, tmp_path):
        file = tmp_path / "p.yaml"
        file.write_bytes(b"template: \xff")
        with pytest.raises(ConfigurationError, match=r"p\.yaml is no UTF-8"):
            Prompt.from_yaml(file)

    def test_a_byte_order_mark_is_no_text(self, tmp_path):
        file = tmp_path / "p.json"
        file.write_text('{"template": "x"}', encoding="utf-8-sig")
        assert Prompt.from_yaml(file) == Prompt("x")


class TestSchema:
    def test_is_a_schema_that_knows_every_field(self):
        Draft202012Validator.check_schema(Prompt.schema())
        assert set(Prompt.schema()["properties"]) == {*FIELDS, "$schema"}

    def test_describes_every_field_to_editors(self):
        assert all(field["description"] for field in Prompt.schema()["properties"].values())

    def test_takes_what_loads(self):
        VALIDATOR.validate(yaml.safe_load(TestFiles.YAML))
        VALIDATOR.validate(FULL.to_dict())

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"template": 3},
            {"template": "x", "max_token": 3},
            {"template": "x", "max_tokens": 0},
            {"template": "x", "version": 1.1},
            {"template": "x", "output_schema": ["a"]},
            {"template": "x", "input_schema": {"x": 3}},
            {"template": "x", "labels": "production"},
            {"template": "x", "messages": ["history"]},
            {"template": "x", "messages": [{"role": "robot", "content": "a"}]},
            {"template": "x", "examples": [{"in": 1, "out": 2}]},
        ],
    )
    def test_refuses_what_does_not_load(self, data):
        assert not VALIDATOR.is_valid(data)
        with pytest.raises((ConfigurationError, PromptError)):
            Prompt.from_dict(data)
