"""Converse, answers and errors: given bytes, expect values; what came goes back without loss."""

from __future__ import annotations

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm import errors
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.streaming.accumulator import Accumulator
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    ProviderPart,
    ReasoningPart,
    TextPart,
    ToolCall,
    ToolDefinition,
)
from lambdallm.llm.wire.bedrock_converse import StreamDecoder, decode_error, decode_response, encode_request
from lambdallm.llm.wire.bedrock_converse.content import MARK
from recorded import recordings

FIXTURES = Path(__file__).parents[2] / "fixtures" / "bedrock_converse"
ANSWER = (FIXTURES / "answer.json").read_bytes()
OURS: dict[str, Any] = {MARK: {}}


def decode(body: object) -> Completion:
    result = decode_response(200, (), body if isinstance(body, bytes) else json.dumps(body).encode())
    assert isinstance(result, Ok)
    return result.value


def answer(*blocks: object, reason: str = "end_turn") -> dict[str, Any]:
    return {"output": {"message": {"role": "assistant", "content": list(blocks)}}, "stopReason": reason}


def test_every_kind_of_block() -> None:
    citation = {"title": "almanac", "location": {"documentChar": {"documentIndex": 0, "start": 3, "end": 9}}}
    assert decode(ANSWER).message.parts == (
        ReasoningPart("The user wants the weather.", "c2lnbmVk", metadata=OURS),
        ReasoningPart(encrypted="cmVkYWN0ZWQ=", metadata=OURS),
        TextPart("Let me look. "),
        TextPart(
            "It rains in Bergen.", (citation,), {MARK: {"content": [{"text": "It rains "}, {"text": "in Bergen."}]}}
        ),
        ToolCall("tooluse_1", "weather", {"city": "Bergen", "days": 2}),
        ProviderPart(
            "toolUse",
            {"toolUseId": "srv_1", "name": "code", "type": "server_tool_use", "input": {"snippet": "1+1"}},
            MARK,
        ),
        ProviderPart(
            "toolResult", {"toolUseId": "srv_1", "status": "success", "content": [{"json": {"stdOut": "2"}}]}, MARK
        ),
        ProviderPart("image", {"format": "png", "source": {"bytes": "iVBORw0K"}}, MARK),
        ProviderPart("aBlockOfNextYear", {"a": [1, None]}, MARK),
    )


def test_the_completion_around_them() -> None:
    completion = decode(ANSWER)
    assert completion.text == "Let me look. It rains in Bergen."
    assert completion.thinking == "The user wants the weather."
    assert (completion.finish_reason, completion.raw_finish_reason) == ("tool_calls", "tool_use")
    assert set(completion.metadata) == {"metrics", "performanceConfig", "additionalModelResponseFields", "trace"}


def test_input_tokens_count_what_the_cache_read_and_wrote() -> None:
    """Converse's `inputTokens` leaves them out; its `totalTokens` has them, and so have we."""
    usage = decode(ANSWER).usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (145, 20)
    assert (usage.cached_tokens, usage.cache_write_tokens) == (100, 35)
    assert usage.total_tokens == usage.native["totalTokens"]


def test_without_usage_it_is_unknown() -> None:
    assert decode(answer({"text": "Hi"})).usage is None


@pytest.mark.parametrize(
    ("word", "ours"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_model_output", "error"),
        ("malformed_tool_use", "error"),
        ("a_reason_of_next_year", "other"),
    ],
)
def test_reasons_to_stop(word: str, ours: str) -> None:
    completion = decode(answer({"text": "Hi"}, reason=word))
    assert (completion.finish_reason, completion.raw_finish_reason) == (ours, word)


def replayed(message: ChatMessage) -> list[dict[str, Any]]:
    """The blocks that go back when the answer is part of the next request."""
    request = ChatRequest("m", (ChatMessage("user", "Hi"), message, ChatMessage("user", "Go on.")))
    blocks: list[dict[str, Any]] = json.loads(encode_request(request, {}).body)["messages"][1]["content"]
    return blocks


def test_an_answer_goes_back_as_it_came() -> None:
    assert replayed(decode(ANSWER).message) == json.loads(ANSWER)["output"]["message"]["content"]


