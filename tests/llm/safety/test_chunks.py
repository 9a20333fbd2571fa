"""Whole or in chunks, an answer says the same after the filters; and each text keeps its place among the others."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import LLMContentFilterError
from lambdallm.llm.safety import BlocklistFilter, OutputFilter, PersonalDataFilter, SecretsFilter
from lambdallm.llm.safety.chunks import ChunkScreen
from lambdallm.llm.safety.report import Report
from lambdallm.llm.safety.screen import Screen
from lambdallm.llm.streaming.accumulator import Accumulator, as_chunks
from lambdallm.llm.types import (
    ChatMessage,
    Choice,
    Completion,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    ToolResult,
    Usage,
)
from look_alikes import GITHUB_TOKEN

FILTERS = (SecretsFilter(), PersonalDataFilter())


def screen(*filters):
    return Screen(filters or FILTERS, "output", Report())


def streamed(chunks, *filters):
    one = ChunkScreen(screen(*filters))
    return [passed for chunk in chunks for passed in one.feed(chunk)] + one.finish()


def added_up(chunks):
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


def test_text_thinking_and_refusals_are_channels_of_their_own():
    mail = ["Write to a", "da@exam", "ple.com now"]
    chunks = [StreamChunk(thinking=piece) for piece in mail]
    chunks += [chunk for piece in mail for chunk in (StreamChunk(piece), StreamChunk(part=RefusalPart(piece)))]
    message = added_up(streamed([*chunks, StreamChunk(finish_reason="stop")])).message
    assert (message.thinking, message.text, message.refusal) == ("Write to [EMAIL] now",) * 3


def test_choices_do_not_mix():
    chunks = [StreamChunk("ada@", index=0), StreamChunk("bob@", index=1), StreamChunk("example.com", index=0)]
    chunks += [StreamChunk("example.com ok", index=1), StreamChunk(finish_reason="stop", index=0)]
    answer = added_up(streamed(chunks))
    assert [choice.message.text for choice in answer.choices] == ["[EMAIL]", "[EMAIL] ok"]


def test_the_rest_of_a_block_comes_before_the_next_block():
    chunks = [StreamChunk("mail ada", block=0), StreamChunk(" and more", block=1)]
    assert [(chunk.delta, chunk.block) for chunk in streamed(chunks)] == [
        ("mail ", 0),
        ("ada", 0),
        (" and ", 1),
        ("more", 1),
    ]


def test_the_rest_comes_before_the_finish_reason_and_usage_stays_with_it():
    end = StreamChunk("ada", finish_reason="stop", usage=Usage(1, 2), metadata={"id": "x"})
    assert streamed([StreamChunk("ask "), end]) == [
        StreamChunk("ask "),
        StreamChunk("ada"),
        StreamChunk(finish_reason="stop", usage=Usage(1, 2), metadata={"id": "x"}),
    ]


def test_a_chunk_that_says_nothing_any_more_is_not_sent():
    assert streamed([StreamChunk("ada@exam"), StreamChunk("ple.com ")]) == [StreamChunk("[EMAIL] ")]


def test_pieces_of_tool_calls_are_told_apart_by_their_index():
    pieces = [
        (0, '{"to": "ada@'),
        (1, '{"to": "bob'),
        (0, 'example.com"}'),
        (1, '@example.com", "n": 4111111'),
        (1, "111111111}"),
    ]
    chunks = [StreamChunk(tool_calls=(ToolCallDelta(0, "a", "send"), ToolCallDelta(1, "b", "send")))]
    chunks += [StreamChunk(tool_calls=(ToolCallDelta(n, arguments=text),)) for n, text in pieces]
    answer = added_up(streamed([*chunks, StreamChunk(finish_reason="tool_calls")]))
    assert [(call.id, call.arguments) for call in answer.tool_calls] == [
        ("a", {"to": "[EMAIL]"}),
        ("b", {"to": "[EMAIL]", "n": "[CREDIT_CARD]"}),
    ]


def test_a_signature_goes_with_the_thinking_it_was_made_for():
    signed = StreamChunk(part=ReasoningPart(signature="s1"))
    same = added_up(streamed([StreamChunk(thinking="I see"), signed]))
    other = added_up(streamed([StreamChunk(thinking="I see ada@example.com"), signed]))
    assert same.message.parts == (ReasoningPart("I see", "s1", metadata={}),)
    assert other.message.parts == (ReasoningPart("I see [EMAIL]", None, metadata={}),)


def test_thinking_comes_out_before_its_signature():
    chunks = streamed([StreamChunk(thinking="to ada"), StreamChunk(part=ReasoningPart(signature="s1"))])
    assert [chunk.thinking for chunk in chunks] == ["to ", "ada", ""]


def test_what_repeats_the_text_beside_it_is_filtered_too():
    mail = "ada@example.com"
    message = ChatMessage("assistant", (
        TextPart(mail, citations=({"cited_text": f"by {mail}"},)),
        ProviderPart("web_search_result", {"results": [{"title": mail}]}),
        DocumentPart(text=mail),
        DocumentPart(data=mail.encode(), media_type="text/plain"),
        ToolResult("c", (TextPart(mail), ImagePart(url="https://x"))),
        ToolResult("c", mail),
    ))  # fmt: skip
    answer = Completion(
        (Choice(message, metadata={"logprobs": {"content": [{"token": "ada"}]}}),), metadata={"echo": mail}
    )
    one = screen()
    passed = one.completion(answer)
    assert mail not in repr(passed)
    assert passed.choices[0].metadata == {}
    assert passed.warnings == ("The log probabilities were left out: they spell the text that the filters may change.",)
    assert answer.text == mail


def test_nothing_found_changes_nothing():
    message = ChatMessage(
        "user", (TextPart("hello"), ToolCall("a", "b", {"c": 1}), ImagePart(data=b"x", media_type="image/png"))
    )
    assert screen().message(message) is message


def test_a_filter_works_on_what_it_covers():
    class Thoughts(OutputFilter):
        covers = ("thinking",)

        def apply(self, text):
            return "…"

    chunks = [StreamChunk(thinking="hm"), StreamChunk("hm"), StreamChunk(finish_reason="stop")]
    message = added_up(streamed(chunks, Thoughts())).message
    assert (message.thinking, message.text) == ("…", "hm")


def test_blocking_names_the_filter_in_a_chain():
    with pytest.raises(LLMContentFilterError) as blocked:
        streamed([StreamChunk("the launch code")], SecretsFilter(), BlocklistFilter(["launch"]))
    assert blocked.value.code == "blocklist"


said = st.sampled_from(
    ["hello ", "ada@example.com", f"token {GITHUB_TOKEN} ", "ada", "@", "example.com", "4111 1111 1111 ", "1111"]
)
texts = st.lists(said, max_size=5).map("".join)
part = st.one_of(
    texts.map(TextPart),
    texts.map(ReasoningPart),
    texts.map(lambda text: ReasoningPart(text, "signed")),
    texts.map(RefusalPart),
    texts.map(lambda text: ToolCall("id", "send", {"to": text}, json.dumps({"to": text}))),
)
choices = st.lists(st.lists(part, max_size=4), min_size=1, max_size=2)


def cut(chunks, sizes):
    """The chunks with their texts in pieces of these sizes, over and over."""
    sizes = iter(sizes * 1000)
    for chunk in chunks:
        text = chunk.delta or (chunk.tool_calls[0].arguments if chunk.tool_calls else "")
        if not text:
            yield chunk
            continue
        if chunk.tool_calls:
            yield chunk.replace(tool_calls=(chunk.tool_calls[0].replace(arguments=""),))
        while text:
            size = next(sizes)
            piece, text = text[:size], text[size:]
            calls = tuple(ToolCallDelta(call.index, arguments=piece) for call in chunk.tool_calls)
            yield StreamChunk("" if calls else piece, tool_calls=calls, block=chunk.block, index=chunk.index)


def as_said(answer):
    """What an answer says, whatever empty pieces and metadata its parts have."""
    told = []
    for choice in answer.choices:
        parts = [
            (type(p), getattr(p, "text", None), getattr(p, "arguments", None), getattr(p, "signature", None))
            for p in choice.message.parts
        ]
        told.append([one for one in parts if one[1:] != ("", None, None)])
    return told


@given(choices, st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_chunks_say_what_the_whole_says(parts, sizes):
    whole = Completion(tuple(Choice(ChatMessage("assistant", tuple(p)), "stop", index=n) for n, p in enumerate(parts)))
    passed = streamed(list(cut(as_chunks(whole), sizes)))
    assert as_said(added_up(passed)) == as_said(screen().completion(added_up(as_chunks(whole))))
    assert GITHUB_TOKEN[:8] not in repr(passed)
