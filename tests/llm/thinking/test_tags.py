"""Thinking between tags: told apart from the answer, whole or streamed, and put back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.thinking.tags import TAGS, ThinkingSplitter, normalized, restored
from lambdallm.llm.types import (
    ChatMessage,
    Choice,
    Completion,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
)


def whole(text, opened=False):
    message = ChatMessage("assistant", (TextPart(text),) if text else ())
    return normalized(Completion((Choice(message, "stop", "stop"),)), opened=opened).message


def streamed(pieces, opened=False):
    splitter, accumulator = ThinkingSplitter(opened=opened), Accumulator()
    for piece in pieces:
        accumulator.add(splitter.feed([StreamChunk(piece)]))
    accumulator.add(splitter.feed([StreamChunk(finish_reason="stop", raw_finish_reason="stop")]) + splitter.close())
    return accumulator.completion().message


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag_is_known(tag):
    message = whole(f"{tag}hm{TAGS[tag]}\n\nYes.")
    assert (message.thinking, message.text) == ("hm", "Yes.")


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("Yes.", None, "Yes."),
        ("", None, ""),
        ("  <think>\nhm\n</think>\n\nYes.", "\nhm\n", "Yes."),
        ("<think>hm", "hm", ""),
        ("<think></think>Yes.", None, "Yes."),
        ("Write <think>hm</think>.", None, "Write <think>hm</think>."),
        ("<thin", None, "<thin"),
        ("<think>a</think>b<think>c</think>", "a", "b<think>c</think>"),
    ],
)
def test_only_what_a_text_begins_with_is_thinking(text, thinking, answer):
    for message in (whole(text), streamed([text]), streamed(text)):
        assert (message.thinking, message.text) == (thinking, answer)


@pytest.mark.parametrize("text", ["hm</think>\nYes.", "<think>hm</think>Yes."])
def test_a_model_whose_prompt_opened_the_tag_begins_inside_it(text):
    for message in (whole(text, opened=True), streamed(text, opened=True)):
        assert (message.thinking, message.text) == ("hm", "Yes.")


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "[THINK]", "a", " ", "\n", "<", "th", "</"]), max_size=12),
    st.booleans(),
)
def test_a_stream_says_what_the_whole_says_and_both_are_restored(words, opened):
    text = "".join(words)
    one, other = whole(text, opened), streamed(words, opened)
    assert (one.thinking, one.text) == (other.thinking, other.text)
    for message in (one, other):
        assert "".join(part.text for part in restored([message])[0].parts) == text


def test_a_provider_with_a_field_for_thinking_writes_no_tags():
    chunks = [StreamChunk(thinking="hm"), StreamChunk("<think>x")]
    assert ThinkingSplitter().feed(chunks) == chunks
    parts = (ReasoningPart("hm"), TextPart("<think>x"))
    completion = Completion((Choice(ChatMessage("assistant", parts)),))
    assert normalized(completion) is completion


def test_what_is_no_text_passes_in_its_place():
    call = StreamChunk(tool_calls=(ToolCallDelta(0, "c", "f", "{}"),), index=1)
    assert ThinkingSplitter().feed([call]) == [call]
    parts = restored([ChatMessage("assistant", (*whole("<think>hm</think>").parts, ToolCall("c", "f", {})))])[0].parts
    assert parts == (TextPart("<think>hm</think>"), ToolCall("c", "f", {}))


def test_choices_are_told_apart():
    chunks = [StreamChunk("<think>a", index=0), StreamChunk("b", index=1), StreamChunk("</think>c", index=0)]
    shown = [(c.index, c.thinking, c.delta) for c in ThinkingSplitter().feed(chunks) if c.thinking or c.delta]
    assert shown == [(0, "a", ""), (1, "", "b"), (0, "", "c")]