def test_the_type_of_a_clients_call_is_kept_but_not_sent() -> None:
    """Nova says `tool_use`; a request may only say `server_tool_use`."""
    block = {"toolUse": {"toolUseId": "t", "name": "f", "input": {}, "type": "tool_use"}}
    message = decode(answer(block)).message
    assert message.tool_calls[0].metadata == {MARK: {"form": {"type": "tool_use"}}}
    assert replayed(message) == [{"toolUse": {"toolUseId": "t", "name": "f", "input": {}}}]


@pytest.mark.parametrize(
    "block",
    [
        {"citationsContent": {"content": [{"text": "a"}], "citations": []}},
        {"citationsContent": {"content": [{"text": "a"}], "citations": [{"title": "t"}]}},
        {"reasoningContent": {"reasoningText": {"text": "", "signature": "s"}}},
        {"reasoningContent": {"aFormOfNextYear": 1}},
        {"text": 5},
        {"toolUse": {"toolUseId": "no name"}},
        {"aBlock": "of text"},
        {"two": {}, "keys": {}},
    ],
)
def test_odd_blocks_go_back_too(block: dict[str, Any]) -> None:
    assert replayed(decode(answer({"text": "Hi"}, block)).message) == [{"text": "Hi"}, block]


def test_members_that_are_null_are_not_there() -> None:
    assert decode(answer({"text": "Hi", "image": None, "toolUse": None}, {"cachePoint": None})).message.parts == (
        TextPart("Hi"),
    )


def of_status(status: int, body: bytes, *headers: tuple[str, str]) -> errors.LLMError:
    return decode_error(status, headers, body)


@pytest.mark.parametrize(
    ("status", "kind", "leaf", "retryable"),
    [
        (403, "AccessDeniedException", errors.LLMAuthenticationError, False),
        (429, "ThrottlingException", errors.LLMRateLimitError, True),
        (404, "ResourceNotFoundException", errors.LLMModelNotFoundError, False),
        (408, "ModelTimeoutException", errors.ProviderTimeoutError, True),
        (500, "InternalServerException", errors.ProviderServerError, True),
        (503, "ServiceUnavailableException", errors.ProviderServerError, True),
        (400, "ValidationException", errors.InvalidRequestError, False),
        (429, "ModelNotReadyException", errors.ProviderServerError, True),
        (424, "ModelErrorException", errors.ProviderServerError, True),
        (424, "ModelStreamErrorException", errors.ProviderServerError, True),
        (400, "ServiceQuotaExceededException", errors.LLMQuotaExceededError, False),
        (403, "UnrecognizedClientException", errors.LLMAuthenticationError, False),
        (403, "ExpiredTokenException", errors.LLMAuthenticationError, False),
    ],
)
def test_errors_by_their_type(status: int, kind: str, leaf: type, retryable: bool) -> None:
    error = of_status(status, b'{"message":"No."}', ("x-amzn-ErrorType", f"{kind}:http://internal.amazon.com/coral/"))
    assert (type(error), error.retryable) == (leaf, retryable)
    assert (error.type, error.code, error.status, error.message) == (kind, kind, status, "No.")


def test_where_an_error_hides_its_words() -> None:
    assert of_status(400, b'{"Message":"No."}').message == "No."
    assert of_status(400, b'{"code":"ValidationException","message":"No."}').type == "ValidationException"
    assert of_status(400, b'{"__type":"com.amazon.coral.service#ValidationException","message":"No."}').type == (
        "ValidationException"
    )
    assert of_status(502, b"<html>Bad Gateway</html>").message == "<html>Bad Gateway</html>"
    assert type(of_status(503, b"")) is errors.ProviderServerError
    assert of_status(429, b"[]", ("x-amzn-RequestId", "r-1"), ("retry-after", "7")).request_id == "r-1"
    assert of_status(429, b"[]", ("Retry-After", "7")).retry_after == 7


def test_too_long_a_prompt() -> None:
    error = of_status(400, b'{"message":"Input is too long for requested model."}')
    assert type(error) is errors.TokenLimitError


