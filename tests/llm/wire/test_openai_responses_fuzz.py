"""Whatever comes over the wire, the decoders of the Responses protocol give a value or one of our errors."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import InvalidRequestError, LLMError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import ChatMessage, ChatRequest, Completion
from lambdallm.llm.wire import openai_responses as codec

WORDS = st.sampled_from(
    [
        "message", "reasoning", "function_call", "custom_tool_call", "function_call_output", "web_search_call",
        "output_text", "input_text", "input_image", "input_file", "input_audio", "refusal", "summary_text",
        "reasoning_text", "assistant", "user", "system", "completed", "incomplete", "failed", "auto", "function",
        "json_schema", "message.output_text.logprobs", "data:image/png;base64,iVBORw==", "lambdallm.1.W10=", "x", "",
    ]
)  # fmt: skip
KEYS = st.sampled_from(
    [
        "type", "id", "role", "content", "text", "output", "summary", "arguments", "input", "call_id", "name", "status",
        "encrypted_content", "annotations", "refusal", "usage", "error", "model", "item", "part", "delta", "response",
        "output_index", "content_index", "summary_index", "item_id", "incomplete_details", "reason", "input_tokens",
        "output_tokens_details", "reasoning_tokens", "tools", "tool_choice", "format", "reasoning", "effort", "include",
        "image_url", "file_data", "input_audio", "code", "message", "instructions", "annotation", "stream", "schema",
    ]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False, width=32) | WORDS
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
RECORDS = st.dictionaries(KEYS, JSON, max_size=8)
EVENTS = st.sampled_from(
    [
        "response.created", "response.output_item.added", "response.output_item.done", "response.output_text.delta",
        "response.output_text.done", "response.refusal.delta", "response.reasoning_summary_text.delta",
        "response.reasoning_text.delta", "response.function_call_arguments.delta", "response.completed",
        "response.custom_tool_call_input.done", "response.output_text.annotation.added", "response.incomplete",
        "response.failed", "error", "response.unheard_of",
    ]
)  # fmt: skip
REQUEST = ChatRequest("m", (ChatMessage("user", "?"),), dialect="openai_responses")


@settings(max_examples=100, deadline=None)
@given(RECORDS)
def test_an_answer_of_any_shape(body: dict[str, Any]) -> None:
    result = codec.decode_response(200, (), json.dumps(body).encode())
    assert isinstance(result, Ok | Err)
    if isinstance(result, Ok):
        passes_on(result.value)


@settings(max_examples=60, deadline=None)
@given(st.lists(RECORDS, max_size=4))
def test_an_output_of_any_shape(items: list[dict[str, Any]]) -> None:
    result = codec.decode_response(200, (), json.dumps({"status": "completed", "output": items}).encode())
    passes_on(result.unwrap())


def passes_on(answer: Completion) -> None:
    """What was read can be written, to a client and back to the provider."""
    json.loads(codec.encode_response(answer, REQUEST, id="resp_1", created=1))
    with contextlib.suppress(InvalidRequestError):  # JSON has no word for some numbers
        codec.encode_request(ChatRequest("m", (answer.message,)), {})


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(EVENTS, RECORDS), max_size=8), st.integers(1, 40))
def test_a_stream_of_any_events_in_any_pieces(events: list[tuple[str, dict[str, Any]]], size: int) -> None:
    body = b"".join(b"data: %s\n\n" % json.dumps({**fields, "type": kind}).encode() for kind, fields in events)
    whole, split = read(body, len(body) + 1), read(body, size)
    assert whole[0] == split[0]
    assert str(whole[1]) == str(split[1])
    encoder = codec.StreamEncoder(REQUEST, id="resp_1", created=1)
    assert encoder.feed(whole[2]) + encoder.close()


def read(body: bytes, size: int) -> tuple[Completion, LLMError | None, list[Any]]:
    decoder, accumulator, chunks = codec.StreamDecoder(), Accumulator(), []
    for start in range(0, len(body), size):
        chunks += decoder.feed(body[start : start + size])
    chunks += decoder.close()
    accumulator.add(chunks)
    assert decoder.done or decoder.error is not None
    return accumulator.completion(), decoder.error, chunks


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    assert isinstance(codec.decode_response(200, (), data), Ok | Err)
    assert isinstance(codec.decode_error(500, (), data), LLMError)
    read(data, 7)
    with contextlib.suppress(InvalidRequestError):
        codec.decode_request(data)


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.lists(RECORDS, max_size=3) | JSON)
def test_a_request_of_any_shape(body: dict[str, Any], items: Any) -> None:
    """A request that is accepted can be sent on."""
    try:
        request = codec.decode_request(json.dumps({**body, "input": items}).encode(), model="m")
    except InvalidRequestError:
        return
    with contextlib.suppress(InvalidRequestError):
        codec.encode_request(request, {})
    codec.encode_response(Completion(()), request, id="resp_1", created=1)
