"""Requests of the OpenAI chat protocol: a `ChatRequest` gives exactly the documented body."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambdallm.llm.errors import InvalidRequestError, UnsupportedParameterError
from lambdallm.llm.result import Ok
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
from lambdallm.llm.wire.openai_chat import decode_response, encode_request

HELLO = ChatMessage("user", "Hello")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def body_of(facts: dict[str, Any] | None = None, /, *messages: ChatMessage, **settings: Any) -> dict[str, Any]:
    encoded = encode_request(ChatRequest("m", messages or (HELLO,), **settings), facts or {})
    body: dict[str, Any] = json.loads(encoded.body)
    return body


def message_of(message: ChatMessage, **facts: Any) -> dict[str, Any]:
    (encoded,) = body_of(facts, message)["messages"]
    return dict(encoded)


def content_of(*parts: Any, **facts: Any) -> Any:
    return message_of(ChatMessage("user", parts), **facts)["content"]


def warnings_of(facts: dict[str, Any], *messages: ChatMessage, **settings: Any) -> tuple[str, ...]:
    return encode_request(ChatRequest("m", messages or (HELLO,), **settings), facts).warnings


# Settings


def test_the_smallest_request() -> None:
    assert body_of() == {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def test_every_setting() -> None:
    body = body_of(
        max_tokens=5, temperature=0.0, top_p=0.5, stop=("a", "b"), seed=0, presence_penalty=0.1, frequency_penalty=0.2,
        n=2, logprobs=3, user="u", parallel_tool_calls=False, stream=True, extra={"service_tier": "flex"},
    )  # fmt: skip
    assert body == {
        "model": "m", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 5, "temperature": 0.0,
        "top_p": 0.5, "stop": ["a", "b"], "seed": 0, "presence_penalty": 0.1, "frequency_penalty": 0.2, "n": 2,
        "logprobs": True, "top_logprobs": 3, "user": "u", "parallel_tool_calls": False, "stream": True,
        "stream_options": {"include_usage": True}, "service_tier": "flex",
    }  # fmt: skip


def test_every_settings_name_is_one_that_the_official_sdk_knows() -> None:
    from openai.types.chat import completion_create_params as params

    settings = {"max_tokens": 5, "temperature": 0.0, "top_p": 0.5, "stop": ("a",), "seed": 0, "n": 2, "logprobs": 3}
    more = {"presence_penalty": 0.1, "frequency_penalty": 0.2, "user": "u", "thinking": Thinking(), "stream": True}
    body = body_of(**settings, **more, tools=(ToolDefinition("f"),), tool_choice=ToolChoice("auto"))
    assert body.keys() - {"stream"} <= params.CompletionCreateParamsBase.__annotations__.keys()


def test_names_that_a_provider_has_for_settings() -> None:
    facts = {"max_tokens_param": "max_completion_tokens", "param_names": {"seed": "random_seed"}, "supports": ["top_k"]}
    body = body_of(facts, max_tokens=5, seed=1, top_k=40)
    assert (body["max_completion_tokens"], body["random_seed"], body["top_k"]) == (5, 1, 40)
    assert "max_tokens" not in body


def test_a_stream_without_usage() -> None:
    assert "stream_options" not in body_of({"stream_usage": False}, stream=True)


@pytest.mark.parametrize(
    ("facts", "settings", "param"),
    [
        ({}, {"top_k": 40}, "top_k"),
        ({"unsupported": ["seed"]}, {"seed": 0}, "seed"),
        ({"unsupported": ["tools"]}, {"tools": (ToolDefinition("f"),)}, "tools"),
        ({"json_schema": False}, {"response_format": ResponseFormat("json_schema", SCHEMA)}, "response_format"),
        ({"thinking_param": None}, {"thinking": Thinking()}, "thinking"),
        ({}, {"thinking": Thinking(budget_tokens=9)}, "thinking.budget_tokens"),
        ({"efforts": {"low": "low"}}, {"thinking": Thinking(effort="max")}, "thinking.effort"),
        ({"thinking_param": "enable_thinking"}, {"thinking": Thinking(effort="low")}, "thinking.effort"),
    ],
)
def test_what_can_not_be_said_is_an_error_that_names_it(
    facts: dict[str, Any], settings: dict[str, Any], param: str
) -> None:
    with pytest.raises(UnsupportedParameterError) as caught:
        body_of(facts, **settings)
    assert caught.value.param == param
    assert param in str(caught.value)


def test_what_a_provider_ignores_is_a_warning() -> None:
    facts = {"ignored": ["temperature", "seed"]}
    assert "temperature" not in body_of(facts, temperature=1.0)
    assert warnings_of(facts, temperature=1.0) == ("'temperature' was left out: this provider ignores it",)
    assert warnings_of(facts) == ()


@pytest.mark.parametrize(
    ("param", "thinking", "body"),
    [
        ("reasoning_effort", Thinking(effort="low"), {"reasoning_effort": "low"}),
        ("reasoning_effort", Thinking(), {"reasoning_effort": "medium"}),
        ("reasoning_effort", Thinking(enabled=False), {"reasoning_effort": "none"}),
        ("reasoning", Thinking(), {"reasoning": {"enabled": True}}),
        ("reasoning", Thinking(effort="low"), {"reasoning": {"effort": "low"}}),
        ("reasoning", Thinking(budget_tokens=9), {"reasoning": {"max_tokens": 9}}),
        ("thinking", Thinking(), {"thinking": {"type": "enabled"}}),
        ("thinking", Thinking(enabled=False), {"thinking": {"type": "disabled"}}),
        ("thinking", Thinking(effort="high"), {"thinking": {"type": "enabled"}, "reasoning_effort": "high"}),
        ("enable_thinking", Thinking(budget_tokens=9), {"enable_thinking": True, "thinking_budget": 9}),
        ("chat_template_kwargs", Thinking(enabled=False), {"chat_template_kwargs": {"enable_thinking": False}}),
    ],
)
def test_thinking(param: str, thinking: Thinking, body: dict[str, Any]) -> None:
    encoded = body_of({"thinking_param": param}, thinking=thinking)
    assert {key: value for key, value in encoded.items() if key not in ("model", "messages")} == body


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (ResponseFormat("text"), {"type": "text"}),
        (ResponseFormat("json"), {"type": "json_object"}),
        (
            ResponseFormat("json_schema", SCHEMA, "city", "A city", True),
            {
                "type": "json_schema",
                "json_schema": {"name": "city", "description": "A city", "schema": SCHEMA, "strict": True},
            },
        ),
    ],
)
def test_response_formats(form: ResponseFormat, body: dict[str, Any]) -> None:
    assert body_of(response_format=form)["response_format"] == body


def test_tools() -> None:
    tools = (
        ToolDefinition("f", "Does f", SCHEMA, strict=True, metadata={"cache_control": {"type": "ephemeral"}}),
        ToolDefinition("g"),
        ProviderPart("openrouter:web_search", {"parameters": {"max_results": 3}}),
    )
    assert body_of({"cache_mark": "cache_control"}, tools=tools)["tools"] == [
        {
            "type": "function",
            "function": {"name": "f", "description": "Does f", "parameters": SCHEMA, "strict": True},
            "cache_control": {"type": "ephemeral"},
        },
        {"type": "function", "function": {"name": "g", "parameters": {"type": "object", "properties": {}}}},
        {"type": "openrouter:web_search", "parameters": {"max_results": 3}},
    ]


@pytest.mark.parametrize(
    ("choice", "body"),
    [
        (ToolChoice("auto"), "auto"),
        (ToolChoice("none"), "none"),
        (ToolChoice("required"), "required"),
        (ToolChoice("tool", "f"), {"type": "function", "function": {"name": "f"}}),
        (ToolChoice("auto", metadata={"type": "allowed_tools"}), {"type": "allowed_tools"}),
    ],
)
def test_tool_choice(choice: ToolChoice, body: Any) -> None:
    assert body_of(tool_choice=choice)["tool_choice"] == body


# Messages


@pytest.mark.parametrize(
    ("fact", "roles"),
    [
        (None, ["system", "developer"]),
        ("developer", ["developer", "developer"]),
        ("system", ["system", "system"]),
    ],
)
def test_system_and_developer(fact: str | None, roles: list[str]) -> None:
    messages = (ChatMessage("system", "a"), ChatMessage("developer", "b"))
    facts = {"system_role": fact} if fact else {}
    assert [message["role"] for message in body_of(facts, *messages)["messages"]] == roles


def test_plain_text_is_a_string_and_marked_text_is_not() -> None:
    assert content_of(TextPart("a")) == "a"
    assert content_of(TextPart("a", metadata={"weight": 2})) == [{"type": "text", "text": "a", "weight": 2}]
    assert content_of(TextPart("a"), TextPart("b")) == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert content_of(TextPart("a"), TextPart("b"), flat_content=True) == "ab"


def test_images() -> None:
    assert content_of(
        ImagePart(url="https://x/y.png", detail="low"), ImagePart(data=b"abc", media_type="image/gif")
    ) == [
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "data:image/gif;base64,YWJj"}},
    ]


def test_sound() -> None:
    assert content_of(AudioPart(b"abc", "audio/mpeg"), AudioPart(b"abc", "audio/wav")) == [
        {"type": "input_audio", "input_audio": {"data": "YWJj", "format": "mp3"}},
        {"type": "input_audio", "input_audio": {"data": "YWJj", "format": "wav"}},
    ]


def test_documents() -> None:
    pdf = DocumentPart(data=b"abc", media_type="application/pdf", name="a.pdf")
    uri = "data:application/pdf;base64,YWJj"
    assert content_of(pdf, DocumentPart(file_id="file-1"), DocumentPart(text="Plain")) == [
        {"type": "file", "file": {"file_data": uri, "filename": "a.pdf"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "text", "text": "Plain"},
    ]
    url = DocumentPart(url="https://x/a.pdf")
    assert content_of(url, document_part="document_url") == [
        {"type": "document_url", "document_url": "https://x/a.pdf"}
    ]
    assert content_of(url, file_urls=True) == [{"type": "file", "file": {"file_data": "https://x/a.pdf"}}]


@pytest.mark.parametrize("part", [DocumentPart(url="https://x/a.pdf"), ImagePart()])
def test_a_part_that_can_not_be_sent_is_named(part: Any) -> None:
    with pytest.raises(UnsupportedParameterError, match=r"messages\[1\]\.content"):
        body_of({}, HELLO, ChatMessage("user", (part,)))


def test_unknown_blocks_go_back_whole() -> None:
    assert content_of(ProviderPart("video_url", {"video_url": {"url": "u"}})) == [
        {"type": "video_url", "video_url": {"url": "u"}}
    ]


def test_calls_and_their_results() -> None:
    call = ToolCall.from_json("a", "f", '{"x":  1}')
    messages = (
        ChatMessage("assistant", (call, ToolCall("b", "g", {"y": 2}))),
        ChatMessage("tool", (ToolResult("a", "one"), ToolResult("b", (TextPart("two"), TextPart("three")), name="g"))),
    )
    assert body_of({}, *messages)["messages"] == [
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":  1}'}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": '{"y": 2}'}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {
            "role": "tool",
            "tool_call_id": "b",
            "content": [{"type": "text", "text": "two"}, {"type": "text", "text": "three"}],
        },
    ]


def test_results_in_a_users_message_come_before_the_rest() -> None:
    message = ChatMessage("user", (ToolResult("a", "one"), TextPart("And now?")))
    assert body_of({}, message)["messages"] == [
        {"role": "tool", "tool_call_id": "a", "content": "one"},
        {"role": "user", "content": "And now?"},
    ]


def test_a_result_with_an_image_where_that_is_possible() -> None:
    result = ChatMessage("tool", (ToolResult("a", (ImagePart(url="u"),)),))
    with pytest.raises(UnsupportedParameterError, match="'image'"):
        message_of(result)
    assert message_of(result, tool_result_parts=["text", "image"])["content"] == [
        {"type": "image_url", "image_url": {"url": "u"}}
    ]


def test_a_failed_tool_is_told_by_its_text_and_that_is_a_warning() -> None:
    (warning,) = warnings_of({}, ChatMessage("tool", (ToolResult("a", "no such file", is_error=True),)))
    assert "is_error" in warning


def test_refusal_name_and_marks_on_messages() -> None:
    assert message_of(ChatMessage("assistant", (RefusalPart("No."),))) == {
        "role": "assistant", "content": None, "refusal": "No.",
    }  # fmt: skip
    assert message_of(ChatMessage("user", "Hi", name="ada", metadata={"prefix": True})) == {
        "role": "user", "name": "ada", "content": "Hi", "prefix": True,
    }  # fmt: skip


def test_cache_markers_go_to_those_who_take_them() -> None:
    marked = TextPart("a", metadata={"cache_control": {"type": "ephemeral"}})
    message = ChatMessage("user", (marked,))
    assert content_of(marked, cache_mark="cache_control") == [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}
    ]
    assert content_of(marked) == "a"
    assert warnings_of({"cache_mark": "cache_control"}, message) == ()
    (warning,) = warnings_of({}, message)
    assert "'cache_control' of messages[0].content left out" in warning


def test_what_only_another_protocol_has_is_left_out_with_a_warning() -> None:
    parts = (
        TextPart("See.", metadata={"anthropic_messages": {"caller": 1}, "openai_chat": {"weight": 2}}),
        ProviderPart("server_tool_use", {"id": "x"}, "anthropic_messages"),
    )
    message = ChatMessage("assistant", parts)
    assert message_of(message)["content"] == [{"type": "text", "text": "See.", "weight": 2}]
    assert sorted(warnings_of({}, message)) == [
        "'caller' of messages[0].content left out: only anthropic_messages has it",
        "'server_tool_use' of messages[0] left out: only anthropic_messages has it",
    ]


def test_another_protocols_hosted_tool_is_refused() -> None:
    with pytest.raises(UnsupportedParameterError, match=r"web_search_20250305.*anthropic_messages") as caught:
        body_of(tools=(ToolDefinition("f"), ProviderPart("web_search_20250305", {}, "anthropic_messages")))
    assert caught.value.param == "tools[1]"


def test_another_dialects_settings_are_left_out_with_a_warning() -> None:
    settings = {"extra": {"container": "c"}, "dialect": "anthropic_messages"}
    assert "container" not in body_of(**settings)
    assert warnings_of({}, **settings) == ("'container' left out: only anthropic_messages has it",)
    assert body_of(extra={"verbosity": "low"}, dialect="openai_chat")["verbosity"] == "low"


@pytest.mark.parametrize(
    ("facts", "asked", "options"),
    [
        (
            {},
            {"include_usage": False, "include_obfuscation": False},
            {"include_obfuscation": False, "include_usage": True},
        ),
        ({"stream_usage": False}, {"include_usage": True}, None),
        ({"stream_usage": False}, {"include_usage": True, "other": 1}, {"other": 1}),
    ],
)
def test_usage_in_a_stream_is_always_wanted(facts: Any, asked: Any, options: Any) -> None:
    assert body_of(facts, stream=True, extra={"stream_options": asked}).get("stream_options") == options


# What came from a provider goes back as it came


RECEIVED: list[dict[str, Any]] = [
    {"role": "assistant", "content": "Hi."},
    {"role": "assistant", "content": "4", "reasoning_content": "2 + 2"},
    {"role": "assistant", "content": "4", "reasoning": "2 + 2"},
    {"role": "assistant", "content": "4", "reasoning_details": [{"type": "reasoning.encrypted", "data": "g"}]},
    {"role": "assistant", "content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}], "closed": True},
        {"type": "text", "text": "4"},
    ]},
    {"role": "assistant", "content": None, "refusal": "No."},
    {"role": "assistant", "content": None, "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":  1'}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": ""}, "extra_content": {"google": {}}},
        {"id": "c", "type": "custom", "custom": {"name": "h", "input": "any text"}},
    ]},
    {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
    {"role": "assistant", "content": "Hi.", "thought_signature": "s", "extra_content": {"google": {"thought": True}}},
]  # fmt: skip


@pytest.mark.parametrize("message", RECEIVED)
def test_round_trip(message: dict[str, Any]) -> None:
    result = decode_response(200, (), json.dumps({"choices": [{"message": message}]}).encode())
    assert isinstance(result, Ok)
    assert message_of(result.value.message) == message


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("reasoning_content", {"content": "4", "reasoning_content": "2 + 2"}),
        ("reasoning_details", {"content": "4", "reasoning": "2 + 2"}),
        ("thinking", {"content": [
            {"type": "thinking", "thinking": [{"type": "text", "text": "2 + 2"}]}, {"type": "text", "text": "4"},
        ]}),
        (None, {"content": "4"}),
    ],
)  # fmt: skip
def test_reasoning_goes_where_the_provider_wants_it(field: str | None, sent: dict[str, Any]) -> None:
    message = ChatMessage("assistant", (ReasoningPart("2 + 2", metadata={}), TextPart("4")))
    assert message_of(message, reasoning_field=field) == {"role": "assistant"} | sent


SIGNED = ReasoningPart("2 + 2", signature="s", metadata={"anthropic_messages": {}})
VOUCHED = ReasoningPart("2 + 2", signature="s")


@pytest.mark.parametrize(
    ("field", "part", "sent", "warned"),
    [
        ("reasoning_content", SIGNED, {"reasoning_content": "2 + 2"}, True),
        ("reasoning_details", SIGNED, {"reasoning": "2 + 2"}, True),
        (
            "reasoning_details",
            VOUCHED,
            {"reasoning_details": [{"type": "reasoning.text", "text": "2 + 2", "signature": "s"}]},
            False,
        ),
        ("reasoning_content", ReasoningPart(encrypted="e", metadata={"anthropic_messages": {}}), {}, True),
        (None, SIGNED, {}, True),
    ],
)
def test_another_protocols_proof_is_left_out_with_a_warning(field: Any, part: Any, sent: Any, warned: bool) -> None:
    message = ChatMessage("assistant", (part, TextPart("4")))
    assert message_of(message, reasoning_field=field) == {"role": "assistant", "content": "4"} | sent
    assert bool(warnings_of({"reasoning_field": field}, message)) == warned


def test_reasoning_that_is_not_sent_is_a_warning() -> None:
    message = ChatMessage("assistant", (ReasoningPart("2 + 2"), TextPart("4")))
    for facts in ({"reasoning_field": None}, {}):
        (warning,) = warnings_of(facts, message, message)
        assert "reasoning" in warning


# Bytes


def test_text_is_utf8_and_half_a_surrogate_pair_is_escaped() -> None:
    assert "Zürich 🏔" in encode_request(ChatRequest("m", (ChatMessage("user", "Zürich 🏔"),)), {}).body.decode()
    assert b"\\ud83d" in encode_request(ChatRequest("m", (ChatMessage("user", "\ud83d"),)), {}).body


@pytest.mark.parametrize("settings", [{"temperature": float("nan")}, {"extra": {"x": {1, 2}}}, {"extra": {"x": b"y"}}])
def test_a_value_that_is_no_json(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="can't be written as JSON"):
        body_of(**settings)
