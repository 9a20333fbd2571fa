"""Which texts go together, and what several answers add up to: no network in sight."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.embedding.batches import Limits, batches, checked_texts, estimated_tokens, joined, limits_of
from lambdallm.llm.errors import ConfigurationError, InvalidRequestError
from lambdallm.llm.types import EmbeddingRequest, Embeddings, Usage


def split(texts, /, **limits):
    return [batch.request.texts for batch in batches(EmbeddingRequest("m", tuple(texts)), Limits(**limits))]


def test_texts_that_fit_go_together():
    assert split("abc") == [("a", "b", "c")]
    assert split("abc", texts=3, tokens=100) == [("a", "b", "c")]


def test_no_more_texts_than_the_limit():
    assert split("abcde", texts=2) == [("a", "b"), ("c", "d"), ("e",)]


def test_no_more_tokens_than_the_limit():
    assert split(["aaaa", "bbbb", "cccc"], tokens=6) == [("aaaa", "bbbb"), ("cccc",)]


def test_a_text_above_the_limit_goes_alone():
    assert split(["a", "b" * 100, "c"], tokens=10) == [("a",), ("b" * 100,), ("c",)]


@given(st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=40), st.integers(1, 9), st.integers(1, 60))
def test_all_texts_are_sent_once_in_order_and_within_limits(texts, most_texts, most_tokens):
    parts = split(texts, texts=most_texts, tokens=most_tokens)
    assert [text for part in parts for text in part] == texts
    assert all(len(part) <= most_texts for part in parts)
    assert all(len(part) == 1 or sum(map(estimated_tokens, part)) <= most_tokens for part in parts)


@pytest.mark.parametrize("text", ["plain English words", "日本語のテキスト", "🙂🙂🙂", "x = {'a': [1, 2]}", "0x7f3a9c"])
def test_an_estimate_is_no_fewer_than_a_tokenizer_makes(text):
    import tokenizers

    from lambdallm.llm.clients.model_file import MINILM, pulled_path

    tokenizer = tokenizers.Tokenizer.from_file(pulled_path(source=MINILM[1]))
    tokenizer.no_padding()
    assert estimated_tokens(text * 50) >= len(tokenizer.encode(text * 50, add_special_tokens=False).ids)


@pytest.mark.parametrize(
    ("texts", "why"), [((), "No text"), (("a", ""), "Text 1 is empty"), (("a", None), "Text 1 is None")]
)
def test_nothing_to_embed(texts, why):
    with pytest.raises(InvalidRequestError, match=why):
        split(texts)


@pytest.mark.parametrize("texts", ["one text", b"bytes"])
def test_one_string_is_not_taken_letter_by_letter(texts):
    with pytest.raises(InvalidRequestError, match="not a list of texts"):
        checked_texts(texts)


def test_limits_come_from_the_entry_before_the_protocol_and_the_caller_may_lower_them():
    assert limits_of({"most_texts": 8, "most_tokens": 9}, 96) == Limits(8, 9)
    assert limits_of({}, 96) == Limits(96)
    assert limits_of({"most_texts": None}, 96) == Limits()
    assert limits_of({}, 96, batch_size=5) == Limits(5)
    assert limits_of({}, 96, batch_size=500) == Limits(96)


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "8"])
def test_a_batch_size_that_is_none(size):
    with pytest.raises(ConfigurationError, match="batch_size"):
        limits_of({}, None, size)


def answer(number, **fields):
    return Embeddings(((float(number),),), **fields)


def test_answers_become_one():
    one = answer(1, usage=Usage(2), cost_usd=0.5, model="m", metadata={"id": "a"}, warnings=("w",), attempts=2)
    two = answer(2, usage=Usage(3), cost_usd=0.25, model="m", metadata={"id": "b"}, warnings=("w",))
    both = joined([one, two])
    assert both.vectors == ((1.0,), (2.0,))
    assert (both.usage, both.cost_usd, both.warnings) == (Usage(5), 0.75, ("w",))
    assert (both.requests, both.attempts, both.metadata) == (2, 3, {"batches": [{"id": "a"}, {"id": "b"}]})


def test_what_one_answer_does_not_say_is_unknown_of_all():
    both = joined([answer(1, usage=Usage(2), cost_usd=0.5), answer(2)])
    assert (both.usage, both.cost_usd) == (None, None)


def test_types_that_every_answer_has():
    one = answer(1, by_type={"float": ((1.0,),), "int8": ((1,),)})
    two = answer(2, by_type={"float": ((2.0,),)})
    assert joined([one, two]).by_type == {"float": ((1.0,), (2.0,))}
