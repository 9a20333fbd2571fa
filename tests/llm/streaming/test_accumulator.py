"""Chunks in, completion out: the same that the call without streaming would have given."""

from __future__ import annotations

from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    ChatMessage,
    Choice,
    Completion,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    Usage,
)


def add_up(*chunks: StreamChunk) -> Completion:
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


def test_nothing_gives_an_empty_completion() -> None:
    assert add_up() == Completion(())


def test_text_thinking_and_end() -> None:
    completion = add_up(
        StreamChunk(metadata={"id": "x", "model": "m", "created": 1}),
        StreamChunk(thinking="Let me "),
        StreamChunk(thinking="see."),
        StreamChunk("Hel"),
        StreamChunk("lo."),
        StreamChunk(finish_reason="stop", raw_finish_reason="stop"),
        StreamChunk(usage=Usage(1, 2)),
    )
    message = ChatMessage("assistant", (ReasoningPart("Let me see.", metadata={}), TextPart("Hello.", metadata={})))
    assert completion == Completion(
        (Choice(message, "stop", "stop"),), usage=Usage(1, 2), id="x", model="m", metadata={"created": 1}
    )


def test_tool_calls_join_by_their_number_and_keep_their_text() -> None:
    completion = add_up(
        StreamChunk(tool_calls=(ToolCallDelta(0, "a", "f", ""), ToolCallDelta(1, "b", "g", '{"x": '))),
        StreamChunk(tool_calls=(ToolCallDelta(1, arguments="1}"), ToolCallDelta(0, arguments="{}"))),
    )
    assert completion.tool_calls == (
        ToolCall("a", "f", {}, "{}", {}),
        ToolCall("b", "g", {"x": 1}, '{"x": 1}', {}),
    )


def test_the_last_usage_is_the_right_one() -> None:
    assert add_up(StreamChunk(usage=Usage(1, 1)), StreamChunk(usage=Usage(1, 5))).usage == Usage(1, 5)


def test_choices_are_kept_apart_and_in_order() -> None:
    completion = add_up(StreamChunk("b", index=1), StreamChunk("a", index=0), StreamChunk("b", index=1))
    assert [choice.message.text for choice in completion.choices] == ["a", "bb"]


def test_what_belongs_to_one_choice_lands_on_it() -> None:
    completion = add_up(
        StreamChunk("a"), StreamChunk(metadata={"choices": {0: {"logprobs": {}, "message": {"audio": {"id": "x"}}}}})
    )
    assert completion.metadata == {}
    assert completion.choices[0].metadata == {"logprobs": {}}
    assert completion.message.metadata == {"audio": {"id": "x"}}


def test_pieces_that_arrive_whole_join_the_text_around_them() -> None:
    completion = add_up(
        StreamChunk("See "),
        StreamChunk("here.", part=TextPart("", ({"url": "u"},))),
        StreamChunk(part=RefusalPart("No")),
        StreamChunk(part=RefusalPart(".")),
        StreamChunk(part=ReasoningPart(signature="s")),
    )
    assert completion.text == "See here."
    assert completion.message.parts[0] == TextPart("See here.", ({"url": "u"},), {})
    assert completion.refusal == "No."
    assert completion.message.parts[2] == ReasoningPart("", "s", metadata={})
