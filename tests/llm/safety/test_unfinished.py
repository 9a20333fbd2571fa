"""What the end of a text may still become: nothing that more text would change may be called final."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import ConfigurationError
from lambdallm.llm.safety import RegexFilter
from lambdallm.llm.safety.unfinished import look_behind, unfinished

PATTERNS = [
    r"AKIA[0-9]{4}",
    r"(?<![a-z])(ab|abc)\b",
    r"a+b?",
    r"x(?=yz)",
    r"x(?!yz)",
    r"(?:ab){2,3}c",
    r"a.*?b",
    r"ab$",
    r"(?i:Ab)c|(?>x|xy)z",
    r"\d{3}(?!\d)",
    r"a(b|c(d|e)*)?f?",
    r"(?m)^ab$",
    r"a++b|b{2,}+",
    r"(a|ab)(c|bcd)",
    r"^ab",
    r"\bab\b|\Bb",
    r"(?:)|a{0}b",
    r"[^b]c(?<=ac)d",
]
texts = st.text("abcdefxyzAKI01 \n", max_size=16)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(texts, st.data())
def test_what_is_not_unfinished_is_final(pattern, text, data):
    compiled = re.compile(pattern)
    waiting = unfinished(compiled)
    begins = text[: data.draw(st.integers(0, len(text)))]
    for at in range(len(begins)):
        if waiting.match(begins, at) is None:
            assert spans(compiled.match(begins, at)) == spans(compiled.match(text, at))


def spans(match):
    return match and match.span()


@pytest.mark.parametrize(
    ("pattern", "text", "passed"),
    [
        (r"AKIA[0-9]{4}", "the AK", "the "),
        (r"AKIA[0-9]{4}", "the AKIA123", "the "),
        (r"AKIA[0-9]{4}", "the AKIA1234", "the -"),
        (r"AKIA[0-9]{4}", "the AKI-", "the AKI-"),
        (r"[0-9]{13,16}", "4111111111111", ""),
        (r"[0-9]{13,16}", "4111111111111111", "-"),
        (r"secret\b", "a secret", "a "),
        (r"secret", "a secret", "a -"),
        (r"secret(?!s)", "a secret", "a "),
    ],
)
def test_no_more_is_held_than_may_become_a_match(pattern, text, passed):
    assert RegexFilter(pattern, "-").begin().feed(text) == passed


def test_a_pattern_that_refers_to_itself_is_refused():
    with pytest.raises(ConfigurationError, match=r"piece by piece.*`longest`"):
        unfinished(re.compile(r"(a|b)\1"))


@pytest.mark.parametrize(("pattern", "width"), [("ab", 1), (r"(?<![a-z]{3})x", 3), (r"a(?:b|(?<=xy)c)", 2)])
def test_how_far_a_pattern_looks_back(pattern, width):
    assert look_behind(re.compile(pattern)) == width
