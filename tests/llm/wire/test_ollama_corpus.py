"""Recorded conversations with Ollama: answers decode as its SDK reads them, requests are encoded as they were sent.

To compare a request, its body is read into a `ChatRequest` and encoded again. Both bodies are then brought to one form:
what says nothing (null, empty text, empty lists and objects) is absent, `stream` is on unless it says otherwise, and
the marks that the server doesn't read (`type` of a call, `index`) are dropped.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lambdallm.llm.result import Ok
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    ResponseFormat,
    Thinking,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire import ollama_chat, ollama_generate
from lambdallm.testing.conformance.decode import pieces, read_stream
from lambdallm.testing.conformance.report import check
from recorded import recordings

FIELDS = {"num_predict": "max_tokens", "temperature": "temperature", "seed": "seed", "top_p": "top_p", "top_k": "top_k"}


@pytest.mark.corpus
@recordings("ollama/chat", "ollama/generate")
def test_a_recorded_exchange(path: Path) -> None:
    outcome = check(json.loads(path.read_bytes()))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


@pytest.mark.corpus
@recordings("ollama/chat")
def test_a_recorded_chat_request(path: Path) -> None:
    body = json.loads(path.read_bytes())["request"]["body"]
    messages = tuple(message_of(message) for message in body["messages"])
    encoded = ollama_chat.encode_request(request_of(body, messages), {})
    assert normal(json.loads(encoded.body)) == normal(body)
    assert encoded.warnings == ()


@pytest.mark.corpus
@recordings("ollama/generate")
def test_a_recorded_generate_request(path: Path) -> None:
    body = json.loads(path.read_bytes())["request"]["body"]
    system = (ChatMessage("system", body["system"]),) if body.get("system") else ()
    encoded = ollama_generate.encode_request(request_of(body, (*system, ChatMessage("user", body["prompt"]))), {})
    assert normal(json.loads(encoded.body)) == normal(body)


@pytest.mark.corpus
@recordings("ollama/chat", holds=lambda exchange: exchange["response"]["status"] == 200)
def test_a_recorded_answer_goes_back_as_it_came(path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    completion = decoded(exchange)
    request = ChatRequest("m", (ChatMessage("user", "?"), completion.message))
    (_, back) = json.loads(ollama_chat.encode_request(request, {}).body)["messages"]
    assert normal_message(back) == normal_message(sent(exchange))


def decoded(exchange: dict[str, Any]) -> Completion:
    body = exchange["response"]["body"].encode()
    if exchange["stream"]:
        completion, error = read_stream(ollama_chat, pieces(body, "whole"))
        assert error is None
        return completion
    result = ollama_chat.decode_response(200, (), body)
    assert isinstance(result, Ok)
    return result.value


def sent(exchange: dict[str, Any]) -> dict[str, Any]:
    """The answer's message, its pieces joined by hand."""
    messages = [json.loads(line)["message"] for line in exchange["response"]["body"].splitlines() if line.strip()]
    joined: dict[str, Any] = {"role": "assistant"}
    for message in messages:
        for key in ("content", "thinking"):
            joined[key] = joined.get(key, "") + message.get(key, "")
        joined["tool_calls"] = joined.get("tool_calls", []) + message.get("tool_calls", [])
    return joined


def message_of(message: dict[str, Any]) -> ChatMessage:
    if message["role"] == "tool":
        return ChatMessage("tool", (ToolResult("", message["content"], message.get("tool_name")),))
    if message["role"] != "assistant":
        return ChatMessage(message["role"], message["content"])
    answer = ollama_chat.decode_response(200, (), json.dumps({"message": message}).encode())
    assert isinstance(answer, Ok)
    return answer.value.message


def request_of(body: dict[str, Any], messages: tuple[ChatMessage, ...]) -> ChatRequest:
    options = body.get("options") or {}
    extra = {key: body[key] for key in ("keep_alive", "context", "template", "raw") if body.get(key)}
    if rest := {key: value for key, value in options.items() if key not in FIELDS}:
        extra["options"] = rest
    return ChatRequest(
        body["model"],
        messages,
        tools=tuple(tool_of(tool["function"]) for tool in body.get("tools") or ()),
        response_format=format_of(body.get("format")),
        thinking=Thinking(body["think"]) if "think" in body else None,
        stream=body.get("stream", True),
        extra=extra,
        **{FIELDS[key]: value for key, value in options.items() if key in FIELDS},
    )


def tool_of(function: dict[str, Any]) -> ToolDefinition:
    return ToolDefinition(function["name"], function.get("description", ""), function["parameters"])


def format_of(wanted: Any) -> ResponseFormat | None:
    if not wanted:
        return None
    return ResponseFormat("json") if wanted == "json" else ResponseFormat("json_schema", wanted)


def normal(body: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in body.items() if value not in (None, "", [], {}, False) or key == "think"}
    kept["stream"] = body.get("stream", True)
    if "messages" in body:
        kept["messages"] = [normal_message(message) for message in body["messages"]]
    return kept


def normal_message(message: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if value not in (None, "", [])}
    if calls := kept.get("tool_calls"):
        kept["tool_calls"] = [normal_call(call) for call in calls]
    return kept


def normal_call(call: dict[str, Any]) -> dict[str, Any]:
    function = {key: value for key, value in call["function"].items() if key != "index"}
    return {key: value for key, value in call.items() if key not in ("type", "function")} | {"function": function}
