"""Recorded conversations with Cohere: answers decode as its SDK reads them, requests are encoded as they were sent.

To compare a request, its body is read into a `ChatRequest` and encoded again. Both bodies are then brought to one form:

- what says nothing is absent: null, empty text, lists and objects; `stream: false`
- an empty text is no content, a content list of one text is that text
- arguments are compared as JSON, none at all being `{}`
- version 2: a schema stands under `json_schema`, whose older name is `schema`
- version 1: roles are in capitals; a leading system turn is the preamble
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambdallm.llm.result import Ok
from lambdallm.llm.types import (
    ChatMessage,
    ChatRequest,
    Completion,
    DocumentPart,
    ImagePart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire import cohere_chat, cohere_chat_v1
from lambdallm.testing.conformance.decode import pieces, read_stream
from lambdallm.testing.conformance.report import check
from recorded import recordings

if TYPE_CHECKING:
    from lambdallm.llm.types import Part

answered = recordings("cohere/chat_v2", holds=lambda exchange: exchange["response"]["status"] == 200)


@pytest.mark.corpus
@recordings("cohere/chat_v1", "cohere/chat_v2")
def test_a_recorded_exchange(path: Path) -> None:
    outcome = check(json.loads(path.read_bytes()))
    assert outcome.differences == ()
    assert outcome.verdict == "passed"


@pytest.mark.corpus
@recordings("cohere/chat_v2")
def test_a_recorded_request(path: Path) -> None:
    body = json.loads(path.read_bytes())["request"]["body"]
    encoded = cohere_chat.encode_request(request_of(body), {})
    assert normal(json.loads(encoded.body)) == normal(body)
    assert encoded.warnings == ()


@pytest.mark.corpus
@recordings("cohere/chat_v1")
def test_a_recorded_request_of_version_1(path: Path) -> None:
    body = json.loads(path.read_bytes())["request"]["body"]
    encoded = cohere_chat_v1.encode_request(request_of_v1(body), {})
    assert normal_v1(json.loads(encoded.body)) == normal_v1(body)
    assert encoded.warnings == ()


@pytest.mark.corpus
@answered
def test_a_recorded_answer_goes_back_as_it_came(path: Path) -> None:
    exchange = json.loads(path.read_bytes())
    request = ChatRequest("m", (ChatMessage("user", "?"), decoded(exchange).message))
    encoded = cohere_chat.encode_request(request, {})
    (_, back) = json.loads(encoded.body)["messages"]
    assert normal_message(back) == normal_message(sent(exchange))
    assert encoded.warnings == ()


def decoded(exchange: dict[str, Any]) -> Completion:
    body = exchange["response"]["body"].encode()
    if exchange["stream"]:
        return read_stream(cohere_chat, pieces(body, "whole"))[0]
    result = cohere_chat.decode_response(200, (), body)
    assert isinstance(result, Ok)
    return result.value


def sent(exchange: dict[str, Any]) -> dict[str, Any]:
    """The answer's message, the pieces of a stream joined by hand."""
    if not exchange["stream"]:
        message: dict[str, Any] = json.loads(exchange["response"]["body"])["message"]
        return message
    lines = (line.removeprefix("data: ") for line in exchange["response"]["body"].splitlines() if line[:6] == "data: ")
    events = [json.loads(line) for line in lines if line != "[DONE]"]
    joined: dict[str, Any] = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    for event in events:
        add(joined, event["type"], (event.get("delta") or {}).get("message") or {})
    return joined


def add(joined: dict[str, Any], kind: str, delta: dict[str, Any]) -> None:
    if kind in ("content-start", "tool-call-start", "citation-start"):
        field = {"con": "content", "too": "tool_calls", "cit": "citations"}[kind[:3]]
        joined[field].append(delta[field])
    elif kind == "content-delta":
        for name, text in delta["content"].items():
            joined["content"][-1][name] = joined["content"][-1].get(name, "") + text
    elif kind == "tool-plan-delta":
        joined["tool_plan"] += delta["tool_plan"]
    elif kind == "tool-call-delta":
        joined["tool_calls"][-1]["function"]["arguments"] += delta["tool_calls"]["function"]["arguments"]


# Version 2

NAMES = {"p": "top_p", "k": "top_k", "max_tokens": "max_tokens", "temperature": "temperature", "seed": "seed",
         "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty"}  # fmt: skip
