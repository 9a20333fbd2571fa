"""A history fits into what a model can read, and what is dropped is said."""

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations import conversations
from lambdallm.llm.catalog.resolve import resolve
from lambdallm.llm.types import ChatMessage, ToolDefinition, ToolResult
from lambdallm.state import ContextWindow, MemoryStateStore, Session


class Words:
    """Counts words, and three for every message."""

    def count(self, text, model=None):
        return len(text.split())

    def count_messages(self, messages, model=None):
        return sum(3 + self.count(message.text) for message in messages)


def said(*texts):
    return [ChatMessage(("user", "assistant")[place % 2], text) for place, text in enumerate(texts)]


QUESTION = [ChatMessage("user", "how far is the moon")]


def test_what_fits_goes_as_it_is():
    fitted = ContextWindow("my/model", tokens=1000, counter=Words()).fit(said("a", "b"), QUESTION)
    assert fitted.messages == (*said("a", "b"), *QUESTION)
    assert (fitted.dropped, fitted.tokens, fitted.room, fitted.fits) == (0, 16, 700, True)


def test_what_does_not_fit_loses_its_oldest_turns(caplog):
    history = said("one " * 50, "two " * 50, "three", "four")
    with caplog.at_level(logging.DEBUG, "lambdallm.state"):
        fitted = ContextWindow("my/model", tokens=100, counter=Words()).fit(history, QUESTION, max_tokens=20)
    assert fitted.messages == (*history[2:], *QUESTION)
    assert (fitted.dropped, fitted.room, fitted.fits) == (2, 75, True)
    assert "2 messages of the history were left out for my/model: 16 of 75 tokens are used." in caplog.text


def test_a_prompt_that_is_too_long_alone_drops_the_history_and_says_that_it_does_not_fit():
    history = [ChatMessage("system", "be kind"), *said("a", "b")]
    fitted = ContextWindow("my/model", tokens=100, counter=Words()).fit(history, said("word " * 200))
    assert fitted.history == (history[0],)
    assert not fitted.fits


def test_tools_take_room_too():
    tool = ToolDefinition("search", "x " * 2000, {"type": "object"})
    window = ContextWindow("openai/gpt-4o", tokens=4000)
    history = said(*["word " * 100] * 20)
    assert window.fit(history, QUESTION, tools=[tool]).dropped > window.fit(history, QUESTION).dropped


def test_the_window_is_the_catalogs():
    facts = resolve("openai/gpt-4o").model
    window = ContextWindow("openai/gpt-4o")
    assert window.tokens == facts.context_window
    assert window.room(1000) == int(facts.context_window * 0.95) - 1000
    assert window.room() == int(facts.context_window * 0.95) - 4096


def test_a_model_nobody_knows_has_no_limit():
    history = said(*["word " * 1000] * 50)
    fitted = ContextWindow("nobody-knows-this-one").fit(history, QUESTION)
    assert (fitted.dropped, fitted.room, fitted.fits) == (0, None, True)


@given(conversations, st.integers(10, 80))
def test_what_is_kept_has_room_and_whole_calls(history, tokens):
    window = ContextWindow("my/model", tokens=tokens, counter=Words())
    fitted = window.fit(history, QUESTION, max_tokens=1)
    assert fitted.messages == (*fitted.history, *QUESTION)
    assert fitted.dropped == len(history) - len(fitted.history)
    if fitted.dropped and fitted.fits:
        results = {p.call_id for m in fitted.history for p in m.parts if isinstance(p, ToolResult)}
        assert results <= {call.id for m in fitted.history for call in m.tool_calls}
    if not fitted.fits:
        assert all(message.role in ("system", "developer") for message in fitted.history)


def test_a_token_buffer_counts_by_the_counter_it_is_given():
    session = Session(MemoryStateStore(), memory="token_buffer", max_tokens=20, counter=Words()).load("7")
    session.add(*said("one two three", "four five six", "seven", "eight", "nine"))
    assert session.format_history() == "User: seven\nAssistant: eight\nUser: nine"


@pytest.mark.parametrize(("model", "tokens"), [("openai/gpt-4o", 64_000), (None, 4000), ("nobody-knows-this", 4000)])
def test_a_token_buffer_is_half_of_its_models_window(model, tokens):
    session = Session("memory", memory="token_buffer", model=model)
    assert session.settings.limits().max_tokens == tokens


def test_the_handlers_model_is_the_one_to_fit():
    class Context:
        class settings:
            model = "openai/gpt-4o"

    opened = Session("memory", memory="token_buffer").opened({}, Context())
    assert opened.settings.limits().max_tokens == 64_000


def test_a_session_and_a_prompt_fit_into_its_model():
    session = Session(MemoryStateStore(), memory="full", model="openai/gpt-4o").load("7")
    session.add(*said(*["word " * 30_000] * 6))
    fitted = session.fitted(QUESTION)
    assert fitted.fits
    assert 0 < fitted.dropped < 6
    assert fitted.messages == (*session.messages[fitted.dropped :], *QUESTION)
    assert session.fitted(QUESTION, model="nobody-knows-this").dropped == 0
