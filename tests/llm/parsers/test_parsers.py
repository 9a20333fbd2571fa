"""Parsers: JSON, pydantic, enum, CSV, and one's own under a name."""

import csv
import datetime
import enum
import io
import sys
from dataclasses import dataclass

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    ConfigurationError,
    ExtractionParseError,
    ExtractionValidationError,
    MissingExtraError,
)
from lambdallm.llm.parsers import (
    CSVParser,
    EnumParser,
    JSONParser,
    OutputParserProtocol,
    ParserRegistry,
    PydanticParser,
)


class Mood(enum.Enum):
    GOOD = "good"
    VERY_BAD = "very-bad"
    NONE = 0


class Country(enum.Enum):
    US = "us"
    PRONOUN = "Us"


@dataclass
class Person:
    name: str
    born: int = 0


class Model(pydantic.BaseModel):
    name: str
    born: datetime.date


def test_json_is_found_and_read():
    assert JSONParser().parse('Here: {"a": 1}') == {"a": 1}
    assert JSONParser(Person).parse('```json\n{"name": "Ada"}\n```') == Person("Ada")
    assert JSONParser({"a": int}).parse('{"a": 1}') == {"a": 1}
    assert JSONParser(list[Person]).parse('[{"name": "Ada"}]') == [Person("Ada")]


def test_json_errors_have_paths_and_text():
    with pytest.raises(ExtractionValidationError, match=r"\$\[0\]\.name: expected string, got 1"):
        JSONParser(list[Person]).parse('[{"name": 1}]')
    with pytest.raises(ExtractionParseError) as caught:
        JSONParser().parse("No.")
    assert caught.value.text == "No."


def test_careless_json_is_mended_only_when_asked_for():
    with pytest.raises(ExtractionParseError):
        JSONParser(Person).parse("{'name': 'Ada',}")
    assert JSONParser(Person, repair=True).parse("{'name': 'Ada',}") == Person("Ada")
    with pytest.raises(ExtractionParseError):
        JSONParser(Person, repair=True).parse("No.")


def test_instructions_hold_the_schema():
    assert '"name": {"type": "string"}' in JSONParser(Person).format_instructions()
    assert '"items"' in JSONParser(list[int]).format_instructions()
    assert "JSON" in JSONParser().format_instructions()


def test_pydantic_models_are_read():
    parser = PydanticParser(Model)
    assert parser.parse('{"name": "Ada", "born": "1815-12-10"}') == Model(name="Ada", born=datetime.date(1815, 12, 10))
    with pytest.raises(ExtractionValidationError, match=r"\$\.born: Input should be a valid date"):
        parser.parse('{"name": "Ada", "born": "x"}')
    with pytest.raises(ConfigurationError, match="Person"):
        PydanticParser(Person)


def test_without_pydantic_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pydantic", None)
    with pytest.raises(MissingExtraError, match="pydantic"):
        PydanticParser(Person)


@pytest.mark.parametrize(
    ("text", "member"),
    [
        ("good", Mood.GOOD),
        (" Good.\n", Mood.GOOD),
        ('"GOOD"', Mood.GOOD),
        ("**good**!", Mood.GOOD),
        ("```\ngood\n```", Mood.GOOD),
        ("Very bad", Mood.VERY_BAD),
        ("VERY_BAD", Mood.VERY_BAD),
        ("0", Mood.NONE),
        ("none", Mood.NONE),
        ("<think>is it bad?</think>\ngood", Mood.GOOD),
    ],
)
def test_a_word_is_read_however_it_is_dressed(text, member):
    assert EnumParser(Mood).parse(text) is member


@pytest.mark.parametrize("text", ["not good", "goodish", "good or very-bad", "fine"])
def test_a_word_in_a_sentence_is_no_answer(text):
    with pytest.raises(ExtractionValidationError, match="is none of 'good', 'very-bad', '0'") as caught:
        EnumParser(Mood).parse(text)
    assert caught.value.text == text


def test_a_word_that_means_several_is_an_error():
    parser = EnumParser(Country)
    assert (parser.parse("us"), parser.parse("Us")) == (Country.US, Country.PRONOUN)
    with pytest.raises(ExtractionValidationError, match=r"Country\.US, Country\.PRONOUN"):
        parser.parse("uS")


@pytest.mark.parametrize("text", ["", " ...\n", "```\n```"])
def test_no_word_is_an_error(text):
    with pytest.raises(ExtractionParseError):
        EnumParser(Mood).parse(text)


