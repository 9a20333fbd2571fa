"""Requests to Ollama: a `ChatRequest` gives exactly the documented body, or an error, or a warning."""

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
from lambdallm.llm.wire import ollama_chat, ollama_generate

HELLO = ChatMessage("user", "Hello")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
MADE = {"ollama": {"form": {"made_id": True}}}


def encoded(*messages: ChatMessage, facts: Any = None, codec: Any = ollama_chat, **settings: Any) -> Any:
    return codec.encode_request(ChatRequest("m", messages or (HELLO,), **settings), facts or {})


def body_of(*messages: ChatMessage, **settings: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encoded(*messages, **settings).body)
    return body


def messages_of(*messages: ChatMessage, **settings: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = body_of(*messages, **settings)["messages"]
    return found


def refused(param: str, *messages: ChatMessage, **settings: Any) -> str:
    with pytest.raises(UnsupportedParameterError) as caught:
        encoded(*messages, **settings)
    assert caught.value.param == param
    return caught.value.message


# Settings


def test_the_smallest_request_says_that_it_wants_no_stream() -> None:
    assert body_of() == {"model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": False}


def test_every_setting() -> None:
    body = body_of(
        max_tokens=5, temperature=0.0, top_p=0.5, top_k=3, stop=("a",), seed=0, presence_penalty=0.1,
        frequency_penalty=0.2, logprobs=2, stream=True, n=1, parallel_tool_calls=True,
        extra={"keep_alive": "5m", "options": {"num_ctx": 8192}},
    )  # fmt: skip
    assert body == {
        "model": "m", "messages": [{"role": "user", "content": "Hello"}], "stream": True, "logprobs": True,
        "top_logprobs": 2, "keep_alive": "5m",
        "options": {"num_predict": 5, "temperature": 0.0, "top_p": 0.5, "top_k": 3, "stop": ["a"], "seed": 0,
                    "presence_penalty": 0.1, "frequency_penalty": 0.2, "num_ctx": 8192},
    }  # fmt: skip


def test_options_of_the_entry_are_under_those_of_the_request() -> None:
    facts = {"options": {"num_ctx": 4096, "temperature": 1}}
    assert body_of(facts=facts, temperature=0.5)["options"] == {"num_ctx": 4096, "temperature": 0.5}


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (ResponseFormat("json"), "json"),
        (ResponseFormat("json_schema", SCHEMA), SCHEMA),
        (ResponseFormat("json_schema"), "json"),
        (ResponseFormat("text"), None),
    ],
)
def test_forms_of_the_answer(form: ResponseFormat, body: Any) -> None:
    assert body_of(response_format=form).get("format") == body


@pytest.mark.parametrize(
    ("thinking", "body"),
    [
        (Thinking(), True),
        (Thinking(False), False),
        (Thinking(effort="none"), False),
        (Thinking(effort="low"), "low"),
        (Thinking(effort="max"), "max"),
    ],
)
def test_thinking(thinking: Thinking, body: Any) -> None:
    answer = encoded(thinking=thinking)
    assert json.loads(answer.body)["think"] == body
    assert answer.warnings == ()


@pytest.mark.parametrize(
    ("facts", "word"), [({}, "low"), ({"efforts": {}}, True), ({"efforts": {"minimal": "high"}}, "high")]
)
def test_an_effort_that_the_server_does_not_know_becomes_the_nearest(facts: dict[str, Any], word: Any) -> None:
    answer = encoded(thinking=Thinking(effort="minimal"), facts=facts)
    assert json.loads(answer.body)["think"] == word
    assert "minimal" in answer.warnings[0]


