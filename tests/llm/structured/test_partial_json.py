"""JSON while it is written: every view is a beginning of the next, whatever pieces the text comes in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.structured.partial_json import PartialJson

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=15,
)


def views(pieces):
    """What is seen after each piece that brings news, and the reader at the end."""
    reader = PartialJson()
    moments = [reader.moment() for piece in pieces if reader.feed(piece)]
    if not reader.done and not reader.failed and reader.feed(" "):  # a number is whole by what follows it
        moments.append(reader.moment())
    return [moment.data() for moment in moments], reader


def begins(part, whole):
    """Whether `part` is a beginning of `whole`, as a partial view has to be."""
    if isinstance(whole, str):
        return isinstance(part, str) and whole.startswith(part)
    if isinstance(whole, list):
        return isinstance(part, list) and len(part) <= len(whole) and all(map(begins, part, whole))
    if isinstance(whole, dict):
        names = list(whole)[: len(part)] if isinstance(part, dict) else None
        return names == list(part) and all(begins(part[name], whole[name]) for name in names)
    return part == whole and type(part) is type(whole)


def test_a_value_grows():
    seen, reader = views(['{"na', 'me": "Ad', 'a", "born"', ": 18", "15, ", '"tags": [tr', "ue", ', "x"', "]}"])
    assert seen == [
        {},
        {"name": "Ad"},
        {"name": "Ada"},
        {"name": "Ada", "born": 1815},
        {"name": "Ada", "born": 1815, "tags": []},
        {"name": "Ada", "born": 1815, "tags": [True, "x"]},
        {"name": "Ada", "born": 1815, "tags": [True, "x"]},
    ]
    assert reader.done


@given(JSON, st.booleans(), st.sampled_from([None, 1]), st.data())
def test_views_are_beginnings_of_the_value_and_of_one_another(value, ascii_only, indent, data):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    for split in (pieces, list(text)):
        seen, reader = views(split)
        assert reader.done
        assert reader.moment().data() == value
        for one, other in zip(seen, [*seen[1:], value], strict=True):
            assert begins(one, other)


def test_a_view_stays_what_it_was():
    reader = PartialJson()
    reader.feed('{"a": ["x')
    early = reader.moment()
    reader.feed('yz", 1], "b": 2}')
    assert early.data() == {"a": ["x"]}


def test_a_character_in_two_escapes_is_never_half_there():
    seen, _ = views(list(json.dumps(["a😀b"])))
    assert all("\ud83d" not in json.dumps(view, ensure_ascii=False) for view in seen)
    assert seen[-1] == ["a😀b"]


@pytest.mark.parametrize("text", ["{a", "[1 2", '{"a" 1', "[,", "tru3 ", '["\n', "[}", '{"a": 1,}', "[-x]", '["\\x"]'])
def test_what_is_no_json_is_noticed_with_the_rest_of_the_text(text):
    reader = PartialJson()
    reader.feed(f"{text} and more")
    assert reader.failed
    assert reader.rest.endswith(" and more")


def test_text_after_the_value_is_left_alone():
    reader = PartialJson()
    reader.feed('{"a": 1} and more')
    assert (reader.done, reader.rest) == (True, " and more")


@pytest.mark.parametrize("text", ["[" * 200_000, "1" * 200_000, '{"a' + "a" * 200_000, '["' + "\\u" * 100_000, '["\\'])
def test_crafted_text_costs_no_more_than_it_is_long(text):
    reader = PartialJson()
    for mark in text:
        if reader.feed(mark):
            reader.moment()
    assert not reader.done


def test_a_long_string_by_the_character():
    """Building the view each time would copy gigabytes."""
    reader = PartialJson()
    moments = []
    for mark in '{"text": "' + "a" * 100_000 + '"}':
        if reader.feed(mark):
            moments.append(reader.moment())
    assert len(moments) > 100_000
    assert len(moments[1000].data()["text"]) < len(moments[2000].data()["text"])
