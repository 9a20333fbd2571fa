"""The estimate: how near it is, that it is no surprise, and that it agrees with itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.pricing.tokens import EstimatingCounter
from lambdallm.llm.pricing.tokens.estimate import weights
from lambdallm.llm.pricing.tokens.families import FAMILIES, MARKS, family_of
from lambdallm.llm.pricing.tokens.features import NAMES, features
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    ImagePart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

ENGLISH = (
    "The quick brown fox jumps over the lazy dog. It was not the first time, and the dog had long since given up any "
    "hope of an apology; foxes, in his experience, were not given to explaining themselves."
)
COUNTER = EstimatingCounter()

KNOWN = [
    ("gpt-4o", ENGLISH, 45),
    ("gpt-4", ENGLISH, 45),
    ("gpt-4o", "def add(a, b):\n    return a + b\n\n\nprint(add(2, 3))\n", 20),
    ("gpt-4o", json.dumps({"name": "Ada", "born": 1815, "tags": ["maths", "computing"], "alive": False}), 29),
    ("gpt-4o", "Съешь же ещё этих мягких французских булок, да выпей чаю.", 19),
    ("gpt-4o", "我能吞下玻璃而不伤身体。今天的天气很好，我们去公园散步吧。", 23),
    ("gpt-4o", "3.14159, 2.71828, 1.41421, 0.57721, 1.61803", 28),
]
"""Texts and what tiktoken counts for them."""


@pytest.mark.parametrize(("model", "text", "tokens"), KNOWN)
def test_a_text_is_a_quarter_off_at_most(model, text, tokens):
    assert COUNTER.count(text, model) == pytest.approx(tokens, rel=0.25)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_has_weights_and_counts_english_at_three_to_six_letters_a_token(family):
    assert FAMILIES[family].weights in weights()
    model = next((mark.strip("^") for mark, name in MARKS if name == family), None)
    assert len(ENGLISH) / 6 < COUNTER.count(ENGLISH, model) < len(ENGLISH) / 2.7


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o", "gpt-4o"), ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini"), ("gpt-4-turbo", "gpt-4"),
        ("gpt-4.1", "gpt-4o"), ("azure/gpt-35-turbo", "gpt-4"), ("o3", "o-series"), ("openai:o4-mini", "o4-mini"),
        ("gpt-6-luna", "gpt-5.4"), ("groq/openai/gpt-oss-120b", "gpt-oss"),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude"), ("anthropic/claude-opus-4.7", "claude-2026"),
        ("claude-haiku-5-5", "claude-2026"), ("models/gemini-2.5-flash", "gemini"), ("gemini-3.5-flash", "gemini-3"),
        ("meta.llama3-70b-instruct-v1:0", "llama"), ("accounts/fireworks/models/qwen3p5-9b", "qwen"),
        ("deepseek-r1-distill-llama-70b", "llama"), ("deepseek-reasoner", "deepseek"), ("solo3", "unknown"),
        ("command-a-03-2025", "cohere"), ("us.amazon.nova-pro-v1:0", "nova"), ("acme-large", "unknown"),
    ],
)  # fmt: skip
def test_a_models_family_is_found_under_any_of_its_names(model, family):
    assert family_of(model) is FAMILIES[family]


def test_no_text_has_no_tokens_and_any_text_has_one():
    assert COUNTER.count("") == 0
    assert COUNTER.count(" ") == COUNTER.count("\x00") == 1


def test_features_are_what_their_names_say():
    found = features("Hello worldWide, 12345 times:\n\n    x = 'ok'  # ->  déjà Привет 你好")
    assert found["words"] == 7  # Hello worldWide times x ok d j (accents break words unless most is Latin)
    assert (found["humps"], found["digits"], found["digit_runs"], found["digit_thirds"]) == (1, 5, 1, 2)
    assert (found["line_runs"], found["latin"], found["cyrillic"], found["han"]) == (1, 2, 6, 2)


def test_accents_do_not_break_words_where_a_text_is_latin():
    assert features("déjà vu à Orléans")["words"] == 4
    assert features("déjà vu à Orléans")["latin"] == 4


@given(st.text())
def test_any_text_can_be_counted(text):
    counts = features(text)
    assert set(counts) <= set(NAMES)
    assert all(count >= 0 for count in counts.values())
    assert COUNTER.count(text, "gpt-4o") >= (1 if text else 0)


@given(st.text(min_size=1, max_size=200))
def test_longer_texts_of_the_same_have_as_many_times_the_tokens(text):
    one, ten = COUNTER.count(f"{text} ", "gpt-4o"), COUNTER.count(f"{text} " * 10, "gpt-4o")
    assert ten <= 10 * (one + 1) + 10
    assert ten >= 10 * (one - 1) / 2 - 30


def test_a_lone_surrogate_is_counted_too():
    assert COUNTER.count("\ud800 broken", "gpt-4o") > 0


# Conversations


def counted(*parts, model="gpt-4o"):
    return COUNTER.count_messages([ChatMessage("user", parts)], model)


def test_a_message_adds_what_its_format_adds():
    """OpenAI: three for the request and four for each message; recorded counts say so."""
    one = COUNTER.count_messages([ChatMessage("user", "Hello")], "gpt-4o")
    two = COUNTER.count_messages([ChatMessage("user", "Hello"), ChatMessage("user", "")], "gpt-4o")
    assert (one, two) == (COUNTER.count("Hello", "gpt-4o") + 7, one + 4)


def test_every_part_counts():
    bare = counted()
    for part in (
        TextPart("Some words"), RefusalPart("I won't"), ReasoningPart("Let me think"), ToolCall("1", "add", {"a": 1}),
        ToolCall.from_json("1", "add", '{"a": 1}'), ToolResult("1", "42"), ToolResult("1", (TextPart("42"),)),
        ImagePart(url="https://a.example/cat.png"),
    ):  # fmt: skip
        assert counted(part) > bare


def test_a_requests_tools_and_the_schema_of_its_answer_count():
    asked = ChatRequest("gpt-4o", (ChatMessage("user", "Hello"),))
    tool = ToolDefinition("weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}})
    bare = COUNTER.count_request(asked)
    assert bare == COUNTER.count_messages(asked.messages, "gpt-4o")
    assert COUNTER.count_request(asked.replace(tools=(tool,))) > bare + 20
    form = ResponseFormat("json_schema", {"type": "object", "properties": {"city": {"type": "string"}}})
    assert COUNTER.count_request(asked.replace(response_format=form)) > bare
    assert COUNTER.count_request(asked.replace(response_format=ResponseFormat("json"))) == bare
