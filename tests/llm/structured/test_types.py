"""Python's types as JSON Schema, and their instances from JSON: both directions agree, problems have paths."""

import datetime
import enum
import json
import sys
import typing
import uuid
from dataclasses import InitVar, dataclass, field
from decimal import Decimal
from typing import Annotated, Generic, Literal, NamedTuple, NewType, NotRequired, Required, TypedDict, TypeVar

import annotated_types
import pydantic
import pydantic.dataclasses
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typing_extensions import TypeAliasType

from lambdallm.llm.errors import ConfigurationError, ExtractionValidationError
from lambdallm.llm.structured import json_schema_of, validate_against_model
from lambdallm.llm.structured.output_model import output_model
from lambdallm.llm.structured.validate import problems


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


class Size(enum.Enum):
    SMALL = (1, 2)
    LARGE = (3, 4)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Item:
    """A thing for sale."""

    name: str
    price: Annotated[float, "in euros", annotated_types.Ge(0)]
    note: str | None = None


@dataclass
class Order:
    items: list[Item]
    mood: Mood = Mood.GOOD
    tags: set[str] = field(default_factory=set, metadata={"description": "any words"})
    number: int = field(default=7, init=False)


@dataclass
class Node:
    value: int
    children: list["Node"] = field(default_factory=list)


class Movie(TypedDict, total=False):
    title: Required[str]
    year: Annotated[int, "of release"]


class Place(TypedDict):
    city: str
    country: NotRequired[str]


class Point(NamedTuple):
    x: float
    y: float = 0.0


class Person(pydantic.BaseModel):
    name: str
    born: datetime.date
    friends: list["Person"] = []


class StrictPerson(pydantic.BaseModel, strict=True):
    born: datetime.date
    id: int = pydantic.Field(alias="personId", ge=1)


@pydantic.dataclasses.dataclass
class Ranked:
    rank: int = pydantic.Field(ge=3, description="from three on")
    tags: list[str] = field(default_factory=list)


@dataclass
class Team:
    lead: Person
    members: list[Person]


T = TypeVar("T")
UserId = NewType("UserId", int)


@dataclass
class Page(Generic[T]):
    items: list[T]
    next: T | None = None


@dataclass(kw_only=True)
class Sheet(Page[Mood], Generic[T]):
    title: T


@dataclass(kw_only=True)
class Named(Sheet[str]):
    name: str
    scale: InitVar[int]
    factor: InitVar[int] = 2

    def __post_init__(self, scale, factor):
        self.name *= scale * factor


class Right(enum.Flag):
    READ = 1
    WRITE = 2
    ALL = 3


Pair = TypeAliasType("Pair", tuple[T, T], type_params=(T,))


@dataclass
class Even:
    number: int

    def __post_init__(self):
        if self.number % 2:
            raise ValueError(f"{self.number} is odd")


@dataclass
class And:
    parts: list["And | Or | int"]
    kind: Literal["and"]


@dataclass
class Or:
    parts: list["And | Or | int"]
    kind: Literal["or"]


ADA_BORN = datetime.date(1815, 12, 10)
ADA = {"name": "Ada", "born": "1815-12-10"}


