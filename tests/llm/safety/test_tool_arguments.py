"""A tool call's arguments are JSON, and stay JSON: strings are filtered with their escapes undone."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.safety import PersonalDataFilter, RegexFilter, SecretsFilter
from lambdallm.llm.safety.arguments import ArgumentsChannel, arguments_text
from look_alikes import GITHUB_TOKEN, PRIVATE_KEY

STAGES = [(SecretsFilter(), None), (PersonalDataFilter(), None)]


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        ({"to": "ada@example.com"}, {"to": "[EMAIL]"}),
        ({"card": 4111111111111111, "n": 3}, {"card": "[CREDIT_CARD]", "n": 3}),
        ({"ada@example.com": [1, True, None, "x"]}, {"[EMAIL]": [1, True, None, "x"]}),
        ({"pem": PRIVATE_KEY}, {"pem": "[PRIVATE_KEY]"}),
        (
            {"password": "hunter42x", "deep": {"apiKey": "zx81spectrum48k"}},
            {"password": "[PASSWORD]", "deep": {"apiKey": "[PASSWORD]"}},
        ),
        ({"note": f'He said "{GITHUB_TOKEN}" \\ ☃'}, {"note": 'He said "[GITHUB_TOKEN]" \\ ☃'}),
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_what_is_found_is_replaced_and_the_rest_stays(given, passed, ascii_only):
    assert json.loads(arguments_text(STAGES, json.dumps(given, ensure_ascii=ascii_only))) == passed


def test_escapes_hide_nothing():
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in "ada@example.com")
    assert arguments_text(STAGES, f'{{"to": "{escaped}"}}') == '{"to": "[EMAIL]"}'


@pytest.mark.parametrize(
    "text",
    [
        '{ "a" :\t"caf\\u00e9 \\/ \\ud83d\\ude00",\n "b":[1.50e3, -0] }',
        "",
        "{}",
        '{"a": "cut o',
        '{"a": "cut \\',
        '{"a": "cut \\u00',
        '{"a": "no escape: \\x \\u12zz"}',
        "no JSON at all",
    ],
)
def test_what_is_left_alone_keeps_its_bytes(text):
    assert arguments_text(STAGES, text) == text


def test_a_tool_that_takes_text_gets_text():
    assert arguments_text(STAGES, "  call +49 30 901820\nnow") == "  call [PHONE]\nnow"


def test_a_key_is_context_even_where_its_value_is_replaced_with_it():
    assert arguments_text([(RegexFilter(r"ticket: \w+"), None)], '{"ticket": "ab12"}') == '{"ticket": "[REDACTED]"}'


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just("ada@example.com"),
              st.just(f"x {GITHUB_TOKEN}"), st.just(4111111111111111), st.just("a\"\\\n☃😀")),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["password", "to", "a@b.org", ""]), inner),
    max_leaves=8,
)  # fmt: skip


@given(values, st.booleans(), st.lists(st.integers(0, 400), max_size=6))
def test_pieces_say_what_the_whole_says(value, ascii_only, cuts):
    value = {"v": value}
    text = json.dumps(value, ensure_ascii=ascii_only)
    edges = sorted({0, *(cut % (len(text) + 1) for cut in cuts), len(text)})
    channel = ArgumentsChannel(STAGES)
    passed = "".join([channel.feed(text[a:b]) for a, b in pairwise(edges)]) + channel.finish()
    assert json.loads(passed) == json.loads(arguments_text(STAGES, text))
    assert channel.changed == (json.loads(passed) != value)
    assert GITHUB_TOKEN not in passed