READ = ("model", "messages", "tools", "tool_choice", "response_format", "thinking", "stop_sequences", "stream", *NAMES)
MODES: dict[str, Any] = {"REQUIRED": "required", "NONE": "none"}


def request_of(body: dict[str, Any]) -> ChatRequest:
    return ChatRequest(
        body["model"],
        tuple(message_of(message) for message in body["messages"]),
        tools=tuple(tool_of(tool["function"]) for tool in body.get("tools") or ()),
        tool_choice=ToolChoice(MODES[body["tool_choice"]]) if body.get("tool_choice") else None,
        response_format=format_of(body.get("response_format")),
        thinking=thinking_of(body["thinking"]) if "thinking" in body else None,
        stop=tuple(body.get("stop_sequences") or ()),
        stream=body.get("stream", False),
        extra={key: value for key, value in body.items() if key not in READ},
        **{name: body[key] for key, name in NAMES.items() if key in body},
    )


def message_of(message: dict[str, Any]) -> ChatMessage:
    content = message.get("content")
    if message["role"] == "assistant":
        answer = cohere_chat.decode_response(200, (), json.dumps({"message": message}).encode())
        assert isinstance(answer, Ok)
        return answer.value.message
    parts = content if isinstance(content, str) else tuple(part_of(block) for block in content)
    if message["role"] == "tool":
        return ChatMessage("tool", (ToolResult(message["tool_call_id"], parts),))
    return ChatMessage(message["role"], parts)


def part_of(block: dict[str, Any]) -> Part:
    if block["type"] == "image_url":
        return ImagePart(block["image_url"]["url"], detail=block["image_url"].get("detail"))
    if block["type"] == "document":
        return DocumentPart(metadata={"cohere": block["document"]})
    return TextPart(block["text"])


def tool_of(function: dict[str, Any]) -> ToolDefinition:
    return ToolDefinition(function["name"], function.get("description", ""), function["parameters"])


def format_of(wanted: dict[str, Any] | None) -> ResponseFormat | None:
    if wanted is None:
        return None
    schema = wanted.get("json_schema") or wanted.get("schema")
    return ResponseFormat("json_schema" if schema else "json", schema)


def thinking_of(wanted: dict[str, Any]) -> Thinking:
    return Thinking(wanted["type"] == "enabled", budget_tokens=wanted.get("token_budget"))


def saying(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value not in (None, "", [], {}, False)}


def normal(body: dict[str, Any]) -> dict[str, Any]:
    kept = saying(body) | {"messages": [normal_message(message) for message in body["messages"]]}
    if form := kept.get("response_format"):
        kept["response_format"] = {"json_schema" if key == "schema" else key: value for key, value in form.items()}
    if tools := kept.get("tools"):
        kept["tools"] = [tool | {"function": saying(tool["function"])} for tool in tools]
    return kept


def normal_message(message: dict[str, Any]) -> dict[str, Any]:
    kept = saying(message)
    content = kept.get("content")
    if isinstance(content, list):
        content = kept["content"] = [block for block in content if block != {"type": "text", "text": ""}]
    if isinstance(content, list) and len(content) == 1 and content[0].keys() == {"type", "text"}:
        kept["content"] = content[0]["text"]
    kept = saying(kept)
    if calls := kept.get("tool_calls"):
        kept["tool_calls"] = [call | {"function": normal_function(call["function"])} for call in calls]
    return kept


def normal_function(function: dict[str, Any]) -> dict[str, Any]:
    return {"name": function["name"], "arguments": json.loads(function["arguments"] or "{}")}


# Version 1

ROLES: dict[str, Any] = {"SYSTEM": "system", "USER": "user", "CHATBOT": "assistant"}


def request_of_v1(body: dict[str, Any]) -> ChatRequest:
    history = (ChatMessage(ROLES[turn["role"].upper()], turn["message"]) for turn in body.get("chat_history") or ())
    return ChatRequest(
        body.get("model", ""),
        (*history, ChatMessage("user", body["message"])),
        temperature=body.get("temperature"),
        stream=body["stream"],
        extra={key: body[key] for key in ("connectors", "documents") if body.get(key)},
    )


def normal_v1(body: dict[str, Any]) -> dict[str, Any]:
    kept = saying(body)
    turns = [saying(turn) | {"role": turn["role"].upper()} for turn in kept.pop("chat_history", ())]
    if turns and turns[0]["role"] == "SYSTEM":
        kept["preamble"] = turns.pop(0)["message"]
    return kept | ({"chat_history": turns} if turns else {})