@pytest.mark.parametrize(
    ("kind", "value", "instance"),
    [
        (int, 3, 3),
        (int, 2.0, 2),
        (float, 3, 3.0),
        (bool, True, True),
        (str, "a", "a"),
        (None, None, None),
        (typing.Any, {"a": [1]}, {"a": [1]}),
        (object, [1], [1]),
        (dict, {"a": 1}, {"a": 1}),
        (list, [1, "a"], [1, "a"]),
        (list[int], [1, 2], [1, 2]),
        (typing.Sequence[int], [1], [1]),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, str], [1, "a"], (1, "a")),
        (set[int], [1, 1, 2], {1, 2}),
        (frozenset[str], ["a"], frozenset("a")),
        (dict[str, int], {"a": 1}, {"a": 1}),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (dict[Mood, int], {"good": 1}, {Mood.GOOD: 1}),
        (int | None, None, None),
        (typing.Optional[int], 3, 3),  # noqa: UP045
        (int | str, "a", "a"),
        (Literal["a", 1], 1, 1),
        (Mood, "bad", Mood.BAD),
        (Level, 2, Level.HIGH),
        (Size, "LARGE", Size.LARGE),
        (UserId, 5, 5),
        (Decimal, 19.99, Decimal("19.99")),
        (uuid.UUID, "12345678-1234-5678-1234-567812345678", uuid.UUID(int=0x12345678123456781234567812345678)),
        (datetime.date, "2024-02-29", datetime.date(2024, 2, 29)),
        (datetime.time, "12:30:00", datetime.time(12, 30)),
        (datetime.datetime, "2024-02-29T12:00:00Z", datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)),
        (Annotated[int, annotated_types.Ge(3)], 3, 3),
        (Item, {"name": "a", "price": 1}, Item("a", 1.0)),
        (Order, {"items": [{"name": "a", "price": 1}], "tags": ["x"]}, Order([Item("a", 1.0)], tags={"x"})),
        (Node, {"value": 1, "children": [{"value": 2}]}, Node(1, [Node(2)])),
        (list[Node], [{"value": 1}], [Node(1)]),
        (Item | Node, {"value": 1}, Node(1)),
        (Movie, {"title": "M"}, {"title": "M"}),
        (Place, {"city": "Bergen"}, {"city": "Bergen"}),
        (Point, {"x": 1}, Point(1.0)),
        (Page[int], {"items": [1], "next": 2}, Page([1], 2)),
        (Page[Item], {"items": [{"name": "a", "price": 1}]}, Page([Item("a", 1.0)])),
        (Sheet[int], {"items": ["good"], "title": 3}, Sheet([Mood.GOOD], title=3)),
        (Named, {"items": [], "title": "t", "name": "a", "scale": 2}, Named([], title="t", name="a", scale=2)),
        (Right, ["READ", "WRITE"], Right.ALL),
        (Right, [], Right(0)),
        (Pair[int], [1, 2], (1, 2)),
        (Person, ADA, Person(**ADA)),
        (StrictPerson, {"born": "1815-12-10", "personId": 1}, StrictPerson(born=ADA_BORN, personId=1)),
        (Ranked, {"rank": 4}, Ranked(4)),
        (list[Ranked], [{"rank": 3, "tags": ["a"]}], [Ranked(3, ["a"])]),
        (Team, {"lead": ADA, "members": [ADA]}, Team(Person(**ADA), [Person(**ADA)])),
        ({"name": str, "age?": int}, {"name": "Ada"}, {"name": "Ada"}),
        ({"type": "array", "items": {"type": "integer"}}, [1], [1]),
    ],
    ids=str,
)  # fmt: skip
def test_a_value_becomes_an_instance_and_fits_the_schema(kind, value, instance):
    made = validate_against_model(value, kind)
    assert (made, type(made)) == (instance, type(instance))
    assert problems(value, json_schema_of(kind)) == []


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        (int, True, "$: expected integer, got True"),
        (int, 2.5, "$: expected integer, got 2.5"),
        (float, "3", "$: expected number, got '3'"),
        (str, None, "$: expected string, got None"),
        (list[int], [1, "a"], "$[1]: expected integer, got 'a'"),
        (tuple[int, str], [1], "$: expected array of 2 items, got [1]"),
        (dict[int, str], {"a": "b"}, "$.a: expected a number for its name, got 'a'"),
        (set[typing.Any], [[1]], "$: its items can't be in a set"),
        (Right, ["READ", "RUN"], "$[1]: expected one of 'READ', 'WRITE', 'ALL', got 'RUN'"),
        (Right, 3, "$: expected array, got 3"),
        (dict[str, Ranked], {"a": {"rank": 1}}, "$.a.rank: Input should be greater than or equal to 3, got 1"),
        (Pair[int], [1, "a"], "$[1]: expected integer, got 'a'"),
        (Named, {"items": [], "title": "t", "name": "a"}, "$.scale: missing"),
        (int | str, 1.5, "$: expected integer or string, got 1.5"),
        (Mood, "fine", "$: expected one of 'good', 'bad', got 'fine'"),
        (Literal[1], True, "$: expected one of 1, got True"),
        (uuid.UUID, "x", "$: expected UUID, got 'x'"),
        (datetime.date, "soon", "$: expected date, got 'soon'"),
        (Annotated[int, annotated_types.Ge(3)], 2, "$: expected at least 3, got 2"),
        (Annotated[list[int], annotated_types.MinLen(1)], [], "$: expected a length of at least 1, got []"),
        (Item, {"price": 1, "more": 2}, "$.name: missing"),
        (Item, {"name": "a", "price": 1, "more": 2}, "$.more: not a field of the schema"),
        (Item, {"name": "a", "price": -1}, "$.price: expected at least 0, got -1"),
        (Order, {"items": [{"name": "a", "price": "free"}]}, "$.items[0].price: expected number, got 'free'"),
        (Item | Point, {"x": "x"}, "$.x: expected number, got 'x'"),
        (Even, {"number": 3}, "$: 3 is odd"),
        (Person, {"name": "Ada", "born": "x"}, "$.born: Input should be a valid date"),
        (Team, {"lead": {"name": "Ada"}, "members": []}, "$.lead.born: Field required"),
        (list[Item], {"value": [{"name": 1, "price": 1}]}, "$.value[0].name: expected string, got 1"),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_path(kind, value, problem):
    with pytest.raises(ExtractionValidationError) as caught:
        validate_against_model(value, kind)
    assert any(each.startswith(problem) for each in caught.value.problems), caught.value.problems


