"""Requests of Cohere's chat protocol, version 2: a `ChatRequest` gives exactly the documented body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.llm.errors import InvalidRequestError, UnsupportedParameterError
from lambdallm.llm.types import (
    AudioPart,
    ChatMessage,
    ChatRequest,
    DocumentPart,
    ImagePart,
    ProviderPart,
    ReasoningPart,
    RefusalPart,
    ResponseFormat,
    TextPart,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolResult,
)
from lambdallm.llm.wire.cohere_chat import encode_request

HELLO = ChatMessage("user", "Hello")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
F, G = ToolDefinition("f", "does f", SCHEMA), ToolDefinition("g")


def encoded(*messages: ChatMessage, facts: Any = None, **settings: Any) -> Any:
    return encode_request(ChatRequest("m", messages or (HELLO,), **settings), facts or {})


def body_of(*messages: ChatMessage, **settings: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encoded(*messages, **settings).body)
    return body


def messages_of(*messages: ChatMessage, **settings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body_of(*messages, **settings)["messages"]
    return found


# Settings


def test_the_smallest_request() -> None:
    assert body_of() == {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def test_every_setting() -> None:
    extra = {"safety_mode": "STRICT", "citation_options": {"mode": "FAST"}, "priority": 3}
    body = body_of(
        max_tokens=5, temperature=0.0, top_p=0.5, top_k=3, stop=("a",), seed=0, presence_penalty=0.1, stream=True,
        frequency_penalty=0.2, logprobs=0, n=1, parallel_tool_calls=True, extra=extra,
    )  # fmt: skip
    assert body == {
        "model": "m", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5, "temperature": 0.0, "p": 0.5,
        "k": 3, "stop_sequences": ["a"], "seed": 0, "presence_penalty": 0.1, "frequency_penalty": 0.2, "logprobs": True,
        "stream": True, **extra,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (ResponseFormat("json"), {"type": "json_object"}),
        (ResponseFormat("json_schema", SCHEMA), {"type": "json_object", "json_schema": SCHEMA}),
        (ResponseFormat("text"), None),
    ],
)
def test_forms_of_the_answer(form: ResponseFormat, body: Any) -> None:
    assert body_of(response_format=form).get("response_format") == body


@pytest.mark.parametrize(
    ("thinking", "body"),
    [
        (Thinking(), {"type": "enabled"}),
        (Thinking(False), {"type": "disabled"}),
        (Thinking(effort="none"), {"type": "disabled"}),
        (Thinking(budget_tokens=500), {"type": "enabled", "token_budget": 500}),
        (Thinking(effort="low", budget_tokens=500), {"type": "enabled", "token_budget": 500}),
    ],
)
def test_thinking(thinking: Thinking, body: Any) -> None:
    answer = encoded(thinking=thinking)
    assert json.loads(answer.body)["thinking"] == body
    assert answer.warnings == ()


@pytest.mark.parametrize(
    ("effort", "facts", "body"),
    [
        ("low", {}, {"type": "enabled", "token_budget": 2048}),
        ("max", {}, {"type": "enabled"}),
        ("low", {"budgets": {"low": 7}}, {"type": "enabled", "token_budget": 7}),
    ],
)
def test_an_effort_becomes_a_budget_and_says_so(effort: Any, facts: dict[str, Any], body: Any) -> None:
    answer = encoded(thinking=Thinking(effort=effort), facts=facts)
    assert json.loads(answer.body)["thinking"] == body
    assert effort in answer.warnings[0]


def test_a_model_that_can_not_think() -> None:
    assert "thinking" not in body_of(thinking=Thinking(False), facts={"thinking": False})
    with pytest.raises(UnsupportedParameterError):
        encoded(thinking=Thinking(), facts={"thinking": False})
    answer = encoded(ChatMessage("assistant", (ReasoningPart("Hm."), TextPart("a"))), facts={"thinking": False})
    assert json.loads(answer.body)["messages"] == [{"role": "assistant", "content": "a"}]
    assert "reasoning" in answer.warnings[0]


def test_tools() -> None:
    assert body_of(tools=(F, G))["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "does f", "parameters": SCHEMA}},
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
    ]


@pytest.mark.parametrize(
    ("strict", "body", "warnings"),
    [
        ((None, None), None, 0),
        ((True, None), True, 0),
        ((True, True), True, 0),
        ((False, None), False, 0),
        ((True, False), True, 1),
    ],
)
def test_tools_are_strict_together(strict: tuple[Any, Any], body: Any, warnings: int) -> None:
    answer = encoded(tools=tuple(tool.replace(strict=one) for tool, one in zip((F, G), strict, strict=True)))
    assert json.loads(answer.body).get("strict_tools") == body
    assert len(answer.warnings) == warnings


@pytest.mark.parametrize(
    ("choice", "word", "names"),
    [
        (ToolChoice("auto"), None, ["f", "g"]),
        (ToolChoice("none"), "NONE", ["f", "g"]),
        (ToolChoice("required"), "REQUIRED", ["f", "g"]),
        (ToolChoice("tool", "g"), "REQUIRED", ["g"]),
    ],
)
def test_the_choice_of_a_tool(choice: ToolChoice, word: str | None, names: list[str]) -> None:
    answer = encoded(tools=(F, G), tool_choice=choice)
    body = json.loads(answer.body)
    assert body.get("tool_choice") == word
    assert [tool["function"]["name"] for tool in body["tools"]] == names
    assert len(answer.warnings) == (choice.mode == "tool")


@pytest.mark.parametrize(
    ("param", "settings"),
    [
        ("n", {"n": 2}),
        ("parallel_tool_calls", {"parallel_tool_calls": False}),
        ("tool_choice", {"tools": (F,), "tool_choice": ToolChoice("tool", "h")}),
        ("tools", {"tools": (ProviderPart("web_search", {}, "openai_responses"),)}),
        ("seed", {"seed": 1, "facts": {"unsupported": ["seed"]}}),
        (
            "response_format",
            {"response_format": ResponseFormat("json_schema", SCHEMA), "facts": {"json_schema": False}},
        ),
    ],
)
def test_what_can_not_be_said_is_an_error_that_names_it(param: str, settings: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        encoded(**settings)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("word", "settings"),
    [
        ("user", {"user": "u"}),
        ("logprobs", {"logprobs": 3}),
        ("seed", {"seed": 1, "facts": {"ignored": ["seed"]}}),
        ("store", {"extra": {"store": True}, "dialect": "openai_chat"}),
        ("allowed", {"tool_choice": ToolChoice("auto", metadata={"allowed": ["f"]}), "tools": (F,)}),
        ("cache_control", {"tools": (F.replace(metadata={"cache_control": {}}),)}),
    ],
)
def test_what_is_left_out_is_a_warning(word: str, settings: dict[str, Any]) -> None:
    answer = encoded(**settings)
    assert len(answer.warnings) == 1
    assert word in answer.warnings[0]


def test_a_value_that_is_no_json_is_a_typed_error() -> None:
    with pytest.raises(InvalidRequestError):
        encoded(ChatMessage("assistant", (ToolCall("x", "f", {"a": object()}),)))


# Messages


def test_a_conversation_with_tools() -> None:
    plan = ReasoningPart("I will look.", metadata={"cohere": {"form": {"field": "tool_plan"}}})
    document = DocumentPart(text="Sunny.", name="Weather", file_id="w1")
    assert messages_of(
        ChatMessage("developer", "Be brief."),
        HELLO,
        ChatMessage("assistant", (plan, ToolCall("x", "f", {"a": 1}), ToolCall.from_json("y", "g", ""))),
        ChatMessage("tool", (ToolResult("x", "1"), ToolResult("y", (TextPart("2"), document)))),
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [
            {"id": "x", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
            {"id": "y", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "x", "content": "1"},
        {"role": "tool", "tool_call_id": "y", "content": [
            {"type": "text", "text": "2"},
            {"type": "document", "document": {"id": "w1", "data": {"title": "Weather", "text": "Sunny."}}},
        ]},
    ]  # fmt: skip


def test_images() -> None:
    parts = (
        TextPart("See"),
        ImagePart(data=b"abc", media_type="image/jpeg"),
        ImagePart(url="https://e.org/a", detail="low"),
    )
    assert messages_of(ChatMessage("user", parts))[0]["content"] == [
        {"type": "text", "text": "See"},
        {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,YWJj"}},
        {"type": "image_url", "image_url": {"url": "https://e.org/a", "detail": "low"}},
    ]


def test_documents_of_users_join_those_of_the_request() -> None:
    documents = (
        DocumentPart(data=b"Body.", media_type="text/plain", name="a.txt"),
        DocumentPart(metadata={"id": "d", "data": {"k": "v"}}),
    )
    body = body_of(ChatMessage("user", (TextPart("?"), *documents)), extra={"documents": ["plain"]})
    assert body["messages"] == [{"role": "user", "content": "?"}]
    assert body["documents"] == [
        "plain",
        {"data": {"title": "a.txt", "text": "Body."}},
        {"id": "d", "data": {"k": "v"}},
    ]


def test_thinking_of_others_goes_back_as_thinking() -> None:
    parts = (ReasoningPart("Hm.", signature="s"), RefusalPart("No."))
    assert messages_of(ChatMessage("assistant", parts))[0]["content"] == [
        {"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "No."},
    ]  # fmt: skip


def test_a_turn_without_content_has_an_empty_one() -> None:
    assert messages_of(ChatMessage("assistant")) == [{"role": "assistant", "content": ""}]


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(),
        AudioPart(b"", "audio/wav"),
        DocumentPart(data=b"%PDF", media_type="application/pdf"),
        DocumentPart(url="https://example.com"),
        ToolResult("x", (ImagePart(data=b"a"),)),
        ToolResult("x", (ProviderPart("odd", {}, "gemini"),)),
    ],
)
def test_content_there_is_no_place_for(part: Any) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        encoded(ChatMessage("user", (part,)))
    assert caught.value.param is not None
    assert caught.value.param.startswith("messages[0]")


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("'Ann'", ChatMessage("user", "a", name="Ann")),
        ("is_error", ChatMessage("tool", (ToolResult("x", "a", is_error=True),))),
        ("cache_control", ChatMessage("user", (TextPart("a", metadata={"cache_control": {}}),))),
        ("caller", ChatMessage("assistant", (ToolCall("x", "f", {}, metadata={"anthropic_messages": {"caller": 1}}),))),
        ("without text", ChatMessage("assistant", (ReasoningPart(encrypted="x"), TextPart("a")))),
        ("only gemini", ChatMessage("assistant", (ProviderPart("executable_code", {}, "gemini"), TextPart("a")))),
        ("citations", ChatMessage("assistant", (TextPart("a", ({"type": "char_location"},)),))),
    ],
)
def test_what_a_message_loses_is_a_warning(word: str, message: ChatMessage) -> None:
    answer = encoded(message)
    assert len(answer.warnings) == 1
    assert word in answer.warnings[0]
    assert "citations" not in json.loads(answer.body)["messages"][0]
