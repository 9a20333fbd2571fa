"""JSON inside what models say: found wherever it stands, in time that grows with the text and no faster."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import ExtractionParseError
from lambdallm.llm.structured import extract_json_block, parse_json, repair_json
from lambdallm.llm.structured.json_block import json_blocks

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", 42),
        (' "yes" \n', "yes"),
        ("\ufeff[1]", [1]),
        ("```json\n42\n```", 42),
        ('```JSON\n{"a": 1}\n```', {"a": 1}),
        ('```json5\n{"a": 1}', {"a": 1}),
        ('~~~\n{"a": 1}\n~~~', {"a": 1}),
        ('```{"a": 1}```', {"a": 1}),
        ('```json\n// the answer\n{"a": 1}\n```', {"a": 1}),
        ('{"code": "```py\\nx = {1}\\n```"}', {"code": "```py\nx = {1}\n```"}),
        ('```json\n{"code": "```py\\nx\\n```"}\n```', {"code": "```py\nx\n```"}),
        ('Python:\n```py\nx = {1: 2}\n```\nJSON:\n```json\n{"a": 1}\n```', {"a": 1}),
        (r'It says {"a": "\"}{\\"} at last.', {"a": '"}{\\'}),
        ('Use { and [. Then {"a": 1}', {"a": 1}),
        ('"quoted" words, then {"a": 1}', {"a": 1}),
        ('<think>{"a": 0} or so</think>\n{"a": 1}', {"a": 1}),
        ('or {"a": 0}?</think>\n\n{"a": 1}', {"a": 1}),
        ('<think>{"a": 0}</think> that is all', {"a": 0}),
        ('{"html": "<p></think>b</p>", "c": {"d": 1}} there', {"html": "<p></think>b</p>", "c": {"d": 1}}),
        ("The list: [1, 2, 3].", [1, 2, 3]),
    ],
)
def test_json_is_found(text, value):
    assert parse_json(text) == value
    assert json.loads(extract_json_block(text)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "No.",
        '{"items": [{"name": "a"}, {"name": "b"',
        '[{"a": 1}, {"b": oops}, {"c": 1}]',
        '{"a": 1, oops, "b": {"c": 2}}',
        "[1, 2",
        "NaN",
        '{"a": Infinity}',
        '{"a": "un',
        "```json\n42 apples\n```",
    ],
)
def test_a_piece_of_a_broken_answer_is_no_answer(text):
    with pytest.raises(ExtractionParseError) as caught:
        extract_json_block(text)
    assert caught.value.text == text


def test_a_later_answer_is_found_behind_a_broken_one():
    assert parse_json('[{"a": 1}, {"b": oops}] No: [{"c": 1}]') == [{"c": 1}]


@pytest.mark.parametrize(
    "piece",
    ["{", "[", '{"', '["', '["a" ', '["a" x', '{"a":', "[{", "[1,", '"\\', "```", "```json ", "{ ", '["\\"', "[[],",
     "/*", "'", "“", '{"a": 1, "\\"', "['\\", "#",
     "</think>\n", '{"a": 1, b [', '["a"x]', "<think>", '{"a": {"b": '],
)  # fmt: skip
def test_crafted_texts_take_no_longer_than_others(piece):
    """Anything that looks at the rest of the text again for each bracket would not end here."""
    list(json_blocks(piece * 100_000))
    with contextlib.suppress(ExtractionParseError):
        repair_json("{" + piece * 50_000)


def test_nesting_beyond_reason_is_no_json():
    with pytest.raises(ExtractionParseError):
        extract_json_block("[" * 100_000 + "]" * 100_000)


@given(JSON, st.sampled_from(["", "Here: ", "```json\n", "Sure!\n\n```\n", "<think>hm {x}</think>\n"]))
def test_what_was_written_is_what_is_found(value, before):
    written = json.dumps(value)
    if isinstance(value, (dict, list)) or "```" in before:
        assert parse_json(before + written) == value
        assert parse_json(f"{before}{written}\n```\nDone {{so}}.") == value


@given(JSON.filter(lambda value: isinstance(value, (dict, list))), JSON)
def test_every_block_is_offered(one, other):
    text = f"First {json.dumps(one)} and then {json.dumps(other)}"
    assert next(value for _, value in json_blocks(text)) == one


@pytest.mark.parametrize(
    ("careless", "meant"),
    [
        ("{'a': 1, // one\n 'b': [True, None,],}", {"a": 1, "b": [True, None]}),
        ('{a: "x", "b": undefined}', {"a": "x", "b": None}),
        ('Here: {"a": [1, 2', {"a": [1, 2]}),
        ('{"a": "cut he', {"a": "cut he"}),
        ('{"a": "cut\\u00', {"a": "cut"}),
        ('{"a": "cut\\', {"a": "cut"}),
        ('{"a": ', {"a": None}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ("{'it': 'she said \"hi\"', 'b': 'it\\'s'}", {"it": 'she said "hi"', "b": "it's"}),
        ("[1, 2,, /* gone */ 3] and more", [1, 2, 3]),
        ("{“a”: 'b'}", {"a": "b"}),
        ("{'n': +1.50, 'm': 007}", {"n": 1.5, "m": 7}),
        ('{"a": {"b": [1}', {"a": {"b": [1]}}),
        ('{"fine": true}', {"fine": True}),
    ],
)
def test_careless_json_is_mended_when_asked_for(careless, meant):
    assert json.loads(repair_json(careless)) == meant


@given(st.text(alphabet="{}[]\"'\\ a1:,`\n/*#", max_size=60))
def test_mending_gives_json_or_says_that_it_can_not(text):
    try:
        json.loads(repair_json(text))
    except ExtractionParseError:
        return