def test_an_enum_is_asked_for_by_its_words():
    assert EnumParser(Mood).format_instructions() == "Answer with one of these words alone: good, very-bad, 0."
    with pytest.raises(ConfigurationError, match="no enum"):
        EnumParser(Person)


ROWS = [{"city": "Bergen, Norway", "rain": 225.5, "days": 20}, {"city": 'the "dry" one', "rain": None, "days": 1}]
TABLE = 'city,rain,days\n"Bergen, Norway",225.5,20\n"the ""dry"" one",,1'
COLUMNS = {"city": str, "rain": float, "days": int}


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        f"<think>a,b</think>\n{TABLE}",
        f"```csv\n{TABLE}\n```\nDone.",
        f"Here you are:\n\n{TABLE}\n",
        TABLE.partition("\n")[2],
        f"```\n{TABLE}",
    ],
)
def test_rows_are_read_with_their_types(text):
    assert CSVParser(COLUMNS).parse(text) == ROWS


def test_columns_may_be_names_alone_or_those_of_the_header():
    assert CSVParser(["a", "b"]).parse("A, B\n1, x y") == [{"a": "1", "b": "x y"}]
    assert CSVParser().parse("a;b\n1;2") == [{"a;b": "1;2"}]
    assert CSVParser(delimiter=";").parse("a;b\n1;2\n\n") == [{"a": "1", "b": "2"}]
    assert CSVParser({"on": bool}).parse("on\nyes\nFALSE") == [{"on": True}, {"on": False}]
    assert CSVParser(["a"]).parse("a") == []


def test_every_problem_of_a_table_has_its_place():
    with pytest.raises(ExtractionValidationError) as caught:
        CSVParser(COLUMNS).parse("city,rain,days\nBergen,much,2\nOslo,1\nRome,1,2.5")
    assert caught.value.problems == (
        "row 1, rain: expected number, got 'much'",
        "row 2: expected 3 fields, got 2",
        "row 3, days: expected whole number, got '2.5'",
    )


@pytest.mark.parametrize("text", ["", "```\n```", 'a,b\n"1,2'])
def test_no_table_is_an_error(text):
    with pytest.raises(ExtractionParseError):
        CSVParser(["a", "b"]).parse(text)


@pytest.mark.parametrize(
    ("columns", "options", "word"),
    [("ab", {}, "'ab'"), ([], {}, r"\[\]"), ({"a": list}, {}, "'a'"), (["a"], {"delimiter": ", "}, "', '")],
)
def test_bad_columns_are_named(columns, options, word):
    with pytest.raises(ConfigurationError, match=word):
        CSVParser(columns, **options)


FIELDS = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(' ,"'), min_size=1, max_size=8)


@given(st.lists(st.lists(FIELDS.map(str.strip).filter(bool), min_size=2, max_size=2), min_size=1, max_size=5))
def test_what_the_standard_library_writes_is_read(rows):
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *rows])
    if "```" not in text.getvalue():
        assert [[*row.values()] for row in CSVParser(["a", "b"]).parse(text.getvalue())] == rows


class Shout:
    def format_instructions(self):
        return "SHOUT."

    def parse(self, text):
        return text.upper()


def test_parsers_have_names():
    registry = ParserRegistry()
    assert registry.names() == ["csv", "enum", "json", "pydantic"]
    assert registry.get("json") is JSONParser
    assert registry.create("enum", Mood).parse("good") is Mood.GOOD
    assert registry.create("csv", COLUMNS, delimiter=";").parse("Oslo;1;2") == [
        {"city": "Oslo", "rain": 1.0, "days": 2}
    ]
    assert registry.create("pydantic", Model).parse('{"name": "A", "born": "2000-01-01"}').name == "A"


def test_ones_own_has_one_too():
    registry = ParserRegistry()
    registry.register("shout", Shout)
    registry.register("json", Shout)
    assert registry.create("shout").parse("hi") == registry.create("json").parse("hi") == "HI"
    assert "shout" in registry
    with pytest.raises(ConfigurationError, match="'json'"):
        registry.get("jsn")
    with pytest.raises(ConfigurationError, match="'x'"):
        registry.register("y", "x")


@pytest.mark.parametrize("parser", [JSONParser(), PydanticParser(Model), EnumParser(Mood), CSVParser(), Shout()])
def test_all_keep_the_protocol(parser):
    assert isinstance(parser, OutputParserProtocol)
    assert parser.format_instructions()
