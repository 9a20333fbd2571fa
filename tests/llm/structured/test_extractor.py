"""Extraction over clients with a script: modes, re-asks, errors, and the bill, by both kinds of extractor."""

import inspect
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    ConfigurationError,
    ExtractionMaxRetriesError,
    ExtractionParseError,
    ExtractionValidationError,
    InvalidRequestError,
    LLMContentFilterError,
    LLMRateLimitError,
    ProviderTimeoutError,
    UnsupportedParameterError,
)
from lambdallm.llm.structured import extractor as awaiting
from lambdallm.llm.structured import sync
from lambdallm.llm.types import ChatMessage, ToolResult, Usage
from scripted_extractors import Awaiting, Blocking, called, declined, said

both = pytest.mark.parametrize("kind", [Blocking, Awaiting])


@dataclass
class Sentiment:
    """How a text feels."""

    label: str
    score: float


GOOD = '{"label": "good", "score": 0.9}'
WRONG = '{"label": "good", "score": "high"}'
VALUE = Sentiment("good", 0.9)
PROBLEM = "$.score: expected number, got 'high'"


@both
def test_a_value_of_the_type(kind):
    world = kind(said(GOOD), default_model="m")
    assert world.extract("I love it!", Sentiment, temperature=0).unwrap() == VALUE
    ((messages, tools, options),) = world.client.calls
    assert messages == (ChatMessage("user", "I love it!"),)
    form = options.pop("response_format")
    assert (form.name, form.description, form.strict) == ("Sentiment", "How a text feels.", None)
    assert (tools, options) == ((), {"temperature": 0, "model": "m"})


@both
def test_the_documented_call_has_keywords(kind):
    assert kind(said(GOOD)).extract(prompt="Analyze sentiment", output_model=Sentiment).unwrap() == VALUE


@both
@pytest.mark.parametrize(
    ("mode", "sent", "words"), [("native", "json_schema", False), ("json", "json", True), ("prompted", None, True)]
)
def test_each_mode_says_what_it_has_to(kind, mode, sent, words):
    world = kind(said(f"Sure:\n```json\n{GOOD}\n```"), mode=mode)
    full = world.full("I love it!", Sentiment, system="Be brief.").unwrap()
    assert (full.value, full.mode) == (VALUE, mode)
    ((messages, _, options),) = world.client.calls
    assert messages[0].text.startswith("Be brief.")
    assert ('"label": {"type": "string"}' in messages[0].text) is words
    assert (options["response_format"].type if sent else options.get("response_format")) == sent


@both
def test_a_tool_is_demanded_and_its_arguments_are_the_value(kind):
    world = kind(called("Sentiment", {"label": "good", "score": 0.9}), mode="tool")
    assert world.extract("I love it!", Sentiment).unwrap() == VALUE
    ((_, (tool,), options),) = world.client.calls
    assert (tool.name, tool.parameters["required"]) == ("Sentiment", ["label", "score"])
    assert (options["tool_choice"].mode, options["tool_choice"].name) == ("tool", "Sentiment")


@both
def test_of_several_calls_the_first_that_fits_is_taken_and_text_will_do(kind):
    world = kind(called("Sentiment", {"label": 1}, {"label": "good", "score": 0.9}), said(GOOD), mode="tool")
    assert world.extract("I love it!", Sentiment).unwrap() == VALUE
    assert world.extract("I love it!", Sentiment).unwrap() == VALUE


@both
def test_a_wrong_answer_is_asked_for_again_with_what_is_wrong(kind):
    world = kind(said(WRONG), said("No idea."), said(GOOD))
    full = world.full("I love it!", Sentiment).unwrap()
    assert (full.value, full.attempts) == (VALUE, 3)
    assert (full.usage, full.cost_usd) == (Usage(30, 15), 1.5)
    (_, second, third) = (messages for messages, _, _ in world.client.calls)
    assert [message.role for message in second] == ["user", "assistant", "user"]
    assert second[1].text == WRONG
    assert PROBLEM in second[2].text
    assert [message.role for message in third] == ["user", "assistant", "user", "assistant", "user"]
    assert "no JSON" in third[4].text


@both
def test_a_wrong_call_is_answered_as_a_call(kind):
    bad = called("Sentiment", {"label": "good", "score": "high"}, "{oops")
    world = kind(bad, called("Sentiment", {"label": "good", "score": 0.9}), mode="tool")
    assert world.extract("I love it!", Sentiment).unwrap() == VALUE
    own, told = world.client.calls[1][0][1:]
    assert own == bad.message
    assert [type(part) for part in told.parts] == [ToolResult, ToolResult]
    assert [part.call_id for part in told.parts] == ["c0", "c1"]
    assert told.parts[0].is_error
    assert PROBLEM in told.parts[0].content