def test_what_types_say_of_their_values_is_in_the_schema():
    schema = json_schema_of(Order)
    assert schema["$defs"]["Item"] == {
        "description": "A thing for sale.",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "price": {"type": "number", "description": "in euros", "minimum": 0},
            "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["name", "price"],
        "additionalProperties": False,
    }
    assert schema["properties"]["tags"]["description"] == "any words"
    assert "number" not in schema["properties"]
    assert "description" not in schema, "the signature that dataclass writes is no description"
    assert json_schema_of(Movie)["required"] == ["title"]


def test_a_type_that_json_has_no_word_for_is_named_with_its_field():
    @dataclass
    class Odd:
        when: complex

    with pytest.raises(ConfigurationError, match=r"'Odd\.when'.*complex"):
        json_schema_of(Odd)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement came with Python 3.12")
def test_an_alias_may_lead_back_to_itself():
    made = {}
    exec("type Json = dict[str, Json] | list[Json] | str | int | None\ntype Me = Me", made)
    tree, me = made["Json"], made["Me"]
    assert validate_against_model([{"a": [1, None]}], list[tree]) == [{"a": [1, None]}]
    with pytest.raises(ExtractionValidationError, match=r"\$\[0\].*expected object or array or string"):
        validate_against_model([1.5], tree)
    assert json_schema_of(list[tree])["items"] == {"$ref": "#/$defs/Json"}
    with pytest.raises(ConfigurationError, match="Me"):
        json_schema_of(me)


def test_annotations_that_lead_nowhere_are_named():
    @dataclass
    class Lost:
        other: "Nowhere"  # noqa: F821

    class LostModel(pydantic.BaseModel):
        other: "Nowhere"  # noqa: F821

    for kind in (Lost, LostModel, list[LostModel]):
        with pytest.raises(ConfigurationError, match="Nowhere"):
            json_schema_of(kind)


def test_a_pydantic_model_that_has_no_schema_is_named():
    class Calls(pydantic.BaseModel):
        back: typing.Callable[[], int]

    with pytest.raises(ConfigurationError, match=r"'Calls'.*CallableSchema\. Correct"):
        json_schema_of(Calls)


