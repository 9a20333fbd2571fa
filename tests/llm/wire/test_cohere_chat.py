"""Answers of Cohere's chat protocol, version 2: given bytes, expect a completion, chunks, or a typed error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    InvalidRequestError,
    LLMAuthenticationError,
    LLMContentFilterError,
    LLMError,
    LLMModelNotFoundError,
    LLMQuotaExceededError,
    LLMRateLimitError,
    ProviderResponseError,
    ProviderServerError,
    StreamError,
    TokenLimitError,
)
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    ProviderPart,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCall,
    Usage,
)
from lambdallm.llm.wire.cohere_chat import StreamDecoder, decode_error, decode_response, encode_request

FIXTURES = Path(__file__).parents[2] / "fixtures" / "cohere"
TEXT, TOOLS = (FIXTURES / "text.sse").read_bytes(), (FIXTURES / "tools.sse").read_bytes()
PLAN = {"cohere": {"form": {"field": "tool_plan"}}}
CITED = {"start": 0, "end": 4, "text": "Ruby", "sources": [{"type": "document", "id": "d0"}]}
USAGE = {"billed_units": {"input_tokens": 3, "output_tokens": 4}, "tokens": {"input_tokens": 30, "output_tokens": 40}}


def read(*pieces: bytes) -> tuple[list[StreamChunk], Any]:
    decoder = StreamDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    return chunks + decoder.close(), decoder


def accumulated(chunks: list[StreamChunk]) -> Completion:
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


def completed(*pieces: bytes) -> Completion:
    chunks, decoder = read(*pieces)
    assert decoder.error is None
    return accumulated(chunks)


def whole(message: dict[str, Any], **fields: Any) -> Completion:
    body = json.dumps({"id": "c1", "message": {"role": "assistant"} | message, "finish_reason": "COMPLETE"} | fields)
    result = decode_response(200, (), body.encode())
    assert isinstance(result, Ok)
    return result.value


def event(kind: str, message: dict[str, Any] | None = None, **fields: Any) -> bytes:
    delta = {} if message is None else {"delta": {"message": message}}
    return f"event: {kind}\ndata: {json.dumps({'type': kind} | delta | fields)}\n\n".encode()


def ended(reason: str | None = "COMPLETE", **delta: Any) -> bytes:
    return event("message-end", delta={"finish_reason": reason} | delta)


def back(message: ChatMessage) -> dict[str, Any]:
    encoded = encode_request(ChatRequest("m", (message,)), {})
    assert encoded.warnings == ()
    (record,) = json.loads(encoded.body)["messages"]
    return dict(record)


# Whole answers


def test_a_text() -> None:
    answer = whole({"content": [{"type": "text", "text": "Hi."}]}, usage=USAGE | {"cached_tokens": 20}, logprobs=[1])
    assert answer.message == ChatMessage("assistant", (TextPart("Hi."),))
    assert (answer.id, answer.finish_reason, answer.raw_finish_reason) == ("c1", "stop", "COMPLETE")
    assert answer.usage == Usage(30, 40, 20, native=USAGE | {"cached_tokens": 20}, billed=(3, 4))
    assert answer.metadata == {"logprobs": [1]}


@pytest.mark.parametrize(
    ("native", "usage"),
    [
        (None, None),
        ({}, None),
        ({"billed_units": {"input_tokens": 3.0, "output_tokens": 4}}, (3, 4, 0, 0)),
        ({"tokens": {"input_tokens": 30, "output_tokens": 40, "reasoning_tokens": 7}}, (30, 40, 0, 7)),
        ({"tokens": {"input_tokens": 0, "output_tokens": 0}, "billed_units": {"input_tokens": 9}}, (0, 0, 0, 0)),
        ({"tokens": "many", "billed_units": [1]}, None),
    ],
)
def test_usage(native: Any, usage: Any) -> None:
    found = whole({"content": []}, usage=native).usage
    counts = found and (found.input_tokens, found.output_tokens, found.cached_tokens, found.reasoning_tokens)
    assert counts == usage


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("ERROR", "error"),
        ("TIMEOUT", "error"),
        ("NEW", "other"),
        (None, None),
        (7, None),
    ],
)
def test_reasons(word: Any, reason: str | None) -> None:
    assert whole({"content": []}, finish_reason=word).finish_reason == reason


def test_a_plan_and_calls() -> None:
    call = {"id": "f_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    message = {"tool_plan": "I will look.", "tool_calls": [call], "citations": [CITED | {"type": "PLAN"}]}
    answer = whole(message, finish_reason="TOOL_CALL")
    notes = {"cohere": PLAN["cohere"] | {"citations": [CITED | {"type": "PLAN"}]}}
    plan = ReasoningPart("I will look.", metadata=notes)
    assert answer.message.parts == (plan, ToolCall("f_1", "f", {"a": 1}, '{"a": 1}'))
    assert answer.finish_reason == "tool_calls"
    assert back(answer.message) == {"role": "assistant"} | message


def test_citations_are_where_they_cite_and_go_back() -> None:
    thought, said = CITED | {"type": "THINKING_CONTENT", "content_index": 0}, CITED | {"content_index": 1}
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Ruby."}]
    answer = whole({"content": content, "citations": [thought, said]})
    assert answer.message.parts == (
        ReasoningPart("Hm.", metadata={"cohere": {"citations": [thought]}}), TextPart("Ruby.", (said,)),
    )  # fmt: skip
    assert back(answer.message) == {"role": "assistant", "content": content, "citations": [thought, said]}


@pytest.mark.parametrize("citation", [CITED, CITED | {"content_index": 9}, CITED | {"content_index": "x"}])
def test_a_citation_that_names_no_block_is_of_the_text(citation: dict[str, Any]) -> None:
    content = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Ruby."}]
    assert whole({"content": content, "citations": [citation]}).message.parts[1] == TextPart("Ruby.", (citation,))


def test_citations_without_a_text_are_not_lost() -> None:
    answer = whole({"content": [], "citations": [CITED]})
    assert answer.message.parts == (TextPart("", (CITED,)),)
    assert back(answer.message)["citations"] == [CITED]


def test_what_is_not_modelled_is_kept_and_goes_back() -> None:
    content = [{"type": "text", "text": "a", "mark": 1}, {"type": "audio", "audio": "x"}]
    answer = whole({"content": content, "note": "n"})
    assert answer.message.parts[1] == ProviderPart("audio", {"audio": "x"}, "cohere")
    assert back(answer.message) == {"role": "assistant", "content": content, "note": "n"}


def test_a_call_without_arguments_has_none() -> None:
    calls = [{"id": "a", "function": {"name": "f", "arguments": ""}}, {"id": "b", "function": {"name": "g"}}]
    answer = whole({"tool_calls": calls})
    assert [call.arguments for call in answer.tool_calls] == [{}, {}]
    assert [call["function"]["arguments"] for call in back(answer.message)["tool_calls"]] == ["{}", "{}"]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'"a"', b'{"message": 5}', b"<html>", b"[" * 100_000, b"\xff"])
def test_bytes_that_are_no_answer(body: bytes) -> None:
    result = decode_response(200, (), body)
    assert isinstance(result, Err)
    assert isinstance(result.error, ProviderResponseError)


def test_an_error_in_place_of_an_answer() -> None:
    result = decode_response(200, (), b'{"id": "r1", "message": "too many tokens"}')
    assert isinstance(result, Err)
    assert isinstance(result.error, TokenLimitError)


# Streams


def test_a_stream_with_thinking_and_citations() -> None:
    answer = completed(TEXT)
    thought, said = answer.message.parts
    assert (thought.text, said.text) == ("The document says it.", 'Ruby is "red" ☀')
    assert [citation["text"] for citation in said.citations] == ["Ruby"]
    assert [citation["text"] for citation in thought.metadata["cohere"]["citations"]] == ["document"]
    assert (answer.id, answer.finish_reason, answer.raw_finish_reason) == ("c1", "stop", "COMPLETE")
    assert answer.usage is not None
    counts = (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cached_tokens)
    assert (*counts, answer.usage.reasoning_tokens) == (30, 40, 20, 7)
    record = back(answer.message)
    assert [block["type"] for block in record["content"]] == ["thinking", "text"]
    assert len(record["citations"]) == 2


def test_a_stream_with_a_plan_and_calls() -> None:
    answer = completed(TOOLS)
    assert answer.message.parts == (
        ReasoningPart("I will look twice.", metadata=PLAN),
        ToolCall("w_1", "weather", {"city": "Oslo"}, '{"city":"Oslo"}'),
        ToolCall("t_2", "time", {}, ""),
    )
    assert (answer.finish_reason, answer.raw_finish_reason) == ("tool_calls", "TOOL_CALL")
    assert back(answer.message)["tool_plan"] == "I will look twice."


def test_a_citation_of_a_plan() -> None:
    plan, cited = event("tool-plan-delta", {"tool_plan": "Look."}), CITED | {"type": "PLAN"}
    answer = completed(plan, event("citation-start", {"citations": cited}), ended())
    (part,) = answer.message.parts
    assert part == ReasoningPart("Look.", metadata={"cohere": PLAN["cohere"] | {"citations": [cited]}})


@pytest.mark.parametrize("stream", [TEXT, TOOLS])
def test_every_split_gives_the_same(stream: bytes) -> None:
    assert completed(*(stream[place : place + 1] for place in range(len(stream)))) == completed(stream)
    assert read(stream.replace(b"\n", b"\r\n"))[0] == read(stream)[0]


def test_pieces_come_as_they_arrive() -> None:
    decoder = StreamDecoder()
    delta = event("content-delta", {"content": {"text": "a"}}, index=0)
    assert decoder.feed(delta[:-1]) == []
    assert [chunk.delta for chunk in decoder.feed(delta[-1:])] == ["a"]
    assert [chunk.delta for chunk in decoder.feed(delta.replace(b'"a"', b'"b"'))] == ["b"]


def test_text_and_thinking_that_look_alike_stay_apart() -> None:
    pieces = [event("content-delta", {"content": {"thinking": word}}, index=0) for word in "ab"]
    pieces += [event("content-delta", {"content": {"text": word}}, index=1) for word in "cd"]
    answer = completed(*pieces, ended())
    assert (answer.thinking, answer.text) == ("ab", "cd")


def test_an_index_may_be_used_again_once_its_block_has_ended() -> None:
    def block(*words: str) -> list[bytes]:
        deltas = [event("content-delta", {"content": {"text": word}}, index=0) for word in words]
        return [event("content-start", {"content": {"type": "text"}}, index=0), *deltas, event("content-end", index=0)]

    answer = completed(*block("a", "b"), *block("c", "d"), ended())
    assert answer.message.parts == (TextPart("ab"), TextPart("cd"))
    _, decoder = read(*block("a")[:-1], *block("b"))
    assert isinstance(decoder.error, StreamError)


def test_blocks_of_an_unknown_type_come_whole() -> None:
    start = event("content-start", {"content": {"type": "audio", "audio": "x"}}, index=0)
    answer = completed(
        start, event("content-delta", {"content": {"more": 1}}, index=0), event("content-end", index=0), ended()
    )
    assert answer.message.parts == (ProviderPart("audio", {"audio": "x", "more": 1}, "cohere"),)


def test_logprobs_of_a_stream_are_put_together() -> None:
    pieces = [event("content-delta", {"content": {"text": word}}, index=0, logprobs={"text": word}) for word in "ab"]
    answer = completed(*pieces, ended())
    assert (answer.text, answer.metadata["logprobs"]) == ("ab", [{"text": "a"}, {"text": "b"}])


def test_calls_that_share_an_index_are_still_two() -> None:
    starts = [event("tool-call-start", {"tool_calls": {"id": id, "function": {"name": "f"}}}, index=0) for id in "ab"]
    deltas = [event("tool-call-delta", {"tool_calls": {"function": {"arguments": "{}"}}}, index=0)]
    answer = completed(starts[0], *deltas, starts[1], *deltas, ended("TOOL_CALL"))
    assert [(call.id, call.arguments_json) for call in answer.tool_calls] == [("a", "{}"), ("b", "{}")]


def test_an_answer_that_ends_in_an_error() -> None:
    plan = event("tool-plan-delta", {"tool_plan": "I will."})
    chunks, decoder = read(
        plan, ended("ERROR", usage={}, error="invalid tool generation", error_type="INVALID_TOOL_GENERATION")
    )
    assert isinstance(decoder.error, StreamError)
    assert (decoder.error.message, decoder.error.type) == ("invalid tool generation", "INVALID_TOOL_GENERATION")
    assert not decoder.error.retryable
    partial = accumulated(chunks)
    assert (partial.thinking, partial.finish_reason, partial.raw_finish_reason) == ("I will.", "error", "ERROR")


@pytest.mark.parametrize("word", ["ERROR", "TIMEOUT"])
def test_an_error_that_is_not_explained_may_pass(word: str) -> None:
    _, decoder = read(ended(word, usage=USAGE))
    assert isinstance(decoder.error, StreamError)
    assert decoder.error.retryable
    assert decoder.error.usage is not None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "broke off"),
        (event("content-delta", {"content": {"text": "a"}}, index=0), "broke off"),
        (b"data: [DONE]\n\n", "broke off"),
        (ended(None), "without a finish reason"),
        (b"data: {broken\n\n", "malformed"),
        (b"data: [1]\n\n", "malformed"),
        (b"data: " + b"[" * 100_000 + b"\n\n", "malformed"),
        (b'data: {"id": "r", "message": "internal server error"}\n\n', "internal server error"),
    ],
)
def test_a_stream_without_its_end_is_an_error(body: bytes, words: str) -> None:
    _, decoder = read(body)
    assert isinstance(decoder.error, StreamError)
    assert words in decoder.error.message
    assert not decoder.done


def test_events_of_other_types_are_read_over() -> None:
    assert completed(event("debug", prompt="p"), event("new-event", {"content": 1}), ended()).message.parts == ()


# Errors


@pytest.mark.parametrize(
    ("status", "record", "kind"),
    [
        (400, {"message": "invalid request: message must be at least 1 token long"}, InvalidRequestError),
        (400, {"message": "too many tokens: size limit exceeded", "error_type": "TOO_MANY_TOKENS"}, TokenLimitError),
        (401, {"message": "invalid api token"}, LLMAuthenticationError),
        (404, {"message": "model 'x' not found, make sure the correct model ID was used"}, LLMModelNotFoundError),
        (
            429,
            {"message": "You are using a Trial key, which is limited to 1000 API calls / month."},
            LLMQuotaExceededError,
        ),
        (429, {"message": "You are using a Trial key, which is limited to 40 API calls / minute."}, LLMRateLimitError),
        (498, {"message": "blocked"}, LLMContentFilterError),
        (500, {"message": "internal server error"}, ProviderServerError),
        (503, {"data": "service unavailable"}, ProviderServerError),
    ],
)
def test_errors(status: int, record: dict[str, Any], kind: type[LLMError]) -> None:
    error = decode_error(status, (), json.dumps({"id": "r1"} | record).encode())
    assert type(error) is kind
    assert (error.status, error.request_id) == (status, "r1")
    assert record.get("message", "") in error.message


def test_the_headers_name_the_request_first() -> None:
    headers = (("X-Debug-Trace-Id", "t1"), ("retry-after", "7"))
    error = decode_error(429, headers, b'{"id": "r1", "message": "slow down"}')
    assert (error.request_id, error.retry_after) == ("t1", 7.0)


# Anything


KEYS = ["type", "index", "delta", "message", "content", "text", "thinking", "tool_plan", "tool_calls", "function",
        "name", "arguments", "citations", "content_index", "finish_reason", "usage", "tokens", "input_tokens",
        "error", "id", "logprobs"]  # fmt: skip
WORDS = ["message-start", "content-start", "content-delta", "content-end", "tool-plan-delta",
         "tool-call-start", "tool-call-delta", "citation-start", "message-end", "text", "thinking", "PLAN",
         "THINKING_CONTENT"]  # fmt: skip
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(WORDS) | st.text(max_size=3) | st.floats(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)
SHAPED = st.builds(
    lambda kind, index, message: {"type": kind, "index": index, "delta": {"message": message}},
    st.sampled_from(WORDS[:9]),
    st.integers(0, 1) | ODD,
    st.dictionaries(st.sampled_from(["content", "tool_plan", "tool_calls", "citations"]), ODD, max_size=2),
)


def same(first: Any, second: Any) -> bool:
    return (type(first), str(first)) == (type(second), str(second))


@settings(max_examples=200, deadline=None)
@given(st.lists(SHAPED | ODD, max_size=5))
def test_any_json(odd: list[Any]) -> None:
    for value in odd:
        body = json.dumps({"message": value}).encode()
        assert isinstance(decode_response(200, (), body), (Ok, Err))
        assert isinstance(decode_error(500, (), body), LLMError)
    stream = b"".join(b"data: " + json.dumps(value).encode() + b"\n\n" for value in odd)
    together, apart = read(stream), read(*(bytes((byte,)) for byte in stream))
    assert repr(together[0]) == repr(apart[0])
    assert same(together[1].error, apart[1].error)
    assert together[1].done or isinstance(together[1].error, StreamError)
    accumulated(together[0])


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    assert isinstance(decode_response(200, (), body), (Ok, Err))
    assert isinstance(decode_error(400, (), body), LLMError)
    _, decoder = read(body)
    assert decoder.done or isinstance(decoder.error, StreamError)


@settings(deadline=None)
@given(st.sampled_from([TEXT, TOOLS]), st.data())
def test_a_damaged_stream(whole: bytes, data: st.DataObject) -> None:
    stream = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(stream) - 1))
        stream[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    chunks, decoder = read(bytes(stream))
    assert decoder.done or isinstance(decoder.error, StreamError)
    accumulated(chunks)