@both
def test_without_retries_the_error_is_the_answers_own(kind):
    world = kind(said(WRONG), said("No idea."), said("No idea.", cost=None), max_retries=0)
    error = world.extract("I love it!", Sentiment).error
    assert type(error) is ExtractionValidationError
    assert (error.text, error.problems) == (WRONG, (PROBLEM,))
    assert (error.usage, error.cost_usd, error.attempts) == (Usage(10, 5), 0.5, 1)
    assert (error.provider, error.model) == ("p", "m")
    assert type(world.extract("I love it!", Sentiment).error) is ExtractionParseError
    assert world.extract("I love it!", Sentiment).error.cost_usd is None, "unknown is not zero"


@both
def test_used_up_retries_are_an_error_of_their_own(kind):
    world = kind(said("No idea."), said(WRONG))
    error = world.extract("I love it!", Sentiment, max_retries=1).error
    assert type(error) is ExtractionMaxRetriesError
    assert (error.text, error.problems) == (WRONG, (PROBLEM,))
    assert (error.usage, error.cost_usd, error.attempts) == (Usage(20, 10), 1.0, 2)
    assert type(error.__cause__) is ExtractionValidationError
    assert "in 2 tries" in str(error)


@both
def test_a_cut_answer_is_not_asked_for_again(kind):
    world = kind(said('{"label": "good", "sco', "length"), said(GOOD, "length"))
    error = world.extract("I love it!", Sentiment).error
    assert type(error) is ExtractionParseError
    assert "max_tokens" in str(error)
    assert len(world.client.calls) == 1
    assert world.extract("I love it!", Sentiment).unwrap() == VALUE, "cut after the value is whole"


@both
@pytest.mark.parametrize("answer", [declined("I won't."), said("I won't.", "refusal"), said("", "content_filter")])
def test_a_refusal_is_no_wrong_answer(kind, answer):
    world = kind(answer)
    error = world.extract("How do I …?", Sentiment).error
    assert type(error) is LLMContentFilterError
    assert error.usage == answer.usage
    assert len(world.client.calls) == 1


@both
def test_an_error_of_the_provider_carries_what_was_spent_before_it(kind):
    world = kind(said(WRONG), LLMRateLimitError("Slow down.", status=429, attempts=4))
    error = world.extract("I love it!", Sentiment).error
    assert type(error) is LLMRateLimitError
    assert (error.usage, error.cost_usd, error.attempts) == (Usage(10, 5), 0.5, 5)


@both
def test_a_try_of_unknown_cost_makes_the_whole_unknown(kind):
    world = kind(said(WRONG), ProviderTimeoutError("Nothing came."))
    error = world.extract("I love it!", Sentiment).error
    assert (error.usage, error.cost_usd) == (Usage(10, 5), None)
    full = kind(said(WRONG, cost=None), said(GOOD)).full("I love it!", Sentiment).unwrap()
    assert (full.usage, full.cost_usd) == (Usage(20, 10), None)


REFUSED = InvalidRequestError("Invalid schema for response_format 'Sentiment'.", status=400, param="response_format")


@both
@pytest.mark.parametrize(
    "refusal",
    [
        REFUSED,
        UnsupportedParameterError("It can't.", param="response_format", sent=False),
        InvalidRequestError("This model does not support tools."),
    ],
)
def test_a_way_that_is_refused_is_given_up_for_the_next(kind, refusal):
    world = kind(refusal, said(GOOD), modes=("native", "prompted"))
    full = world.full("I love it!", Sentiment).unwrap()
    tries = 1 + refusal.sent  # what was refused here was no try
    assert (full.mode, full.attempts, full.usage, full.cost_usd) == ("prompted", tries, Usage(10, 5), 0.5)
    assert "response_format" not in world.client.calls[1][2]


@both
def test_what_was_refused_is_not_tried_again(kind):
    world = kind(REFUSED, said(GOOD), said(GOOD), said("3"), modes=("native", "prompted"))
    world.extract("I love it!", Sentiment).unwrap()
    assert world.full("I love it!", Sentiment).unwrap().attempts == 1
    assert world.full("How many?", int).unwrap().mode == "native", "another schema may be taken"


