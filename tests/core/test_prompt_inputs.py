"""The types of variables: what fits, what does not, and what the error says of it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, Flag, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NewType, NotRequired, Optional, TypedDict, Union
from uuid import UUID

import pytest
from annotated_types import Ge, MinLen
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lambdallm import Prompt
from lambdallm.core.exceptions import ConfigurationError, PromptError
from lambdallm.core.prompts.type_names import input_kind, kind_data, kind_name
from lambdallm.llm.types import ImagePart

ID = UUID("12345678-1234-5678-1234-567812345678")


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Size(IntEnum):
    SMALL = 1


class Tone(StrEnum):
    KIND = "kind"


class Right(Flag):
    READ = 1


@dataclass
class User:
    name: str


class Film(TypedDict):
    title: str
    year: NotRequired[int]


class Model(BaseModel):
    name: str


UserId = NewType("UserId", str)


def fill(kind, value):
    return Prompt("{it}", input_schema={"it": kind}).format(it=value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (str, "a"),
        (str, Tone.KIND),
        (int, 1),
        (int, Size.SMALL),
        (float, 1),
        (float, 0.5),
        (bool, True),
        (None.__class__, None),
        (list, []),
        (dict, {}),
        (tuple, (1,)),
        (object, User("Ada")),
        (Any, 3),
        (list[str], ["a"]),
        (list[list[int]], [[1], []]),
        (dict[str, int], {"a": 1}),
        (Mapping[str, int], {"a": 1}),
        (Sequence[int], (1, 2)),
        (tuple[int, str], (1, "a")),
        (tuple[int, ...], (1, 2, 3)),
        (set[str], {"a"}),
        (str | None, None),
        (Optional[str], "a"),  # noqa: UP045
        (Union[int, list[str]], ["a"]),  # noqa: UP007
        (Literal["a", 1], 1),
        (Mood, Mood.GOOD),
        (Mood, "good"),
        (User, User("Ada")),
        (list[User], [User("Ada")]),
        (Film, {"title": "Alien"}),
        (Film, {"title": "Alien", "year": 1979}),
        (Model, Model(name="Ada")),
        (UserId, "a"),
        (Annotated[int, Ge(1)], 1),
        (Annotated[str, "a name"], "a"),
        (date, date(2026, 1, 2)),
        (datetime, datetime(2026, 1, 2)),
        (Decimal, Decimal(1)),
        (UUID, ID),
        (Path, Path("a")),
        (Right, Right.READ),
        (["low", "high"], "low"),
        ([str], ["a"]),
        ({"city": str, "zip?": int}, {"city": "Rome"}),
        ({"type": "integer", "minimum": 1}, 1),
        ("str", "a"),
        ("list[str]", ["a"]),
        ("dict[str, list[int]]", {"a": [1]}),
        ("str | None", None),
        ("Optional[int]", 3),
        ("tuple[int, ...]", (1, 2)),
        ("number", 1),
        ("any", print),
    ],
)
def test_a_value_of_its_type_passes(kind, value):
    assert isinstance(fill(kind, value), str)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (str, 3, r"'it' is 3\. Pass a value of type str"),
        (str, None, r"'it' is None\. .*type str"),
        (int, True, r"'it' is True\. .*type int"),
        (int, 1.5, r"'it' is 1\.5\. .*type int"),
        (float, "1", r"'it' is '1'\. .*type float"),
        (float, True, r"'it' is True\. .*type float"),
        (list, "a", r"'it' is 'a'\. .*type list"),
        (list[str], ["a", 3], r"'it\[1\]' is 3\. .*type list\[str\]"),
        (list[list[int]], [[1], ["x"]], r"'it\[1\]\[0\]' is 'x'\. .*type list\[list\[int\]\]"),
        (list[str], ("a",), r"'it' is \('a',\)"),
        (dict[str, int], {"a": "b"}, r"\"it\['a'\]\" is 'b'\. .*type dict\[str, int\]"),
        (dict[str, int], {1: 1}, r"'it' is 1"),
        (tuple[int, str], (1, 2), r"'it\[1\]' is 2"),
        (tuple[int, str], (1,), r"'it' is \(1,\)\. .*type tuple\[int, str\]"),
        (tuple[int, ...], (1, "a"), r"'it\[1\]' is 'a'\. .*type tuple\[int, \.\.\.\]"),
        (set[str], ["a"], r"'it' is \['a'\]\. .*type set\[str\]"),
        (str | None, 3, r"'it' is 3\. .*type str \| None"),
        (str | list[int], ["a"], r"'it\[0\]' is 'a'\. .*type str \| list\[int\]"),
        (Literal["a", 1], True, r"'it' is True\. .*one of 'a', 1"),
        (Mood, "fine", r"'it' is 'fine'\. .*Mood: one of 'good', 'bad'"),
        (User, {"name": "Ada"}, r"'it' is \{'name': 'Ada'\}\. .*type User"),
        (list[User], [User("Ada"), 3], r"'it\[1\]' is 3\. .*type list\[User\]"),
        (Film, {"titel": "Alien"}, r"'it\.titel' is no field of the type\. .*type Film"),
        (Film, {"year": 1979}, r"'it\.title' is missing"),
        (Film, {"title": 3}, r"'it\.title' is 3"),
        (Film, "Alien", r"'it' is 'Alien'"),
        (Model, {"name": "Ada"}, r"'it' is .*type Model"),
        (UserId, 3, r"'it' is 3\. .*type str"),
        (Annotated[int, Ge(1)], 0, r"'it' does not fit: expected at least 1, got 0"),
        (Annotated[list[str], MinLen(1)], [], r"'it' does not fit: expected a length of at least 1"),
        (date, "2026-01-02", r"'it' is '2026-01-02'\. .*type date"),
        (Path, "a", r"'it' is 'a'\. .*type Path"),
        (Right, "READ", r"'it' is 'READ'"),
        (["low", "high"], "medium", r"'it' does not fit: expected one of 'low', 'high', got 'medium'"),
        ({"city": str}, {"city": 3}, r"'it\.city' does not fit: expected string, got 3"),
        ({"type": "integer", "minimum": 1}, 0, r"'it' does not fit: expected at least 1"),
        ({"city": str}, object, r"'it' does not fit"),
        ("list[str]", ["a", None], r"'it\[1\]' is None"),
        (list[str], ["x" * 100, 3], r"'it\[1\]' is 3"),
        (str, ["x" * 100], r"'it' is of type list\. Pass a value of type str"),
    ],
)
def test_another_value_is_named_with_its_place_and_the_type_wanted(kind, value, message):
    with pytest.raises(PromptError, match=message):
        fill(kind, value)


@pytest.mark.parametrize(
    "kind",
    [
        "strng",
        "list[",
        "list[strng]",
        "dict[str]",
        "list[str, int]",
        "a | b",
        "",
        "tuple[...]",
        "__import__",
        3,
        "set[]",
    ],
)
def test_what_is_no_type_is_refused_when_the_prompt_is_made(kind):
    with pytest.raises(ConfigurationError, match=r"The type of 'it' is .*Use one of str, int") as caught:
        Prompt("{it}", input_schema={"it": kind})
    assert caught.value.data_path == ("input_schema", "it")


def test_types_are_given_by_the_names_of_variables():
    with pytest.raises(PromptError, match=r"input_schema is \['it'\]"):
        Prompt("{it}", input_schema=["it"])


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (str, "str"),
        ("integer", "int"),
        (list[str], "list[str]"),
        (dict[str, list[int]], "dict[str, list[int]]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (str | None, "str | None"),
        (Optional[list[str]], "list[str] | None"),  # noqa: UP045
        (ImagePart, "image"),
        (Any, "any"),
        (Mood, ["good", "bad"]),
        (Literal["a", 1], ["a", 1]),
        (["low", "high"], ["low", "high"]),
        ([str], ["str"]),
        ({"city": str}, {"city": "str"}),
        (Annotated[int, Ge(1)], {"type": "integer", "minimum": 1}),
        (date, {"type": "string", "format": "date"}),
        (list[User], {"type": "array", "items": {"$ref": "#/$defs/User"}}),
    ],
)
def test_a_type_is_written_as_files_have_it(kind, written):
    data = kind_data(input_kind("it", kind))
    assert data == written or {key: data[key] for key in written} == written
    assert kind_data(input_kind("it", data)) == data


def test_a_type_that_no_file_has_a_word_for_is_refused_when_it_is_written():
    with pytest.raises(ConfigurationError, match=r"Path.* can't be written into a file"):
        Prompt("{it}", input_schema={"it": Path}).to_dict()


def test_instances_fit_the_shape_that_their_type_is_written_as():
    prompt = Prompt("{it}", input_schema={"it": list[User]})
    again = Prompt.from_dict(prompt.to_dict())
    assert again.format(it=[User("Ada")]) == again.format(it=[{"name": "Ada"}]) == '[{"name": "Ada"}]'


names = st.recursive(
    st.sampled_from(["str", "int", "float", "bool", "None", "any", "image", "list", "dict"]),
    lambda inner: (
        st.builds("list[{}]".format, inner)
        | st.builds("dict[str, {}]".format, inner)
        | st.builds("tuple[{}, ...]".format, inner)
        | st.builds("{} | {}".format, inner, inner)
    ),
    max_leaves=6,
)


@given(names)
def test_names_of_types_are_read_and_written_alike(name):
    kind = input_kind("it", name)
    assert input_kind("it", kind_name(kind)) == kind


@given(st.text(alphabet="strinlofa[]|, ."))
def test_any_text_is_a_type_or_an_error(text):
    with suppress(ConfigurationError):
        assert input_kind("it", text)


class TestDefaults:
    def test_stand_in_for_what_is_not_given(self):
        prompt = Prompt("Be {tone} to {name}", defaults={"tone": "kind"})
        assert (prompt.format(name="Ada"), prompt.format(name="Ada", tone="cold")) == (
            "Be kind to Ada",
            "Be cold to Ada",
        )

    def test_are_of_their_types(self):
        with pytest.raises(PromptError, match=r"'n' is '3'\. .*type int") as caught:
            Prompt("{n}", input_schema={"n": int}, defaults={"n": "3"})
        assert caught.value.data_path == ("defaults", "n")

    def test_are_for_variables(self):
        with pytest.raises(PromptError, match=r"no variable 'tine'.*Its variables are tone; correct defaults"):
            Prompt("{tone}", defaults={"tine": "kind"})

    def test_a_prompt_keeps_its_own_copy(self):
        defaults = {"tone": "kind"}
        prompt = Prompt("{tone}", defaults=defaults)
        defaults["tone"] = "cold"
        assert prompt.format() == "kind"