@pytest.mark.parametrize(
    ("body", "leaf"),
    [
        (b'{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}',
         errors.InvalidRequestError),
        (b'{"message":"Too many requests, please wait."}', errors.LLMRateLimitError),
        (b"{}", errors.ProviderResponseError),
        (b'{"output":null}', errors.ProviderResponseError),
        (b"<html>", errors.ProviderResponseError),
        (b"", errors.ProviderResponseError),
        (b"[" * 100_000, errors.ProviderResponseError),
        (b"\xff\xfe", errors.ProviderResponseError),
    ],
)  # fmt: skip
def test_a_200_that_is_no_answer(body: bytes, leaf: type) -> None:
    result = decode_response(200, (), body)
    assert isinstance(result, Err)
    assert type(result.error) is leaf


def test_nesting_up_to_the_last_level_that_can_be_read() -> None:
    for depth in range(800, 1000):
        nested = "[" * depth + "]" * depth
        for block in ('{"toolUse":%s}', '{"x":%s}', '{"citationsContent":{"content":[{"text":%s}]}}'):
            body = '{"message":%s,"output":{"message":{"content":[%s]}},"usage":{"a":%s}}'
            decode_response(200, (), (body % (nested, block % nested, nested)).encode())
        assert decode_response(200, (), b'{"message":' + nested.encode() + b"}").is_err()
        assert decode_error(400, (), b'{"message":' + nested.encode() + b"}").message


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["text", "toolUse", "toolUseId", "name", "input", "reasoningContent", "reasoningText",
                             "redactedContent", "citationsContent", "content", "citations", "signature", "x"]),
            inner, max_size=3,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(st.lists(anything, max_size=4), anything, anything)
def test_wrong_types_never_raise(blocks: list[Any], reason: Any, usage: Any) -> None:
    body = {"output": {"message": {"content": blocks}}, "stopReason": reason, "usage": usage}
    message = decode(body).message
    assert message.text is not None
    with contextlib.suppress(errors.InvalidRequestError):  # JSON reads 1e999 as infinity, and has no way to write it
        encode_request(ChatRequest("m", (message,)), {})


@given(st.binary(max_size=200), st.integers(100, 599))
def test_any_bytes_are_an_answer_or_an_error(body: bytes, status: int) -> None:
    assert decode_response(200, (), body).is_err()
    assert decode_error(status, (), body).message


def message_of(exchange: dict[str, Any]) -> ChatMessage:
    response = exchange["response"]
    if "body_b64" not in response:
        return decode(response["body"].encode()).message
    decoder, accumulator = StreamDecoder(), Accumulator()
    accumulator.add(decoder.feed(base64.b64decode(response["body_b64"])) + decoder.close())
    assert decoder.error is None
    return accumulator.completion().message


def without_a_clients_type(block: dict[str, Any]) -> dict[str, Any]:
    call = block.get("toolUse")
    if call and call.get("type") == "tool_use":
        return {"toolUse": {key: value for key, value in call.items() if key != "type"}}
    return block


@pytest.mark.corpus
@recordings("bedrock/converse", holds=lambda exchange: exchange["response"]["status"] == 200)
def test_recorded_answers_go_back_as_they_came(path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    blocks = replayed(message_of(exchange)) if message_of(exchange).parts else []
    if "body_b64" in exchange["response"]:
        expected = exchange["expected"]
        cited = [block.get("citationsContent", {"content": [block]})["content"] for block in blocks]
        assert "".join(item.get("text", "") for content in cited for item in content) == expected["text"]
        ours = [block["toolUse"] for block in blocks if "toolUse" in block and "type" not in block["toolUse"]]
        assert [(call["toolUseId"], call["name"], call["input"]) for call in ours] == [
            (call["id"], call["name"], call["arguments"]) for call in expected["tool_calls"]
        ]
        return
    sent = json.loads(exchange["response"]["body"])["output"]["message"]["content"]
    assert blocks == [without_a_clients_type(block) for block in sent if block != {"text": ""}]


def test_tools_without_arguments_are_an_empty_object() -> None:
    request = ChatRequest("m", (ChatMessage("user", "Hi"),), tools=(ToolDefinition("now"),))
    tool = json.loads(encode_request(request, {}).body)["toolConfig"]["tools"][0]
    assert tool == {"toolSpec": {"name": "now", "inputSchema": {"json": {"type": "object", "properties": {}}}}}
