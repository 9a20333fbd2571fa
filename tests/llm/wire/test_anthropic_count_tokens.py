"""Counting tokens in Anthropic's protocol: the input of a request, and how many tokens it has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdallm.llm.errors import InvalidRequestError, LLMModelNotFoundError, ProviderResponseError
from lambdallm.llm.result import Err, Ok
from lambdallm.llm.types import ChatMessage, ChatRequest, ResponseFormat, Thinking, TokenCount, ToolDefinition
from lambdallm.llm.wire.anthropic_count_tokens import (
    PATHS,
    decode_error,
    decode_request,
    decode_response,
    encode_error,
    encode_request,
    encode_response,
)
from lambdallm.testing.conformance.report import check
from recorded import recordings

HI = {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
MESSAGES = (ChatMessage("system", "Be kind."), ChatMessage("user", "Hi"))


def body(request: ChatRequest, **facts: Any) -> dict[str, Any]:
    got = encode_request(request, facts)
    assert got.warnings == ()
    assert got.headers == (("anthropic-version", "2023-06-01"),)
    parsed: dict[str, Any] = json.loads(got.body)
    return parsed


def test_the_input_is_counted_and_nothing_else() -> None:
    request = ChatRequest(
        "m", MESSAGES, tools=(ToolDefinition("f"),), max_tokens=9, temperature=0.5, top_k=3, seed=1, n=2,
        stop=("END",), user="u", stream=True, thinking=Thinking(budget_tokens=2000),
        response_format=ResponseFormat("json_schema", {"type": "object"}),
        extra={"service_tier": "auto", "mcp_servers": []},
    )  # fmt: skip
    assert body(request, json_schema=True) == {
        "model": "m",
        "system": "Be kind.",
        "messages": [HI],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "thinking": {"type": "enabled", "budget_tokens": 2000},
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
        "mcp_servers": [],
    }
    assert PATHS == {"count_tokens": "/v1/messages/count_tokens"}


def test_the_count() -> None:
    got = decode_response(200, (), b'{"input_tokens": 11, "context_management": {"original_input_tokens": 20}}')
    assert got == Ok(TokenCount(11, metadata={"context_management": {"original_input_tokens": 20}}))


@pytest.mark.parametrize(
    "answer", [b"", b"[]", b"{}", b'{"input_tokens": "11"}', b'{"input_tokens": true}', b"[" * 10**5]
)
def test_what_is_no_count(answer: bytes) -> None:
    got = decode_response(200, (("request-id", "r"),), answer)
    assert isinstance(got, Err)
    assert (type(got.error), got.error.request_id) == (ProviderResponseError, "r")


def test_errors() -> None:
    answer = b'{"type": "error", "error": {"type": "not_found_error", "message": "model: x"}}'
    assert type(decode_error(404, (), answer)) is LLMModelNotFoundError
    inside = decode_response(200, (), answer)
    assert isinstance(inside, Err)
    assert inside.error.message == "model: x"


def test_a_clients_request_needs_no_limit() -> None:
    asked = {"model": "m", "system": "Be kind.", "messages": [HI]}
    request = decode_request(json.dumps(asked).encode())
    assert (request.max_tokens, request.stream) == (None, False)
    assert body(request) == asked
    assert decode_request(json.dumps({"messages": [HI]}).encode(), model="n").model == "n"
    with pytest.raises(InvalidRequestError, match="messages: Field required"):
        decode_request(b'{"model": "m"}')


def test_a_client_is_told() -> None:
    assert json.loads(encode_response(TokenCount(11, cached_tokens=3))) == {"input_tokens": 11}
    assert encode_error(LLMModelNotFoundError("model: x")).status == 404


@pytest.mark.corpus
@recordings("anthropic/count_tokens")
def test_recorded_counts(path: Path) -> None:
    outcome = check(json.loads(path.read_bytes()))
    assert (outcome.verdict, outcome.differences) == ("passed", ())


@given(st.binary(max_size=100))
def test_any_bytes_are_a_count_or_an_error(answer: bytes) -> None:
    assert decode_response(200, (), answer).is_err()
    assert decode_error(500, (), answer).message


def test_a_count_names_its_model_where_a_call_does_not() -> None:
    """On Vertex the URL of a call names the model, and that of a count does not."""
    request = ChatRequest("claude", (ChatMessage("user", "Hi"),))
    body = json.loads(encode_request(request, {"model_in_body": False, "anthropic_version": "vertex-2023-10-16"}).body)
    assert (body["model"], body["anthropic_version"]) == ("claude", "vertex-2023-10-16")
