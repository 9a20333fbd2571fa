"""ConverseStream: given messages, expect chunks, wherever the bytes are split."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.aws.eventstream import encode_message
from lambdallm.llm import errors
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    Completion,
    ProviderPart,
    ReasoningPart,
    StreamChunk,
    TextPart,
    ToolCall,
    ToolCallDelta,
)
from lambdallm.llm.wire.bedrock_converse import StreamDecoder
from lambdallm.llm.wire.bedrock_converse.content import MARK

OURS: dict[str, Any] = {MARK: {}}
EVENTS = json.loads((Path(__file__).parents[2] / "fixtures" / "bedrock_converse" / "stream.json").read_bytes())


def event(name: str, payload: Any) -> bytes:
    headers = {":event-type": name, ":content-type": "application/json", ":message-type": "event"}
    return encode_message(headers, payload if isinstance(payload, bytes) else json.dumps(payload).encode())


def exception(name: str, payload: Any) -> bytes:
    headers = {":exception-type": name, ":content-type": "application/json", ":message-type": "exception"}
    return encode_message(headers, json.dumps(payload).encode())


def text(words: str, index: int = 0) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": {"text": words}})


STREAM = b"".join(event(name, payload) for name, payload in EVENTS)
START = event("messageStart", {"role": "assistant"})
STOP = event("messageStop", {"stopReason": "end_turn"})
USAGE = event("metadata", {"usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}})


def decode(*pieces: bytes) -> tuple[list[StreamChunk], StreamDecoder]:
    decoder = StreamDecoder()
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)] + decoder.close()
    return chunks, decoder


def completion(chunks: list[StreamChunk]) -> Completion:
    accumulator = Accumulator()
    accumulator.add(chunks)
    return accumulator.completion()


def test_text_is_given_as_it_comes() -> None:
    decoder = StreamDecoder()
    assert decoder.feed(START) == []
    assert decoder.feed(text("Hel")) == [StreamChunk("Hel")]
    assert decoder.feed(text("lo", 1)) == [StreamChunk("lo", block=1)]
    assert decoder.feed(STOP) == [StreamChunk(finish_reason="stop", raw_finish_reason="end_turn")]
    assert not decoder.done
    assert decoder.feed(USAGE)[0].usage is not None
    assert decoder.done
    assert decoder.feed(text("after the end")) == []


def test_every_kind_of_block() -> None:
    chunks, decoder = decode(STREAM)
    assert (decoder.error, decoder.done) == (None, True)
    whole = completion(chunks)
    citation = {"title": "almanac", "location": {"web": {"url": "https://example.com"}}}
    server_call = {"toolUseId": "srv_1", "name": "code", "type": "server_tool_use", "input": {"snippet": "1+1"}}
    assert whole.message.parts == (
        ReasoningPart("The user wants the weather.", "c2lnbmVk", metadata=OURS),
        ReasoningPart(encrypted="cmVkYWN0ZWQ=", metadata=OURS),
        TextPart("Let me look.", (citation,)),
        ProviderPart("toolUse", server_call, MARK),
        ProviderPart(
            "toolResult", {"toolUseId": "srv_1", "status": "success", "content": [{"json": {"stdOut": "2"}}]}, MARK
        ),
        ToolCall("tooluse_1", "weather", {"city": "Bergen"}, '{"city":"Bergen"}'),
        ToolCall("tooluse_2", "now", {}, ""),
        ProviderPart("image", {"format": "png", "source": {"bytes": "iVBORw0K"}}, MARK),
    )
    assert whole.finish_reason == "tool_calls"
    assert whole.metadata == {"metrics": {"latencyMs": 812}, "additionalModelResponseFields": {"stop_sequence": None}}
    assert whole.usage is not None
    assert whole.usage.total_tokens == 165


def test_split_anywhere() -> None:
    expected, _ = decode(STREAM)
    assert decode(*(STREAM[i : i + 1] for i in range(len(STREAM))))[0] == expected
    for cut in range(0, len(STREAM), 7):
        assert decode(STREAM[:cut], STREAM[cut:])[0] == expected


def test_calls_are_numbered_in_the_order_they_begin() -> None:
    """Whatever other blocks stand between them, and though their pieces may alternate."""
    start = {"toolUse": {"toolUseId": "a", "name": "f"}}, {"toolUse": {"toolUseId": "b", "name": "g"}}
    chunks, _ = decode(
        event("contentBlockStart", {"contentBlockIndex": 2, "start": start[0]}),
        event("contentBlockStart", {"contentBlockIndex": 5, "start": start[1]}),
        event("contentBlockDelta", {"contentBlockIndex": 2, "delta": {"toolUse": {"input": "{}"}}}),
        event("contentBlockDelta", {"contentBlockIndex": 5, "delta": {"toolUse": {"input": "[]"}}}),
    )
    assert [chunk.tool_calls[0] for chunk in chunks] == [
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(1, "b", "g"),
        ToolCallDelta(0, arguments="{}"),
        ToolCallDelta(1, arguments="[]"),
    ]


def test_held_pieces_come_out_even_without_the_end_of_their_block() -> None:
    signature = {"contentBlockIndex": 0, "delta": {"reasoningContent": {"signature": "s"}}}
    chunks, _ = decode(event("contentBlockDelta", signature), STOP, USAGE)
    assert chunks[0].part == ReasoningPart(signature="s", metadata=OURS)


def test_without_metadata_the_end_of_the_bytes_ends_the_answer() -> None:
    chunks, decoder = decode(START, text("Hi"), STOP)
    assert (decoder.done, decoder.error) == (True, None)
    assert completion(chunks).usage is None


@pytest.mark.parametrize(
    ("name", "leaf", "retryable"),
    [
        ("throttlingException", errors.LLMRateLimitError, True),
        ("internalServerException", errors.ProviderServerError, True),
        ("serviceUnavailableException", errors.ProviderServerError, True),
        ("modelStreamErrorException", errors.ProviderServerError, True),
        ("modelTimeoutException", errors.ProviderTimeoutError, True),
        ("validationException", errors.InvalidRequestError, False),
        ("anExceptionOfNextYear", errors.InvalidRequestError, False),
    ],
)
def test_exceptions_end_the_stream(name: str, leaf: type, retryable: bool) -> None:
    chunks, decoder = decode(START, text("Hel"), exception(name, {"message": "Broken."}), text("lo"))
    assert [chunk.delta for chunk in chunks] == ["Hel"]
    assert not decoder.done
    error = decoder.error
    assert isinstance(error, errors.StreamError)
    assert (error.type, error.message, error.retryable) == (name, "Broken.", retryable)
    assert type(error.__cause__) is leaf


def test_the_models_own_error_is_in_the_message() -> None:
    payload = {"message": "Prompt is too long.", "originalStatusCode": 400, "originalMessage": "413"}
    _, decoder = decode(exception("modelStreamErrorException", payload))
    assert isinstance(decoder.error, errors.StreamError)
    assert isinstance(decoder.error.__cause__, errors.TokenLimitError)
    assert not decoder.error.retryable


def test_an_error_message_of_the_framing() -> None:
    headers = {":message-type": "error", ":error-code": "InternalError", ":error-message": "An internal error."}
    _, decoder = decode(START, encode_message(headers, b""))
    assert isinstance(decoder.error, errors.StreamError)
    assert (decoder.error.code, decoder.error.message) == ("InternalError", "An internal error.")


def test_a_cut_stream() -> None:
    for end in (b"", text("lo")[:-3]):
        chunks, decoder = decode(START, text("Hel"), end)
        assert [chunk.delta for chunk in chunks] == ["Hel"]
        assert isinstance(decoder.error, errors.StreamError)
        assert decoder.error.retryable
        assert not decoder.done


def test_an_empty_stream_is_a_cut_one() -> None:
    assert isinstance(decode()[1].error, errors.StreamError)


def test_a_wrong_checksum_keeps_what_came_before_it() -> None:
    broken = text("lo")[:-1] + b"\x00"
    chunks, decoder = decode(START + text("Hel") + broken + STOP)
    assert [chunk.delta for chunk in chunks] == ["Hel"]
    assert "checksum" in str(decoder.error)


def test_a_page_of_html_instead_of_a_stream() -> None:
    _, decoder = decode(b"<html><body>Bad Gateway</body></html>")
    assert isinstance(decoder.error, errors.StreamError)


@pytest.mark.parametrize("payload", [b"{", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_payloads_that_are_no_json(payload: bytes) -> None:
    assert isinstance(decode(event("contentBlockDelta", payload))[1].error, errors.StreamError)


def test_nesting_up_to_the_last_level_that_can_be_read() -> None:
    for depth in range(800, 1000):
        nested = b"[" * depth + b"]" * depth
        for delta in (b'{"toolResult":%b}', b'{"citation":{"a":%b}}', b'{"image":{"a":%b}}'):
            _, decoder = decode(
                event("contentBlockDelta", b'{"contentBlockIndex":0,"delta":%b}' % (delta % nested)), STOP, USAGE
            )
            assert decoder.error is None or isinstance(decoder.error, errors.StreamError)


@pytest.mark.parametrize("payload", [b"", b"[]", b"null", b" {} \n", b'"text"', b"1e999", b"NaN"])
@pytest.mark.parametrize("name", ["contentBlockStart", "contentBlockDelta", "contentBlockStop", "metadata", "x"])
def test_payloads_that_say_nothing(name: str, payload: bytes) -> None:
    assert decode(event(name, payload), STOP, USAGE)[1].error is None


def test_redacted_content_that_is_no_base64_is_kept_as_text() -> None:
    pieces = [
        event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"reasoningContent": {"redactedContent": piece}}})
        for piece in ("a", "é")
    ]
    chunks, decoder = decode(*pieces, STOP, USAGE)
    assert chunks[0].part == ReasoningPart(encrypted="aé", metadata=OURS)
    assert decoder.error is None


def test_pieces_held_for_a_block_are_bounded() -> None:
    """A server's tool call may not fill the memory, however many small pieces it comes in."""
    decoder = StreamDecoder()
    decoder.feed(
        event(
            "contentBlockStart",
            {"contentBlockIndex": 0, "start": {"toolUse": {"type": "server_tool_use", "toolUseId": "a", "name": "f"}}},
        )
    )
    piece = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"toolUse": {"input": "x" * 1_000_000}}})
    for _ in range(40):
        decoder.feed(piece)
    assert isinstance(decoder.error, errors.StreamError)


