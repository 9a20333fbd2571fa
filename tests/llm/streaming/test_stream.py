"""What a reader of a chat's stream sees first: its texts, and the answer they add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.streaming.accumulator import as_chunks
from lambdallm.llm.streaming.record import StreamRecord
from lambdallm.llm.streaming.stream import AsyncChatStream, ChatStream
from lambdallm.llm.types import ChatMessage, Choice, Completion, ReasoningPart, StreamChunk, TextPart, ToolCall

KINDS = {"Blocking": ChatStream, "Awaiting": AsyncChatStream}


@pytest.fixture
def chat_stream(twin):
    def make(*chunks):
        record = StreamRecord(None)
        record.add(chunks)
        return KINDS[type(twin).__name__](twin.stream(*chunks), record)

    return make


def test_texts_are_the_answer_without_the_thinking(twin, chat_stream):
    stream = chat_stream(StreamChunk(thinking="Hm."), StreamChunk("Hel"), StreamChunk("lo."), StreamChunk())
    assert twin.list(stream.texts()) == ["Hel", "lo."]
    assert stream.completion.text == "Hello."


def test_texts_are_those_of_the_first_choice(twin, chat_stream):
    stream = chat_stream(StreamChunk("a"), StreamChunk("b", index=1), StreamChunk("c"))
    assert "".join(twin.list(stream.texts())) == stream.completion.text == "ac"


def test_a_cited_text_is_text(twin, chat_stream):
    stream = chat_stream(StreamChunk("See "), StreamChunk(part=TextPart("here.", ({"url": "u"},)), block=1))
    assert "".join(twin.list(stream.texts())) == stream.completion.text == "See here."


parts = st.one_of(
    st.builds(TextPart, st.text(), st.just(()) | st.just(({"url": "u"},))),
    st.builds(ReasoningPart, st.text()),
    st.just(ToolCall("t", "f", {}, "{}")),
)
answers = st.lists(st.lists(parts).map(tuple), min_size=1, max_size=3).map(
    lambda choices: Completion(
        tuple(Choice(ChatMessage("assistant", said), "stop", index=index) for index, said in enumerate(choices))
    )
)


@given(answers)
def test_the_texts_of_any_answer_add_up_to_it(answer):
    chunks = as_chunks(answer)
    record = StreamRecord(None)
    record.add(chunks)
    stream = ChatStream((chunk for chunk in chunks), record)
    assert "".join(stream.texts()) == stream.completion.text == answer.text


def test_without_a_model_the_answer_has_neither_provider_nor_price(chat_stream):
    stream = chat_stream(StreamChunk("a"))
    assert (stream.completion.provider, stream.completion.cost_usd) == (None, None)