@pytest.mark.parametrize(
    ("kind", "value", "instance"),
    [
        (Order, {"items": [], "mood": None, "tags": None}, Order([])),
        (Person, ADA | {"friends": None}, Person(**ADA)),
        ({"a": str, "b?": int}, {"a": "x", "b": None}, {"a": "x"}),
        (Item, {"name": "a", "price": 1, "note": None}, Item("a", 1.0, None)),
        (Item | Node, {"value": 1, "children": None}, Node(1)),
        (list[Node] | None, [{"value": 1, "children": None}], [Node(1)]),
        (dict[str, Node], {"a": {"value": 1, "children": [{"value": 2, "children": None}]}}, {"a": Node(1, [Node(2)])}),
        (tuple[int, Node], [1, {"value": 1, "children": None}], (1, Node(1))),
        (Page[Node], {"items": [], "next": {"value": 1, "children": None}}, Page([], Node(1))),
        (And | Or, {"kind": "or", "parts": [{"kind": "and", "parts": []}]}, Or([And([], "and")], "or")),
    ],
    ids=str,
)
def test_null_for_what_may_be_absent_is_absence(kind, value, instance):
    """Strict schemas require every property, and `null` is how a model then leaves one out."""
    assert validate_against_model(value, kind) == instance


def test_null_for_what_is_required_is_a_problem():
    with pytest.raises(ExtractionValidationError, match="name"):
        validate_against_model({"name": None, "price": 1}, Item)


@pytest.mark.parametrize("kind", [list[int], int, Mood, Item | Node, int | None], ids=str)
def test_what_is_no_object_is_wrapped_in_one(kind):
    model = output_model(kind)
    assert model.schema["type"] == "object"
    assert model.schema["required"] == ["value"]
    assert not output_model(Order).wrapped


def test_an_answer_is_read_wrapped_bare_or_written_as_a_string():
    model = output_model(list[int])
    for text in ('{"value": [1]}', "[1]", '"[1]"', 'As asked: {"value": [1]}', 'See {"a": 2}, I mean [1]'):
        assert model.read(text) == [1], text
    assert output_model(Mood).read("good\n") is Mood.GOOD


def test_unions_in_unions_are_read_in_no_time():
    """Each level tried with each alternative anew would be 2^60 tries."""
    value = 1
    for level in range(60):
        value = {"parts": [value], "kind": "or" if level % 2 else "and"}
    assert isinstance(validate_against_model(value, Or), Or)
    assert problems(value, json_schema_of(Or)) == []
    inner = value
    while isinstance(inner["parts"][0], dict):
        inner = inner["parts"][0]
    inner["kind"] = "xor"
    with pytest.raises(ExtractionValidationError):
        validate_against_model(value, Or)


def test_a_value_nested_beyond_reason_is_a_problem_and_no_crash():
    value = {"value": 1}
    for _ in range(900):
        value = {"value": 1, "children": [value]}
    with pytest.raises(ExtractionValidationError, match="nested too deep"):
        validate_against_model(value, Node)


def either(one, other):
    return one | other


KINDS = st.recursive(
    st.sampled_from([int, float, str, bool, type(None), Mood, datetime.date, Literal["a", "b"]]),
    lambda inner: st.one_of(
        inner.map(lambda kind: list[kind]),
        inner.map(lambda kind: dict[str, kind]),
        st.builds(either, st.sampled_from([int, str]), st.sampled_from([Mood, bool, type(None)])),
    ),
    max_leaves=4,
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([1.5, "a", "good", "2024-01-01"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=3),
    max_leaves=6,
)


@given(KINDS, VALUES)
def test_types_accept_what_pydantic_accepts_in_its_strict_mode(kind, value):
    """Pydantic's strict JSON mode is the judge."""
    judge = pydantic.TypeAdapter(kind)
    made, wrong = output_model(kind).make(value)
    try:
        expected = judge.validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError:
        assert wrong
    else:
        assert (wrong, made) == ([], expected)