def test_a_long_stream_does_not_grow() -> None:
    decoder = StreamDecoder()
    piece = b"".join(text(f"word {i}", i % 3) for i in range(200))
    decoder.feed(piece)
    tracemalloc.start()
    for _ in range(20):
        decoder.feed(piece)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 100_000


keys = st.sampled_from(
    ["contentBlockIndex", "delta", "start", "text", "toolUse", "input", "toolUseId", "name", "type", "reasoningContent",
     "signature", "redactedContent", "citation", "toolResult", "image", "source", "bytes", "stopReason", "usage",
     "inputTokens", "message", "originalStatusCode", "server_tool_use"]
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | keys | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)
names = st.sampled_from(sorted({name for name, _ in EVENTS} | {"throttlingException"}))


@given(st.lists(st.tuples(names, anything, st.booleans()), max_size=8))
def test_wrong_types_never_raise(messages: list[tuple[str, Any, bool]]) -> None:
    stream = b"".join(exception(n, p) if bad and i == 5 else event(n, p) for i, (n, p, bad) in enumerate(messages))
    chunks, decoder = decode(stream)
    completion(chunks)
    assert decoder.done is (decoder.error is None)


@given(st.binary(max_size=300))
def test_any_bytes_end_in_an_error(data: bytes) -> None:
    assert isinstance(decode(data)[1].error, errors.StreamError)


@settings(max_examples=200)
@given(st.integers(0, len(EVENTS) - 1), anything, names)
def test_an_event_exchanged_for_another_never_raises(place: int, payload: Any, name: str) -> None:
    events = [*EVENTS[:place], [name, payload], *EVENTS[place + 1 :]]
    chunks, decoder = decode(b"".join(event(n, p) for n, p in events))
    completion(chunks)
    assert decoder.error is None or isinstance(decoder.error, errors.StreamError)


@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255), st.integers(0, len(STREAM)))
def test_mutated_bytes_never_raise(place: int, value: int, cut: int) -> None:
    broken = bytearray(STREAM)
    broken[place] = value
    chunks, decoder = decode(bytes(broken[:cut]), bytes(broken[cut:]))
    completion(chunks)
    assert decoder.done or isinstance(decoder.error, errors.StreamError)