@both
def test_a_forced_way_is_not_given_up(kind):
    world = kind(REFUSED, modes=("native", "prompted"), mode="native")
    assert world.extract("I love it!", Sentiment).error is REFUSED


@both
def test_nor_is_any_when_the_question_is_what_is_refused(kind):
    world = kind(InvalidRequestError("messages: at least one is required."), modes=("native", "prompted"))
    assert isinstance(world.extract("I love it!", Sentiment).error, InvalidRequestError)
    assert len(world.client.calls) == 1


@both
def test_a_client_that_declares_nothing_is_told_in_words(kind):
    world = kind(said(GOOD), modes=None)
    assert world.full("I love it!", Sentiment).unwrap().mode == "prompted"


@both
def test_a_conversation_may_be_the_prompt(kind):
    world = kind(said(GOOD), mode="prompted")
    conversation = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "I love it!"}]
    world.extract(conversation, Sentiment).unwrap()
    system, user = world.client.calls[0][0]
    assert system.text.startswith("Be brief.\n\nAnswer with JSON")
    assert user.text == "I love it!"


@both
@pytest.mark.parametrize(
    ("output_model", "answer", "value"),
    [
        (list[Sentiment], f'{{"value": [{GOOD}]}}', [VALUE]),
        (list[Sentiment], f"[{GOOD}]", [VALUE]),
        (int, '{"value": 3}', 3),
        (Sentiment | int, '{"value": 3}', 3),
        ({"label": str, "score": float}, GOOD, {"label": "good", "score": 0.9}),
        ({"type": "object", "properties": {"label": {"enum": ["good"]}}}, GOOD, {"label": "good", "score": 0.9}),
    ],
    ids=str,
)
def test_anything_may_be_an_output_model(kind, output_model, answer, value):
    assert kind(said(answer)).extract("I love it!", output_model).unwrap() == value


@both
@pytest.mark.parametrize(
    ("arguments", "options", "word"),
    [
        (("Hi", Sentiment), {"mode": "magic"}, "'magic'"),
        (("Hi", Sentiment), {"max_retries": -1}, "-1"),
        (("Hi", Sentiment), {"max_retries": True}, "True"),
        (("Hi", Sentiment), {"response_format": "json"}, "'response_format'"),
        (("", Sentiment), {}, "''"),
        (("Hi", complex), {}, "complex"),
        (("Hi", {"a": object()}), {}, "'a'"),
    ],
)
def test_bad_input_is_said_before_anything_is_sent(kind, arguments, options, word):
    world = kind()
    with pytest.raises(ConfigurationError, match=word):
        world.extract(*arguments, **options)
    assert world.client.calls == []


@given(
    st.lists(st.sampled_from([said(WRONG), said("No."), said(WRONG, cost=None), said("", usage=None)]), max_size=4),
    st.sampled_from([said(GOOD), LLMRateLimitError("No.", status=429), ProviderTimeoutError("No."), declined("No.")]),
    st.integers(0, 3),
)
def test_tries_are_bounded_and_each_is_billed_once(wrong, last, max_retries):
    """Whatever happens: one call for each try, and the bill is the sum of what the tries said."""
    logs = []
    for kind in (Blocking, Awaiting):
        if hasattr(last, "attempts") and isinstance(last, Exception):
            last = type(last)(last.message, status=last.status)
        world = kind(*wrong, last, max_retries=max_retries)
        outcome = world.full("Hi", Sentiment)
        bill = outcome.value if outcome.is_ok() else outcome.error
        made = [*wrong, last][: len(world.client.calls)]
        assert len(made) <= max_retries + 1
        answers = [each for each in made if not isinstance(each, Exception)]
        usages = [each.usage for each in answers if each.usage is not None]
        assert bill.attempts == len(made)
        assert bill.usage == (sum(usages[1:], usages[0]) if usages else None)
        costs = [each.cost_usd for each in answers] + [None] * isinstance(made[-1], ProviderTimeoutError)
        assert bill.cost_usd == (None if None in costs else pytest.approx(sum(costs)))
        logs.append((type(bill), [messages for messages, _, _ in world.client.calls]))
    assert logs[0] == logs[1]


def test_the_twins_have_the_same_methods():
    for name in ("__init__", "extract", "extract_full", "stream"):
        one, other = (getattr(module.StructuredExtractor, name) for module in (awaiting, sync))
        assert inspect.signature(one).parameters.keys() == inspect.signature(other).parameters.keys()
