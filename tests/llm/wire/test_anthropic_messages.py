"""What the Anthropic Messages protocol answers: given bytes, expect values."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import (
    InvalidRequestError,
    LLMAuthenticationError,
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
    Completion,
    ProviderPart,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from lambdallm.llm.wire.anthropic_messages import StreamDecoder, decode_error, decode_response
from lambdallm.llm.wire.anthropic_messages.response import MARK

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic_messages"
TEXT, TOOLS = (FIXTURES / "text.sse").read_bytes(), (FIXTURES / "tools.sse").read_bytes()


def answer(*content: Any, **fields: Any) -> dict[str, Any]:
    return {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": list(content), **fields}


def decoded(body: Any) -> Completion:
    result = decode_response(200, (), json.dumps(body).encode())
    assert isinstance(result, Ok), result
    return result.value


def refused(body: bytes) -> LLMError:
    result = decode_response(200, (), body)
    assert isinstance(result, Err)
    return result.error


def event(**fields: Any) -> bytes:
    return f"event: {fields['type']}\ndata: {json.dumps(fields)}\n\n".encode()


def read(*pieces: bytes) -> tuple[list[StreamChunk], LLMError | None]:
    decoder = StreamDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    return chunks + decoder.close(), decoder.error


def completed(*pieces: bytes) -> Completion:
    chunks, error = read(*pieces)
    assert error is None
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


START = event(type="message_start", message={"id": "m", "model": "c", "usage": {"input_tokens": 3, "output_tokens": 1}})
STOP = event(type="message_delta", delta={"stop_reason": "end_turn"}) + event(type="message_stop")


# Whole answers


def test_text_usage_and_what_is_left() -> None:
    usage = {
        "input_tokens": 4, "cache_read_input_tokens": 100, "cache_creation_input_tokens": 20, "output_tokens": 9,
        "output_tokens_details": {"thinking_tokens": 5}, "service_tier": "standard",
    }  # fmt: skip
    completion = decoded(
        answer({"type": "text", "text": "Hi."}, stop_reason="stop_sequence", stop_sequence="END", usage=usage)
    )
    assert (completion.text, completion.id, completion.model) == ("Hi.", "m", "c")
    assert (completion.finish_reason, completion.raw_finish_reason) == ("stop", "stop_sequence")
    assert completion.usage == Usage(124, 9, 100, 20, 5, usage)
    assert completion.metadata == {"stop_sequence": "END"}


def test_every_kind_of_block_keeps_all_it_had() -> None:
    completion = decoded(json.loads((FIXTURES / "tools.json").read_bytes()))
    server, result, text, first, second, hidden = completion.message.parts
    assert server == ProviderPart(
        "server_tool_use",
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}},
        MARK,
    )
    assert isinstance(result, ProviderPart)
    assert result.value["content"][0]["encrypted_content"] == "abc"
    assert isinstance(text, TextPart)
    assert text.citations[0]["cited_text"] == "Rain."
    assert first == ToolCall("toolu_1", "umbrella", {"size": 2}, metadata={MARK: {"caller": {"type": "direct"}}})
    assert second == ToolCall("toolu_2", "now", {})
    assert hidden == ReasoningPart(encrypted="ZGF0YQ==", metadata={MARK: {}})
    assert completion.metadata.keys() == {"container", "context_management"}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("tool_use", "tool_calls"),
        ("pause_turn", "pause"), ("refusal", "refusal"), ("model_context_window_exceeded", "length"),
        ("something_new", "other"), (None, None),
    ],
)  # fmt: skip
def test_finish_reasons(word: str | None, reason: str | None) -> None:
    completion = decoded(answer({"type": "text", "text": "x"}, stop_reason=word))
    assert (completion.finish_reason, completion.raw_finish_reason) == (reason, word)


def test_an_empty_text_block_says_nothing() -> None:
    assert decoded(answer({"type": "text", "text": ""})).message.parts == ()


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b"null", b"[]", b"17", b"{}", b'{"content": 3}', b'{"content": [3]}', b"\xff\xfe",
        b'{"content": [{"type": []}]}', b'{"content": [{"type": "text", "text": 3}]}', b"[" * 100_000,
        b'{"content": [], "stop_reason": {}}', b'{"content": [], "id": ' + b"9" * 5000 + b"}",
    ],
)  # fmt: skip
def test_bytes_that_are_no_answer(body: bytes) -> None:
    assert isinstance(refused(body), ProviderResponseError)


def test_an_error_inside_a_200() -> None:
    error = refused(b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}')
    assert isinstance(error, ProviderServerError)
    assert (error.type, error.message) == ("overloaded_error", "Overloaded")


# Errors


@pytest.mark.parametrize(
    ("status", "kind", "message", "leaf"),
    [
        (400, "invalid_request_error", "max_tokens: required", InvalidRequestError),
        (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", TokenLimitError),
        (400, "invalid_request_error", "Your credit balance is too low", LLMQuotaExceededError),
        (401, "authentication_error", "invalid x-api-key", LLMAuthenticationError),
        (403, "permission_error", "no", LLMAuthenticationError),
        (404, "not_found_error", "model: claude-y", LLMModelNotFoundError),
        (413, "request_too_large", "too large", InvalidRequestError),
        (429, "rate_limit_error", "slow down", LLMRateLimitError),
        (500, "api_error", "oops", ProviderServerError),
        (529, "overloaded_error", "Overloaded", ProviderServerError),
    ],
)
def test_errors_by_their_own_words(status: int, kind: str, message: str, leaf: type[LLMError]) -> None:
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_body"}
    error = decode_error(status, (("request-id", "req_head"), ("retry-after", "7")), json.dumps(body).encode())
    assert type(error) is leaf
    assert (error.status, error.type, error.message) == (status, kind, message)
    assert (error.request_id, error.retry_after) == ("req_body", 7.0)


@pytest.mark.parametrize(
    ("status", "body", "message", "leaf"),
    [
        (503, b"", "The provider answered with HTTP status 503.", ProviderServerError),
        (502, b"<html><title>502 Bad Gateway</title></html>", "502 Bad Gateway", ProviderServerError),
        (400, b'{"message": "Malformed input request"}', "Malformed input request", InvalidRequestError),
        (429, b'[{"error": {"code": 429, "message": "Quota", "status": "RESOURCE_EXHAUSTED"}}]', "Quota",
         LLMRateLimitError),
        (401, b'{"error": "no key"}', "no key", LLMAuthenticationError),
        (400, b"plain words", "plain words", InvalidRequestError),
        (500, b"[" * 100_000, "[" * 4000, ProviderServerError),
        (422, b'{"detail": "Not Found"}', "Not Found", InvalidRequestError),
        (422, b'{"detail": [{"msg": "Field required"}]}', '[{"msg": "Field required"}]', InvalidRequestError),
        (400, json.dumps({"error": {"message": "x" * 9000}}).encode(), "x" * 9000, InvalidRequestError),
    ],
)  # fmt: skip
def test_errors_of_other_shapes(status: int, body: bytes, message: str, leaf: type[LLMError]) -> None:
    error = decode_error(status, (("request-id", "r"),), body)
    assert (type(error), error.message, error.request_id) == (leaf, message, "r")


# Streams


def test_thinking_then_text() -> None:
    chunks, error = read(TEXT)
    assert error is None
    native = {
        "input_tokens": 4, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100, "output_tokens": 1,
        "service_tier": "standard",
    }  # fmt: skip
    final = native | {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 5}}
    assert chunks == [
        StreamChunk(usage=Usage(124, 1, 100, 20, 0, native), metadata={"id": "msg_1", "model": "claude-x"}),
        StreamChunk(thinking="Hm"),
        StreamChunk(thinking="m."),
        StreamChunk(part=ReasoningPart(signature="c2ln", metadata={MARK: {}})),
        StreamChunk("Grüße, ", block=1),
        StreamChunk("世界.", block=1),
        StreamChunk(finish_reason="stop", raw_finish_reason="end_turn", usage=Usage(124, 9, 100, 20, 5, final)),
    ]


def test_hosted_tools_come_whole_and_own_tools_in_pieces() -> None:
    chunks, error = read(TOOLS)
    assert error is None
    searched = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}}
    assert chunks[1] == StreamChunk(part=ProviderPart("server_tool_use", searched, MARK))
    calls = [call for chunk in chunks for call in chunk.tool_calls]
    assert calls == [
        ToolCallDelta(0, "toolu_1", "umbrella", metadata={MARK: {"caller": {"type": "direct"}}}),
        ToolCallDelta(0, arguments='{"size":'),
        ToolCallDelta(1, "toolu_2", "now"),
        ToolCallDelta(0, arguments=" 2}"),
    ]


def without_texts(completion: Completion) -> Completion:
    """Arguments as values: only a stream has their text."""
    parts = tuple(
        part.replace(arguments_json=None) if isinstance(part, ToolCall) else part for part in completion.message.parts
    )
    choice = completion.choices[0]
    return completion.replace(choices=(choice.replace(message=choice.message.replace(content=parts)),))


def test_a_stream_adds_up_to_the_whole_answer() -> None:
    whole = decode_response(200, (), (FIXTURES / "tools.json").read_bytes()).unwrap()
    assert without_texts(completed(TOOLS)) == whole


@pytest.mark.parametrize("body", [TEXT, TOOLS, TEXT.replace(b"\n", b"\r\n"), TOOLS.replace(b"\n", b"\r")])
def test_the_split_does_not_matter(body: bytes) -> None:
    source = random.Random(7)
    whole, bytewise, pieces, rest = completed(body), completed(*(bytes([b]) for b in body)), [], body
    while rest:
        size = source.randint(1, 90)
        pieces.append(rest[:size])
        rest = rest[size:]
    assert bytewise == completed(*pieces) == whole


def test_nothing_comes_after_the_end() -> None:
    decoder = StreamDecoder()
    decoder.feed(TEXT)
    assert decoder.done
    assert (decoder.feed(TEXT), decoder.close(), decoder.error) == ([], [], None)


@pytest.mark.parametrize("end", range(1, len(TEXT) - 3, 41))
def test_a_cut_stream_is_an_error_after_its_chunks(end: int) -> None:
    chunks, error = read(TEXT[:end])
    assert type(error) is StreamError
    assert error.retryable
    assert chunks == read(TEXT)[0][: len(chunks)]


def test_an_error_event_follows_what_had_come() -> None:
    text = event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "Hel"})
    failure = event(type="error", error={"type": "overloaded_error", "message": "Overloaded"}, request_id="req_1")
    chunks, error = read(START + text + failure + text)
    assert [chunk.delta for chunk in chunks] == ["", "Hel"]
    assert isinstance(error, StreamError)
    assert (error.type, error.message, error.request_id, error.retryable) == (
        "overloaded_error", "Overloaded", "req_1", True,
    )  # fmt: skip
    assert isinstance(error.__cause__, ProviderServerError)
    assert error.usage is not None
    assert error.usage.input_tokens == 3


def test_an_error_event_that_trying_again_can_not_help() -> None:
    _, error = read(event(type="error", error={"type": "invalid_request_error", "message": "no"}))
    assert error is not None
    assert not error.retryable


def test_an_error_event_in_plain_words() -> None:
    _, error = read(b"event: error\ndata: upstream went away\n\n")
    assert error is not None
    assert error.message == "upstream went away"


def test_unknown_events_and_deltas_are_read_over() -> None:
    odd = event(type="tomorrow", index={}) + event(
        type="content_block_delta", index=0, delta={"type": "later_delta", "x": 1}
    )
    begin = event(type="content_block_start", index=0, content_block={"type": "text", "text": "He"})
    text = event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": "y"})
    assert completed(START + begin + odd + text + b"event: ping\n\n" + STOP).text == "Hey"


def test_unknown_deltas_of_an_unknown_block_become_its_fields() -> None:
    begin = event(type="content_block_start", index=0, content_block={"type": "compaction", "content": None})
    delta = event(type="content_block_delta", index=0, delta={"type": "compaction_delta", "content": "So far …"})
    body = START + begin + delta + event(type="content_block_stop", index=0) + STOP
    part = ProviderPart("compaction", {"type": "compaction", "content": "So far …"}, MARK)
    assert completed(body).message.parts == (part,)


def test_a_fallback_names_the_model_that_answered() -> None:
    begin = event(type="content_block_start", index=0, content_block={"type": "fallback", "to": {"model": "d"}})
    assert completed(START + begin + event(type="content_block_stop", index=0) + STOP).model == "d"


def test_arguments_that_came_with_the_start() -> None:
    begin = event(
        type="content_block_start",
        index=0,
        content_block={"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}},
    )
    body = START + begin + event(type="content_block_stop", index=0) + STOP
    assert completed(body).tool_calls[0].arguments == {"a": 1}


def test_arguments_cut_by_the_token_limit_are_kept_as_text() -> None:
    begin = event(type="content_block_start", index=0, content_block={"type": "tool_use", "id": "t", "name": "f"})
    delta = event(type="content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": '{"a": '})
    (call,) = completed(START + begin + delta + event(type="content_block_stop", index=0) + STOP).tool_calls
    assert (call.arguments, call.arguments_json) == (None, '{"a": ')


@pytest.mark.parametrize(
    "data",
    [
        b"{", b"[]", b"3", b"null", b"\xff", b"{} {}", b"[" * 100_000, b'{"type": []}',
        b'{"type": "message_start"}', b'{"type": "message_start", "message": 3}',
        b'{"type": "content_block_start", "index": [], "content_block": {"type": "text"}}',
        b'{"type": "content_block_start", "index": 0, "content_block": {"type": 3}}',
        b'{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": 3}}',
        b'{"type": "content_block_delta", "index": {}, "delta": {"type": "text_delta", "text": "x"}}',
        b'{"type": "content_block_delta", "index": 9, "delta": {"type": "input_json_delta", "partial_json": "x"}}',
        b'{"type": "message_delta", "delta": {"stop_reason": []}}',
    ],
)  # fmt: skip
def test_a_malformed_event_ends_the_stream(data: bytes) -> None:
    decoder = StreamDecoder()
    chunks = decoder.feed(START + b"data: " + data + b"\n\n" + START)
    assert len(chunks) == 1
    assert type(decoder.error) is StreamError


# Whatever the bytes

HEADERS = st.lists(st.tuples(st.sampled_from(["retry-after", "request-id", "x"]), st.text(max_size=9))).map(tuple)


def everything(body: bytes, split: int) -> None:
    decoder = StreamDecoder()
    for start in range(0, len(body), split):
        decoder.feed(body[start : start + split])
    chunks = decoder.close()
    assert decoder.done or decoder.error is not None
    Accumulator().add(chunks)
    decode_response(200, (), body)
    decode_error(500, (), body)


@given(st.binary(max_size=400), HEADERS)
def test_no_bytes_raise(body: bytes, headers: tuple[tuple[str, str], ...]) -> None:
    everything(body, 7)
    assert isinstance(decode_error(429, headers, body), LLMError)


@given(st.sampled_from([TEXT, TOOLS]), st.integers(0, 3000), st.binary(max_size=12), st.integers(0, 40))
def test_no_damage_raises(body: bytes, place: int, noise: bytes, lost: int) -> None:
    everything(body[:place] + noise + body[place + lost :], 61)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def with_a_wrong_type(draw: st.DrawFn, source: Any) -> Any:
    """A JSON value with one place in it replaced by anything."""
    if isinstance(source, dict) and source and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(source)))
        return source | {key: draw(with_a_wrong_type(source[key]))}
    if isinstance(source, list) and source and draw(st.integers(0, 5)):
        place = draw(st.integers(0, len(source) - 1))
        return [*source[:place], draw(with_a_wrong_type(source[place])), *source[place + 1 :]]
    return draw(JSON)


EVENTS = [json.loads(line[6:]) for line in (TEXT + TOOLS).splitlines() if line.startswith(b"data: ")]


@given(with_a_wrong_type(EVENTS))
def test_no_wrong_type_raises(events: Any) -> None:
    body = b"".join(b"data: " + json.dumps(e).encode() + b"\n\n" for e in (events if isinstance(events, list) else []))
    decoder = StreamDecoder()
    accumulator = Accumulator()
    accumulator.add(decoder.feed(body) + decoder.close())
    accumulator.completion()


@given(with_a_wrong_type(json.loads((FIXTURES / "tools.json").read_bytes())))
def test_no_wrong_type_in_an_answer_raises(body: Any) -> None:
    decode_response(200, (), json.dumps(body).encode())
