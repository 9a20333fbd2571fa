"""What a client of the Anthropic Messages protocol is told: given an answer, expect a message or its events."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge import recorded
from lambdallm.llm.errors import (
    ConfigurationError,
    InvalidRequestError,
    LLMRateLimitError,
    ProviderServerError,
    StreamError,
    error_for,
)
from lambdallm.llm.result import Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    Choice,
    Completion,
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
from lambdallm.llm.wire.anthropic_messages import (
    STREAM_TYPE,
    StreamDecoder,
    StreamEncoder,
    decode_request,
    decode_response,
    encode_error,
    encode_response,
)
from lambdallm.llm.wire.anthropic_messages.response import MARK
from lambdallm.llm.wire.call_ids import fitting_id
from recorded import recordings

if TYPE_CHECKING:
    from lambdallm.llm.types import FinishReason, Part

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic_messages"
TEXT, TOOLS = (FIXTURES / "text.sse").read_bytes(), (FIXTURES / "tools.sse").read_bytes()
REQUEST = ChatRequest("claude-x", (ChatMessage("user", "Hi"),))
IDENTITY: dict[str, Any] = {"id": "msg_1", "created": 1}


def answer(*parts: Part, reason: FinishReason | None = "stop", raw: str | None = None, **fields: Any) -> Completion:
    return Completion((Choice(ChatMessage("assistant", parts), reason, raw),), **fields)


def written(completion: Completion) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(encode_response(completion, REQUEST, **IDENTITY))
    return message


def streamed(*chunks: StreamChunk) -> bytes:
    encoder = StreamEncoder(REQUEST, **IDENTITY)
    return b"".join([*(encoder.feed([chunk]) for chunk in chunks), encoder.close()])


def events(body: bytes) -> list[dict[str, Any]]:
    """The events, each named in its framing as in its data."""
    read = []
    for block in body.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        read.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {read[-1]['type']}"
    return read


def completed(body: bytes) -> Completion:
    decoder, accumulator = StreamDecoder(), Accumulator()
    accumulator.add(decoder.feed(body) + decoder.close())
    assert decoder.error is None
    return accumulator.completion()


# Whole answers


def test_a_message() -> None:
    usage = Usage(124, 9, 100, 20, 5, {"prompt_tokens": 124, "service_tier": "standard"})
    assert written(answer(TextPart("Hi."), model="m", id="chatcmpl-1", usage=usage)) == {
        "id": "chatcmpl-1", "type": "message", "role": "assistant", "model": "m",
        "content": [{"type": "text", "text": "Hi."}], "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 4, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100,
                  "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 5}, "service_tier": "standard"},
    }  # fmt: skip


def test_what_nobody_knows() -> None:
    message = written(Completion(()))
    assert (message["id"], message["model"], message["content"]) == ("msg_1", "claude-x", [])
    assert message["usage"] == {"input_tokens": 0, "output_tokens": 0}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (ReasoningPart("Hm."), {"type": "thinking", "thinking": "Hm.", "signature": ""}),
        (ReasoningPart("Hm.", "s"), {"type": "thinking", "thinking": "Hm.", "signature": "s"}),
        (ReasoningPart("Hm.", encrypted="e", id="rs_1"), {"type": "thinking", "thinking": "Hm.", "signature": "e"}),
        (ReasoningPart(encrypted="e", id="rs_1"), {"type": "redacted_thinking", "data": "e"}),
        (ReasoningPart(), None),
        (RefusalPart("No."), {"type": "text", "text": "No."}),
        (TextPart("a", ({"type": "url_citation", "url": "u"}, {"type": "page_location"})),
         {"type": "text", "text": "a", "citations": [{"type": "page_location"}]}),
        (TextPart(""), None),
        (ToolCall("functions.f:0", "f", {"a": 1}),
         {"type": "tool_use", "id": fitting_id("functions.f:0"), "name": "f", "input": {"a": 1},
          "lambdallm": {"id": "functions.f:0"}}),
        (ToolCall("", "f"), {"type": "tool_use", "id": "call_0", "name": "f", "input": {}}),
        (ToolCall.from_json("t", "f", "null"), {"type": "tool_use", "id": "t", "name": "f", "input": {}}),
        (ToolCall.from_json("t", "f", "{"), {"type": "tool_use", "id": "t", "name": "f",
                                             "input": {"INVALID_JSON": "{"}}),
        (ToolCall("t", "f", {"a": float("inf")}), {"type": "tool_use", "id": "t", "name": "f",
                                                   "input": {"a": "Infinity"}}),
        (ToolCall("t", "f", {}, metadata={MARK: {"caller": {"type": "direct"}}, "gemini": {"x": "s"}}),
         {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "direct"},
          "lambdallm": {"metadata": {"gemini": {"x": "s"}}}}),
        (ProviderPart("mcp_tool_use", {"type": "mcp_tool_use", "id": "m"}, MARK), {"type": "mcp_tool_use", "id": "m"}),
        (ProviderPart("web_search_call", {"id": "w"}, "openai_responses"), None),
        (ImagePart(data=b"x"), None),
        (AudioPart(b"x", "audio/wav"), None),
    ],
)  # fmt: skip
def test_parts(part: Part, block: dict[str, Any] | None) -> None:
    assert written(answer(part))["content"] == ([] if block is None else [block])


@pytest.mark.parametrize(
    ("reason", "raw", "part", "word"),
    [
        ("stop", "STOP", TextPart("a"), "end_turn"),
        ("stop", "stop_sequence", TextPart("a"), "stop_sequence"),
        ("stop", "stop", ToolCall("t", "f", {}), "tool_use"),
        ("tool_calls", "tool_calls", ToolCall("t", "f", {}), "tool_use"),
        ("length", "length", ToolCall("t", "f", {}), "max_tokens"),
        ("length", "model_context_window_exceeded", TextPart("a"), "model_context_window_exceeded"),
        ("content_filter", "SAFETY", TextPart("a"), "refusal"),
        ("stop", "stop", RefusalPart("No."), "refusal"),
        ("pause", "pause_turn", TextPart("a"), "pause_turn"),
        ("error", "network_error", TextPart("a"), "end_turn"),
        (None, None, TextPart("a"), "end_turn"),
    ],
)
def test_stop_reasons(reason: FinishReason | None, raw: str | None, part: Part, word: str) -> None:
    assert written(answer(part, reason=reason, raw=raw))["stop_reason"] == word
    chunk = StreamChunk(finish_reason=reason, raw_finish_reason=raw, part=part)
    assert events(streamed(chunk))[-2]["delta"]["stop_reason"] == word


def test_what_the_protocol_itself_said_of_the_answer() -> None:
    own = {"container": {"id": "c"}, "context_management": {"applied_edits": []}, "stop_sequence": "END"}
    message = written(answer(TextPart("a"), metadata=own | {"system_fingerprint": "fp"}))
    assert {name: message[name] for name in own} == own
    assert "system_fingerprint" not in message
    *_, delta, _ = events(streamed(StreamChunk("a"), StreamChunk(metadata=own)))
    assert delta["delta"] == {"stop_reason": "end_turn", "stop_sequence": "END", "container": {"id": "c"}}
    assert delta["context_management"] == {"applied_edits": []}


# What a client sends back


FOREIGN = (
    ReasoningPart("Hm.", "sig", metadata={"gemini": {}}),
    ReasoningPart("So.", encrypted="e", id="rs_1", metadata={"openai_responses": {"form": {"at": 1}}}),
    ReasoningPart(encrypted="e", id="rs_2", metadata={"openai_responses": {"status": "completed"}}),
    ToolCall("functions.f:0", "f", {"a": 1}, metadata={"gemini": {"thoughtSignature": "s"}}),
)


def sent_back(content: Any) -> tuple[ChatMessage, ...]:
    turns = [
        {"role": "assistant", "content": content},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": content[-1]["id"], "content": "ok"}]},
    ]
    return decode_request(json.dumps({"model": "m", "max_tokens": 9, "messages": turns}).encode()).messages


def test_another_protocols_proofs_and_notes_come_back() -> None:
    content = written(answer(*FOREIGN))["content"]
    assert all(block.get("signature") != "sig" for block in content)
    back, result = sent_back(content)
    assert back.parts == FOREIGN
    assert result.parts == (ToolResult("functions.f:0", "ok", "f", metadata={}),)


def test_they_come_back_from_a_stream_too() -> None:
    call = ToolCallDelta(0, "functions.f:0", "f", '{"a": 1}', FOREIGN[3].metadata)
    body = streamed(
        StreamChunk(thinking="Hm."), StreamChunk(part=FOREIGN[0].replace(text="")),
        StreamChunk(thinking="So.", part=ReasoningPart(id="rs_1", metadata={"openai_responses": {}}), block=1),
        StreamChunk(part=FOREIGN[1].replace(text=""), block=1), StreamChunk(part=FOREIGN[2], block=2),
        StreamChunk(tool_calls=(call,)),
    )  # fmt: skip
    content: list[dict[str, Any]] = []
    for event in events(body):
        if event["type"] == "content_block_start":
            content.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            name = delta["type"].removesuffix("_delta")
            content[-1] |= {"input": {"a": 1}} if name == "input_json" else {name: delta[name]}
    assert sent_back(content)[0].parts == FOREIGN


@pytest.mark.parametrize(
    "data", ["bGFtYmRhbGxtOjE6", "bGFtYmRhbGxtOjE6W10=", "bGFtYmRhbGxtOjE6!", "bGFtYmRhbGxtOjE6ew=="]
)
def test_a_carrier_that_was_tampered_with_is_a_signature_like_any_other(data: str) -> None:
    call = {"type": "tool_use", "id": "t", "name": "f", "input": {}, "lambdallm": [1]}
    back = sent_back([{"type": "thinking", "thinking": "Hm.", "signature": data}, call])[0]
    assert back.parts == (ReasoningPart("Hm.", data, metadata={MARK: {}}), ToolCall("t", "f", {}))


# Streams


def test_the_events_of_a_stream() -> None:
    decoder = StreamDecoder()
    chunks = decoder.feed(TEXT)
    read = events(streamed(*chunks))
    assert [event["type"] for event in read] == [
        "message_start",
        "content_block_start", *["content_block_delta"] * 3, "content_block_stop",
        "content_block_start", *["content_block_delta"] * 2, "content_block_stop",
        "message_delta", "message_stop",
    ]  # fmt: skip
    assert read[0]["message"]["usage"]["cache_read_input_tokens"] == 100
    assert read[1]["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}
    assert read[4]["delta"] == {"type": "signature_delta", "signature": "c2ln"}
    assert read[6]["content_block"] == {"type": "text", "text": ""}
    assert read[7]["delta"] == {"type": "text_delta", "text": "Grüße, "}
    assert read[10]["usage"]["output_tokens"] == 9


def test_a_first_call_opens_the_stream_and_each_call_sends_at_once() -> None:
    encoder = StreamEncoder(REQUEST, **IDENTITY)
    assert [event["type"] for event in events(encoder.feed([]))] == ["message_start"]
    assert [event["type"] for event in events(encoder.feed([StreamChunk("a")]))] == [
        "content_block_start", "content_block_delta",
    ]  # fmt: skip
    assert len(events(encoder.feed([StreamChunk("b")]))) == 1
    assert STREAM_TYPE.startswith("text/event-stream")


def test_an_empty_stream() -> None:
    assert [event["type"] for event in events(streamed())] == ["message_start", "message_delta", "message_stop"]


def test_only_the_first_choice_is_told() -> None:
    assert completed(streamed(StreamChunk("a"), StreamChunk("b", index=1))).text == "a"


def test_a_call_waits_for_the_one_before_it() -> None:
    """A block can't be opened again, and arguments can't be continued in another."""
    encoder = StreamEncoder(REQUEST, **IDENTITY)
    first, second = ToolCallDelta(0, "a", "f", '{"x":'), ToolCallDelta(1, "b", "g", "{}")
    assert len(events(encoder.feed([StreamChunk(tool_calls=(first,))]))) == 3
    assert encoder.feed([StreamChunk(tool_calls=(second,))]) == b""
    assert encoder.feed([StreamChunk("Meanwhile.")]) == b""
    rest = events(encoder.feed([StreamChunk(tool_calls=(ToolCallDelta(0, arguments="1}"),))]))
    assert [event["type"].removeprefix("content_block_") for event in rest] == [
        "delta", "stop", "start", "delta", "stop", "start", "delta",
    ]  # fmt: skip


def test_a_call_that_never_becomes_whole_holds_the_others_to_the_end() -> None:
    cut, other = ToolCallDelta(0, "a", "f", '{"x": "}'), ToolCallDelta(1, "b", "g", "{}")
    completion = completed(streamed(StreamChunk(tool_calls=(cut,)), StreamChunk(tool_calls=(other,))))
    assert [(call.name, call.arguments, call.arguments_json) for call in completion.tool_calls] == [
        ("f", None, '{"x": "}'), ("g", {}, "{}"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pieces", "input"),
    [(["[1", "]"], {"INVALID_JSON": [1]}), (["", "ls -l"], {"INVALID_JSON": "ls -l"}), ([" ", "null"], {}), ([], {})],
)
def test_arguments_that_are_no_object_travel_inside_one(pieces: list[str], input: Any) -> None:
    deltas = [ToolCallDelta(0, "a", "f"), *(ToolCallDelta(0, arguments=piece) for piece in pieces)]
    (call,) = completed(streamed(*(StreamChunk(tool_calls=(delta,)) for delta in deltas))).tool_calls
    assert call.arguments == input


def test_a_hosted_tools_block_and_citations() -> None:
    block = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "q"}}
    parts = (ProviderPart("server_tool_use", block, MARK), ProviderPart("fileSearch", {}, "gemini"),
             TextPart("", ({"type": "page_location"}, {"type": "url_citation"})))  # fmt: skip
    chunks = [StreamChunk(part=part, block=2) for part in parts]
    got = completed(streamed(StreamChunk("a", block=1), chunks[0], chunks[1], StreamChunk("b", block=2), chunks[2]))
    assert got.message.parts == (
        TextPart("a", metadata={}), parts[0], TextPart("b", ({"type": "page_location"},), {}),
    )  # fmt: skip


def test_a_stream_ends_with_an_error() -> None:
    encoder = StreamEncoder(REQUEST, **IDENTITY)
    encoder.feed([StreamChunk(tool_calls=(ToolCallDelta(0, "a", "f"),)), StreamChunk("held")])
    *_, text, stop, error = events(encoder.fail(StreamError("Overloaded", type="overloaded_error", request_id="r")))
    assert (text["delta"]["text"], stop["type"]) == ("held", "content_block_stop")
    assert error == {
        "type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "r",
    }  # fmt: skip


def test_a_stream_that_never_began_ends_with_an_error() -> None:
    assert [event["type"] for event in events(StreamEncoder(REQUEST, **IDENTITY).fail(StreamError("No.")))] == ["error"]


# Errors


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (error_for(400, "no"), 400, "invalid_request_error"),
        (error_for(422, "no"), 422, "invalid_request_error"),
        (error_for(409, "no"), 409, "conflict_error"),
        (error_for(418, "no"), 400, "invalid_request_error"),
        (error_for(401, "no"), 401, "authentication_error"),
        (error_for(403, "no"), 403, "permission_error"),
        (error_for(404, "no"), 404, "not_found_error"),
        (error_for(429, "no"), 429, "rate_limit_error"),
        (error_for(429, "no", code="insufficient_quota"), 402, "billing_error"),
        (error_for(400, "Your credit balance is too low"), 400, "invalid_request_error"),
        (error_for(529, "no", type="overloaded_error"), 529, "overloaded_error"),
        (error_for(500, "no"), 500, "api_error"),
        (StreamError("no"), 500, "api_error"),
        (StreamError("no", type="rate_limit_error"), 429, "rate_limit_error"),
        (StreamError("no", type="invalid_request_error"), 400, "invalid_request_error"),
        (ConfigurationError("no"), 500, "api_error"),
    ],
)
def test_errors(error: Any, status: int, kind: str) -> None:
    wire = encode_error(error)
    assert (wire.status, json.loads(wire.body)["error"]["type"]) == (status, kind)


def test_an_error_says_what_to_do_where_that_is_its_own() -> None:
    own, usual = InvalidRequestError("Wrong.", fix="Do it right."), LLMRateLimitError("Slow down.")
    assert json.loads(encode_error(own).body)["error"]["message"] == "Wrong. Do it right."
    assert json.loads(encode_error(usual).body)["error"]["message"] == "Slow down."


def test_the_error_that_caused_a_streams() -> None:
    error = StreamError("Busy.")
    error.__cause__ = ProviderServerError("Busy.", type="overloaded_error")
    assert encode_error(error).status == 529


# Whatever was recorded, whatever comes


@pytest.mark.corpus
@recordings("*/*", holds=lambda e: e.get("stream") and (e.get("expected") or {}).get("kind") == "chat")
def test_a_recorded_stream_says_what_the_whole_answer_says(path: Path) -> None:
    found = recorded(path)
    if found is None or found.answer is None:
        return
    whole = decode_response(200, (), encode_response(found.answer, REQUEST, **IDENTITY))
    assert isinstance(whole, Ok)
    pieces = completed(streamed(*found.chunks))
    for name in ("text", "thinking", "finish_reason", "raw_finish_reason", "metadata"):
        assert getattr(pieces, name) == getattr(whole.value, name), name
    assert [call.name for call in pieces.tool_calls] == [call.name for call in whole.value.tool_calls]


WORDS = st.text(max_size=4)
DELTAS = st.builds(
    ToolCallDelta,
    st.integers(0, 2),
    st.none() | WORDS,
    st.none() | WORDS,
    WORDS | st.sampled_from(["{", "}", '{"a":', "1}"]),
)
PARTS = st.one_of(
    st.builds(TextPart, WORDS), st.builds(RefusalPart, WORDS),
    st.builds(ReasoningPart, WORDS, st.none() | WORDS, st.none() | WORDS),
    st.builds(ToolCall, WORDS, WORDS, st.none() | st.integers() | st.dictionaries(WORDS, st.floats())),
    st.builds(ProviderPart, WORDS, st.dictionaries(WORDS, WORDS), st.sampled_from(["", MARK, "gemini"])),
)  # fmt: skip
CHUNKS = st.builds(
    StreamChunk, WORDS, WORDS, st.lists(DELTAS, max_size=2).map(tuple), st.none() | st.sampled_from(["stop", "length"]),
    st.none() | WORDS, st.none() | st.builds(Usage, st.integers(0, 9), st.integers(0, 9), st.integers(0, 20)),
    st.none() | PARTS, st.integers(0, 2), st.integers(0, 1), st.dictionaries(WORDS, WORDS, max_size=1),
)  # fmt: skip


@given(st.lists(CHUNKS, max_size=12))
def test_any_chunks_are_a_well_nested_stream(chunks: list[StreamChunk]) -> None:
    open_block, begun = None, 0
    for event in events(streamed(*chunks))[1:-2]:
        if event["type"] == "content_block_start":
            assert (open_block, event["index"]) == (None, begun)
            open_block, begun = begun, begun + 1
        else:
            assert event["index"] == open_block
            open_block = None if event["type"] == "content_block_stop" else open_block
    assert open_block is None


@given(st.lists(CHUNKS.map(lambda chunk: chunk.replace(part=None, index=0)), max_size=12))
def test_no_text_and_no_argument_is_lost(chunks: list[StreamChunk]) -> None:
    texts: dict[str, str] = {"text_delta": "", "thinking_delta": ""}
    for event in events(streamed(*chunks)):
        delta = event.get("delta", {})
        if delta.get("type") in texts:
            texts[delta["type"]] += delta[delta["type"].removesuffix("_delta")]
    assert sorted(texts["text_delta"]) == sorted("".join(chunk.delta for chunk in chunks))
    assert sorted(texts["thinking_delta"]) == sorted("".join(chunk.thinking for chunk in chunks))


ARGUMENTS = {0: ['{"a": ', '"}"', "}"], 1: ["{", "}"], 2: ["[1]"], 3: [""]}
ORDERS = sorted(set(permutations([number for number, texts in ARGUMENTS.items() for _ in texts])))


def test_interleaved_calls_keep_their_arguments() -> None:
    for order in ORDERS:
        texts = {number: iter(texts) for number, texts in ARGUMENTS.items()}
        deltas = (ToolCallDelta(number, f"id{number}", f"f{number}", next(texts[number])) for number in order)
        calls = completed(streamed(*(StreamChunk(tool_calls=(delta,)) for delta in deltas))).tool_calls
        assert sorted((call.name, call.arguments) for call in calls) == [
            ("f0", {"a": "}"}), ("f1", {}), ("f2", {"INVALID_JSON": [1]}), ("f3", {}),
        ]  # fmt: skip