@pytest.mark.parametrize(
    ("param", "settings"),
    [
        ("n", {"n": 2}),
        ("parallel_tool_calls", {"parallel_tool_calls": False}),
        ("tool_choice", {"tools": (ToolDefinition("f"),), "tool_choice": ToolChoice("required")}),
        ("tool_choice", {"tools": (ToolDefinition("f"),), "tool_choice": ToolChoice("tool", "f")}),
        ("thinking.budget_tokens", {"thinking": Thinking(budget_tokens=5)}),
        ("tools", {"tools": (ProviderPart("web_search", {}, "openai_responses"),)}),
        ("seed", {"seed": 1, "facts": {"unsupported": ["seed"]}}),
    ],
)
def test_what_can_not_be_said_is_an_error_that_names_it(param: str, settings: dict[str, Any]) -> None:
    assert param in refused(param, **settings)


@pytest.mark.parametrize(
    ("word", "settings"),
    [
        ("user", {"user": "u"}),
        ("seed", {"seed": 1, "facts": {"ignored": ["seed"]}}),
        ("strict", {"tools": (ToolDefinition("f", strict=True),)}),
        ("reasoning_split", {"extra": {"reasoning_split": True}, "dialect": "openai_chat"}),
        ("thinking", {"thinking": Thinking(metadata={"display": "none"})}),
    ],
)
def test_what_is_left_out_is_a_warning(word: str, settings: dict[str, Any]) -> None:
    answer = encoded(**settings)
    assert len(answer.warnings) == 1
    assert word in answer.warnings[0]
    assert word not in json.loads(answer.body).get("options", {})


def test_tools() -> None:
    tools = (
        ToolDefinition("f", "does f", SCHEMA),
        ToolDefinition("g"),
        ProviderPart("function", {"function": {"name": "h"}}),
    )
    assert body_of(tools=tools, tool_choice=ToolChoice("auto"))["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "does f", "parameters": SCHEMA}},
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
        {"type": "function", "function": {"name": "h"}},
    ]


def test_to_call_no_tool_is_not_to_offer_any() -> None:
    answer = encoded(tools=(ToolDefinition("f"),), tool_choice=ToolChoice("none"))
    assert "tools" not in json.loads(answer.body)
    assert "tools" in answer.warnings[0]


def test_a_value_that_is_no_json_is_a_typed_error() -> None:
    with pytest.raises(InvalidRequestError):
        encoded(extra={"keep_alive": object()})


# Messages


def test_a_conversation_with_tools() -> None:
    call = ToolCall("call_0", "f", {"a": 1}, metadata=MADE)
    assert messages_of(
        ChatMessage("developer", "Be brief."),
        ChatMessage("user", (TextPart("See "), ImagePart(data=b"abc"), ImagePart(url="data:image/png;base64,ZGVm"))),
        ChatMessage("assistant", (ReasoningPart("Hm."), TextPart("So."), call, ToolCall("x", "g", {}))),
        ChatMessage("tool", (ToolResult("call_0", "1"), ToolResult("x", (TextPart("2"),)))),
    ) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "See ", "images": ["YWJj", "ZGVm"]},
        {"role": "assistant", "content": "So.", "thinking": "Hm.", "tool_calls": [
            {"type": "function", "function": {"name": "f", "arguments": {"a": 1}}},
            {"id": "x", "type": "function", "function": {"name": "g", "arguments": {}}},
        ]},
        {"role": "tool", "content": "1", "tool_name": "f"},
        {"role": "tool", "content": "2", "tool_name": "g", "tool_call_id": "x"},
    ]  # fmt: skip


def test_the_latest_call_of_an_id_is_the_one_a_result_answers() -> None:
    def turn(name: str) -> tuple[ChatMessage, ChatMessage]:
        call = ChatMessage("assistant", (ToolCall("call_0", name, {}, metadata=MADE),))
        return call, ChatMessage("tool", (ToolResult("call_0", "r"),))

    records = messages_of(HELLO, *turn("f"), *turn("g"))
    assert [record["tool_name"] for record in records if record["role"] == "tool"] == ["f", "g"]


def test_what_an_answer_said_beside_its_fields_goes_back() -> None:
    call = ToolCall("x", "f", {}, metadata={"ollama": {"function": {"index": 1}}})
    (record,) = messages_of(ChatMessage("assistant", (call,), metadata={"ollama": {"images": ["YQ=="]}}))
    assert record["images"] == ["YQ=="]
    assert record["tool_calls"][0]["function"] == {"name": "f", "arguments": {}, "index": 1}


