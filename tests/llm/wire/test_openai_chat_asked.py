"""Requests as clients of the OpenAI chat protocol send them: given a body, expect our values, or OpenAI's words."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdallm.llm.errors import InvalidRequestError
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
from lambdallm.llm.wire.openai_chat import decode_request, encode_request

HELLO = {"role": "user", "content": "Hello"}
PDF = "data:application/pdf;base64," + base64.b64encode(b"abc").decode()


def asked(*messages: dict[str, Any], **fields: Any) -> ChatRequest:
    return decode_request(json.dumps({"model": "m", "messages": messages or [HELLO]} | fields).encode())


def message(**fields: Any) -> ChatMessage:
    return asked(HELLO, fields).messages[1]


def part(**item: Any) -> Any:
    (found,) = message(role="user", content=[item]).parts
    return found


def own(**fields: Any) -> dict[str, Any]:
    return {"openai_chat": fields}


# Settings


def test_the_smallest_request() -> None:
    assert asked() == ChatRequest("m", (ChatMessage("user", "Hello"),), dialect="openai_chat")


def test_every_setting() -> None:
    fields = {
        "temperature": 0, "top_p": 0.5, "top_k": 40, "seed": 1, "presence_penalty": 0.1, "frequency_penalty": 0.2,
        "n": 2, "user": "u", "parallel_tool_calls": False, "max_tokens": 5,
    }  # fmt: skip
    request = asked(**fields, stop=["a", "b"], logprobs=True, top_logprobs=3, stream=True)
    assert {name: getattr(request, name) for name in fields} == fields
    assert (request.stop, request.logprobs, request.stream, request.extra) == (("a", "b"), 3, True, {})


@pytest.mark.parametrize(
    ("field", "value", "name", "decoded"),
    [
        ("max_completion_tokens", 5, "max_tokens", 5),
        ("random_seed", 7, "seed", 7),
        ("stop", "a", "stop", ("a",)),
        ("max_tokens", 5.0, "max_tokens", 5),
        ("logprobs", 2, "logprobs", 2),
        ("logprobs", True, "logprobs", 0),
        ("logprobs", False, "logprobs", None),
        ("temperature", None, "temperature", None),
        ("stop", [], "stop", ()),
    ],
)
def test_settings_in_other_forms(field: str, value: Any, name: str, decoded: Any) -> None:
    request = asked(**{field: value})
    assert getattr(request, name) == decoded
    assert request.extra == {}


def test_what_no_field_holds_stays_as_it_came() -> None:
    fields = {
        "logit_bias": {"50256": -100}, "metadata": {"k": "v"}, "store": True, "service_tier": "flex", "min_p": 0.1,
        "prediction": {"type": "content", "content": "x"}, "modalities": ["text", "audio"], "verbosity": "low",
        "audio": {"voice": "alloy", "format": "wav"}, "web_search_options": {},
        "prompt_cache_options": {"mode": "explicit"}, "prompt_cache_retention": "in_memory",
        "stream_options": {"include_usage": True}, "reasoning_effort": "default", "thinking": {"clear_thinking": False},
        "response_format": {"type": "grammar", "grammar": "root ::= x"}, "top_logprobs": 2,
    }  # fmt: skip
    request = asked(**fields)
    assert request.extra == fields
    assert (request.thinking, request.response_format) == (None, None)


def test_the_url_may_name_model_and_stream() -> None:
    body = json.dumps({"messages": [HELLO], "stream": True}).encode()
    request = decode_request(body, model="deployed", stream=False)
    assert (request.model, request.stream) == ("deployed", False)


@pytest.mark.parametrize(
    ("fields", "thinking", "extra"),
    [
        ({"reasoning_effort": "low"}, Thinking(effort="low"), {}),
        ({"reasoning_effort": "none"}, Thinking(enabled=False), {}),
        ({"reasoning": {"effort": "high"}}, Thinking(effort="high"), {}),
        ({"reasoning": {"max_tokens": 9}}, Thinking(budget_tokens=9), {}),
        ({"reasoning": {"enabled": False}}, Thinking(enabled=False), {}),
        ({"thinking": {"type": "enabled"}, "reasoning_effort": "high"}, Thinking(effort="high"), {}),
        ({"thinking": {"type": "enabled", "budget_tokens": 9}}, Thinking(budget_tokens=9), {}),
        ({"thinking": {"type": "disabled"}}, Thinking(enabled=False), {}),
        ({"enable_thinking": True, "thinking_budget": 9}, Thinking(budget_tokens=9), {}),
        ({"chat_template_kwargs": {"enable_thinking": False}}, Thinking(enabled=False), {}),
        ({"chat_template_kwargs": {"x": 1}}, None, {"chat_template_kwargs": {"x": 1}}),
        ({"reasoning": {"effort": "utmost"}}, None, {"reasoning": {"effort": "utmost"}}),
    ],
)
def test_the_switches_for_thinking(fields: dict[str, Any], thinking: Thinking | None, extra: Any) -> None:
    request = asked(**fields)
    found = request.thinking
    assert (found.replace(metadata={}) if found else None) == (thinking.replace(metadata={}) if thinking else None)
    assert request.extra == extra


def again(request: ChatRequest, **facts: Any) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(encode_request(request, facts).body)
    return {key: value for key, value in body.items() if key not in ("model", "messages")}


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning": {"effort": "low", "exclude": True}},
        {"thinking": {"type": "enabled", "budget_tokens": 9, "clear_thinking": False}},
        {"enable_thinking": True, "thinking_budget": 9},
        {"chat_template_kwargs": {"enable_thinking": True, "x": 1}, "reasoning_effort": "low"},
        {"reasoning_effort": "minimal"},
    ],
)
def test_a_provider_without_a_declared_switch_gets_the_one_that_was_used(fields: dict[str, Any]) -> None:
    assert again(asked(**fields)) == fields


def test_a_provider_with_another_switch_gets_its_own_and_what_that_can_not_say_is_a_warning() -> None:
    request = asked(reasoning={"effort": "low", "exclude": True})
    assert again(request, thinking_param="reasoning_effort") == {"reasoning_effort": "low"}
    (warning,) = encode_request(request, {"thinking_param": "reasoning_effort"}).warnings
    assert "'exclude'" in warning


@pytest.mark.parametrize(
    ("form", "decoded"),
    [
        ({"type": "text"}, ResponseFormat("text")),
        ({"type": "json_object"}, ResponseFormat("json")),
        ({"type": "json_object", "schema": {}}, ResponseFormat("json", metadata=own(schema={}))),
        (
            {"type": "json_schema", "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True}},
            ResponseFormat("json_schema", {"type": "object"}, "city", strict=True),
        ),
    ],
)
def test_response_formats(form: dict[str, Any], decoded: ResponseFormat) -> None:
    assert asked(response_format=form).response_format == decoded


# Tools


def test_tools() -> None:
    function = {"name": "f", "description": "d", "parameters": {"type": "object"}, "strict": True}
    marker = {"type": "ephemeral"}
    custom = {"name": "c", "format": {"type": "text"}}
    request = asked(
        tools=[
            {"type": "function", "function": function},
            {"function": {"name": "g", "parameters": None}, "cache_control": marker, "eager": True},
            {"type": "custom", "custom": custom},
            {"type": "openrouter:web_search", "parameters": {"max_uses": 1}},
        ]
    )
    assert request.tools == (
        ToolDefinition("f", "d", {"type": "object"}, True),
        ToolDefinition("g", metadata=own(eager=True) | {"cache_control": marker}),
        ProviderPart("custom", {"custom": custom}, "openai_chat"),
        ProviderPart("openrouter:web_search", {"parameters": {"max_uses": 1}}, "openai_chat"),
    )


ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}}
CUSTOM = {"type": "custom", "custom": {"name": "c"}}


@pytest.mark.parametrize(
    ("choice", "decoded"),
    [
        ("auto", ToolChoice("auto")),
        ("none", ToolChoice("none")),
        ("required", ToolChoice("required")),
        ("any", ToolChoice("required", metadata=own(form={"word": "any"}))),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("tool", "f")),
        ({"function": {"name": "f"}}, ToolChoice("tool", "f")),
        (CUSTOM, ToolChoice("tool", "c", own(**CUSTOM))),
        (ALLOWED, ToolChoice("required", metadata=own(**ALLOWED))),
    ],
)
def test_tool_choice(choice: Any, decoded: ToolChoice) -> None:
    request = asked(tool_choice=choice)
    assert request.tool_choice == decoded
    expected = {"type": "function"} | choice if isinstance(choice, dict) else choice
    assert again(request)["tool_choice"] == expected


def test_functions_of_the_old_days_become_tools() -> None:
    request = asked(
        HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": '{"x": 1}'}},
        {"role": "function", "name": "f", "content": "one"},
        functions=[{"name": "f", "parameters": {"type": "object"}}],
        function_call={"name": "f"},
    )
    assert request.messages[1].tool_calls == (ToolCall("call_0", "f", {"x": 1}, '{"x": 1}'),)
    assert request.messages[2] == ChatMessage("tool", (ToolResult("call_0", "one", "f"),))
    assert request.tool_choice == ToolChoice("tool", "f")
    assert again(request)["tools"] == [
        {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    ]


# Messages


def test_roles_names_and_unknown_fields() -> None:
    assert message(role="developer", content="a") == ChatMessage("developer", "a")
    assert message(role="user", content="a", name="ada", weight=2, cache_control={"type": "ephemeral"}) == ChatMessage(
        "user", "a", "ada", own(weight=2) | {"cache_control": {"type": "ephemeral"}}
    )
    assert message(role="assistant", content="Par", prefix=True).metadata == own(prefix=True)


def test_text_and_its_markers() -> None:
    marker = {"type": "ephemeral", "ttl": "5m"}
    assert part(type="text", text="a", cache_control=marker) == TextPart("a", metadata={"cache_control": marker})
    assert part(type="text", text="a", breakpoint=1) == TextPart("a", metadata=own(breakpoint=1))
    assert message(role="user", content=["a", {"type": "text", "text": "b"}]).text == "ab"


@pytest.mark.parametrize(
    "uri", ["data:image/png;base64,YWJj", "data:image/png;base64,YW\nJj", "data:image/png;base64,YWJj="]
)
def test_images_as_data(uri: str) -> None:
    image = part(type="image_url", image_url={"url": uri, "detail": "low"})
    assert image == ImagePart(data=b"abc", media_type="image/png", detail="low")


def test_images_by_url() -> None:
    assert part(type="image_url", image_url="https://x/y.png") == ImagePart("https://x/y.png")
    assert part(type="image_url", image_url={"url": "data:image/svg+xml,<svg/>"}).url == "data:image/svg+xml,<svg/>"
    assert part(type="image_url", image_url={"url": "u", "format": "f"}).metadata == own(image_url={"format": "f"})


def test_sound() -> None:
    sound = {"data": "YWJj", "format": "mp3"}
    assert part(type="input_audio", input_audio=sound) == AudioPart(b"abc", "audio/mpeg")
    by_url = part(type="input_audio", input_audio="https://x/y.mp3")
    assert by_url == ProviderPart("input_audio", {"input_audio": "https://x/y.mp3"}, "openai_chat")


@pytest.mark.parametrize(
    ("item", "decoded"),
    [
        ({"file_data": PDF, "filename": "a.pdf"}, DocumentPart(b"abc", "application/pdf", name="a.pdf")),
        ({"file_id": "file-1"}, DocumentPart(file_id="file-1")),
        ({"file_data": "https://x/a.pdf"}, DocumentPart(url="https://x/a.pdf")),
        ({"file_data": "YWJj"}, DocumentPart(b"abc")),
    ],
)
def test_documents(item: dict[str, Any], decoded: DocumentPart) -> None:
    assert part(type="file", file=item) == decoded.replace(metadata=own(form={"part": "file"}))


def test_documents_of_mistral_go_back_as_they_came() -> None:
    item = {"type": "document_url", "document_url": "https://x/a.pdf", "document_name": "a"}
    body = json.loads(encode_request(asked({"role": "user", "content": [item]}), {}).body)
    assert body["messages"][0]["content"] == [item]


def test_unknown_items_are_this_protocols_own() -> None:
    video = {"video_url": {"url": "u"}}
    assert part(type="video_url", **video) == ProviderPart("video_url", video, "openai_chat")


def test_an_assistants_message() -> None:
    calls = [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":  1}'}, "index": 0},
        {"id": "b", "type": "custom", "custom": {"name": "h", "input": "any text"}},
        {
            "id": "c",
            "type": "function",
            "function": {"name": "g", "arguments": {"y": 2}},
            "extra_content": {"google": {}},
        },
    ]
    said = message(role="assistant", content="Hi", refusal="No.", tool_calls=calls, reasoning_content="Hm.")
    assert said.parts == (
        ReasoningPart("Hm.", metadata=own(form={"field": "reasoning_content"})),
        TextPart("Hi"),
        RefusalPart("No."),
        ToolCall("a", "f", {"x": 1}, '{"x":  1}'),
        ToolCall("b", "h", None, "any text", own(form={"kind": "custom"})),
        ToolCall("c", "g", {"y": 2}, None, own(extra_content={"google": {}})),
    )


def test_a_tools_result() -> None:
    items = [{"type": "text", "text": "one"}, {"type": "image_url", "image_url": {"url": "u"}}]
    result = message(role="tool", tool_call_id="a", name="f", content=items, cache_control={})
    assert result.role == "tool"
    expected = ToolResult("a", (TextPart("one"), ImagePart("u")), "f", metadata={"cache_control": {}})
    assert result.parts == (expected,)


@pytest.mark.parametrize(
    "fields",
    [
        {"reasoning_content": "2 + 2"},
        {"reasoning": "2 + 2", "reasoning_details": [{"type": "reasoning.text", "text": "2 + 2", "signature": "s"}]},
        {"reasoning": "short", "reasoning_details": [{"type": "reasoning.text", "text": "long"}]},
        {"reasoning_details": [{"type": "reasoning.encrypted", "data": "e", "id": "r"}]},
        {"reasoning_content": ""},
        {"reasoning_content": "2 + 2", "reasoning": "other"},
    ],
)
def test_reasoning_goes_back_where_it_came(fields: dict[str, Any]) -> None:
    said = {"role": "assistant", "content": "4"} | fields
    assert json.loads(encode_request(asked(said), {}).body)["messages"] == [said]


# What is wrong, in OpenAI's words


@pytest.mark.parametrize(
    ("fields", "param", "quoted"),
    [
        ({"messages": None}, "messages", "Missing required parameter: 'messages'."),
        ({"messages": []}, "messages", "empty array"),
        ({"messages": "Hi"}, "messages", "expected an array, but got 'Hi' instead"),
        ({"messages": ["Hi"]}, "messages[0]", "expected an object, but got 'Hi' instead"),
        ({"messages": [{}]}, "messages[0].role", "Missing required parameter: 'messages[0].role'."),
        ({"messages": [{"role": "robot"}]}, "messages[0].role", "Invalid value: 'robot'. Supported values are: '"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "got 7 instead"),
        ({"messages": [{"role": "user", "content": [7]}]}, "messages[0].content[0]", "got 7 instead"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0].type", "Missing"),
        (
            {"messages": [HELLO, {"role": "user", "content": [{"type": "text", "text": 7}]}]},
            "messages[1].content[0].text",
            "expected a string, but got 7 instead",
        ),
        (
            {"messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,a!"}}]}]},
            "messages[0].content[0].image_url.url",
            "Invalid base64 in 'messages[0].content[0].image_url.url': 'a!'.",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "Missing"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": "a", "function": {}}]}]},
            "messages[0].tool_calls[0].function.name",
            "Missing",
        ),
        ({"model": None}, "model", "You must provide a model parameter."),
        ({"model": 7}, "model", "expected a string, but got 7 instead"),
        ({"temperature": "hot"}, "temperature", "expected a decimal, but got 'hot' instead"),
        ({"max_tokens": True}, "max_tokens", "expected an integer, but got True instead"),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "max_completion_tokens", "at the same time"),
        ({"stream": "yes"}, "stream", "expected a boolean, but got 'yes' instead"),
        ({"stop": [7]}, "stop", "one of a string or array of strings, but got [7] instead"),
        ({"tools": [{"type": "function"}]}, "tools[0].function", "Missing"),
        ({"tools": [{"function": {"name": 7}}]}, "tools[0].function.name", "got 7 instead"),
        ({"tool_choice": "perhaps"}, "tool_choice", "Invalid value: 'perhaps'"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "Missing"),
        ({"logprobs": "yes"}, "logprobs", "got 'yes' instead"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_quoted_with_its_path(fields: dict[str, Any], param: str, quoted: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        asked(**fields)
    assert caught.value.param == param
    assert quoted in caught.value.message
    assert caught.value.type == "invalid_request_error"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model": NaN}', b"[" * 99999, b'{"a":' * 99999])
def test_bytes_that_are_no_request(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        decode_request(body)


# Anything at all

KEYS = (
    "role", "content", "type", "text", "image_url", "url", "file", "file_data", "tool_calls", "function", "name", "id",
    "arguments", "tool_call_id", "reasoning_details", "reasoning", "extra_content", "lambdallm", "parts", "kind",
    "length", "value", "protocol",
    "custom", "input_audio", "data", "format", "refusal", "function_call", "notes", "thinking", "effort",
)  # fmt: skip
WORDS = st.sampled_from(
    ["user", "assistant", "tool", "function", "text", "image_url", "file", "auto", "json_schema", "data:;base64,YQ==",
     "thought", "call", "block", "enabled", "openai_chat", "anthropic_messages"]
) | st.text(max_size=4)  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=25,
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "assistant", "tool", "function", "system"])},
    optional={key: ANY for key in KEYS if key != "role"} | {"content": ANY},
)
SETTINGS = st.dictionaries(
    st.sampled_from(
        ["tools", "functions", "tool_choice", "response_format", "thinking", "reasoning", "reasoning_effort", "stop",
         "logprobs", "top_logprobs", "stream", "stream_options", "chat_template_kwargs", "enable_thinking", "n"]
    ),
    ANY,
    max_size=4,
)  # fmt: skip
PERMISSIVE = {"supports": ["top_k"], "tool_result_parts": ["text", "image", "audio", "document"]}


@settings(max_examples=100, deadline=None)
@given(st.lists(MESSAGE, max_size=4), SETTINGS)
def test_any_request_is_read_or_refused(messages: list[Any], fields: dict[str, Any]) -> None:
    """And what is read can be written again by this protocol, or is refused; nothing else is ever raised."""
    with contextlib.suppress(InvalidRequestError):
        encode_request(asked_of(json.dumps({"model": "m", "messages": messages} | fields).encode()), PERMISSIVE)


def asked_of(body: bytes) -> ChatRequest:
    request = decode_request(body)
    assert all(isinstance(message.text, str) for message in request.messages)
    return request


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        decode_request(body)


@pytest.mark.parametrize("depth", [100, 900, 980, 2000])
@pytest.mark.parametrize("place", ["content", "tools", "metadata", "reasoning_details", "arguments"])
def test_deep_nesting(place: str, depth: int) -> None:
    deep = '{"x":' * depth + "1" + "}" * depth
    bodies = {
        "content": '{"model":"m","messages":[{"role":"user","content":[{"type":"v","v":%s}]}]}',
        "tools": '{"model":"m","messages":[{"role":"user","content":""}],"tools":[%s]}',
        "metadata": '{"model":"m","messages":[{"role":"user","content":""}],"metadata":%s}',
        "reasoning_details": '{"model":"m","messages":[{"role":"assistant","reasoning_details":[%s]}]}',
        "arguments": '{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f",'
        '"arguments":%s}}]}]}',
    }
    with contextlib.suppress(InvalidRequestError):
        encode_request(asked_of(bodies[place].replace("%s", deep).encode()), PERMISSIVE)
