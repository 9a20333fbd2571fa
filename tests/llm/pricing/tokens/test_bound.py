"""The lower bound refuses nothing that fits: it never exceeds what a tokenizer counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.pricing.tokens import EstimatingCounter, at_least
from lambdallm.llm.types import ChatMessage, ImagePart, ReasoningPart, TextPart, ToolCall, ToolResult


def least(text):
    return at_least([ChatMessage("user", text)])


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("one two  three\n four", 4),
        (");\n// ;\n//", 0),
        ("a" * 129, 2),
        ("=" * 500, 0),
        ("日本語", 1),
        ("x-y_z", 1),
        ("... ok ...", 1),
    ],
)
def test_a_word_with_a_letter_is_a_token_at_least(text, tokens):
    """`);`, a line break and `//` are one token of o200k: signs count for nothing."""
    assert least(text) == tokens


def test_only_what_surely_reaches_the_model_counts():
    parts = (
        TextPart("two words"), ReasoningPart("left out"), ToolCall("1", "add", {}), ImagePart(url="https://a.example"),
        ToolResult("1", "and three more"), ToolResult("2", (TextPart("one"), ImagePart(url="https://a.example"))),
    )  # fmt: skip
    assert at_least([ChatMessage("user", parts), ChatMessage("user", "last one")]) == 2 + 3 + 1 + 2


def test_short_texts_are_not_looked_at():
    assert at_least([ChatMessage("user", "four short little words")], enough=100) == 0
    assert at_least([ChatMessage("user", "four short little words")], enough=10) == 4


@given(st.text(alphabet=st.sampled_from("ab1 \n.;/_-é日"), max_size=300))
def test_it_is_never_more_than_the_characters_and_adds_up(text):
    assert 0 <= least(text) <= sum(map(str.isalnum, text))
    assert least(f"{text} {text}") == 2 * least(text)


def test_it_is_below_the_estimate_for_what_people_write():
    text = "It was the best of times, it was the worst of times, it was the age of wisdom. " * 20
    assert least(text) < EstimatingCounter().count(text, "gpt-4o")