def test_arguments_that_are_no_object_are_wrapped() -> None:
    answer = encoded(ChatMessage("assistant", (ToolCall.from_json("x", "f", "{broken"),)))
    (record,) = json.loads(answer.body)["messages"]
    assert record["tool_calls"][0]["function"]["arguments"] == {"INVALID_JSON": "{broken"}
    assert len(answer.warnings) == 1


def test_documents_are_text() -> None:
    parts = (
        DocumentPart(text="Body.", name="a.txt"),
        DocumentPart(data=b"More.", media_type="text/plain"),
        TextPart("?"),
    )
    assert messages_of(ChatMessage("user", parts))[0]["content"] == "a.txt\n\nBody.\n\nMore.?"


@pytest.mark.parametrize(
    "part",
    [
        ImagePart(url="https://example.com/a.png"),
        AudioPart(b"", "audio/wav"),
        DocumentPart(data=b"%PDF", media_type="application/pdf"),
        DocumentPart(url="https://example.com"),
        ProviderPart("odd", {}),
    ],
)
def test_content_there_is_no_place_for(part: Any) -> None:
    refused("messages[0]", ChatMessage("user", (part,)))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("'Ann'", ChatMessage("user", "a", name="Ann")),
        ("is_error", ChatMessage("tool", (ToolResult("x", "a", "f", is_error=True),))),
        ("cache_control", ChatMessage("user", "a", metadata={"cache_control": {}})),
        ("cache_control", ChatMessage("user", (TextPart("a", metadata={"cache_control": {}}),))),
        ("detail", ChatMessage("user", (ImagePart(data=b"a", detail="low"),))),
        ("caller", ChatMessage("assistant", (ToolCall("x", "f", {}, metadata={"anthropic_messages": {"caller": 1}}),))),
        ("no text", ChatMessage("assistant", (ReasoningPart(encrypted="x"), TextPart("a")))),
        ("only gemini", ChatMessage("assistant", (ProviderPart("executable_code", {}, "gemini"), TextPart("a")))),
    ],
)
def test_what_a_message_loses_is_a_warning(word: str, message: ChatMessage) -> None:
    answer = encoded(message)
    assert len(answer.warnings) == 1
    assert word in answer.warnings[0]


def test_thinking_stays_behind_where_the_model_takes_none() -> None:
    answer = encoded(ChatMessage("assistant", (ReasoningPart("Hm."), RefusalPart("No."))), facts={"thinking": False})
    assert json.loads(answer.body)["messages"] == [{"role": "assistant", "content": "No."}]
    assert "reasoning" in answer.warnings[0]


# /api/generate


def test_a_prompt() -> None:
    system, user = ChatMessage("system", "Be brief."), ChatMessage("user", (TextPart("Hi"), ImagePart(data=b"abc")))
    extra = {"suffix": "end", "raw": True, "context": [1]}
    assert body_of(system, user, codec=ollama_generate, max_tokens=3, extra=extra, thinking=Thinking(False)) == {
        "model": "m", "prompt": "Hi", "images": ["YWJj"], "system": "Be brief.", "stream": False, "think": False,
        "options": {"num_predict": 3}, "suffix": "end", "raw": True, "context": [1],
    }  # fmt: skip


@pytest.mark.parametrize(
    "messages",
    [
        (HELLO, HELLO),
        (ChatMessage("assistant", "a"),),
        (ChatMessage("system", "a"),),
        (HELLO, ChatMessage("assistant", "a")),
    ],
)
def test_a_prompt_is_one_user_turn(messages: tuple[ChatMessage, ...]) -> None:
    refused("messages", *messages, codec=ollama_generate)


def test_a_prompt_has_no_tools() -> None:
    refused("tools", codec=ollama_generate, tools=(ToolDefinition("f"),))
    refused("messages", ChatMessage("system", (ImagePart(data=b"a"),)), HELLO, codec=ollama_generate)
