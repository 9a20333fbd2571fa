"""An event recognised without parsing is the event that parsing would have given."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.wire.repeat import Repeat


def event(text, **more):
    return json.dumps({"id": "c1", **more, "delta": {"content": text}, "end": None}, ensure_ascii=False).encode()


def taught(text="Hello", **more):
    repeat = Repeat()
    repeat.learn(event(text, **more), text, 3)
    return repeat


def test_the_same_event_with_another_text_is_recognised():
    repeat = taught()
    assert repeat.text(event(" wörld")) == " wörld"
    assert repeat.text(event("")) == ""
    assert repeat.index == 3


@pytest.mark.parametrize(
    "payload",
    [
        event("x").replace(b"c1", b"c2"),
        event("x").replace(b"null", b"true"),
        event('with "quotes"'),
        event("with \\ escape"),
        event("line\nbreak"),
        event("x")[:-1],
        event("x").replace(b'"x"', b'"'),
        event("x").replace(b'"x"', b'"\x01"'),
        event("x").replace(b'"x"', b'"\xff"'),
        b"",
    ],
)
def test_anything_else_is_not(payload):
    assert taught().text(payload) is None


@pytest.mark.parametrize("payload", [b"", b"\0", b"\0x\0", b"()", b"\n\n"])
def test_nothing_is_recognised_before_anything_is_learnt(payload):
    assert Repeat().text(payload) is None


def padded(text, padding):
    return json.dumps({"id": "c1", "delta": {"content": text}, "obfuscation": padding}, separators=(",", ":")).encode()


def test_padding_at_the_end_may_be_of_any_length():
    repeat = Repeat()
    repeat.learn(padded("Hello", "aB3"), "Hello", 3)
    assert repeat.text(padded(" a", "zzZ9")) == " a"
    assert repeat.text(padded("", "")) == ""
    assert repeat.text(padded("no", "p").replace(b"c1", b"c2")) is None
    for odd in ('"', "\\", "\n", "é", " "):
        assert repeat.text(padded("x", odd)) is None
        assert repeat.text(padded("x", "p").replace(b'"p"', f'"{odd}"'.encode())) is None
    assert repeat.text(padded("x", "p")[:-1]) is None
    assert repeat.text(padded("x", "p")[:-1] + b',"more":1}') is None


@given(st.text(max_size=9), st.text(max_size=9), st.text(max_size=9))
def test_what_is_recognised_despite_its_padding_is_what_parsing_gives(taught_with, text, padding):
    repeat = Repeat()
    repeat.learn(padded(taught_with, "abc"), taught_with, 0)
    found = repeat.text(padded(text, padding))
    assert found in (None, text)


@pytest.mark.parametrize(
    ("text", "more"),
    [("c1", {}), ("same", {"twin": "same"}), ("/", {"slash": "a\\b"}), ('"', {})],
)
def test_an_event_whose_text_could_be_elsewhere_teaches_nothing(text, more):
    assert taught(text, **more).text(event("x", **more)) is None


def test_shapes_that_never_come_back_are_given_up_on():
    repeat = Repeat()
    for number in range(100):
        repeat.learn(event("x", padding="p" * number), "x", 0)
    assert repeat.text(event("y", padding="p" * 99)) is None


@given(
    st.text(max_size=12), st.text(max_size=12), st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2)
)
def test_what_is_recognised_is_what_parsing_gives(first, second, fields):
    fields = {f"f{key}": value for key, value in fields.items()}
    try:
        lesson, payload = event(first, **fields), event(second, **fields)
    except UnicodeEncodeError:
        return
    repeat = Repeat()
    repeat.learn(lesson, first, 0)
    said = repeat.text(payload)
    assert said is None or said == json.loads(payload)["delta"]["content"]
